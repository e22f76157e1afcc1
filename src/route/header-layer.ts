// What a route changes in the headers, on the way out and on the way back: remove, then set, then add. Costs nothing where
// nothing is asked. Must not know which headers may be changed: the loader refuses those of the connection.
import type { Call, Reply, ReplyHeaders } from '../core/call.ts';
import type { Layer, Service } from '../core/service.ts';
import type { HeaderOperations } from '../model/route.ts';
import { compileHeaderText, type HeaderText } from './header-text.ts';

export function headerLayer(request: HeaderOperations | undefined, response: HeaderOperations | undefined): Layer {
  const ahead = request === undefined ? null : compile(request);
  const back = response === undefined ? null : compile(response);
  return (next) => backLayer(back, aheadLayer(ahead, next));
}

/** The operations as lists. Names in lower case. */
interface Edits {
  /** Removed or overwritten. */
  readonly dropped: readonly string[];
  /** Flat pairs: what is set, then what is added. */
  readonly appended: readonly string[];
  /** Values that are put together for each call, in place of those in `appended`; null when all are literal. */
  readonly texts: readonly HeaderText[] | null;
}

function compile({ remove, set, add, append = [], formatted }: HeaderOperations): Edits | null {
  const dropped = [...remove, ...Object.keys(set)];
  const pairs = [...Object.entries(set), ...Object.entries(add), ...append];
  if (dropped.length + pairs.length === 0) return null;
  return { dropped, appended: pairs.flat(), texts: formatted === true ? pairs.map(([, value]) => compileHeaderText(value)) : null };
}

/** An empty value is no header. Source: Envoy `keep_empty_value`. */
function written({ appended, texts }: Edits, call: Call, reply: Reply | null): readonly string[] {
  if (texts === null) return appended;
  const pairs: string[] = [];
  for (let i = 0; i < texts.length; i++) {
    const value = (texts[i] as HeaderText)(call, reply);
    if (value !== '') pairs.push(appended[2 * i] as string, value);
  }
  return pairs;
}

function aheadLayer(edits: Edits | null, next: Service): Service {
  if (edits === null) return next;
  const { dropped, appended } = edits;
  if (edits.texts !== null) {
    return (call) => {
      call.headers = edited(call.headers, dropped, written(edits, call, null));
      return next(call);
    };
  }
  if (dropped.length === 0) {
    return (call) => {
      call.headers = call.headers.concat(appended);
      return next(call);
    };
  }
  return (call) => {
    call.headers = edited(call.headers, dropped, appended);
    return next(call);
  };
}

/** A new array: the attempts of the call and its caller share the old one. */
function edited(headers: readonly string[], dropped: readonly string[], appended: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!isOneOf(name, dropped)) kept.push(name, headers[i + 1] as string);
  }
  for (let i = 0; i < appended.length; i++) kept.push(appended[i] as string);
  return kept;
}

function isOneOf(name: string, names: readonly string[]): boolean {
  for (let i = 0; i < names.length; i++) {
    const other = names[i] as string;
    if (name.length === other.length && (name === other || name.toLowerCase() === other)) return true;
  }
  return false;
}

function backLayer(edits: Edits | null, next: Service): Service {
  if (edits === null) return next;
  return async (call) => {
    const reply = await next(call);
    // A made answer writes its raw headers from the parsed ones, when it is asked for them: ask first.
    const { rawHeaders } = reply;
    const { dropped } = edits;
    const appended = written(edits, call, reply);
    reply.headers = parsed(reply.headers, dropped, appended);
    if (Array.isArray(rawHeaders)) reply.rawHeaders = raw(rawHeaders as readonly (Buffer | string)[], dropped, appended);
    return reply;
  };
}

function parsed(headers: ReplyHeaders, dropped: readonly string[], appended: readonly string[]): ReplyHeaders {
  // Names are the server's, `constructor` and `__proto__` among them: only own properties count.
  const output: ReplyHeaders = Object.fromEntries(Object.entries(headers).filter(([name]) => !isOneOf(name, dropped)));
  for (let i = 0; i < appended.length; i += 2) {
    const name = appended[i] as string;
    const value = appended[i + 1] as string;
    const before = Object.hasOwn(output, name) ? output[name] : undefined;
    output[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return output;
}

/** Flat pairs, of the kind they came in: undici gives buffers. */
function raw(headers: readonly (Buffer | string)[], dropped: readonly string[], appended: readonly string[]): (Buffer | string)[] {
  const areStrings = typeof headers[0] === 'string';
  const output: (Buffer | string)[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as Buffer | string;
    if (!isOneOf(typeof name === 'string' ? name : name.toString('latin1'), dropped)) output.push(name, headers[i + 1] as Buffer | string);
  }
  for (const text of appended) output.push(areStrings ? text : Buffer.from(text, 'latin1'));
  return output;
}
