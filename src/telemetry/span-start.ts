// What an attempt span starts with: its name and the attributes that a sampler may look at, built once for each
// (scheme, method, authority) and shared by all attempts. Knows nothing of providers.
import type { SpanOptions } from './api.ts';
import { HTTP_REQUEST_METHOD, HTTP_REQUEST_METHOD_ORIGINAL, KNOWN_METHODS, OTHER, SERVER_ADDRESS, SERVER_PORT } from './semconv.ts';

/** SpanKind of the API, whose enum is no type-only import. */
export const KIND_INTERNAL = 0;
export const KIND_CLIENT = 2;

/** Calls of another scheme are functions given to `mesh.call`. */
export function isHttp(scheme: string): boolean {
  return scheme === 'http' || scheme === 'https';
}

const ENTRIES_MAX = 256;

export interface SpanStart {
  readonly name: string;
  readonly options: SpanOptions;
}

export interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

/** The logical host: `host`, `host:port`, `[ipv6]:port`, with or without user. */
export function serverAddress(scheme: string, authority: string): ServerAddress {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const colon = host.lastIndexOf(':');
  const hasPort = colon > host.lastIndexOf(']');
  const portText = hasPort ? host.slice(colon + 1) : '';
  const name = hasPort ? host.slice(0, colon) : host;
  return {
    address: name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name,
    port: /^\d{1,5}$/.test(portText) ? Number(portText) : scheme === 'https' ? 443 : 80,
  };
}

function build(scheme: string, method: string, authority: string): SpanStart {
  if (!isHttp(scheme)) return { name: 'mesh.attempt', options: { kind: KIND_INTERNAL } };
  const { address, port } = serverAddress(scheme, authority);
  const known = KNOWN_METHODS.includes(method);
  const attributes = { [HTTP_REQUEST_METHOD]: known ? method : OTHER, [SERVER_ADDRESS]: address, [SERVER_PORT]: port };
  const original = known ? {} : { [HTTP_REQUEST_METHOD_ORIGINAL]: method.slice(0, 64) };
  return {
    name: known ? method : 'HTTP',
    options: Object.freeze({ kind: KIND_CLIENT, attributes: Object.freeze({ ...attributes, ...original }) }),
  };
}

/** Remembers the last few hundred; a service has few hosts and methods, a wildcard host may have many. */
export function spanStarts(): (scheme: string, method: string, authority: string) => SpanStart {
  const known = new Map<string, SpanStart>();
  let lastScheme = '';
  let lastMethod = '';
  let lastAuthority = '';
  let last: SpanStart | null = null;
  return (scheme, method, authority) => {
    if (last !== null && method === lastMethod && authority === lastAuthority && scheme === lastScheme) return last;
    const key = `${scheme} ${method} ${authority}`;
    let start = known.get(key);
    if (start === undefined) {
      start = build(scheme, method, authority);
      if (known.size >= ENTRIES_MAX) known.clear();
      known.set(key, start);
    }
    lastScheme = scheme;
    lastMethod = method;
    lastAuthority = authority;
    last = start;
    return start;
  };
}
