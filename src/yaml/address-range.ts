// Addresses and blocks of them, as policies name them. No look-ups. Source: Go netip.ParseAddr, netip.ParsePrefix.
import { isHostName, isIpv6 } from '../model/address.ts';

export interface AddressRange {
  /** Of the network, most significant first. */
  readonly bytes: readonly number[];
  readonly bits: number;
}

/** `10.1.2.3`, `10.1.0.0/16`, `2001:db8::/32`; null for anything else. */
export function parseAddressRange(text: string): AddressRange | null {
  const [address = '', length, more] = text.split('/');
  const bytes = addressBytes(address);
  if (bytes === null || more !== undefined) return null;
  const most = bytes.length * 8;
  if (length === undefined) return { bytes, bits: most };
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > most) return null;
  return { bytes, bits: Number(length) };
}

/** Whether all of `inner` lies in `outer`. */
export function holdsRange(outer: AddressRange, inner: AddressRange): boolean {
  if (outer.bytes.length !== inner.bytes.length || inner.bits < outer.bits) return false;
  for (let bit = 0; bit < outer.bits; bit++) {
    const mask = 0x80 >> (bit & 7);
    if (((outer.bytes[bit >> 3] as number) & mask) !== ((inner.bytes[bit >> 3] as number) & mask)) return false;
  }
  return true;
}

function addressBytes(address: string): number[] | null {
  if (/^[0-9.]+$/.test(address)) return isHostName(address) ? address.split('.').map(Number) : null;
  if (!isIpv6(address)) return null;
  const lastColon = address.lastIndexOf(':');
  const tail = address.slice(lastColon + 1);
  const tailBytes = tail.includes('.') ? tail.split('.').map(Number) : null;
  const text = tailBytes === null ? address : `${address.slice(0, lastColon)}:0:0`;
  const [head = '', rest] = text.split('::');
  const groups = (half: string): number[] => (half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16)));
  const before = groups(head);
  const after = rest === undefined ? [] : groups(rest);
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  const bytes = [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]);
  if (tailBytes !== null) bytes.splice(12, 4, ...tailBytes);
  return bytes;
}
