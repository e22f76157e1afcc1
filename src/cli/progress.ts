// One line that says how far a long command is, on a terminal, once it has taken a while. Leaves nothing behind.
import type { Clock } from '../core/clock.ts';

export interface ProgressDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly write: (text: string) => void;
  /** Whether anybody looks. */
  readonly isTerminal: boolean;
}

/** What is quicker than this needs no line. */
const QUIET_MS = 2_000;
const CLEAR = '\r\u001b[K';

export class Progress {
  readonly #total: number;
  readonly #deps: ProgressDeps;
  readonly #startedMs: number;
  #done = 0;
  #isShown = false;

  constructor(total: number, deps: ProgressDeps) {
    this.#total = total;
    this.#deps = deps;
    this.#startedMs = deps.clock.now();
  }

  /** Something more begins. */
  begin(what: string): void {
    const { clock, write, isTerminal } = this.#deps;
    this.#done++;
    if (!isTerminal || clock.now() - this.#startedMs < QUIET_MS) return;
    this.#isShown = true;
    write(`${CLEAR}${this.#done} of ${this.#total}: ${what}`);
  }

  end(): void {
    if (this.#isShown) this.#deps.write(CLEAR);
    this.#isShown = false;
  }
}
