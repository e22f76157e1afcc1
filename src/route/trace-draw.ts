// Draws that every process of a trace agrees on: the trace id is the chance. So the same trace meets the same faults
// wherever it goes and whenever it is played again, and a share of the traces is hit, not a share of each hop. Pure.
import { headerOf } from '../core/call.ts';

/** Draws are whole numbers from 0 to this, exclusive. Source: Envoy FractionalPercent, MILLION. */
export const DRAWS = 1_000_000;

/** Percent as a number of draws that hit. */
export function drawsOf(percent: number): number {
  return Math.round(percent * (DRAWS / 100));
}

/** No trace. Hashes are whole numbers. */
export const NO_TRACE = 0.5;

const HEADER = 'traceparent';
/** `version-traceid-spanid-flags`; later versions may append. Source: W3C Trace Context. */
const ID_START = 3;
const ID_END = 35;
const DASH = 45;
const ZERO = 48;

/** Hash of the trace id in the headers of a call, NO_TRACE when there is none. */
export function traceHash(headers: readonly string[]): number {
  const value = headerOf(headers, HEADER);
  if (value === undefined || value.charCodeAt(ID_START - 1) !== DASH || value.charCodeAt(ID_END) !== DASH) return NO_TRACE;
  let hash = 0x811c9dc5;
  let isZero = true;
  for (let i = ID_START; i < ID_END; i++) {
    const code = value.charCodeAt(i);
    if (code !== ZERO) isZero = false;
    hash = Math.imul(hash ^ code, 0x01000193);
  }
  return isZero ? NO_TRACE : hash;
}

/** The draw of one question: other salts draw independently, and so do the attempts of a call, or none of them could do better. */
export function traceDraw(hash: number, salt: number, attempt: number): number {
  const mixed = finalized(finalized(hash ^ salt) + Math.imul(attempt, 0x9e3779b9));
  return Math.floor(((mixed >>> 0) / 4_294_967_296) * DRAWS);
}

/** MurmurHash3's 32-bit finaliser. */
function finalized(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
