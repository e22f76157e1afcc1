// What the head of a request must be before anybody decides by it: one host, one authorization, a transfer coding that all
// parties read alike, and nothing that only the mesh itself may say. Looks at the raw pairs, because Node joins or drops what
// comes twice. Must not know of policies.
import type { IncomingMessage } from 'node:http';
import { ATTEMPT_HEADER, CRITICALITY_HEADER, DEADLINE_HEADER } from '../core/headers.ts';
import { hostNameOf } from '../access/host-name.ts';

/** Index into FAULTS. */
const FINE = 0;
/** It says what only the mesh may say. */
const SPOOFED = 1;

/** What the caller is told. */
const FAULTS = [
  '',
  '',
  'more than one host',
  'a host that is none',
  'more than one authorization',
  'a transfer coding other than chunked',
  'a connection header that names a header of the mesh or of the message itself',
] as const;
const [TWO_HOSTS, BAD_HOST, TWO_AUTHORIZATIONS, BAD_CODING, BAD_CONNECTION] = [2, 3, 4, 5, 6];

/** Certificates of callers, as Envoy hands them on. */
export const CLIENT_CERT_HEADER = 'x-forwarded-client-cert';

/** What any caller may say: how long it waits, which try it is, how much it matters. Never who somebody is. */
const HINTS: ReadonlySet<string> = new Set([DEADLINE_HEADER, ATTEMPT_HEADER, CRITICALITY_HEADER]);
const RESERVED = /^x-(?:forwarded-client-cert$|envoy-|mesh-|inmesh-)/;
/** Naming one of these as hop-by-hop has somebody on the way drop it. */
const NOT_HOP_BY_HOP: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'cookie',
  'content-length',
  'transfer-encoding',
  ':authority',
]);

/** Whether a name is for the mesh alone, however it is written: applications read `_` as `-`. */
function isReserved(name: string): boolean {
  // Nearly every header that begins with x is another one, known by its third letter.
  if (!/^[fFeEmMiI]/.test(name.charAt(2))) return false;
  const lower = name.toLowerCase();
  return RESERVED.test(lower.replaceAll('_', '-')) && !HINTS.has(lower);
}

function connectionFault(value: string): number {
  if (value === 'keep-alive' || value === 'close') return FINE;
  for (const part of value.split(',')) {
    const name = part.trim().toLowerCase();
    if (NOT_HOP_BY_HOP.has(name) || RESERVED.test(name.replaceAll('_', '-'))) return BAD_CONNECTION;
  }
  return FINE;
}

/** First letters, lower case. */
const LETTER = { a: 0x61, c: 0x63, h: 0x68, t: 0x74, x: 0x78, colon: 0x3a } as const;

class HeadReader {
  /** Nearly every request is for the host of the one before. */
  #goodHost: string | null = null;

  inspect(raw: readonly string[]): number {
    let host: string | null = null;
    let hosts = 0;
    let authorizations = 0;
    let codings = 0;
    let isSpoofed = false;
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i] as string;
      const value = raw[i + 1] as string;
      switch (name.charCodeAt(0) | 0x20) {
        case LETTER.x:
          if (isReserved(name)) isSpoofed = true;
          break;
        case LETTER.h:
          if (name.length !== 4 || name.toLowerCase() !== 'host') break;
          if (++hosts > 1) return TWO_HOSTS;
          if (host !== null && host !== value) return TWO_HOSTS;
          host = value;
          break;
        case LETTER.colon:
          if (name !== ':authority') break;
          if (host !== null && host !== value) return TWO_HOSTS;
          host = value;
          break;
        case LETTER.a:
          if (name.length === 13 && name.toLowerCase() === 'authorization' && ++authorizations > 1) return TWO_AUTHORIZATIONS;
          break;
        case LETTER.t:
          if (name.length !== 17 || name.toLowerCase() !== 'transfer-encoding') break;
          if (++codings > 1 || value.toLowerCase() !== 'chunked') return BAD_CODING;
          break;
        case LETTER.c:
          if (name.length === 10 && name.toLowerCase() === 'connection' && connectionFault(value) !== FINE) return BAD_CONNECTION;
      }
    }
    if (host !== null && host !== this.#goodHost) {
      if (hostNameOf(host) === null) return BAD_HOST;
      this.#goodHost = host;
    }
    return isSpoofed ? SPOOFED : FINE;
  }
}

const reader = new HeadReader();

/**
 * What is wrong with the head, or null. Unless the caller is trusted, headers of the mesh are taken out, of all that Node
 * shows of them.
 */
export function cleanHead(request: IncomingMessage, isTrusted: boolean): string | null {
  const found = reader.inspect(request.rawHeaders);
  if (found === FINE) return null;
  if (found !== SPOOFED) return FAULTS[found] as string;
  if (!isTrusted) removeHeaders(request, isReserved);
  return null;
}

function removeHeaders(request: IncomingMessage, isUnwanted: (name: string) => boolean): void {
  const { rawHeaders, headers } = request;
  // Node makes this one of as many pairs as there were at first, when it is asked: before any is gone. HTTP/2 has none.
  const distinct = request.headersDistinct as IncomingMessage['headersDistinct'] | undefined;
  let kept = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (/^x/i.test(name) && isUnwanted(name)) {
      const lower = name.toLowerCase();
      delete headers[lower];
      delete distinct?.[lower];
      continue;
    }
    rawHeaders[kept++] = name;
    rawHeaders[kept++] = rawHeaders[i + 1] as string;
  }
  rawHeaders.length = kept;
}

/** Adds a header that nobody else may have written. */
export function addHeader(request: IncomingMessage, name: string, value: string): void {
  removeHeaders(request, (other) => other.toLowerCase() === name);
  request.rawHeaders.push(name, value);
  request.headers[name] = value;
  const distinct = request.headersDistinct as IncomingMessage['headersDistinct'] | undefined;
  if (distinct !== undefined) distinct[name] = [value];
}
