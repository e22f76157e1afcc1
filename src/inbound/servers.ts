// The servers of one mesh that listen, and how they end: no more connections, idle ones closed, the rest cut off when time
// is up. What they serve is not known here.
import type { Server } from 'node:http';

export class Servers {
  readonly #listening: Set<Server> = new Set();
  readonly #onChange: () => void;

  /** `onChange`: one has begun to listen, or has closed with its last connection. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get count(): number {
    return this.#listening.size;
  }

  add(server: Server): void {
    this.#listening.add(server);
    server.once('close', () => {
      this.#listening.delete(server);
      this.#onChange();
    });
    this.#onChange();
  }

  /** Accepts no more. Connections without a request are closed, the others after their answer. */
  stop(): void {
    for (const server of this.#listening) server.close();
  }

  closeIdle(): void {
    for (const server of this.#listening) server.closeIdleConnections();
  }

  cutOff(): void {
    for (const server of this.#listening) server.closeAllConnections();
  }
}
