// The inside of a replayed server: so many workers and one queue, their work being nothing but time, so that two cores are
// enough for ten servers. Written apart from the simulated server, which it is to judge.

interface Work {
  readonly arrivedAtMs: number;
  readonly done: () => void;
  /** Nobody waits for it any more. */
  isDropped: boolean;
}

interface Busy {
  readonly dueMs: number;
  timer: NodeJS.Timeout;
}

export class Workers {
  readonly #count: number;
  readonly #drawMs: () => number;
  readonly #busy: Map<Work, Busy> = new Map();
  #queue: Work[] = [];
  #head = 0;
  /** Factor of all service times that begin from now on. */
  slower = 1;
  /** How late the timers were. */
  readonly lateMs: number[] = [];

  constructor(count: number, drawMs: () => number) {
    this.#count = count;
    this.#drawMs = drawMs;
  }

  submit(done: () => void): Work {
    const work: Work = { arrivedAtMs: performance.now(), done, isDropped: false };
    if (this.#busy.size < this.#count) this.#begin(work, work.arrivedAtMs);
    else this.#queue.push(work);
    return work;
  }

  /** Takes it out of the queue, or off its worker. */
  drop(work: Work): void {
    work.isDropped = true;
    const busy = this.#busy.get(work);
    if (busy === undefined) return;
    clearTimeout(busy.timer);
    this.#busy.delete(work);
    this.#next(performance.now());
  }

  #begin(work: Work, atMs: number): void {
    const dueMs = atMs + this.#drawMs() * this.slower;
    this.#busy.set(work, { dueMs, timer: this.#timer(work, dueMs) });
  }

  #timer(work: Work, dueMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#fire(work), Math.max(1, Math.round(dueMs - performance.now())));
  }

  #fire(work: Work): void {
    const busy = this.#busy.get(work);
    if (busy === undefined) return;
    const lateMs = performance.now() - busy.dueMs;
    // Timers of Node count whole milliseconds of a clock that is read once in a turn.
    if (lateMs < -1) {
      busy.timer = this.#timer(work, busy.dueMs);
      return;
    }
    this.lateMs.push(Math.max(0, lateMs));
    this.#busy.delete(work);
    // From when it was due, not from when the timer fired: a late timer must not make the server smaller.
    this.#next(busy.dueMs);
    work.done();
  }

  #next(freeAtMs: number): void {
    while (this.#head < this.#queue.length) {
      const work = this.#queue[this.#head++] as Work;
      if (work.isDropped) continue;
      this.#begin(work, Math.max(freeAtMs, work.arrivedAtMs));
      return;
    }
    this.#queue = [];
    this.#head = 0;
  }
}
