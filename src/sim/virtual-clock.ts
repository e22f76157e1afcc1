// Time that moves when it is told to. A binary heap of timers, ordered by due time and then by arming, so that a run
// repeats to the last call. Knows nothing of what the timers do.
import { type Clock, Timer } from '../core/clock.ts';
import { settling } from './settling.ts';

/** 2023-11-14T22:13:20Z: an arbitrary wall time, the same in every run. */
const WALL_MS_DEFAULT = 1_700_000_000_000;
const START_MS_DEFAULT = 1_000;

/** The place of a timer in the heap. Hangs on `timerNext` of its timer for good, so that arming again allocates nothing. */
class Place extends Timer {
  readonly timer: Timer;
  dueMs = 0;
  sequence = 0;
  /** -1 while it is not armed. */
  index = -1;

  constructor(timer: Timer) {
    super();
    this.timer = timer;
  }

  fire(): void {}
}

export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #wallOffsetMs: number;
  readonly #heap: Place[] = [];
  #sequence = 0;

  constructor(nowMs: number = START_MS_DEFAULT, wallMs: number = WALL_MS_DEFAULT) {
    this.#nowMs = nowMs;
    this.#wallOffsetMs = wallMs - nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wall(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#heap.length;
  }

  /** Due time of the next timer; Infinity when none is armed. */
  get nextDueMs(): number {
    return this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  arm(timer: Timer, dueMs: number): void {
    this.armLate(timer, dueMs, dueMs);
  }

  /** Arms for `dueMs`, but fires only at `fireMs`, as a clock of coarse ticks does. */
  armLate(timer: Timer, dueMs: number, fireMs: number): void {
    const known = timer.timerNext as Place | null;
    const place = known ?? new Place(timer);
    if (known === null) timer.timerNext = place;
    timer.timerDueMs = dueMs;
    place.dueMs = fireMs;
    place.sequence = this.#sequence++;
    if (place.index >= 0) {
      this.#rise(this.#sink(place));
    } else {
      place.index = this.#heap.length;
      this.#heap.push(place);
      this.#rise(place);
    }
  }

  disarm(timer: Timer): void {
    const place = timer.timerNext as Place | null;
    if (place !== null && place.index >= 0) this.#remove(place);
  }

  /** Moves time by `ms`. What is due on the way fires in order, and every promise settles before the next timer fires. */
  advance(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    return settling(() => {
      if (this.nextDueMs > targetMs) {
        this.#nowMs = targetMs;
        return false;
      }
      this.fireNext();
      return true;
    });
  }

  /** Fires the next timer, at its time. Promises do not settle by themselves in between. */
  fireNext(): void {
    const place = this.#heap[0];
    if (place === undefined) return;
    this.#remove(place);
    if (place.dueMs > this.#nowMs) this.#nowMs = place.dueMs;
    place.timer.fire();
  }

  #remove(place: Place): void {
    const heap = this.#heap;
    const last = heap.pop() as Place;
    if (last !== place) {
      last.index = place.index;
      heap[last.index] = last;
      this.#rise(this.#sink(last));
    }
    place.index = -1;
  }

  #rise(place: Place): void {
    const heap = this.#heap;
    let { index } = place;
    while (index > 0) {
      const parent = heap[(index - 1) >> 1] as Place;
      if (!isBefore(place, parent)) break;
      heap[index] = parent;
      parent.index = index;
      index = (index - 1) >> 1;
    }
    heap[index] = place;
    place.index = index;
  }

  #sink(place: Place): Place {
    const heap = this.#heap;
    let { index } = place;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Place, heap[child] as Place)) child++;
      const least = heap[child] as Place;
      if (!isBefore(least, place)) break;
      heap[index] = least;
      least.index = index;
      index = child;
    }
    heap[index] = place;
    place.index = index;
    return place;
  }
}

function isBefore(a: Place, b: Place): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
}
