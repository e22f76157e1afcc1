// A gRPC call from the side of the one who serves it, as the layers of HTTP servers see calls: its metadata as the head of a
// request, and a head for what they say to the caller. Neither is ever read from or written to a socket.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Metadata } from '@grpc/grpc-js';
import type { Carrier } from '../../core/call.ts';
import { GRPC_ATTEMPTS_HEADER } from '../../core/headers.ts';
import { type CallHost, InboundCall } from '../inbound-call.ts';

/** As much of IncomingMessage as is looked at before a handler. */
class RpcRequest {
  readonly httpVersionMajor = 2;
  readonly method = 'POST';
  readonly url: string;
  readonly socket: Socket;
  readonly rawHeaders: string[] = [];
  readonly headers: Record<string, string> = {};

  constructor(path: string, authority: string, metadata: Metadata, socket: Socket) {
    this.url = path;
    this.socket = socket;
    this.rawHeaders.push(':authority', authority);
    const found = metadata.toHttp2Headers();
    for (const name in found) {
      const values = found[name];
      if (Array.isArray(values)) for (const value of values) this.#add(name, value);
      else this.#add(name, String(values));
    }
  }

  #add(name: string, value: string): void {
    this.rawHeaders.push(name, value);
    const known = this.headers[name];
    this.headers[name] = known === undefined ? value : `${known}, ${value}`;
  }
}

/** As much of ServerResponse as layers write: pairs for the metadata of the answer. */
class RpcResponse {
  readonly req: { readonly httpVersionMajor: number };
  readonly pairs: string[] = [];
  readonly statusCode = 200;
  headersSent = false;

  constructor(req: RpcRequest) {
    this.req = req;
  }

  setHeader(name: string, value: string): void {
    const at = this.pairs.findIndex((known, i) => i % 2 === 0 && known === name);
    if (at < 0) this.pairs.push(name, value);
    else this.pairs[at + 1] = value;
  }

  appendHeader(name: string, value: string): void {
    this.pairs.push(name, value);
  }
}

/** Says of a call that it is gRPC. Nothing is sent from here. */
const SERVED: Carrier = Object.freeze({ protocol: 'grpc', send: () => Promise.reject(new Error('a call that is served is not sent')) });
const ATTEMPTS = /^\d{1,4}$/;

export interface RpcHead {
  /** `/pkg.Service/Method`. */
  readonly path: string;
  readonly authority: string;
  readonly metadata: Metadata;
  readonly socket: Socket;
  /** Whether it is more than one message in each direction. */
  readonly isStream: boolean;
  /** The server has no such method. */
  readonly isUnknown: boolean;
}

export class InboundRpc extends InboundCall {
  /** Lets the handler have it. Written by the door. */
  begin: () => void = ignore;
  /** The server has no such method: its name is any text that a caller likes. */
  readonly isUnknown: boolean;

  constructor(head: RpcHead, host: CallHost, turn: number, startedAtMs: number) {
    const { path, authority, metadata, socket, isStream, isUnknown } = head;
    const request = new RpcRequest(path, authority, metadata, socket);
    const response = new RpcResponse(request);
    super(request as unknown as IncomingMessage, response as unknown as ServerResponse, host, turn, startedAtMs);
    this.carrier = SERVED;
    this.isStream = isStream;
    this.isUnknown = isUnknown;
    const before = this.header(GRPC_ATTEMPTS_HEADER);
    if (before !== undefined && ATTEMPTS.test(before)) this.attempt = Number(before) + 1;
  }

  /** Writes what the layers have for the caller, once. */
  addTo(metadata: Metadata): void {
    const response = this.response as unknown as RpcResponse;
    if (response.headersSent) return;
    response.headersSent = true;
    const { pairs } = response;
    for (let i = 0; i < pairs.length; i += 2) metadata.add(pairs[i] as string, pairs[i + 1] as string);
  }
}

/** Takes over into the metadata what the pairs no longer have, or have anew. `before`: the pairs as they were made of it. */
export function followPairs(metadata: Metadata, before: readonly string[], after: readonly string[]): void {
  if (isSame(before, after)) return;
  for (let i = 0; i < before.length; i += 2) if (!(before[i] as string).startsWith(':')) metadata.remove(before[i] as string);
  for (let i = 0; i < after.length; i += 2) {
    const name = (after[i] as string).toLowerCase();
    const value = after[i + 1] as string;
    if (!name.startsWith(':')) metadata.add(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
  }
}

function isSame(before: readonly string[], after: readonly string[]): boolean {
  if (before.length !== after.length) return false;
  for (let i = 0; i < before.length; i++) if (before[i] !== after[i]) return false;
  return true;
}

function ignore(): void {}
