// Whom this process trusts, parsed once for all handshakes: roots by trust domain, lists of revoked certificates.
import { type Certificate, readCertificate } from './certificate.ts';
import { type Crl, readCrl } from './crl.ts';
import type { Identity } from './identity-source.ts';
import { isLocalDomain, type LocalDomain, parseSpiffeId } from './spiffe-id.ts';

export interface Trust {
  /** The trust domain of this process, and its aliases. */
  readonly local: LocalDomain;
  /** The roots of a trust domain; undefined when we know none. An alias has the roots of the local domain. */
  rootsOf(trustDomain: string): readonly Certificate[] | undefined;
  /** Bound to no trust domain: for peers that show no SPIFFE ID. */
  readonly unboundRoots: readonly Certificate[];
  /** Whether all roots are those of one trust domain. */
  readonly isOneDomain: boolean;
  /** Whether any trust domain has roots. */
  readonly isSpiffe: boolean;
  readonly crls: readonly Crl[];
}

/** What trust is made of: an Identity has it. */
export type TrustSource = Pick<Identity, 'bundles' | 'crls' | 'spiffeId' | 'trustDomainAliases'>;

/** Throws an Error when a root or a list cannot be read: a source has read them before, so an Identity of a source never does. */
export function trustOf(source: TrustSource, aliases: readonly string[] = []): Trust {
  const own = parseSpiffeId(source.spiffeId);
  const local: LocalDomain = {
    name: typeof own === 'string' ? '' : own.trustDomain,
    aliases: [...(source.trustDomainAliases ?? []), ...aliases],
  };
  const byDomain = new Map<string, readonly Certificate[]>();
  for (const [domain, roots] of source.bundles) byDomain.set(domain, roots.map(readCertificate));
  const unboundRoots = byDomain.get('') ?? [];
  byDomain.delete('');
  return {
    local,
    rootsOf: (domain) => byDomain.get(domain) ?? (isLocalDomain(domain, local) ? byDomain.get(local.name) : undefined),
    unboundRoots,
    isOneDomain: byDomain.size === 1 && unboundRoots.length === 0,
    isSpiffe: byDomain.size > 0,
    crls: source.crls.map(readCrl),
  };
}
