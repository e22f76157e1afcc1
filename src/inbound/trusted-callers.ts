// Whose word about others is taken: the proxies that the configuration lists, by what their certificate says or by their
// address. A private address alone is no reason for trust.
import { BlockList, isIP } from 'node:net';
import type { PeerIdentity } from '../identity/peer-identity.ts';

export interface TrustedCallers {
  has(peer: PeerIdentity | null, address: string): boolean;
}

export const NOBODY: TrustedCallers = Object.freeze({ has: () => false });

/** Throws an Error for what is neither a SPIFFE ID nor an address nor a range. */
export function trustedCallers(entries: readonly string[]): TrustedCallers {
  if (entries.length === 0) return NOBODY;
  const ids = new Set<string>();
  const ranges = new BlockList();
  for (const entry of entries) {
    if (entry.startsWith('spiffe://')) ids.add(entry);
    else addRange(ranges, entry);
  }
  return {
    has(peer, address) {
      if (peer !== null && ids.has(peer.spiffeId)) return true;
      const bare = address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
      const version = isIP(bare);
      return version !== 0 && ranges.check(bare, version === 4 ? 'ipv4' : 'ipv6');
    },
  };
}

function addRange(ranges: BlockList, entry: string): void {
  const [address = '', bits] = entry.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (version === 0 || !isRange)
    throw new Error(`trustedProxies: ${JSON.stringify(entry)} is neither a SPIFFE ID nor an address nor a range such as 10.0.0.0/8`);
  ranges.addSubnet(address, bits === undefined ? most : Number(bits), version === 4 ? 'ipv4' : 'ipv6');
}
