// Makes the TLS connections of one pool, for one name. Nothing is resumed, the peer is looked at on every handshake, and where we
// show a certificate the connection is handed over when the endpoint has taken it. What was begun with certificates that are
// replaced meanwhile, and fails for them, is made anew: nothing was sent.
import { isIP } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import type { ClientTls } from '../identity/tls-context.ts';
import { isCertificateRefused, isIdentityError } from './failure.ts';
import type { TicketWait } from './tls-ticket.ts';
import { buildConnector } from './undici.ts';

export interface SecureConnectorInit {
  /** As of now. */
  readonly tls: () => ClientTls;
  /** Sent as SNI, and verified. */
  readonly serverName: string;
  readonly isH2: boolean;
  /** What the making of a connection takes from the policy. */
  readonly making: buildConnector.BuildOptions;
  readonly clock: Clock;
  /** null: we show no certificate. */
  readonly tickets: TicketWait | null;
}

export function secureConnector(init: SecureConnectorInit): buildConnector.connector {
  const { tls, serverName, clock, tickets } = init;
  // An address is no name to send (RFC 6066 §3), but one to verify.
  const sni = isIP(serverName) === 0 ? serverName : '';
  let current = tls();
  let connectTls = connectorOf(current, init);
  const connect: buildConnector.connector = (options, callback) => {
    const used = tls();
    if (used !== current) {
      current = used;
      connectTls = connectorOf(used, init);
    }
    const fail = (error: Error): void => {
      // A pool that is given up still makes connections for the calls that wait in it.
      if (tls() !== used && (isIdentityError(error) || isCertificateRefused(error))) connect(options, callback);
      else callback(error, null);
    };
    const unusable = used.unusable();
    if (unusable !== null) {
      queueMicrotask(() => callback(unusable, null));
      return;
    }
    const startedAtMs = clock.now();
    connectTls({ ...options, servername: sni }, (...[error, socket]) => {
      if (error !== null) fail(error);
      else if (tickets === null) callback(null, socket);
      else {
        tickets.settle(socket as TLSSocket, clock.now() - startedAtMs, (refusal) => {
          if (refusal === null) callback(null, socket);
          else fail(refusal);
        });
      }
    });
  };
  return connect;
}

function connectorOf(tls: ClientTls, { serverName, isH2, making }: SecureConnectorInit): buildConnector.connector {
  return buildConnector({
    ...(tls.connect as buildConnector.BuildOptions),
    checkServerIdentity: (_host: string, peer: PeerCertificate) => tls.checkPeer(serverName, peer),
    ...making,
    maxCachedSessions: 0,
    allowH2: isH2,
    preferH2: isH2,
  });
}
