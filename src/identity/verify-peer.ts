// Who is at the other end: from the certificates that a peer showed to its identity, or to the reason why not. Pure; both
// sides of a connection ask it on every handshake. Replaces the host check, never beside it.
// Source: X509-SVID §4 and §5.2, SPIFFE Workload API §4.6.
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import { type Certificate, KEY_USAGE, readCertificate } from './certificate.ts';
import type { ExpectedPeer, ProvenPeer } from './expected-peer.ts';
import type { IdentityFailure, IdentityFailureCode } from './identity-failure.ts';
import { INTERMEDIATES_MAX, pathFault } from './path-check.ts';
import type { PeerIdentity } from './peer-identity.ts';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts';
import type { Trust } from './trust.ts';

export interface PeerChecks {
  readonly trust: Trust;
  /** null: anybody whom the roots vouch for. */
  readonly expected: ExpectedPeer | null;
  /** What the peer is; its certificate must be for that, if it says what it is for. */
  readonly side: 'client' | 'server';
  /**
   * Whether OpenSSL found a chain to one of our roots (`socket.authorized`). With the roots of one trust domain alone that is
   * enough, also where Node hides the intermediates from us (24.21). @default false
   */
  readonly isChainVerified?: boolean;
}

const PURPOSE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2', any: '2.5.29.37.0' } as const;

/** `chain`: DER, leaf first, then what the peer sent with it, in any order. Never throws. */
export function verifyPeer(chain: readonly Uint8Array[], checks: PeerChecks, nowMs: number): PeerIdentity | IdentityFailure {
  if (chain.length === 0) return fail('certificate_missing', 'the peer shows no certificate');
  if (chain.length > 1 + INTERMEDIATES_MAX) return fail('chain_untrusted', `the peer sends more than ${INTERMEDIATES_MAX} intermediates`);
  let read: Certificate[];
  try {
    read = chain.map(readCertificate);
  } catch (error) {
    return fail('certificate_unreadable', (error as Error).message);
  }
  const [leaf, ...intermediates] = read as [Certificate, ...Certificate[]];
  const { trust, expected, side, isChainVerified = false } = checks;
  const id = spiffeIdOf(leaf, trust);
  if (id !== null && 'code' in id) return id;
  const unfit = unfitness(leaf, id, side);
  if (unfit !== null) return fail('certificate_unfit', unfit);
  const roots = id === null ? trust.unboundRoots : trust.rootsOf(id.trustDomain);
  if (roots === undefined)
    return fail('trust_domain_unknown', `the peer is ${describe(leaf, id)}, and no roots of that trust domain are known`);
  const isEnough = isChainVerified && trust.isOneDomain && trust.crls.length === 0;
  const fault = isEnough ? null : pathFault({ leaf, intermediates, roots, crls: trust.crls, nowMs });
  if (fault !== null) return { code: fault.code, message: `${fault.message}: it says it is ${describe(leaf, id)}` };
  const peer: ProvenPeer = { certificate: leaf, id };
  if (expected !== null && !expected.fits(peer)) {
    return fail('peer_unexpected', `the peer shows ${describe(leaf, id)}, expected ${expected.text}`);
  }
  return identityOf(peer);
}

function fail(code: IdentityFailureCode, message: string): IdentityFailure {
  return { code, message };
}

/** null: a certificate of the other kind, which only roots that are bound to no domain can vouch for. */
function spiffeIdOf({ uris }: Certificate, trust: Trust): SpiffeId | IdentityFailure | null {
  const [uri, ...others] = uris;
  const isOther = !uris.some((one) => one.startsWith('spiffe:'));
  if (isOther && trust.unboundRoots.length > 0 && (uri === undefined || !trust.isSpiffe)) return null;
  if (uri === undefined) return fail('spiffe_id_invalid', 'the certificate of the peer has no SPIFFE ID');
  if (others.length > 0) return fail('spiffe_id_invalid', 'the certificate of the peer has more than one URI');
  const id = parseSpiffeId(uri);
  return typeof id === 'string' ? fail('spiffe_id_invalid', `the peer shows ${JSON.stringify(uri)}, which is no SPIFFE ID: ${id}`) : id;
}

function unfitness({ isCa, keyUsage, extendedKeyUsage }: Certificate, id: SpiffeId | null, side: PeerChecks['side']): string | null {
  const what = 'the certificate of the peer';
  if (isCa) return `${what} is that of an authority`;
  if (keyUsage === null && id !== null) return `${what} does not say what its key may be used for`;
  if (keyUsage !== null && (keyUsage & KEY_USAGE.digitalSignature) === 0) return `the key of the peer may not be used for signatures`;
  if (keyUsage !== null && (keyUsage & (KEY_USAGE.keyCertSign | KEY_USAGE.crlSign)) !== 0) {
    return 'the key of the peer may be used to sign certificates or lists of revoked ones';
  }
  const isForIt = extendedKeyUsage === null || extendedKeyUsage.includes(PURPOSE[side]) || extendedKeyUsage.includes(PURPOSE.any);
  return isForIt ? null : `${what} is not for a ${side}`;
}

function describe({ dns, uris }: Certificate, id: SpiffeId | null): string {
  if (id !== null) return id.text;
  const names = [...dns, ...uris];
  return names.length === 0 ? 'no name' : names.map((name) => JSON.stringify(name)).join(', ');
}

function identityOf({ certificate, id }: ProvenPeer): PeerIdentity {
  return {
    spiffeId: id?.text ?? '',
    trustDomain: id?.trustDomain ?? '',
    namespace: id?.namespace ?? '',
    serviceAccount: id?.serviceAccount ?? '',
    dns: certificate.dns,
    notAfterMs: certificate.notAfterMs,
    fingerprint: certificate.x509.fingerprint256,
  };
}

/** What a peer sent, from what Node gives: `socket.getPeerCertificate(true)`, or the argument of `checkServerIdentity`. */
export function chainOf(peer: PeerCertificate | DetailedPeerCertificate | undefined): Uint8Array[] {
  const chain: Uint8Array[] = [];
  const seen = new Set<object>();
  let next = peer as Partial<DetailedPeerCertificate> | undefined;
  while (next?.raw !== undefined && !seen.has(next)) {
    seen.add(next);
    chain.push(next.raw);
    next = next.issuerCertificate;
  }
  return chain;
}
