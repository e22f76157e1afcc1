// Makes the TLS connections of one pool: one name, one generation of certificates. Nothing is resumed, the peer is looked at on
// every handshake, and where we show a certificate the connection is handed over when the endpoint has taken it.
import { isIP } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import type { ClientTls } from '../identity/tls-context.ts';
import type { TicketWait } from './tls-ticket.ts';
import { buildConnector } from './undici.ts';

export interface SecureConnectorInit {
  readonly tls: ClientTls;
  /** Sent as SNI, and verified. */
  readonly serverName: string;
  readonly isH2: boolean;
  /** What the making of a connection takes from the policy. */
  readonly making: buildConnector.BuildOptions;
  readonly clock: Clock;
  /** null: we show no certificate. */
  readonly tickets: TicketWait | null;
}

export function secureConnector({ tls, serverName, isH2, making, clock, tickets }: SecureConnectorInit): buildConnector.connector {
  const connectTls = buildConnector({
    ...(tls.connect as buildConnector.BuildOptions),
    checkServerIdentity: (_host: string, peer: PeerCertificate) => tls.checkPeer(serverName, peer),
    ...making,
    maxCachedSessions: 0,
    allowH2: isH2,
    preferH2: isH2,
  });
  // An address is no name to send (RFC 6066 §3), but one to verify.
  const sni = isIP(serverName) === 0 ? serverName : '';
  return (options, callback) => {
    const unusable = tls.unusable();
    if (unusable !== null) {
      queueMicrotask(() => callback(unusable, null));
      return;
    }
    const startedAtMs = clock.now();
    connectTls({ ...options, servername: sni }, (...result) => {
      const [error, socket] = result;
      if (tickets === null || error !== null || socket === null) {
        callback(...result);
        return;
      }
      tickets.settle(socket as TLSSocket, clock.now() - startedAtMs, (refusal) => {
        if (refusal === null) callback(null, socket);
        else callback(refusal, null);
      });
    });
  };
}
