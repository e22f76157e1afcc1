// The key of a call for ring hash and Maglev: of header, cookie, query or caller, the first that the call has. Hashed as Envoy
// does, without regard to what the parts mean. A call without the cookie may be given one. Must not know endpoints.
// Source: Envoy hash_policy.cc with terminal policies; Istio ConsistentHashLB.
import type { Call } from '../core/call.ts';
import type { Random } from '../core/clock.ts';
import { inboundContext } from '../core/context.ts';
import type { HashKey } from '../model/balancing.ts';
import { type Hash64, xxHash64 } from './xxhash64.ts';

type CookieKey = Extract<HashKey, { readonly cookie: string }>;

/** Writes the hash of one part of the key; false when the call does not have it. */
type Read = (call: Call, into: Hash64) => boolean;

export class HashKeys {
  /** Whether a call may be given a cookie. */
  readonly makesCookies: boolean;
  readonly #reads: readonly Read[];
  readonly #random: Random;
  /** `set-cookie` of logical calls whose key was made here, and the value in it: their retries have the same. */
  readonly #made: WeakMap<Call, { readonly value: string; readonly line: string }> = new WeakMap();

  /** `self` stands for this process, where nobody called it. */
  constructor(keys: readonly HashKey[], self: string, random: Random) {
    this.#random = random;
    this.makesCookies = keys.some((key) => 'cookie' in key && key.ttlMs !== null);
    this.#reads = keys.map((key) => this.#compile(key, self));
  }

  /** Writes the hash of the first part that the call has; by chance when it has none. */
  read(call: Call, into: Hash64): void {
    for (const read of this.#reads) if (read(call, into)) return;
    into.hi = Math.floor(this.#random() * 4_294_967_296);
    into.lo = Math.floor(this.#random() * 4_294_967_296);
  }

  /** `set-cookie` for the answer; null when the call has brought its key. */
  setCookie(call: Call): string | null {
    return this.makesCookies ? (this.#made.get(call.parent ?? call)?.line ?? null) : null;
  }

  #compile(key: HashKey, self: string): Read {
    if ('header' in key) return readHeader(key.header.toLowerCase());
    if ('cookie' in key) return this.#readCookie(key);
    if ('query' in key) return readQuery(key.query);
    return (_call, into) => {
      xxHash64(inboundContext.getStore()?.source || self, into);
      return true;
    };
  }

  #readCookie(key: CookieKey): Read {
    return (call, into) => {
      const value = cookieOf(call.headers, key.cookie);
      if (value === '' && key.ttlMs === null) return false;
      xxHash64(value === '' ? this.#make(key, key.ttlMs as number, call) : value, into);
      return true;
    };
  }

  #make(key: CookieKey, ttlMs: number, call: Call): string {
    const logical = call.parent ?? call;
    const known = this.#made.get(logical);
    if (known !== undefined) return known.value;
    const hex = (): string => (Math.floor(this.#random() * 4_294_967_296) + 4_294_967_296).toString(16).slice(1);
    const value = hex() + hex();
    this.#made.set(logical, { value, line: cookieLine(key, ttlMs, value) });
    return value;
  }
}

/** All values of the header count; their order does not. */
function readHeader(name: string): Read {
  return ({ headers }, into) => {
    const first = nextOf(headers, name, 0);
    if (first < 0) return false;
    if (nextOf(headers, name, first + 2) < 0) {
      xxHash64(headers[first + 1] as string, into);
      return true;
    }
    const values: string[] = [];
    for (let i = first; i >= 0; i = nextOf(headers, name, i + 2)) values.push(headers[i + 1] as string);
    into.hi = 0;
    into.lo = 0;
    for (const value of values.sort()) xxHash64(value, into, into.hi, into.lo);
    return true;
  };
}

/** Where the next header of the name is, from an even index on; -1 when there is none. */
function nextOf(headers: readonly string[], name: string, from: number): number {
  for (let i = from; i < headers.length; i += 2) {
    const other = headers[i] as string;
    if (other.length === name.length && (other === name || other.toLowerCase() === name)) return i;
  }
  return -1;
}

/** The first value of a parameter, as it is written. A parameter without `=` is empty, and a key nevertheless. */
function readQuery(name: string): Read {
  return (call, into) => {
    const { path } = call;
    let at = path.indexOf('?') + 1;
    if (at === 0) return false;
    while (at <= path.length) {
      let end = path.indexOf('&', at);
      if (end < 0) end = path.length;
      const isNamed = path.startsWith(name, at) && at + name.length <= end;
      const rest = at + name.length;
      if (isNamed && (rest === end || path[rest] === '=')) {
        xxHash64(rest === end ? '' : path.slice(rest + 1, end), into);
        return true;
      }
      at = end + 1;
    }
    return false;
  };
}

/** The value of a cookie, without quotes; '' when the call does not have it. Names are case-sensitive. */
function cookieOf(headers: readonly string[], name: string): string {
  for (let i = nextOf(headers, 'cookie', 0); i >= 0; i = nextOf(headers, 'cookie', i + 2)) {
    for (const part of (headers[i + 1] as string).split(';')) {
      const equals = part.indexOf('=');
      if (equals < 0 || part.slice(0, equals).trimStart() !== name) continue;
      const value = part.slice(equals + 1);
      return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
  }
  return '';
}

/** In the order in which Envoy writes them. */
function cookieLine({ cookie, path, attributes }: CookieKey, ttlMs: number, value: string): string {
  let line = `${cookie}="${value}"`;
  if (ttlMs > 0) line += `; Max-Age=${Math.ceil(ttlMs / 1_000)}`;
  if (path !== '') line += `; Path=${path}`;
  for (const [name, text] of Object.entries(attributes)) line += text === '' ? `; ${name}` : `; ${name}=${text}`;
  return `${line}; HttpOnly`;
}
