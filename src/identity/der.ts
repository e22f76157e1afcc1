// A reader of DER, the form that certificates have: enough to see what node:crypto does not show (key usage, names as
// bytes). Strict: definite lengths in their shortest form, nothing beyond the end. Must not know what the values mean.

/** One element. */
export interface Der {
  readonly tag: number;
  readonly value: Uint8Array;
  /** Tag, length and value, as they stood. */
  readonly whole: Uint8Array;
}

/** A fault of form in what was to be DER. */
export class DerError extends Error {
  override readonly name: string = 'DerError';
}

const LONG_FORM = 0x80;
const HIGH_TAG = 0x1f;
const LENGTH_BYTES_MAX = 4;

/** The element at an offset. Throws a DerError. */
export function derAt(bytes: Uint8Array, offset = 0): Der {
  const tag = bytes[offset];
  let length = bytes[offset + 1];
  if (tag === undefined || length === undefined) throw new DerError('ends within an element');
  if ((tag & HIGH_TAG) === HIGH_TAG) throw new DerError('a tag of more than one byte');
  let start = offset + 2;
  if (length >= LONG_FORM) {
    const count = length - LONG_FORM;
    if (count === 0 || count > LENGTH_BYTES_MAX) throw new DerError('a length that cannot be');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[start + i] ?? 0);
    if (length < LONG_FORM || length < 256 ** (count - 1)) throw new DerError('a length longer than need be');
    start += count;
  }
  const end = start + length;
  if (end > bytes.length) throw new DerError('ends within an element');
  return { tag, value: bytes.subarray(start, end), whole: bytes.subarray(offset, end) };
}

/** The elements that stand one after the other. Throws a DerError. */
export function derSeries(bytes: Uint8Array): Der[] {
  const found: Der[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const element = derAt(bytes, offset);
    found.push(element);
    offset += element.whole.length;
  }
  return found;
}

/** What a constructed element holds; throws a DerError when it is another one. */
export function derInside(element: Der | undefined, tag: number): Der[] {
  return derSeries(derValue(element, tag));
}

/** The value of an element; throws a DerError when it is another one. */
export function derValue(element: Der | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw new DerError(`tag ${tag} expected, ${element === undefined ? 'nothing' : element.tag} found`);
  return element.value;
}

/** `2.5.29.17`. */
export function derOid(element: Der | undefined): string {
  const bytes = derValue(element, DER.oid);
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of bytes) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [first = 0, ...rest] = arcs;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...rest].join('.');
}

/** UTCTime or GeneralizedTime as ms since the epoch. Throws a DerError. */
export function derTime(element: Der | undefined): number {
  const isShort = element?.tag === DER.utcTime;
  const text = Buffer.from(derValue(element, isShort ? DER.utcTime : DER.generalizedTime)).toString('latin1');
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  const year = match?.[1] ?? '';
  if (match === null || (year.length === 2) !== isShort) throw new DerError('a time that cannot be read');
  const full = isShort ? `${Number(year) >= 50 ? '19' : '20'}${year}` : year;
  const [, , month, day, hour, minute, second] = match;
  const ms = Date.parse(`${full}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(ms)) throw new DerError('a time that cannot be');
  return ms;
}

/** Tags that X.509 uses. */
export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;
