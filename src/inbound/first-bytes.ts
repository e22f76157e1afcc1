// What is spoken on a new connection, told by its first bytes before anything parses them. All that was read is put back.
// A caller that says nothing is not waited for: no timer of a protocol runs yet.
import type { Socket } from 'node:net';
import { type Clock, Timer } from '../core/clock.ts';

export type FirstBytes = 'tls' | 'h2c' | 'http1';

const TLS_HANDSHAKE = 0x16;
/** No method begins so but the one of the HTTP/2 preface. Source: RFC 9113 §3.4. */
const PREFACE = 'PRI';

/** null: more is needed. */
export function kindOf(bytes: Uint8Array): FirstBytes | null {
  if (bytes.length === 0) return null;
  if (bytes[0] === TLS_HANDSHAKE) return 'tls';
  for (let i = 0; i < PREFACE.length; i++) {
    if (i === bytes.length) return null;
    if (bytes[i] !== PREFACE.charCodeAt(i)) return 'http1';
  }
  return 'h2c';
}

class FirstLook extends Timer {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #onKnown: (kind: FirstBytes) => void;
  #seen: Buffer | null = null;

  constructor(socket: Socket, clock: Clock, onKnown: (kind: FirstBytes) => void) {
    super();
    this.#socket = socket;
    this.#clock = clock;
    this.#onKnown = onKnown;
    socket.on('readable', this.#read);
    socket.on('end', this.#leave);
    socket.on('close', this.#stop);
  }

  fire(): void {
    this.#socket.destroy();
  }

  readonly #read = (): void => {
    const socket = this.#socket;
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    this.#seen = this.#seen === null ? chunk : Buffer.concat([this.#seen, chunk]);
    const kind = kindOf(this.#seen);
    if (kind === null) return;
    this.#stop();
    socket.unshift(this.#seen);
    this.#onKnown(kind);
  };

  /** It closed its half before it said anything: nobody else would close ours. */
  readonly #leave = (): void => {
    this.#socket.destroy();
  };

  readonly #stop = (): void => {
    this.#clock.disarm(this);
    const socket = this.#socket;
    socket.off('readable', this.#read);
    socket.off('end', this.#leave);
    socket.off('close', this.#stop);
  };
}

/** Destroys the socket when nothing telling has come by `dueMs`; Infinity: waits for ever. `onKnown` is called at most once. */
export function look(socket: Socket, clock: Clock, dueMs: number, onKnown: (kind: FirstBytes) => void): void {
  const first = new FirstLook(socket, clock, onKnown);
  if (dueMs !== Number.POSITIVE_INFINITY) clock.arm(first, dueMs);
}
