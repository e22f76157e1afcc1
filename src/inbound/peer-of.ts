// Who calls, for handlers. By TLS alone.
import type { IncomingMessage } from 'node:http';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import { connectionOf } from './connection.ts';
import { callOf } from './inbound-call.ts';

/**
 * Who calls, as the certificate of the connection proves it; null on a plain connection, and when TLS is not ended by
 * inmesh. Never read from a header.
 */
export function peerOf(request: IncomingMessage): PeerIdentity | null {
  const call = callOf(request);
  return call === undefined ? (connectionOf(request.socket)?.peer ?? null) : call.peer;
}
