// The two messages of envoy.service.auth.v3.Authorization/Check, as far as they say something here: written and read by hand,
// so that no definition has to be loaded. Numbers of fields are those of the public interface.
// Source: envoy/service/auth/v3/attribute_context.proto, external_auth.proto; protobuf.dev/programming-guides/encoding.
import { protobufField } from '../identity/protobuf.ts';
import type { AuthorizerAnswer } from './check.ts';
import type { AccessRequest, PeekedBody } from './request.ts';
import { headersOf, PARTIAL_HEADER, statusOf, usablePairs } from './ext-authz.ts';

type Pair = readonly [name: string, value: string];

const VARINT = 0;
const BYTES = 2;

/** What it is told of the body. */
export interface ToldBody extends PeekedBody {
  /** As bytes; else as text. */
  readonly isBytes: boolean;
}

export function checkRequestBytes(request: AccessRequest, body: ToldBody | null = null, protocol = 'HTTP/1.1'): Buffer {
  const source = peerBytes(request.peerAddress, 0, request.peer?.spiffeId ?? '');
  const destination = peerBytes(request.localAddress, request.localPort, '');
  const attributes = [
    protobufField(1, source),
    protobufField(2, destination),
    protobufField(4, protobufField(2, httpBytes(request, body, protocol))),
    ...(request.sni === '' ? [] : [protobufField(12, protobufField(1, request.sni))]),
  ];
  return protobufField(1, Buffer.concat(attributes));
}

function peerBytes(address: string, port: number, principal: string): Buffer {
  const socket = Buffer.concat([protobufField(2, address), numberField(3, port)]);
  const parts = [protobufField(1, protobufField(1, socket))];
  if (principal !== '') parts.push(protobufField(4, principal));
  return Buffer.concat(parts);
}

function httpBytes(request: AccessRequest, body: ToldBody | null, protocol: string): Buffer {
  const { target, method, authority, isTls } = request;
  const [rest = '', fragment = ''] = target.split('#');
  const query = rest.indexOf('?');
  const headers = headersOf(request);
  const length = Number(headers.get('content-length') ?? -1);
  const pseudo: Pair[] = [
    [':method', method],
    [':path', target],
    [':authority', authority],
  ];
  if (body !== null) headers.set(PARTIAL_HEADER, String(!body.isWhole));
  return Buffer.concat([
    protobufField(1, headers.get('x-request-id') ?? ''),
    protobufField(2, method),
    ...[...pseudo, ...headers].map(([name, value]) => protobufField(3, Buffer.concat([protobufField(1, name), protobufField(2, value)]))),
    protobufField(4, target),
    protobufField(5, authority),
    protobufField(6, isTls ? 'https' : 'http'),
    protobufField(7, query < 0 ? '' : rest.slice(query + 1)),
    protobufField(8, fragment),
    ...(Number.isSafeInteger(length) && length >= 0 ? [numberField(9, length)] : []),
    protobufField(10, protocol),
    ...(body === null ? [] : [body.isBytes ? protobufField(12, body.bytes) : protobufField(11, body.bytes.toString('utf8'))]),
  ]);
}

function numberField(field: number, value: number): Buffer {
  const bytes: number[] = [field * 8 + VARINT];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) + 0x80);
  return Buffer.from([...bytes, left]);
}

/** Numbers and bytes by number of the field. Throws an Error for what is no message. */
class Message {
  readonly #fields: Map<number, (number | Buffer)[]> = new Map();

  constructor(bytes: Uint8Array) {
    const all = Buffer.from(bytes);
    let at = 0;
    const varint = (): number => {
      let value = 0;
      for (let i = 0; i < 10; i++) {
        const byte = all[at++];
        if (byte === undefined) break;
        value += (byte & 0x7f) * 2 ** (7 * i);
        if (byte < 0x80) return value;
      }
      throw new Error('its answer is no CheckResponse');
    };
    while (at < all.length) {
      const tag = varint();
      const kind = tag % 8;
      const size = kind === VARINT ? 0 : kind === BYTES ? varint() : kind === 1 ? 8 : kind === 5 ? 4 : all.length;
      const value = kind === VARINT ? varint() : all.subarray(at, at + size);
      at += size;
      if (at > all.length) throw new Error('its answer is no CheckResponse');
      const field = Math.floor(tag / 8);
      const known = this.#fields.get(field);
      if (known === undefined) this.#fields.set(field, [value]);
      else known.push(value);
    }
  }

  /** The last one; 0 when it is missing. */
  number(field: number): number {
    const value = this.#fields.get(field)?.at(-1);
    return typeof value === 'number' ? value : 0;
  }

  /** The last one; '' when it is missing. */
  text(field: number): string {
    return this.texts(field).at(-1) ?? '';
  }

  texts(field: number): string[] {
    return this.#bytes(field).map((bytes) => bytes.toString('utf8'));
  }

  messages(field: number): Message[] {
    return this.#bytes(field).map((bytes) => new Message(bytes));
  }

  #bytes(field: number): Buffer[] {
    return (this.#fields.get(field) ?? []).filter((value) => typeof value !== 'number');
  }
}

/** `statusOnError`: what a denied caller gets whose status cannot be used. */
export function checkAnswer(bytes: Uint8Array, request: AccessRequest): AuthorizerAnswer {
  const answer = new Message(bytes);
  const status = answer.messages(1).at(-1);
  const code = status?.number(1) ?? 0;
  if (code !== 0) {
    const denied = answer.messages(2).at(-1);
    const http = denied?.messages(1).at(-1)?.number(1) ?? 0;
    const headers = usablePairs((denied?.messages(2) ?? []).map(pairOf));
    return { kind: 'deny', status: statusOf(http, 403), headers, body: denied?.text(3) ?? '' };
  }
  const ok = answer.messages(3).at(-1);
  const options = ok?.messages(2) ?? [];
  return {
    kind: 'allow',
    edits: {
      remove: usablePairs((ok?.texts(5) ?? []).map((name): Pair => [name, ''])).map(([name]) => name),
      set: usablePairs(options.filter((option) => !isAppended(option)).map(pairOf)),
      append: usablePairs(options.filter(isAppended).map(pairOf)),
      target: targetOf(request.target, (ok?.messages(7) ?? []).map(pairIn), ok?.texts(8) ?? []),
    },
    responseHeaders: usablePairs((ok?.messages(6) ?? []).map(pairOf)),
  };
}

/** HeaderValueOption. */
function pairOf(option: Message): Pair {
  const header = option.messages(1).at(-1);
  if (header === undefined) return ['', ''];
  const [name, value] = pairIn(header);
  return [name, value === '' ? header.text(3) : value];
}

/** Anything with key and value. */
function pairIn(message: Message): Pair {
  return [message.text(1), message.text(2)];
}

function isAppended(option: Message): boolean {
  return (option.messages(2).at(-1)?.number(1) ?? 0) === 1;
}

/** null: as it is. */
function targetOf(target: string, set: readonly Pair[], remove: readonly string[]): string | null {
  if (set.length + remove.length === 0) return null;
  const start = target.indexOf('?');
  const query = new URLSearchParams(start < 0 ? '' : target.slice(start + 1));
  for (const name of remove) query.delete(name);
  for (const [name, value] of set) query.set(name, value);
  const path = start < 0 ? target : target.slice(0, start);
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}
