// A writer of DER: the few forms that certificates need.
import { DER } from './der.ts';

/** One element. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(value.length)]), value]);
}

function lengthOf(length: number): number[] {
  if (length < 128) return [length];
  const bytes = bytesOf(length);
  return [0x80 + bytes.length, ...bytes];
}

/** The highest first; none for 0. */
function bytesOf(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return bytes;
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tlv(DER.sequence, ...parts);
}

/** Not negative: a number, or its bytes. */
export function integer(value: number | Uint8Array): Buffer {
  const bytes = typeof value === 'number' ? bytesOf(value) : [...value];
  // The highest bit would be a sign.
  return tlv(DER.integer, Buffer.from((bytes[0] ?? 0x80) >= 0x80 ? [0, ...bytes] : bytes));
}

export function octets(value: Uint8Array): Buffer {
  return tlv(DER.octets, value);
}

export const TRUE: Buffer = tlv(DER.boolean, Buffer.from([0xff]));

/** Bits of a 16-bit number, the highest first, without the zeros at the end. */
export function bits(value: number): Buffer {
  const bytes = value === 0 ? [] : (value & 0xff) === 0 ? [value >> 8] : [value >> 8, value & 0xff];
  let unused = 0;
  while (value !== 0 && ((bytes.at(-1) as number) & (1 << unused)) === 0) unused++;
  return tlv(DER.bits, Buffer.from([unused, ...bytes]));
}

/** Whole bytes, as signatures and keys are. */
export function bitBytes(value: Uint8Array): Buffer {
  return tlv(DER.bits, Buffer.from([0]), value);
}

export function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const septets = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) septets.unshift((left % 128) + 128);
    bytes.push(...septets);
  }
  return tlv(DER.oid, Buffer.from(bytes));
}

/** UTCTime up to 2049, GeneralizedTime after. Source: RFC 5280 §4.1.2.5. */
export function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  const isShort = text < '2050';
  return tlv(isShort ? DER.utcTime : DER.generalizedTime, Buffer.from(isShort ? text.slice(2) : text));
}
