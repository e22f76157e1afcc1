// Headers come in three shapes at dispatch (flat array, object, iterable of pairs); inside there is one: flat pairs of
// strings. `host` is ours to write, and a content-length that contradicts the body is dropped.

import { ATTEMPT_HEADER, DEADLINE_HEADER } from '../core/headers.ts';

/** What undici accepts as `headers`. */
export type HeaderInput =
  | readonly (string | Buffer | readonly string[])[]
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | Iterable<readonly [string, string | readonly string[] | undefined]>
  | null
  | undefined;

/** Written by the last hop, per attempt; what an application passes on from its own caller would be joined to ours. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['host', DEADLINE_HEADER, ATTEMPT_HEADER]);
const OWN_LENGTHS: ReadonlySet<number> = new Set([...OWN_HEADERS].map((name) => name.length));

type HeaderValue = string | Buffer | number | readonly (string | Buffer)[] | undefined | null;

function text(value: string | Buffer | number): string {
  return typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
}

/** By any spelling. */
export function isOwnHeader(name: string): boolean {
  return OWN_LENGTHS.has(name.length) && OWN_HEADERS.has(name.toLowerCase());
}

function append(out: string[], name: string, value: HeaderValue): void {
  if (value === undefined || value === null) return;
  if (isOwnHeader(name)) return;
  if (Array.isArray(value)) for (const one of value as readonly (string | Buffer)[]) out.push(name, text(one));
  else out.push(name, text(value as string | Buffer | number));
}

/** Always a new array, owned by the call. */
export function headerPairs(input: HeaderInput): string[] {
  const out: string[] = [];
  if (input === null || input === undefined) return out;
  if (Array.isArray(input)) {
    if (Array.isArray(input[0])) for (const pair of input) append(out, pair[0], pair[1]);
    else if (input.length % 2 !== 0) throw new TypeError('headers array must be even');
    else for (let i = 0; i < input.length; i += 2) append(out, text(input[i]), input[i + 1]);
    return out;
  }
  if (typeof (input as Iterable<unknown>)[Symbol.iterator] === 'function') {
    for (const pair of input as Iterable<readonly [string, HeaderValue]>) append(out, pair[0], pair[1]);
    return out;
  }
  const record = input as Readonly<Record<string, HeaderValue>>;
  for (const name of Object.keys(record)) append(out, name, record[name]);
  return out;
}

/** A new array without the header, by lower-case name. */
export function withoutHeader(pairs: readonly string[], name: string): string[] {
  const out: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i] as string;
    if (key.length !== name.length || key.toLowerCase() !== name) out.push(key, pairs[i + 1] as string);
  }
  return out;
}
