// With TLS 1.3 a client is through before the server has looked at its certificate: a refusal would come as a hang-up in the
// middle of the first call, like that of a sick server. The first session ticket says that the server is through too, so a
// connection is handed over only then. Some peers send none: after two such connections nobody waits for them any more.
import type { TLSSocket } from 'node:tls';
import { type Clock, nextTurn, runAt } from '../core/clock.ts';

/** The server refused our certificate. */
export class CertificateRefused extends Error {
  readonly code = 'INMESH_CERTIFICATE_REFUSED' as const;
}

/** Longest wait for a ticket: so many times the handshake, within these bounds, ms. */
const HANDSHAKES = 4;
const WAIT_MS_MIN = 200;
const WAIT_MS_MAX = 2_000;
/** After so many waits in vain nobody waits for a ticket of that endpoint any more. */
const IN_VAIN_MAX = 2;

/** What is known of one endpoint: kept as long as its pools. */
export class TicketWait {
  readonly #clock: Clock;
  /** Waits in a row that brought no ticket; -1: it has sent one, so it always does, and a late one is late for a reason of ours. */
  #inVain = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Settles once: null when the server is through, or is one that does not say. */
  settle(socket: TLSSocket, handshakeMs: number, done: (error: Error | null) => void): void {
    if (this.#inVain >= IN_VAIN_MAX || socket.getProtocol() !== 'TLSv1.3') {
      done(null);
      return;
    }
    const clock = this.#clock;
    const waitMs = Math.min(WAIT_MS_MAX, Math.max(WAIT_MS_MIN, handshakeMs * HANDSHAKES));
    let reason = '';
    let isSettled = false;
    // After a stall the ticket and the end of the wait come in one turn: a socket that is handed over twice is closed.
    const finish = (error: Error | null): void => {
      if (isSettled) return;
      isSettled = true;
      clock.disarm(timer);
      socket.off('session', onTicket);
      socket.off('error', onError);
      socket.off('close', onClose);
      done(error);
    };
    // Not within the event: the socket is in the middle of reading then, and a call would hang.
    const onTicket = (): void => {
      socket.off('session', onTicket);
      this.#inVain = -1;
      nextTurn(() => {
        if (!socket.destroyed) finish(null);
      });
    };
    const onError = (error: Error): void => {
      reason = error.message;
    };
    const onClose = (): void =>
      finish(new CertificateRefused(`the endpoint closed the connection when it saw our certificate${reason === '' ? '' : `: ${reason}`}`));
    // What came in during a stall is read first: the ticket, or the end of the connection, may be among it.
    const timer = runAt(clock, clock.now() + waitMs, () =>
      nextTurn(() => {
        if (isSettled) return;
        if (this.#inVain >= 0) this.#inVain++;
        finish(null);
      }),
    );
    socket.on('session', onTicket);
    socket.on('error', onError);
    socket.on('close', onClose);
  }
}
