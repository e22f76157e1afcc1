// The clock as one simulated process sees it: the time of the world, but timers that fire on ticks of 10 ms, late and
// never early, as those of the real clock do. Each process has its own phase, so that clients do not time out in step.
import type { Clock, Timer } from '../core/clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Tick of the clock that runs in production. */
const TICK_MS = 10;

export class ProcessClock implements Clock {
  readonly #world: VirtualClock;
  readonly #phaseMs: number;

  /** `chance` is in [0, 1) and gives the phase. */
  constructor(world: VirtualClock, chance: number) {
    this.#world = world;
    this.#phaseMs = chance * TICK_MS;
  }

  now(): number {
    return this.#world.now();
  }

  wall(): number {
    return this.#world.wall();
  }

  arm(timer: Timer, dueMs: number): void {
    const ticks = Math.max(Math.ceil((dueMs - this.#phaseMs) / TICK_MS), Math.floor((this.#world.now() - this.#phaseMs) / TICK_MS) + 1);
    this.#world.armLate(timer, dueMs, this.#phaseMs + ticks * TICK_MS);
  }

  disarm(timer: Timer): void {
    this.#world.disarm(timer);
  }
}
