// A call as the cache sees it: which resource, with which headers, under which wishes of the caller. null for calls that
// the cache leaves alone.
import type { Call } from '../core/call.ts';
import { type Directives, directivesOf } from './cache-control.ts';

export interface CacheRequest {
  /** `scheme://host/path?query`: what an unsafe method invalidates. */
  readonly uri: string;
  readonly method: string;
  /** Names in lower case, values of one name joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly directives: Directives;
  /** The caller asks for more freshness than the answer promises: nothing stale will do. */
  readonly isDemanding: boolean;
}

/** The caller validates, or wants a part: what comes back is no answer that others could use. */
const OWN_CONDITIONS: readonly string[] = ['range', 'if-range', 'if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since'];

/** Source: RFC 9110 §9.2.1. */
const SAFE: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: ':80', https: ':443' };

export function uriOf({ scheme, authority, path }: Call): string {
  const host = authority.toLowerCase();
  const port = DEFAULT_PORTS[scheme];
  return `${scheme}://${port !== undefined && host.endsWith(port) ? host.slice(0, -port.length) : host}${path}`;
}

/** Whether the call may change what is kept of its resource. */
export function isUnsafe(call: Call): boolean {
  return !SAFE.includes(call.method) && call.scheme !== 'function' && call.upgrade === '';
}

export function cacheRequest(call: Call): CacheRequest | null {
  const { method } = call;
  if ((method !== 'GET' && method !== 'HEAD') || call.body !== null || call.upgrade !== '' || call.scheme === 'function') return null;
  const headers = joined(call.headers);
  for (const name of OWN_CONDITIONS) if (headers[name] !== undefined) return null;
  // Pragma counts only beside no Cache-Control. Source: RFC 9111 §5.4.
  const directives = directivesOf(headers['cache-control'] ?? headers['pragma']);
  if (directives.has('no-store')) return null;
  const isDemanding = directives.has('no-cache') || directives.has('max-age') || directives.has('min-fresh');
  return { uri: uriOf(call), method, headers, directives, isDemanding };
}

function joined(pairs: readonly string[]): Record<string, string> {
  // Without a prototype: the names are the caller's, `constructor` among them.
  const headers = Object.create(null) as Record<string, string>;
  for (let i = 0; i < pairs.length; i += 2) {
    const name = (pairs[i] as string).toLowerCase();
    const text = pairs[i + 1] as string;
    // The rules know directives in lower case only.
    const value = name === 'cache-control' ? text.toLowerCase() : text;
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}
