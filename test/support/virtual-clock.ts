// A clock that a test moves by hand. Timers fire in the order of their due time, then of their arming.
import type { Clock, Timer } from '../../src/core/clock.ts';

export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #wallOffsetMs: number;
  #armed: Timer[] = [];

  constructor(nowMs = 1_000, wallMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
    this.#wallOffsetMs = wallMs - nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wall(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  arm(timer: Timer, dueMs: number): void {
    this.disarm(timer);
    timer.timerDueMs = dueMs;
    this.#armed.push(timer);
  }

  disarm(timer: Timer): void {
    const index = this.#armed.indexOf(timer);
    if (index >= 0) this.#armed.splice(index, 1);
  }

  /** How many timers are armed; 0 at the end of a test that leaks none. */
  get armed(): number {
    return this.#armed.length;
  }

  /** Due time of the next timer, Infinity when none is armed. */
  get nextDueMs(): number {
    return this.#armed.reduce((least, timer) => Math.min(least, timer.timerDueMs), Number.POSITIVE_INFINITY);
  }

  /** Moves time by `ms`, firing on the way. What the timers set off in promises runs after the caller awaits. */
  advance(ms: number): void {
    const target = this.#nowMs + ms;
    for (let timer = this.#takeDue(target); timer !== null; timer = this.#takeDue(target)) timer.fire();
    this.#nowMs = target;
  }

  /** Like `advance`, but lets promises settle before, between and after the timers. */
  async run(ms: number): Promise<void> {
    const target = this.#nowMs + ms;
    await settle();
    for (let timer = this.#takeDue(target); timer !== null; timer = this.#takeDue(target)) {
      timer.fire();
      await settle();
    }
    this.#nowMs = target;
    await settle();
  }

  #takeDue(target: number): Timer | null {
    let due: Timer | null = null;
    for (const timer of this.#armed) if (timer.timerDueMs <= target && (due === null || timer.timerDueMs < due.timerDueMs)) due = timer;
    if (due === null) return null;
    this.disarm(due);
    this.#nowMs = Math.max(this.#nowMs, due.timerDueMs);
    return due;
  }
}

/** Lets every promise that can settle without I/O or time settle. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
