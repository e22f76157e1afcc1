// The servers of one mesh that listen, and how they end: no more connections, idle ones closed, the rest cut off when time
// is up. What they serve is not known here.
import type { Listening } from './server-host.ts';

export class Servers {
  readonly #listening: Set<Listening> = new Set();
  readonly #onChange: () => void;

  /** `onChange`: one has begun to listen, or has closed with its last connection. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get count(): number {
    return this.#listening.size;
  }

  add(server: Listening): void {
    this.#listening.add(server);
    server.onClosed(() => {
      this.#listening.delete(server);
      this.#onChange();
    });
    this.#onChange();
  }

  /** Takes over changed limits. */
  obey(): void {
    for (const server of this.#listening) server.obey();
  }

  /** Accepts no more. Connections without a request are closed, the others after their answer. */
  stop(): void {
    for (const server of this.#listening) server.stop();
  }

  /** Tells those who ask for its health that no calls are wanted any more. */
  retire(): void {
    for (const server of this.#listening) server.retire?.();
  }

  closeIdle(): void {
    for (const server of this.#listening) server.closeIdle();
  }

  cutOff(): void {
    for (const server of this.#listening) server.cutOff();
  }
}
