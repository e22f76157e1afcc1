// Calls under way in one mesh, so that closing can wait for them. Refuses what comes after.
import type { Clock } from '../core/clock.ts';
import { runAt } from '../core/clock.ts';
import { refuse } from '../core/refuse.ts';
import type { Layer } from '../core/service.ts';

export class Drain {
  isClosed = false;
  #active = 0;
  #onEmpty: (() => void) | null = null;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls whose last byte has not come. */
  get active(): number {
    return this.#active;
  }

  readonly layer: Layer = (next) => (call) => {
    if (this.isClosed) return refuse(call, this.#clock.now(), { code: 'closed', message: 'the mesh was closed' });
    this.#active++;
    call.onEnd(this.#onEnd);
    return next(call);
  };

  readonly #onEnd = (): void => {
    if (--this.#active === 0) this.#onEmpty?.();
  };

  /** Resolves when the last call has ended, or after `drainMs`. */
  close(drainMs: number): Promise<void> {
    this.isClosed = true;
    if (this.#active === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = runAt(this.#clock, this.#clock.now() + drainMs, resolve);
    this.#onEmpty = () => {
      this.#clock.disarm(timer);
      resolve();
    };
    return promise;
  }
}
