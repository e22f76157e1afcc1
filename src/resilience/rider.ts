// One caller of a shared call: its promise, its own deadline, its own abort. Gets exactly one outcome, whatever becomes of
// the others.
import type { Call, Cancelable, Outcome, Reply } from '../core/call.ts';
import { type Clock, Timer } from '../core/clock.ts';
import { type MeshError, meshError } from '../core/errors.ts';
import { placeOf } from '../core/refuse.ts';
import type { Service } from '../core/service.ts';

export class Rider extends Timer implements Cancelable {
  readonly call: Call;
  /** The way on its own, should it have to go alone. */
  readonly next: Service;
  readonly answered: Promise<Reply>;
  readonly #clock: Clock;
  readonly #onLeave: (rider: Rider, reason: unknown) => void;
  readonly #resolve: (reply: Reply | Promise<Reply>) => void;
  readonly #reject: (error: unknown) => void;
  #isOver = false;
  #status = 0;

  constructor(call: Call, next: Service, clock: Clock, onLeave: (rider: Rider, reason: unknown) => void) {
    super();
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.call = call;
    this.next = next;
    this.answered = promise;
    this.#clock = clock;
    this.#onLeave = onLeave;
    this.#resolve = resolve;
    this.#reject = reject;
    call.pending = this;
  }

  /** Has the deadline of this call kept; only where the shared one is later. */
  watch(): void {
    this.#clock.arm(this, this.call.deadlineMs);
  }

  /** The head, while the body is still to come: the call stays open. */
  answer(reply: Reply): void {
    this.#status = reply.status;
    this.#resolve(reply);
  }

  /** All of the answer. */
  finish(outcome: Outcome, reply: Reply): void {
    if (!this.end(outcome)) return;
    this.call.headAtMs = outcome.endedAtMs;
    this.#resolve(reply);
  }

  fail(outcome: Outcome, error: unknown): void {
    if (this.end(outcome)) this.#reject(error);
  }

  /** The call has ended already. */
  reject(error: unknown): void {
    this.#reject(error);
  }

  /** Somebody else takes care of the call from now on. */
  handOver(take: (call: Call) => Promise<Reply>): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#clock.disarm(this);
    this.#resolve(take(this.call));
  }

  /** False when it had ended already. */
  end(outcome: Outcome): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#clock.disarm(this);
    this.call.end(outcome);
    return true;
  }

  cancel(reason: unknown): void {
    this.#leave(meshError({ code: 'canceled', message: 'the caller aborted', where: placeOf(this.call), cause: reason }), reason);
  }

  fire(): void {
    const waitedMs = Math.round(this.timerDueMs - this.call.startedAtMs);
    const message = `the call that this one shares gave no whole answer within ${waitedMs} ms`;
    const error = meshError({ code: 'deadline_exceeded', message, sent: 'head', where: placeOf(this.call) });
    this.#leave(error, error);
  }

  #leave(error: MeshError, reason: unknown): void {
    const kind = error.code === 'canceled' ? 'ignored' : 'failure';
    if (!this.end({ kind, status: this.#status, error, endedAtMs: this.#clock.now() })) return;
    this.#reject(error);
    this.#onLeave(this, reason);
  }
}
