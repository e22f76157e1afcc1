// Addresses against ranges of them. The same connection asks again and again, so the last answer is kept.
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { TextTest } from './text.ts';

/** IPv4 in the clothes of IPv6 is IPv4. */
const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/** Ranges: `10.0.0.0/8`, `10.1.2.3`, `2001:db8::/32`. What is no address is in none of them. */
export function addressTest(ranges: readonly string[]): TextTest {
  const list = new BlockList();
  for (const range of ranges) addRange(list, range);
  let lastAddress: string | null = null;
  let lastAnswer = false;
  return (address) => {
    if (address !== lastAddress) {
      lastAnswer = isIn(list, address);
      lastAddress = address;
    }
    return lastAnswer;
  };
}

function addRange(list: BlockList, range: string): void {
  const [written, bits] = range.split('/') as [string, string?];
  const address = written.replace(MAPPED, '');
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, address === written ? Number(bits) : Math.max(0, Number(bits) - 96), family);
}

function isIn(list: BlockList, written: string): boolean {
  const address = written.replace(MAPPED, '');
  if (isIPv4(address)) return list.check(address, 'ipv4');
  // A zone such as %eth0 is of this machine, not of the address.
  const bare = address.split('%')[0] as string;
  return isIPv6(bare) && list.check(bare, 'ipv6');
}
