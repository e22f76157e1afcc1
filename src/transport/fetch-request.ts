// The request of mesh.fetch: which inputs are plain enough to be sent straight away, and what fetch adds to them. What
// is not plain is left to built-in fetch, which knows every corner of the standard.
import { Readable } from 'node:stream';
import { isOwnHeader } from './header-pairs.ts';
import type { CallOptions } from './outbound.ts';

/** fetch's own options, and `mesh` for this one call. */
export type MeshFetchInit = RequestInit & { readonly mesh?: CallOptions };

/** How fetch writes the methods that it normalises. Any other spelling is left to built-in fetch. Source: Fetch §2.2.1. */
const METHODS: Readonly<Record<string, string>> = {
  DELETE: 'DELETE',
  GET: 'GET',
  HEAD: 'HEAD',
  OPTIONS: 'OPTIONS',
  PATCH: 'PATCH',
  POST: 'POST',
  PUT: 'PUT',
  delete: 'DELETE',
  get: 'GET',
  head: 'HEAD',
  options: 'OPTIONS',
  post: 'POST',
  put: 'PUT',
};

/** init keys that are looked at here; any other goes to built-in fetch unless its value changes nothing. */
const OWN_KEYS: ReadonlySet<string> = new Set(['method', 'headers', 'body', 'signal', 'mesh', 'redirect', 'duplex', 'credentials']);
const NEUTRAL: Readonly<Record<string, unknown>> = {
  cache: 'default',
  mode: 'cors',
  integrity: '',
  keepalive: false,
  referrer: 'about:client',
  referrerPolicy: '',
  priority: 'auto',
  window: null,
};
const REDIRECTS: ReadonlySet<unknown> = new Set([undefined, 'follow', 'error', 'manual']);

/** The method as it is sent, or null when built-in fetch must decide. */
export function methodOf(init: MeshFetchInit): string | null {
  const { method } = init;
  return method === undefined ? 'GET' : (METHODS[method] ?? null);
}

/** Whether everything but headers and method of this init is plain. */
export function isPlain(init: MeshFetchInit): boolean {
  for (const key in init) {
    if (OWN_KEYS.has(key)) continue;
    const value = (init as Record<string, unknown>)[key];
    if (value !== undefined && value !== NEUTRAL[key]) return false;
  }
  const { body, signal, redirect } = init;
  if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal)) return false;
  return REDIRECTS.has(redirect) && (body === undefined || body === null || typeof body === 'string' || isPlainBody(body, init));
}

function isPlainBody(body: unknown, init: MeshFetchInit): boolean {
  if (body instanceof ReadableStream) {
    const { duplex } = init as { duplex?: unknown };
    return duplex === 'half' && !body.locked && !Readable.isDisturbed(body as never);
  }
  return ArrayBuffer.isView(body) || body instanceof ArrayBuffer || body instanceof URLSearchParams || body instanceof Blob;
}

/** The call as the runtime's own Request understands it, in plain words. */
export function plainInit(input: string | URL | Request, init: MeshFetchInit): MeshFetchInit & { readonly method: string } {
  const { mesh, ...rest } = init;
  const { method, headers, body, redirect, signal } = new Request(input, rest);
  const plain = { method, headers, body, redirect, signal, duplex: 'half' as const };
  return mesh === undefined ? plain : { ...plain, mesh };
}

/** What a dispatcher takes. */
export function bodyOf(init: MeshFetchInit): unknown {
  const { body } = init;
  return body instanceof URLSearchParams ? body.toString() : body;
}

function contentTypeOf(body: unknown): string | null {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string') return 'text/plain;charset=UTF-8';
  if (body instanceof URLSearchParams) return 'application/x-www-form-urlencoded;charset=UTF-8';
  if (body instanceof Blob && body.type !== '') return body.type;
  return null;
}

/** Flat pairs, or null when a value is not a plain string: fetch would trim, convert or refuse it. */
function givenHeaders(given: unknown): string[] | null {
  if (given === undefined) return [];
  if (typeof given !== 'object' || given === null) return null;
  const out: string[] = [];
  if (given instanceof Headers) {
    for (const [name, value] of given) add(out, name, value);
    return out;
  }
  if (Array.isArray(given)) {
    for (const pair of given as unknown[]) if (!Array.isArray(pair) || pair.length !== 2 || !add(out, pair[0], pair[1])) return null;
    return out;
  }
  if (Symbol.iterator in given) return null;
  const record = given as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(record)) if (!add(out, name, record[name])) return null;
  return out;
}

function add(out: string[], name: unknown, value: unknown): boolean {
  if (typeof name !== 'string' || typeof value !== 'string') return false;
  const { length } = value;
  if (length > 0 && (value.charCodeAt(0) <= 0x20 || value.charCodeAt(length - 1) <= 0x20)) return false;
  if (!isOwnHeader(name)) out.push(name, value);
  return true;
}

const ACCEPT = 1;
const RANGE = 2;
const USER_AGENT = 4;
const CONTENT_TYPE = 8;
const ACCEPT_ENCODING = 16;

/** Which of the headers that fetch adds are there. */
function present(pairs: readonly string[]): number {
  let found = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] as string;
    switch (name.length) {
      case 5:
        if (name.toLowerCase() === 'range') found |= RANGE;
        break;
      case 6:
        if (name.toLowerCase() === 'accept') found |= ACCEPT;
        break;
      case 10:
        if (name.toLowerCase() === 'user-agent') found |= USER_AGENT;
        break;
      case 12:
        if (name.toLowerCase() === 'content-type') found |= CONTENT_TYPE;
        break;
      case 15:
        if (name.toLowerCase() === 'accept-encoding') found |= ACCEPT_ENCODING;
        break;
    }
  }
  return found;
}

/** The caller's headers, then fetch's own where the caller gave none; null when built-in fetch must read them. */
export function headersOf(init: MeshFetchInit, scheme: string): string[] | null {
  const pairs = givenHeaders(init.headers);
  if (pairs === null) return null;
  const found = present(pairs);
  if ((found & CONTENT_TYPE) === 0) {
    const type = contentTypeOf(init.body);
    if (type !== null) pairs.push('content-type', type);
  }
  if ((found & ACCEPT) === 0) pairs.push('accept', '*/*');
  if ((found & USER_AGENT) === 0) pairs.push('user-agent', 'node');
  // A range of an encoded body could not be decoded.
  if ((found & RANGE) !== 0) pairs.push('accept-encoding', 'identity');
  else if ((found & ACCEPT_ENCODING) === 0) pairs.push('accept-encoding', scheme === 'https' ? 'br, gzip, deflate' : 'gzip, deflate');
  return pairs;
}
