// What follows a first attempt that ended badly: decide, wait, fork, send, again. The last real answer is worth more to
// the caller than an error of ours, so a failed answer is held until a better one comes. Off the hot path.
import type { Call, Cancelable, Endpoint, Reply } from '../core/call.ts';
import { kindOfError, retryAfterMs } from '../core/classify.ts';
import { type Clock, Timer } from '../core/clock.ts';
import { MeshError, meshError } from '../core/errors.ts';
import type { Service } from '../core/service.ts';
import type { RetryPolicy } from '../model/destination.ts';
import { placeOf } from '../core/refuse.ts';
import { retryRules } from './retry-rules.ts';
import { decideRetry, type RetryDecision, type RetryDecisionDeps, type RetryDenial } from './retry-decision.ts';

/** Who wants to know of every single repetition, for metrics of gRPC. */
export interface RepetitionObserver {
  /** `isTransparent`: what came before reached nobody. */
  retried(call: Call, isTransparent: boolean): void;
  /** A second attempt was sent beside a late first one. */
  hedged(call: Call): void;
  /** No attempt was under way for so long. */
  paused(call: Call, forMs: number): void;
}

export interface RetryDeps extends RetryDecisionDeps {
  readonly clock: Clock;
  /** A retry is about to be made, on this ground. */
  readonly onRetry: (condition: string) => void;
  /** A retry that the policy wants is not made. */
  readonly onDenied: (reason: RetryDenial) => void;
  /** An endpoint asked for a pause. @default nobody listens */
  readonly onRetryAfter?: ((endpoint: Endpoint, forMs: number) => void) | undefined;
  /** @default nobody listens */
  readonly observer?: RepetitionObserver | undefined;
}

/** The start of the first attempt is that of the call: the clock is not asked twice for one moment. */
export function forkAttempt(call: Call, number: number, nowMs: number, policy: RetryPolicy): Call {
  const attempt = call.fork(number, nowMs);
  const { perTryTimeoutMs } = policy;
  const dueMs = perTryTimeoutMs > 0 ? nowMs + perTryTimeoutMs : Number.POSITIVE_INFINITY;
  attempt.attemptDeadlineMs = dueMs < call.deadlineMs ? dueMs : call.deadlineMs;
  return attempt;
}

/** How an attempt came back: with a reply, or with an error. */
export interface Ending {
  readonly attempt: Call;
  readonly reply: Reply | null;
  readonly error: unknown;
}

/** Sends an attempt; never rejects. */
export async function sendAttempt(next: Service, attempt: Call): Promise<Ending> {
  try {
    return { attempt, reply: await next(attempt), error: null };
  } catch (error) {
    return { attempt, reply: null, error };
  }
}

/** The next attempts of the call go elsewhere, if there is an elsewhere. */
export function noteTried(call: Call, { endpoint }: Call): void {
  if (endpoint === null) return;
  if (call.tried === null) call.tried = [endpoint];
  else if (!call.tried.includes(endpoint)) call.tried.push(endpoint);
}

/** One call that is being repeated. */
export class Repetition {
  readonly #call: Call;
  readonly #next: Service;
  readonly #policy: RetryPolicy;
  readonly #deps: RetryDeps;
  #attempts: number;
  #retries = 0;
  #freeRetries = 0;
  /** The last answer, kept for the case that no better one comes. */
  #held: { readonly attempt: Call; readonly reply: Reply } | null = null;

  /** `attempts` were made: the next has the number after that. */
  constructor(call: Call, next: Service, policy: RetryPolicy, deps: RetryDeps, attempts = 1) {
    this.#call = call;
    this.#next = next;
    this.#policy = policy;
    this.#deps = deps;
    this.#attempts = attempts;
  }

  async run(first: Ending): Promise<Reply> {
    const call = this.#call;
    let last = first;
    for (;;) {
      const nowMs = this.#deps.clock.now();
      ensureEnded(last, this.#deps.clock);
      if (call.canceled) return this.#cancel(last);
      const decision = this.#decide(last, nowMs);
      if (!decision.retry) {
        if (decision.denied !== null) this.#deny(decision.denied);
        else if (last.reply !== null && last.reply.status < 500) this.#deps.budget.success(last.attempt.headAtMs);
        return this.#conclude(last);
      }
      if (decision.isFree) this.#freeRetries++;
      else this.#retries++;
      this.#deps.onRetry(String(decision.condition));
      this.#putAside(last);
      if (decision.delayMs > 0) await this.#wait(Math.min(nowMs + decision.delayMs, call.deadlineMs));
      const isLate = this.#deps.clock.now() >= call.deadlineMs;
      this.#deps.observer?.paused(call, this.#deps.clock.now() - nowMs);
      const ending = call.canceled || isLate ? null : await this.#attempt(decision.isFree);
      if (decision.isPaid) this.#deps.budget.onRetryEnded?.();
      if (isLate && !call.canceled) return this.#expire(last);
      if (ending === null) return this.#cancel(last);
      if (isRefusal(ending.error)) {
        // Nobody saw this attempt; what the one before met says more.
        this.#deny('limit');
        return this.#conclude(last.reply === null ? last : ending);
      }
      last = ending;
    }
  }

  #decide(last: Ending, nowMs: number): RetryDecision {
    const { reply, error, attempt } = last;
    const failure = error instanceof MeshError ? error : null;
    if (reply === null && failure === null) return { retry: false, denied: null };
    const hintMs = reply === null ? (failure?.retryAfterMs ?? 0) : this.#hintMs(reply);
    if (hintMs > 0 && attempt.endpoint !== null) this.#deps.onRetryAfter?.(attempt.endpoint, hintMs);
    const question = {
      call: this.#call,
      status: reply?.status ?? 0,
      headers: reply?.headers,
      error: failure,
      retryAfterMs: hintMs,
      retries: this.#retries,
      freeRetries: this.#freeRetries,
      nowMs,
    };
    return decideRetry(question, this.#policy, this.#deps);
  }

  #hintMs(reply: Reply): number {
    const value = reply.headers['retry-after'];
    return value === undefined ? 0 : retryAfterMs(Array.isArray(value) ? value[0] : value, this.#deps.clock.wall());
  }

  #deny(reason: RetryDenial): void {
    this.#call.retryDenied = reason;
    this.#deps.onDenied(reason);
  }

  #putAside(last: Ending): void {
    const { attempt, reply } = last;
    noteTried(this.#call, attempt);
    if (reply === null) return;
    this.#dropHeld();
    reply.hold();
    this.#held = { attempt, reply };
  }

  #dropHeld(): void {
    this.#held?.reply.discard();
    this.#held = null;
  }

  async #wait(untilMs: number): Promise<void> {
    const wait = new Wait(this.#deps.clock, untilMs);
    this.#call.pending = wait;
    await wait.done;
  }

  #attempt(isFree: boolean): Promise<Ending> {
    this.#deps.observer?.retried(this.#call, isFree);
    // What reached no server is no attempt to gRPC, and the next has its number. Source: gRFC A6, transparent retries.
    if (!isFree || this.#call.carrier === null) this.#attempts++;
    const attempt = forkAttempt(this.#call, this.#attempts, this.#deps.clock.now(), this.#policy);
    const isLast = this.#retries >= this.#policy.attempts;
    if (isLast && retryRules(this.#policy).lastWithoutTimeout) attempt.attemptDeadlineMs = this.#call.deadlineMs;
    return sendAttempt(this.#next, attempt);
  }

  /** The caller's abort ends the call between two attempts: nobody's fault, never repeated. */
  #cancel(last: Ending): never {
    const call = this.#call;
    if (last.reply !== null && last.reply !== this.#held?.reply) last.reply.discard();
    this.#dropHeld();
    let { error } = last;
    if (!(error instanceof MeshError && error.code === 'canceled')) {
      const message = `the caller aborted after attempt ${last.attempt.attempt}`;
      error = meshError({ code: 'canceled', message, where: placeOf(call), cause: call.cancelReason });
    }
    call.end({ kind: 'ignored', status: 0, error: error as MeshError, endedAtMs: this.#deps.clock.now() });
    throw error;
  }

  /** The time of the call is over between two attempts. */
  #expire(last: Ending): never {
    const call = this.#call;
    if (last.reply !== null && last.reply !== this.#held?.reply) last.reply.discard();
    this.#dropHeld();
    const message = `the time of the call was over in the pause after attempt ${last.attempt.attempt}`;
    const error = meshError({ code: 'deadline_exceeded', message, sent: 'head', where: placeOf(call) });
    call.end({ kind: 'failure', status: 0, error, endedAtMs: this.#deps.clock.now() });
    throw error;
  }

  /** The answer at hand, else the last answer held, else the last error; the attempt it came from answers for the call. */
  #conclude(last: Ending): Reply {
    const { attempt, reply, error } = last;
    const held = this.#held;
    const isTimeOver = retryRules(this.#policy).endsByTime && error instanceof MeshError && error.code === 'deadline_exceeded';
    if (reply === null && held?.reply.intact === true && !isTimeOver) {
      this.#call.pending = held.attempt;
      held.attempt.commit();
      return held.reply;
    }
    this.#dropHeld();
    attempt.commit();
    if (reply !== null) return reply;
    throw error;
  }
}

/** The pause before a retry. The caller's abort ends it at once. */
class Wait extends Timer implements Cancelable {
  readonly done: Promise<void>;
  readonly #clock: Clock;
  readonly #resolve: () => void;

  constructor(clock: Clock, untilMs: number) {
    super();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#clock = clock;
    this.#resolve = resolve;
    clock.arm(this, untilMs);
  }

  /** Between two attempts nothing else keeps the process: without this a script ends in the middle of its call. */
  override get holdsProcess(): boolean {
    return true;
  }

  fire(): void {
    this.#resolve();
  }

  cancel(): void {
    this.#clock.disarm(this);
    this.#resolve();
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof MeshError && error.family === 'refused';
}

/** A layer below that throws without ending its attempt must not leak what the attempt holds. */
export function ensureEnded({ attempt, error, reply }: Ending, clock: Clock): void {
  if (reply !== null || attempt.outcome !== null) return;
  const failure = error instanceof MeshError ? error : meshError({ code: 'call_failed', message: 'a layer threw', cause: error });
  attempt.end({ kind: kindOfError(failure), status: 0, error: failure, endedAtMs: clock.now() });
}
