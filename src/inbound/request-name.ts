// Names for requests: what a caller gave, when it may be kept, else a UUID of our own.
import { randomFillSync } from 'node:crypto';

const WELL_FORMED = /^[\w.:/+=-]{1,128}$/;

/** Names made at a time. */
const AHEAD = 64;
const BYTES = 16;
const CHARACTERS = 36;
const HEX = Buffer.from('0123456789abcdef');
const DASH = 0x2d;

const ahead = Buffer.alloc(AHEAD * CHARACTERS);
let left = 0;

/** `given`: by somebody who is trusted; '' when nothing was. */
export function requestName(given: string): string {
  return given !== '' && WELL_FORMED.test(given) ? given : newName();
}

/** A UUID of version 4 in one piece: that of `randomUUID` is put together of twenty when it is written, which costs as much again. */
function newName(): string {
  if (left === 0) makeAhead();
  const end = left-- * CHARACTERS;
  return ahead.toString('latin1', end - CHARACTERS, end);
}

/** Source: RFC 9562 §5.4. */
function makeAhead(): void {
  const random = randomFillSync(Buffer.allocUnsafe(AHEAD * BYTES));
  let at = 0;
  for (let i = 0; i < random.length; i++) {
    const place = i % BYTES;
    let byte = random[i] as number;
    if (place === 6) byte = (byte & 0x0f) | 0x40;
    if (place === 8) byte = (byte & 0x3f) | 0x80;
    if (place === 4 || place === 6 || place === 8 || place === 10) ahead[at++] = DASH;
    ahead[at++] = HEX[byte >> 4] as number;
    ahead[at++] = HEX[byte & 0x0f] as number;
  }
  left = AHEAD;
}
