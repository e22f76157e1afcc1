// TLS of the client side: certificates checked once, one SecureContext per policy and generation, the peer's name verified on
// every connection. No session resumption: a resumed session skips that check (Node's rule), and identity with it.
import { readFileSync } from 'node:fs';
import {
  checkServerIdentity,
  type ConnectionOptions,
  createSecureContext,
  type PeerCertificate,
  type SecureContextOptions,
} from 'node:tls';
import type { Clock } from '../core/clock.ts';
import type { TlsPolicy } from '../model/destination.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { expectedHost, expectedNames } from './expected-peer.ts';
import { isIdentityFailure } from './identity-failure.ts';
import type { Identity } from './identity-source.ts';
import { pemBlocks } from './pem.ts';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts';
import { type Trust, trustOf } from './trust.ts';
import { chainOf, verifyPeer } from './verify-peer.ts';

/** What the sockets of a policy share. A rotation makes a new one. */
export interface ClientTls {
  /** Options for `tls.connect`. */
  readonly connect: ConnectionOptions;
  /** Whether the peer may answer for a name: undefined, or why not. To be called on every handshake. */
  readonly checkPeer: (name: string, peer: PeerCertificate) => Error | undefined;
  /** SNI and verified name; '' means the host of the call. */
  readonly serverName: string;
  /** Why no connection may be made with it now: no certificate, or one that has expired. */
  readonly unusable: () => Error | null;
}

/** The peer is not who it should be. */
export class PeerUntrusted extends Error {
  readonly code = 'INMESH_PEER_UNTRUSTED' as const;
}

/** This process has no certificate that it could show. */
export class IdentityMissing extends Error {
  readonly code = 'INMESH_IDENTITY_MISSING' as const;
}

function readPem(value: string, what: string): string {
  if (value.includes('-----BEGIN')) return value;
  try {
    return readFileSync(value, 'utf8');
  } catch (error) {
    throw new Error(`the ${what} cannot be read from ${value}: ${(error as Error).message}`);
  }
}

/** Every block parsed by us: Node takes garbage silently, and an empty list for "the web's roots". */
function certificates(pem: string, what: string): string[] {
  const blocks = pemBlocks(pem, 'CERTIFICATE');
  if (blocks.length === 0) throw new Error(`the ${what} holds no certificate`);
  for (const block of blocks) {
    try {
      readCertificate(block);
    } catch (error) {
      throw new Error(`the ${what} holds a certificate that cannot be read: ${(error as Error).message}`);
    }
  }
  return blocks;
}

/** Names of the certificate instead of the host; the chain is OpenSSL's business. */
function nameCheck(names: readonly string[]): ClientTls['checkPeer'] {
  const expected = expectedNames(names, { name: '', aliases: [] });
  return (_name, peer) => {
    const certificate = readCertificate(peer.raw);
    if (expected.fits({ certificate, id: onlyId(certificate) })) return undefined;
    return new PeerUntrusted(`the peer shows ${certificate.x509.subjectAltName ?? 'no name'}, expected ${expected.text}`);
  };
}

/** A certificate with several URIs has none that counts. */
function onlyId({ uris }: Certificate): SpiffeId | null {
  if (uris.length !== 1) return null;
  const id = parseSpiffeId(uris[0] as string);
  return typeof id === 'string' ? null : id;
}

/** With `verify` less is checked, because the rule says so: never by default. */
function hostCheck({ subjectAltNames, verify }: TlsPolicy): ClientTls['checkPeer'] {
  if (verify !== undefined) return () => undefined;
  return hasNames(subjectAltNames) ? nameCheck(subjectAltNames) : checkServerIdentity;
}

function hasNames(names: readonly string[] | undefined): names is readonly string[] {
  return names !== undefined && names.length > 0;
}

/** The identity of the peer, by the roots of the trust domain that it claims. Without names it must be the host's. */
function identityCheck({ subjectAltNames, verify }: TlsPolicy, trust: Trust, clock: Clock): ClientTls['checkPeer'] {
  if (verify === 'none') return () => undefined;
  const named = hasNames(subjectAltNames) ? expectedNames(subjectAltNames, trust.local) : null;
  return (name, peer) => {
    const expected = named ?? (verify === 'chain' ? null : expectedHost(name));
    const verdict = verifyPeer(chainOf(peer), { trust, expected, side: 'server', isChainVerified: true }, clock.wall());
    return isIdentityFailure(verdict) ? new PeerUntrusted(verdict.message) : undefined;
  };
}

export interface ClientTlsDeps {
  /** Of the mesh; null when it has none, or none yet. */
  readonly identity: Identity | null;
  readonly clock: Clock;
}

/** Whether the policy takes anything from the identity of the mesh. */
export function usesIdentity({ mode, cert, key, ca, webRoots }: TlsPolicy): boolean {
  return mode === 'mutual' && (cert === undefined || key === undefined || (ca === undefined && webRoots !== true));
}

/** Throws an Error with a plain sentence when a certificate is missing, unreadable or does not fit its key. */
export function clientTls(policy: TlsPolicy, { identity, clock }: ClientTlsDeps): ClientTls {
  const isOfMesh = usesIdentity(policy);
  const isMutual = policy.mode === 'mutual';
  const lacksOwn = (policy.cert === undefined || policy.key === undefined) && identity === null;
  const bundled = isOfMesh && policy.ca === undefined && policy.webRoots !== true ? identity : null;
  const lacksRoots = policy.ca === undefined && bundled === null && policy.webRoots !== true && policy.verify !== 'none';
  if (isMutual && (lacksOwn || lacksRoots)) {
    throw new Error('tls mode mutual needs cert, key and ca, from the service or from identity');
  }
  const trust = bundled === null ? null : trustOf(bundled);
  const options: SecureContextOptions = { minVersion: `TLSv${policy.minTls ?? (trust?.isSpiffe === true ? '1.3' : '1.2')}` };
  if (policy.crl !== undefined) options.crl = readPem(policy.crl, 'list of revoked certificates');
  if (policy.ca !== undefined) options.ca = certificates(readPem(policy.ca, 'ca'), 'ca');
  else if (bundled !== null) Object.assign(options, rootOptions(bundled));
  if (isMutual) Object.assign(options, chainAndKey(policy, identity));
  const own = isOfMesh && policy.cert === undefined ? identity : null;
  const notAfterMs = own === null ? Number.POSITIVE_INFINITY : own.notAfterMs;
  return {
    connect: { secureContext: secureContext(options), rejectUnauthorized: policy.verify !== 'none' },
    checkPeer: trust?.isSpiffe === true ? identityCheck(policy, trust, clock) : hostCheck(policy),
    serverName: policy.serverName ?? '',
    unusable: () =>
      clock.wall() <= notAfterMs
        ? null
        : new IdentityMissing(`the certificate of this process expired at ${new Date(notAfterMs).toISOString()}`),
  };
}

/** Before the first identity, or after it was taken back: no connection is made, and the reason told. */
export function missingTls(policy: TlsPolicy, reason: string): ClientTls {
  return {
    // An empty list of roots trusts nobody, for whoever connects without asking.
    connect: { secureContext: createSecureContext({ ca: [] }), rejectUnauthorized: true },
    checkPeer: () => new IdentityMissing(reason),
    serverName: policy.serverName ?? '',
    unusable: () => new IdentityMissing(reason),
  };
}

/** OpenSSL gets all roots at once; which of them may speak for whom is our own check. */
function rootOptions({ bundles }: Identity): Pick<SecureContextOptions, 'ca' | 'allowPartialTrustChain'> {
  return { ca: [...new Set([...bundles.values()].flat())], allowPartialTrustChain: true };
}

function secureContext(options: SecureContextOptions): ReturnType<typeof createSecureContext> {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw new Error(`certificate and key cannot be used: ${(error as Error).message}`);
  }
}

function chainAndKey({ cert, key }: TlsPolicy, identity: Identity | null): { readonly cert: string; readonly key: string } {
  if (cert === undefined || key === undefined) {
    // Whoever lacks one has the other: that was checked.
    const { chain, key: ownKey } = identity as Identity;
    return { cert: chain.join(''), key: ownKey };
  }
  const own = { cert: readPem(cert, 'certificate'), key: readPem(key, 'key') };
  certificates(own.cert, 'certificate');
  return own;
}
