// A leaf that the test plays by hand, after Tower's `mock::pair`: take the next call, answer it, end it. It keeps the
// contract of core/service.ts: the call is ended before a rejection, and at the last byte of a reply.
import type { Call, CallInit, Cancelable, DestinationRef, Reply, ReplyHeaders, RouteRef, Sink } from '../../src/core/call.ts';
import { Call as CallClass } from '../../src/core/call.ts';
import { kindOfError, kindOfStatus } from '../../src/core/classify.ts';
import type { Clock } from '../../src/core/clock.ts';
import { Timer } from '../../src/core/clock.ts';
import type { MeshError, MeshErrorCode, MeshErrorInit } from '../../src/core/errors.ts';
import { meshError } from '../../src/core/errors.ts';
import type { Service } from '../../src/core/service.ts';

export interface TestCallInit extends Partial<CallInit> {
  readonly startedAtMs?: number;
  readonly deadlineMs?: number;
  readonly timeoutMs?: number;
  readonly idempotent?: boolean;
  readonly route?: RouteRef | null;
  readonly destination?: DestinationRef | null;
}

/** A logical call to the service `reviews`, GET /, routed and with a destination. */
export function testCall(init: TestCallInit = {}): Call {
  const call = new CallClass(
    {
      scheme: init.scheme ?? 'http',
      authority: init.authority ?? 'reviews',
      method: init.method ?? 'GET',
      path: init.path ?? '/',
      headers: init.headers ?? [],
      body: init.body ?? null,
    },
    init.startedAtMs ?? 1_000,
  );
  call.route = init.route === undefined ? { name: 'default', service: 'reviews', timeoutMs: 30_000 } : init.route;
  call.destination = init.destination === undefined ? { service: 'reviews', subset: '', name: 'reviews' } : init.destination;
  if (init.deadlineMs !== undefined) call.deadlineMs = init.deadlineMs;
  if (init.timeoutMs !== undefined) call.timeoutMs = init.timeoutMs;
  if (init.idempotent !== undefined) call.idempotent = init.idempotent;
  return call;
}

export function testError(code: MeshErrorCode, init: Partial<MeshErrorInit> = {}): MeshError {
  return meshError({ code, message: 'played by the test', ...init });
}

/** Records what is done with it, and complains when the contract of Reply is broken. */
export class FakeReply implements Reply {
  readonly status: number;
  readonly statusText = '';
  headers: ReplyHeaders;
  rawHeaders: unknown = null;
  intact = true;
  /** attach, discard, hold, pause, resume, in order. */
  readonly log: string[] = [];
  sink: Sink | null = null;
  #atEnd = false;
  readonly #chunks: Uint8Array[] = [];
  readonly #onEnd: () => void;

  constructor(status: number, headers: ReplyHeaders = {}, onEnd: () => void = () => {}) {
    this.status = status;
    this.headers = headers;
    this.#onEnd = onEnd;
  }

  attach(sink: Sink): void {
    if (this.log.includes('attach') || this.log.includes('discard')) throw new Error(`attach after ${this.log.join(', ')}`);
    this.log.push('attach');
    this.sink = sink;
    for (const chunk of this.#chunks) sink.onData(chunk);
    if (this.#atEnd) sink.onEnd({});
  }

  pause(): void {
    this.log.push('pause');
  }

  resume(): void {
    this.log.push('resume');
  }

  /** Drained at once: the last byte has come. */
  discard(): void {
    if (this.log.includes('attach') || this.log.includes('discard')) throw new Error(`discard after ${this.log.join(', ')}`);
    this.log.push('discard');
    this.intact = false;
    this.end();
  }

  /** The small body is there at once: the last byte has come. */
  hold(): void {
    if (this.log.length > 0) throw new Error(`hold after ${this.log.join(', ')}`);
    this.log.push('hold');
    this.end();
  }

  /** The server sends a piece of the body. */
  send(chunk: Uint8Array): void {
    if (this.sink === null) this.#chunks.push(chunk);
    else this.sink.onData(chunk);
  }

  /** The server sends the last byte. */
  end(): void {
    if (this.#atEnd) return;
    this.#atEnd = true;
    this.sink?.onEnd({});
    this.#onEnd();
  }

  /** The body breaks off. */
  break(error: unknown): void {
    if (this.#atEnd) return;
    this.#atEnd = true;
    this.intact = false;
    this.sink?.onError(error);
  }
}

export function fakeReply(status: number, headers: ReplyHeaders = {}, onEnd?: () => void): FakeReply {
  return new FakeReply(status, headers, onEnd);
}

/** One attempt as the server sees it. */
export interface Seen {
  readonly call: Call;
  /** Sends the head. The body ends with `end()`, or when it is discarded or held. */
  reply(status: number, headers?: ReplyHeaders): FakeReply;
  /** Before the head: the attempt fails. After: the body breaks off. */
  fail(error: MeshError): void;
  /** Last byte. */
  end(): void;
}

export interface FakeServer {
  /** The next attempt that nobody has taken yet; waits for it. */
  next(): Promise<Seen>;
  /** Every attempt so far. */
  readonly seen: readonly Seen[];
  /** Attempts that nobody has taken yet. */
  readonly waiting: number;
}

export interface PairOptions {
  /** When given, times are taken from it, and the deadlines of the attempt are enforced, as a real leaf does. */
  readonly clock?: Clock;
}

export function pair(options: PairOptions = {}): [Service, FakeServer] {
  const clock = options.clock ?? null;
  const seen: Seen[] = [];
  const queue: Seen[] = [];
  const takers: ((seen: Seen) => void)[] = [];
  const service: Service = (call) =>
    new Promise<Reply>((resolve, reject) => {
      const one = new Exchange(call, clock, resolve, reject);
      seen.push(one);
      const taker = takers.shift();
      if (taker === undefined) queue.push(one);
      else taker(one);
    });
  const server: FakeServer = {
    seen,
    get waiting() {
      return queue.length;
    },
    next() {
      const one = queue.shift();
      return one === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(one);
    },
  };
  return [service, server];
}

class Exchange extends Timer implements Seen, Cancelable {
  readonly call: Call;
  readonly #clock: Clock | null;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: MeshError) => void;
  #reply: FakeReply | null = null;

  constructor(call: Call, clock: Clock | null, resolve: (reply: Reply) => void, reject: (error: MeshError) => void) {
    super();
    this.call = call;
    this.#clock = clock;
    this.#resolve = resolve;
    this.#reject = reject;
    call.pending = this;
    const dueMs = Math.min(call.attemptDeadlineMs, call.deadlineMs);
    if (clock !== null && dueMs !== Number.POSITIVE_INFINITY) clock.arm(this, dueMs);
  }

  reply(status: number, headers: ReplyHeaders = {}): FakeReply {
    const { call } = this;
    call.headAtMs = this.#nowMs();
    this.#clock?.disarm(this);
    if (this.#clock !== null && call.deadlineMs !== Number.POSITIVE_INFINITY) this.#clock.arm(this, call.deadlineMs);
    const reply = new FakeReply(status, headers, () => {
      this.#clock?.disarm(this);
      call.end({ kind: kindOfStatus(status), status, error: null, endedAtMs: this.#nowMs() });
    });
    this.#reply = reply;
    this.#resolve(reply);
    return reply;
  }

  fail(error: MeshError): void {
    this.#clock?.disarm(this);
    this.call.end({ kind: kindOfError(error), status: this.#reply?.status ?? 0, error, endedAtMs: this.#nowMs() });
    this.#reply?.break(error);
    this.#reject(error);
  }

  end(): void {
    this.#reply?.end();
  }

  cancel(reason: unknown): void {
    this.fail(testError('canceled', { cause: reason }));
  }

  fire(): void {
    const late = this.call.deadlineMs <= this.call.attemptDeadlineMs || this.#reply !== null;
    this.fail(testError(late ? 'deadline_exceeded' : 'attempt_timeout', { sent: this.#reply === null ? 'head' : 'body' }));
  }

  #nowMs(): number {
    return this.#clock?.now() ?? this.call.startedAtMs;
  }
}
