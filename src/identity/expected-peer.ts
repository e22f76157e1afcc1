// Whom a connection must lead to, compiled from names: SPIFFE IDs and patterns, DNS names, addresses. Exact bytes; a name in a
// certificate never stands for more than what the rules of its kind say.
import { isIP } from 'node:net';
import type { Certificate } from './certificate.ts';
import { type LocalDomain, type SpiffeId, spiffePattern } from './spiffe-id.ts';

/** The certificate of a peer whose chain was found good; `id` null: it has no SPIFFE ID. */
export interface ProvenPeer {
  readonly certificate: Certificate;
  readonly id: SpiffeId | null;
}

export interface ExpectedPeer {
  fits(peer: ProvenPeer): boolean;
  /** For the error: what would have fitted. */
  readonly text: string;
}

/** One of these names, exactly; in SPIFFE IDs `*` may stand for a whole segment. Throws an Error for a name that cannot be. */
export function expectedNames(names: readonly string[], local: LocalDomain): ExpectedPeer {
  const checks = names.map((name) => nameCheck(name, local));
  return { fits: (peer) => checks.some((check) => check(peer)), text: names.join(' or ') };
}

function nameCheck(name: string, local: LocalDomain): (peer: ProvenPeer) => boolean {
  if (name.startsWith('spiffe://')) {
    const fits = spiffePattern(name, local);
    return ({ id }) => id !== null && fits(id);
  }
  if (name.includes('://')) return ({ certificate }) => certificate.uris.includes(name);
  if (isIP(name) !== 0) return ({ certificate }) => hasAddress(certificate, name);
  return ({ certificate }) => certificate.dns.includes(name);
}

/**
 * The host that is called, by the DNS names and addresses of the certificate; its common name is never looked at.
 * Source: RFC 9525, `*` for the whole leftmost label alone.
 */
export function expectedHost(host: string): ExpectedPeer {
  const wanted = host.toLowerCase().replace(/\.$/, '');
  const isAddress = isIP(host) !== 0;
  return {
    fits: ({ certificate }) =>
      isAddress ? hasAddress(certificate, host) : certificate.dns.some((name) => dnsFits(name.toLowerCase(), wanted)),
    text: host,
  };
}

function dnsFits(name: string, wanted: string): boolean {
  if (!name.startsWith('*.')) return name === wanted;
  const dot = wanted.indexOf('.');
  return dot > 0 && wanted.slice(dot) === name.slice(1) && name.indexOf('.', 2) > 0;
}

function hasAddress({ ips }: Certificate, address: string): boolean {
  const wanted = addressBytes(address);
  return ips.some((ip) => Buffer.compare(ip, wanted) === 0);
}

/** 4 or 16 bytes. */
export function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = withoutDots(address).split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const left = groups(head);
  const right = groups(tail ?? '');
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** `::ffff:1.2.3.4` with its end as groups. */
function withoutDots(address: string): string {
  const [bare = ''] = address.split('%');
  const cut = bare.lastIndexOf(':') + 1;
  if (!bare.includes('.')) return bare;
  const [a = 0, b = 0, c = 0, d = 0] = bare.slice(cut).split('.').map(Number);
  return `${bare.slice(0, cut)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
