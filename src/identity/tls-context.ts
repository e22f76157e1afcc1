// TLS of the client side: certificates read and checked once, one SecureContext per policy, the peer's name verified on
// every connection. No session resumption: a resumed session skips that check (Node's rule), and identity with it.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { checkServerIdentity, type ConnectionOptions, createSecureContext, type PeerCertificate, type SecureContext } from 'node:tls';
import type { IdentityConfig } from '../model/config.ts';
import type { TlsPolicy } from '../model/destination.ts';

/** What the sockets of a policy share. */
export interface ClientTls {
  /** Options for `tls.connect`. */
  readonly connect: ConnectionOptions;
  /** Whether the peer may answer for a name: undefined, or why not. To be called on every handshake. */
  readonly checkPeer: (name: string, peer: PeerCertificate) => Error | undefined;
  /** SNI and verified name; '' means the host of the call. */
  readonly serverName: string;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

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
  const blocks = pem.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new Error(`the ${what} holds no certificate`);
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw new Error(`the ${what} holds a certificate that cannot be read: ${(error as Error).message}`);
    }
  }
  return [...blocks];
}

class PeerUntrusted extends Error {
  readonly code = 'INMESH_PEER_UNTRUSTED' as const;
}

/** Exact comparison of the names in the certificate with those expected. Replaces the host check. */
function nameCheck(expected: readonly string[]): ClientTls['checkPeer'] {
  return (_name, peer) => {
    // Node quotes an entry that holds a comma or another sign of its own notation: such a one never equals a plain name.
    const names = (peer.subjectaltname ?? '').split(', ');
    if (expected.some((name) => kindsOf(name).some((kind) => names.includes(kind + name)))) return undefined;
    return new PeerUntrusted(`the peer shows ${names.join(', ') || 'no name'}, expected ${expected.join(' or ')}`);
  };
}

function kindsOf(name: string): readonly string[] {
  return name.includes('://') ? ['URI:'] : ['DNS:', 'IP Address:'];
}

/** With `verify` less is checked, because the rule says so: never by default. */
function peerCheck({ subjectAltNames, verify }: TlsPolicy): ClientTls['checkPeer'] {
  if (verify !== undefined) return () => undefined;
  return subjectAltNames === undefined || subjectAltNames.length === 0 ? checkServerIdentity : nameCheck(subjectAltNames);
}

/** Throws an Error with a plain sentence when a certificate is missing, unreadable or does not fit its key. */
export function clientTls(policy: TlsPolicy, identity: IdentityConfig | null): ClientTls {
  const certPem = policy.cert ?? (policy.mode === 'mutual' ? identity?.cert : undefined);
  const keyPem = policy.key ?? (policy.mode === 'mutual' ? identity?.key : undefined);
  const caPem = policy.ca ?? (policy.mode === 'mutual' ? identity?.ca : undefined);
  const lacksRoots = caPem === undefined && policy.webRoots !== true && policy.verify !== 'none';
  if (policy.mode === 'mutual' && (certPem === undefined || keyPem === undefined || lacksRoots)) {
    throw new Error('tls mode mutual needs cert, key and ca, from the service or from identity');
  }
  const options: { cert?: string; key?: string; ca?: string[]; crl?: string; minVersion: 'TLSv1.2' } = { minVersion: 'TLSv1.2' };
  if (policy.crl !== undefined) options.crl = readPem(policy.crl, 'list of revoked certificates');
  if (caPem !== undefined) options.ca = certificates(readPem(caPem, 'ca'), 'ca');
  if (certPem !== undefined && keyPem !== undefined) {
    options.cert = readPem(certPem, 'certificate');
    options.key = readPem(keyPem, 'key');
    certificates(options.cert, 'certificate');
  }
  let secureContext: SecureContext;
  try {
    secureContext = createSecureContext(options);
  } catch (error) {
    throw new Error(`certificate and key cannot be used: ${(error as Error).message}`);
  }
  return {
    connect: { secureContext, rejectUnauthorized: policy.verify !== 'none' },
    checkPeer: peerCheck(policy),
    serverName: policy.serverName ?? '',
  };
}
