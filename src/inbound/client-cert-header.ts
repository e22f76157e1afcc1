// The certificate of the caller as a header, for applications that read what Envoy tells them. Made from TLS alone.
// Source: Envoy, x-forwarded-client-cert.
import type { PeerIdentity } from '../identity/peer-identity.ts';

/** `bySpiffeId`: whom this process is. */
export function clientCertHeader(peer: PeerIdentity, bySpiffeId: string): string {
  const parts = [`Hash=${peer.fingerprint.replaceAll(':', '').toLowerCase()}`];
  if (bySpiffeId !== '') parts.unshift(`By=${bySpiffeId}`);
  if (peer.spiffeId !== '') parts.push(`URI=${peer.spiffeId}`);
  for (const name of peer.dns) if (/^[\w.*-]+$/.test(name)) parts.push(`DNS=${name}`);
  return parts.join(';');
}
