// One attempt on the wire: at once undici's handler, the Reply, the timer of the attempt, and what `cancel` reaches.
// One object, because this is the hot path. Bytes pass through untouched; what comes before the consumer is there waits.
import type { Call, Cancelable, Outcome, OutcomeKind, Reply, ReplyHeaders, Sink } from '../core/call.ts';
import { isShed, kindOfError, kindOfStatus } from '../core/classify.ts';
import { type Clock, Timer } from '../core/clock.ts';
import { type MeshError, meshError } from '../core/errors.ts';
import { placeOf } from '../core/refuse.ts';
import { attemptError } from './failure.ts';
import type { Dispatcher } from './undici.ts';

type Controller = Dispatcher.DispatchController;

/** Failed answers are drained up to here so that the socket lives on; longer ones are aborted. */
const DRAIN_BYTES_MAX = 65_536;
/** And no longer than this: a body that drips must not hold the socket. */
const DRAIN_MS_MAX = 1_000;
/** What may wait for a consumer before the socket is paused. */
const QUEUE_BYTES_MAX = 65_536;
/** A body that nobody reads for so long holds its place all the time, and is told of. */
const UNREAD_MS = 30_000;

/** What the exchanges of one pool share. */
export interface ExchangeHost {
  readonly clock: Clock;
  /** True while calls are given to a socket that has just been opened. */
  isFresh: boolean;
  /** The error of a socket, while it is being reported; undici takes some of them for the end of a body. */
  socketError: Error | null;
  /** Whether a certificate of ours is shown. */
  readonly isMutual: boolean;
  /** Called once when the attempt leaves the queue for a socket, or fails there. */
  onStarted(): void;
  /** Called at most once for a body: its consumer has not read for so long. */
  onBodyUnread(forMs: number): void;
}

const WAITING = 0;
const QUEUEING = 1;
const ATTACHED = 2;
const DRAINING = 3;
const DONE = 4;

const NO_HEADERS: ReplyHeaders = {};
const NO_TRAILERS: Record<string, string | string[]> = {};

/** Shared: aborting with a ready-made reason costs a tenth of aborting without. */
const ABANDONED = new Error('the attempt was abandoned');
ABANDONED.stack = '';

export class Exchange extends Timer implements Reply, Cancelable, Dispatcher.DispatchHandler {
  status = 0;
  statusText = '';
  headers: ReplyHeaders = NO_HEADERS;
  rawHeaders: unknown = null;
  value: unknown = undefined;
  readonly #call: Call;
  readonly #host: ExchangeHost;
  #resolve: ((reply: Reply) => void) | null = null;
  #reject: ((error: MeshError) => void) | null = null;
  #phase: number = WAITING;
  #controller: Controller | null = null;
  #isStarted = false;
  #isReused = false;
  #sink: Sink | null = null;
  #queue: Uint8Array[] | null = null;
  #queuedBytes = 0;
  /** The consumer asked for a pause. */
  #isPaused = false;
  /** Since when bytes wait for the consumer, Infinity while none do. */
  #blockedAtMs: number = Number.POSITIVE_INFINITY;
  #isUnreadTold = false;
  #trailers: Record<string, string | string[]> | null = null;
  #failure: unknown = undefined;
  /** While draining: whether what drains is kept for a later attach. */
  #isHolding = false;

  constructor(call: Call, host: ExchangeHost) {
    super();
    this.#call = call;
    this.#host = host;
  }

  /** Sends the attempt. The promise is settled by the head, or by the failure. */
  send(dispatcher: Dispatcher, options: Dispatcher.DispatchOptions): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const call = this.#call;
      call.pending = this;
      // The caller may have gone while a layer above was busy, when there was nothing yet to cancel.
      if (call.canceled || call.parent?.canceled === true) {
        this.cancel(call.canceled ? call.cancelReason : call.parent?.cancelReason);
        return;
      }
      const dueMs = Math.min(call.attemptDeadlineMs, call.deadlineMs);
      if (dueMs !== Number.POSITIVE_INFINITY) this.#host.clock.arm(this, dueMs);
      else this.timerDueMs = dueMs;
      dispatcher.dispatch(options, this);
    });
  }

  // What undici calls.

  onRequestStart(controller: Controller): void {
    // Thrown, not aborted: nothing was written yet, so the socket can serve the next call.
    if (this.#phase === DONE) throw ABANDONED;
    this.#controller = controller;
    // A second start is undici's own replay after REFUSED_STREAM or GOAWAY.
    if (this.#isStarted) return;
    this.#isReused = !this.#host.isFresh;
    this.#leaveQueue();
  }

  onRequestUpgrade(controller: Controller, status: number, headers: ReplyHeaders, socket: unknown): void {
    if (this.#phase !== WAITING) {
      (socket as { destroy(): void }).destroy();
      return;
    }
    this.value = socket;
    this.#head(status, headers, '', controller.rawHeaders);
    this.#trailers = NO_TRAILERS;
    this.#finish(kindOfStatus(status), null);
  }

  onResponseStart(controller: Controller, status: number, headers: ReplyHeaders, statusText = ''): void {
    if (this.#phase !== WAITING) return;
    if (status < 200) {
      const call = this.#call;
      (call.parent ?? call).informational?.onInformational(status, headers, controller.rawHeaders);
      return;
    }
    this.#head(status, headers, statusText, controller.rawHeaders);
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    switch (this.#phase) {
      case ATTACHED:
        if (!(this.#sink as Sink).onData(chunk)) this.pause();
        return;
      case QUEUEING:
        this.#enqueue(chunk);
        if (this.#queuedBytes > QUEUE_BYTES_MAX) {
          this.#noteBlocked();
          controller.pause();
        }
        return;
      case DRAINING:
        this.#drain(chunk);
        return;
      default:
        controller.abort(ABANDONED);
    }
  }

  onResponseEnd(_controller: Controller, trailers: Record<string, string | string[]>): void {
    if (this.#phase === DONE) return;
    // A body that ends with the connection looks complete to undici even when the connection was reset.
    const { socketError } = this.#host;
    if (socketError !== null) {
      this.#fail(this.#describe(socketError));
      return;
    }
    this.#trailers = trailers;
    this.#finish(kindOfStatus(this.status), null);
    if (this.#sink !== null) this.#deliver();
  }

  onResponseError(_controller: Controller | null, error: unknown): void {
    if (this.#phase !== DONE) this.#fail(this.#describe(error));
  }

  // What time, the caller, and the layers above call.

  fire(): void {
    const call = this.#call;
    if (this.#phase === DRAINING) {
      this.#abandon();
      return;
    }
    const isDeadline = call.deadlineMs <= this.timerDueMs;
    if (this.status !== 0 && !isDeadline) {
      // The head came in time, what drained is wanted after all, or nobody reads. The timer is set anew now and not then: most
      // bodies are through long before.
      this.#armForBody();
      return;
    }
    const what = this.status === 0 ? 'no response head' : 'the body was not complete';
    const sinceMs = isDeadline ? (call.parent ?? call).startedAtMs : call.startedAtMs;
    this.#fail(
      meshError({
        code: isDeadline ? 'deadline_exceeded' : 'attempt_timeout',
        message: `${what} within ${Math.round(this.timerDueMs - sinceMs)} ms`,
        sent: this.status !== 0 ? 'body' : this.#isStarted ? 'head' : 'none',
        where: placeOf(call),
      }),
    );
  }

  cancel(reason: unknown): void {
    if (this.#phase === DONE) return;
    // Who has gone wants no bytes either.
    this.#queue = null;
    this.#fail(meshError({ code: 'canceled', message: 'the caller aborted', where: placeOf(this.#call), cause: reason }), reason);
  }

  attach(sink: Sink): void {
    if (this.#phase === DRAINING) this.#phase = QUEUEING;
    this.#sink = sink;
    this.#isHolding = false;
    if (!this.#isPaused || this.#failure !== undefined) this.#deliver();
  }

  pause(): void {
    this.#isPaused = true;
    this.#noteBlocked();
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#blockedAtMs = Number.POSITIVE_INFINITY;
    if (this.#phase === ATTACHED) this.#controller?.resume();
    else if (this.#sink !== null) this.#deliver();
  }

  discard(): void {
    this.#isHolding = false;
    this.#queue = null;
    this.#startDraining();
  }

  hold(): void {
    this.#isHolding = true;
    this.#startDraining();
  }

  get intact(): boolean {
    return this.#failure === undefined && (this.#isHolding || this.#phase === QUEUEING || this.#trailers !== null);
  }

  #leaveQueue(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#host.onStarted();
  }

  #head(status: number, headers: ReplyHeaders, statusText: string, rawHeaders: unknown): void {
    const call = this.#call;
    this.status = status;
    this.statusText = statusText;
    this.headers = headers;
    // HTTP/2 has no raw form but the parsed one, which the layers of the mesh may still change.
    this.rawHeaders = Array.isArray(rawHeaders) ? rawHeaders : null;
    call.headAtMs = this.#host.clock.now();
    this.#phase = QUEUEING;
    const resolve = this.#resolve as (reply: Reply) => void;
    this.#resolve = null;
    this.#reject = null;
    resolve(this);
  }

  /** Once the head is there, only the deadline of the whole call counts, and whether anybody reads. */
  #armForBody(): void {
    const { clock } = this.#host;
    const dueMs = Math.min(this.#call.deadlineMs, this.#unreadDueMs());
    if (dueMs !== Number.POSITIVE_INFINITY) clock.arm(this, dueMs);
    else {
      clock.disarm(this);
      this.timerDueMs = dueMs;
    }
  }

  /** When it is to be told that nobody reads; it is told here when that time has come. */
  #unreadDueMs(): number {
    const isLeft = this.#sink === null && this.#phase === QUEUEING;
    const sinceMs = isLeft ? Math.min(this.#call.headAtMs, this.#blockedAtMs) : this.#blockedAtMs;
    const forMs = this.#host.clock.now() - sinceMs;
    if (forMs >= UNREAD_MS && !this.#isUnreadTold) {
      this.#isUnreadTold = true;
      this.#host.onBodyUnread(Math.round(forMs));
    }
    return this.#isUnreadTold ? Number.POSITIVE_INFINITY : sinceMs + UNREAD_MS;
  }

  /** Bytes wait for the consumer from now on. The timer is set at most once for that: whatever it fires for, it looks again. */
  #noteBlocked(): void {
    if (this.#phase === DONE || this.#isUnreadTold || this.#blockedAtMs !== Number.POSITIVE_INFINITY) return;
    const { clock } = this.#host;
    this.#blockedAtMs = clock.now();
    const dueMs = this.#blockedAtMs + UNREAD_MS;
    if (dueMs < this.timerDueMs) clock.arm(this, dueMs);
  }

  #enqueue(chunk: Uint8Array): void {
    if (this.#queue === null) this.#queue = [chunk];
    else this.#queue.push(chunk);
    this.#queuedBytes += chunk.byteLength;
  }

  /** Gives the sink what has waited, then lets the rest flow. Stops when the sink asks for a pause, or cancels. */
  #deliver(): void {
    const sink = this.#sink as Sink;
    const queue = this.#queue;
    if (queue !== null) {
      let index = 0;
      while (index < queue.length && !this.#isPaused) {
        const chunk = queue[index++] as Uint8Array;
        this.#queuedBytes -= chunk.byteLength;
        if (!sink.onData(chunk)) this.#isPaused = true;
        if (this.#sink !== sink) return;
      }
      this.#queue = index < queue.length ? queue.slice(index) : null;
    }
    if (this.#failure !== undefined) {
      this.#sink = null;
      sink.onError(this.#failure);
    } else if (this.#phase !== DONE) {
      if (this.#queue === null) this.#phase = ATTACHED;
      if (this.#isPaused) this.pause();
      else {
        this.#blockedAtMs = Number.POSITIVE_INFINITY;
        this.#controller?.resume();
      }
    } else if (!this.#isPaused) {
      this.#sink = null;
      sink.onEnd(this.#trailers as Record<string, string | string[]>);
    }
  }

  #startDraining(): void {
    if (this.#phase !== QUEUEING) return;
    const length = Number(this.headers['content-length'] ?? 0);
    if (length > DRAIN_BYTES_MAX || this.#queuedBytes > DRAIN_BYTES_MAX) {
      this.#abandon();
      return;
    }
    this.#phase = DRAINING;
    const { clock } = this.#host;
    clock.arm(this, Math.min(this.#call.deadlineMs, clock.now() + DRAIN_MS_MAX));
    this.#isPaused = false;
    this.#blockedAtMs = Number.POSITIVE_INFINITY;
    this.#controller?.resume();
  }

  #drain(chunk: Uint8Array): void {
    if (this.#isHolding) this.#enqueue(chunk);
    else this.#queuedBytes += chunk.byteLength;
    if (this.#queuedBytes > DRAIN_BYTES_MAX) this.#abandon();
  }

  /** The answer had come; nobody wants the rest of it. */
  #abandon(): void {
    this.#queue = null;
    this.#failure = ABANDONED;
    this.#finish(kindOfStatus(this.status), null);
    this.#controller?.abort(ABANDONED);
  }

  #describe(error: unknown): MeshError {
    const call = this.#call;
    if (call.body !== null && call.body.failure !== undefined) {
      return meshError({
        code: 'canceled',
        message: 'the request body failed while it was read',
        where: placeOf(call),
        cause: call.body.failure,
      });
    }
    return attemptError(error, call, {
      isStarted: this.#isStarted,
      isHeadReceived: this.status !== 0,
      isReused: this.#isReused,
      isMutual: this.#host.isMutual,
    });
  }

  #fail(error: MeshError, reason: unknown = error): void {
    const isBeforeHead = this.#phase === WAITING;
    const sink = this.#sink;
    this.#sink = null;
    this.#failure = reason;
    this.#leaveQueue();
    this.#finish(kindOfError(error), error);
    // Before the queue has given the request to a socket there is no controller yet: onRequestStart throws then.
    this.#controller?.abort(ABANDONED);
    if (isBeforeHead) (this.#reject as (error: MeshError) => void)(error);
    else sink?.onError(reason);
  }

  #finish(kind: OutcomeKind, error: MeshError | null): void {
    const { clock } = this.#host;
    this.#phase = DONE;
    clock.disarm(this);
    const outcome: Outcome = { kind, status: this.status, error, endedAtMs: clock.now() };
    this.#call.end(error === null && isShed(this.status, this.headers) ? { ...outcome, isShed: true } : outcome);
  }
}
