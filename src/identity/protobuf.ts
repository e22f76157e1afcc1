// As much of protobuf as the Workload API needs: fields that are bytes, text or messages. Others are skipped.
// Source: protobuf.dev/programming-guides/encoding.

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const VARINT_BYTES_MAX = 10;

/** What stood in each field, in order. Throws an Error for what is no message. */
export function protobufFields(message: Uint8Array): Map<number, Uint8Array[]> {
  const fields = new Map<number, Uint8Array[]>();
  let at = 0;

  function varint(): number {
    let value = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = message[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new Error('a number that does not end');
  }

  function take(length: number): Uint8Array {
    const end = at + length;
    if (end > message.length) throw new Error('ends within a field');
    const value = message.subarray(at, end);
    at = end;
    return value;
  }

  while (at < message.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const kind = tag % 8;
    if (kind === VARINT) varint();
    else if (kind === FIXED64) take(8);
    else if (kind === FIXED32) take(4);
    else if (kind === BYTES) {
      const value = take(varint());
      const known = fields.get(field);
      if (known === undefined) fields.set(field, [value]);
      else known.push(value);
    } else throw new Error(`a field of kind ${kind}`);
  }
  return fields;
}

/** A field of bytes, for those who write. */
export function protobufField(field: number, value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varintBytes(field * 8 + BYTES), varintBytes(bytes.length), bytes]);
}

function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}
