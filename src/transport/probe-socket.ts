// A connection of its own for one health check, by the TLS settings of the service: what it finds out is found out anew,
// and whatever becomes of it, no pool notices. Holds no process.
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate } from 'node:tls';
import type { ClientTls } from '../identity/tls-context.ts';

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  /** Name verified, and sent as SNI and host. */
  readonly name: string;
  /** null: plain. */
  readonly tls: ClientTls | null;
  readonly protocol: 'http1' | 'http2';
}

/** One check under way. `close` ends it, and what it opened; `result` then no longer matters. */
export interface ProbeAttempt {
  readonly result: Promise<ProbeResult>;
  close(): void;
}

export interface ProbeResult {
  readonly ok: boolean;
  /** Why not, for people; empty when it passed. */
  readonly reason: string;
}

export const PASSED: ProbeResult = Object.freeze({ ok: true, reason: '' });

export function openSocket({ host, port, name, tls }: ProbeTarget, protocols: readonly string[]): Socket {
  const socket =
    tls === null
      ? connectTcp({ host, port })
      : connectTls({
          ...tls.connect,
          host,
          port,
          ALPNProtocols: [...protocols],
          // An address is no name to send (RFC 6066 §3), but one to verify.
          servername: isIP(name) === 0 ? name : '',
          checkServerIdentity: (_host: string, peer: PeerCertificate) => tls.checkPeer(name, peer),
        });
  socket.unref();
  // Whoever waits for it listens too; after the end nobody does.
  socket.on('error', () => {});
  return socket;
}

/** Settles when the connection stands, its TLS included. */
export function connected(socket: Socket, { tls }: ProbeTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(tls === null ? 'connect' : 'secureConnect', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
}
