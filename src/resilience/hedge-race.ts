// A first attempt and, when that is late, a second beside it; the better of the two goes on as the attempt of the call.
// Both are children of the logical call, side by side, so that everybody below sees two ordinary attempts. The one that
// lost is told to stop and is not waited for. A first attempt that fails before the delay has passed is left to retries.
import type { Call, Cancelable } from '../core/call.ts';
import { Timer } from '../core/clock.ts';
import { MeshError } from '../core/errors.ts';
import type { Service } from '../core/service.ts';
import type { RetryPolicy } from '../model/destination.ts';
import type { Hedging } from './hedging.ts';
import { retryRules } from './retry-rules.ts';
import { type Ending, ensureEnded, forkAttempt, noteTried, type RetryDeps, sendAttempt } from './repetition.ts';

/** What happened to a hedge that was due. */
export type HedgeAction = 'hedge.sent' | 'hedge.won' | 'hedge.denied';

export interface HedgeDeps {
  /** Of the route, across reloads. */
  readonly hedging: Hedging;
  readonly onHedge: (action: HedgeAction) => void;
}

/** Why the loser was canceled; seen by whoever holds its signal. */
const LOST: DOMException = new DOMException('another attempt of the same call was answered first', 'AbortError');

export class HedgeRace extends Timer implements Cancelable {
  readonly #call: Call;
  readonly #next: Service;
  readonly #policy: RetryPolicy;
  readonly #deps: RetryDeps;
  readonly #hedge: HedgeDeps;
  readonly #first: Call;
  #second: Call | null = null;
  /** The one of the two that failed while the other was still under way. */
  #failed: Ending | null = null;
  #isLate = false;
  #isPaid = false;
  #isOver = false;
  #resolve: (ending: Ending) => void = () => {};
  #wake: () => void = () => {};

  constructor(call: Call, next: Service, policy: RetryPolicy, deps: RetryDeps, hedge: HedgeDeps) {
    super();
    this.#call = call;
    this.#next = next;
    this.#policy = policy;
    this.#deps = deps;
    this.#hedge = hedge;
    this.#first = forkAttempt(call, 1, call.startedAtMs, policy);
  }

  /** Attempts sent: what retries go on counting from. */
  get attempts(): number {
    return this.#second === null ? 1 : 2;
  }

  /** Settles with the attempt that goes on; never rejects. */
  run(): Promise<Ending> {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.#resolve = resolve;
    // A promise, so that the second attempt runs in the async context of the caller and not in that of the timer.
    void new Promise<void>((wake) => {
      this.#wake = wake;
    }).then(this.#late);
    this.#call.pending = this;
    this.#deps.clock.arm(this, this.#call.startedAtMs + this.#hedge.hedging.delay.delayMs);
    void sendAttempt(this.#next, this.#first).then(this.#ended);
    return promise;
  }

  fire(): void {
    this.#wake();
  }

  /** The first attempt has taken longer than the delay. */
  readonly #late = (): void => {
    const { headAtMs, outcome, canceled } = this.#first;
    // After a stall the answer, or the failure, may be there although nobody has been told yet.
    if (headAtMs !== 0 || outcome !== null || canceled) return;
    const { hedging, onHedge } = this.#hedge;
    this.#isLate = true;
    hedging.delay.outlived();
    const nowMs = this.#deps.clock.now();
    if (!this.#maySend(nowMs)) {
      hedging.denied++;
      onHedge('hedge.denied');
      return;
    }
    this.#send(nowMs);
  };

  /** The caller is gone; after the race, the one that goes on still listens. */
  cancel(reason: unknown): void {
    this.#deps.clock.disarm(this);
    this.#first.cancel(reason);
    this.#second?.cancel(reason);
  }

  #maySend(nowMs: number): boolean {
    const { gate, mayRetry, fastestMs, budget } = this.#deps;
    const { hedging } = this.#hedge;
    if (gate?.isPaused === true) return false;
    if (mayRetry !== undefined && !mayRetry()) return false;
    if (nowMs + fastestMs() >= this.#call.deadlineMs) return false;
    if (!hedging.tryWithdraw()) return false;
    if (budget.tryWithdraw(nowMs)) return true;
    hedging.refund();
    return false;
  }

  #send(nowMs: number): void {
    const call = this.#call;
    const { hedging, onHedge } = this.#hedge;
    noteTried(call, this.#first);
    const second = forkAttempt(call, 2, nowMs, this.#policy);
    call.pending = this;
    this.#second = second;
    this.#isPaid = true;
    const ending = sendAttempt(this.#next, second);
    // A limit or the circuit says no at once; then nothing was sent.
    if (second.outcome === null) {
      hedging.sent++;
      onHedge('hedge.sent');
      this.#deps.observer?.hedged(call);
    } else {
      hedging.denied++;
      onHedge('hedge.denied');
    }
    void ending.then(this.#ended);
  }

  readonly #ended = (ending: Ending): void => {
    ensureEnded(ending, this.#deps.clock);
    if (this.#isOver) {
      // It lost, whatever it says.
      ending.reply?.discard();
      return;
    }
    const rank = this.#rank(ending);
    const isFirst = ending.attempt === this.#first;
    if (rank === GOOD) {
      if (isFirst && !this.#isLate) this.#hedge.hedging.delay.answered();
      this.#hedge.hedging.answered();
    }
    const failed = this.#failed;
    if (rank === GOOD || this.#second === null || this.#call.canceled) this.#settle(ending, failed, rank);
    else if (failed === null) this.#failed = ending;
    else if (rank >= this.#rank(failed)) this.#settle(ending, failed, rank);
    else this.#settle(failed, ending, this.#rank(failed));
  };

  #settle(winner: Ending, loser: Ending | null, rank: number): void {
    const { budget, clock } = this.#deps;
    const { attempt } = winner;
    const second = this.#second;
    this.#isOver = true;
    clock.disarm(this);
    if (second !== null) {
      if (attempt === second && rank === GOOD) this.#won();
      noteTried(this.#call, second);
      if (loser === null) (attempt === second ? this.#first : second).cancel(LOST);
      else this.#drop(loser);
    }
    if (this.#isPaid) budget.onRetryEnded?.();
    this.#resolve(winner);
  }

  #won(): void {
    this.#hedge.hedging.won++;
    this.#hedge.onHedge('hedge.won');
  }

  /** Nobody wants its answer; for the budget it is a failure like any other. */
  #drop({ reply, error }: Ending): void {
    const { ofReply, ofError } = retryRules(this.#policy);
    const failure = error instanceof MeshError ? ofError(error) : null;
    if ((reply === null ? failure : ofReply(reply.status, reply.headers)) !== null) this.#deps.budget.onFailure?.();
    reply?.discard();
  }

  /** A good answer over a bad one, that over an error, and that over a refusal of ours. */
  #rank({ reply, error }: Ending): number {
    if (reply === null) return error instanceof MeshError && error.family === 'refused' ? REFUSED : FAILED;
    if (reply.status >= 500 || retryRules(this.#policy).ofReply(reply.status, reply.headers) !== null)
      return reply.intact ? ANSWERED : FAILED;
    return GOOD;
  }
}

const REFUSED = 0;
const FAILED = 1;
const ANSWERED = 2;
const GOOD = 3;
