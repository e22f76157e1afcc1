// One attempt on a wire that is only a model: the leaf of the mesh in a simulation. Keeps the contract of the real one:
// the call ends before a rejection, head and end of a small answer come in the same moment, the deadline and the time of
// the attempt are enforced here, and a cancel reaches the server.
import type { Call, Cancelable, Endpoint, Outcome, OutcomeKind, Reply, ReplyHeaders, Sink } from '../core/call.ts';
import { isShed, kindOfError, kindOfStatus } from '../core/classify.ts';
import { type Clock, Timer } from '../core/clock.ts';
import { type MeshError, type MeshErrorInit, meshError } from '../core/errors.ts';
import type { Service } from '../core/service.ts';
import { type Answer, type FakeEndpoint, Job } from './fake-endpoint.ts';

export interface LeafDeps {
  /** Of the process that calls. */
  readonly clock: Clock;
  /** What stands behind the address now. */
  readonly endpoint: () => FakeEndpoint;
  /** Way to the endpoint and back, ms. */
  readonly networkMs: () => number;
  readonly onAttempt: (attempt: Call, endpoint: FakeEndpoint) => void;
  /** Failed answers count as successes for everything but the retries: for models of balancers that know latency alone. */
  readonly isBlind: boolean;
}

/** The transport below one endpoint of one client. */
export function fakeLeaf(deps: LeafDeps): Service {
  return (attempt) => new FakeExchange(attempt, deps).send();
}

const NO_HEADERS: ReplyHeaders = {};
const NO_TRAILERS: Record<string, string | string[]> = {};

/** The half of the attempt that the server holds. */
class ExchangeJob extends Job {
  readonly #exchange: FakeExchange;

  constructor(exchange: FakeExchange) {
    super();
    this.#exchange = exchange;
  }

  answered(answer: Answer): void {
    this.#exchange.answered(answer);
  }
}

class FakeExchange extends Timer implements Reply, Cancelable {
  status = 0;
  readonly statusText: string = '';
  headers: ReplyHeaders = NO_HEADERS;
  rawHeaders: unknown = null;
  /** The answer is whole as soon as it is there. */
  readonly intact: boolean = true;
  readonly #call: Call;
  readonly #deps: LeafDeps;
  readonly #job: ExchangeJob = new ExchangeJob(this);
  #resolve: (reply: Reply) => void = nothing;
  #reject: (error: MeshError) => void = nothing;

  constructor(call: Call, deps: LeafDeps) {
    super();
    this.#call = call;
    this.#deps = deps;
  }

  send(): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const call = this.#call;
      call.pending = this;
      // The caller may have gone while a layer above was busy.
      if (call.canceled || call.parent?.canceled === true) {
        this.cancel(call.canceled ? call.cancelReason : call.parent?.cancelReason);
        return;
      }
      const { clock, endpoint, networkMs, onAttempt } = this.#deps;
      const dueMs = Math.min(call.attemptDeadlineMs, call.deadlineMs);
      if (dueMs !== Number.POSITIVE_INFINITY) clock.arm(this, dueMs);
      const server = endpoint();
      onAttempt(call, server);
      const job = this.#job;
      job.criticality = call.criticality;
      job.isRetry = call.attempt > 1;
      job.deadlineMs = call.deadlineMs;
      server.send(this.#job, networkMs());
    });
  }

  answered(answer: Answer): void {
    const call = this.#call;
    if (call.outcome !== null) return;
    if (answer === 'refused') {
      this.#fail({ code: 'connect_failed', message: 'no connection', sent: 'none', retryable: true });
    } else if (answer === 'lost') {
      // The socket had served before, so it counts as one that was closed while idle.
      this.#fail({ code: 'connection_lost', message: 'the connection broke before the answer', sent: 'head', retryable: true });
    } else {
      this.status = answer;
      this.headers = this.#job.headers;
      call.headAtMs = this.#deps.clock.now();
      this.#resolve(this);
      this.#finish(this.#deps.isBlind ? 'success' : kindOfStatus(answer), null);
    }
  }

  fire(): void {
    const isDeadline = this.#call.deadlineMs <= this.timerDueMs;
    this.#job.endpoint?.cancel(this.#job);
    this.#fail({ code: isDeadline ? 'deadline_exceeded' : 'attempt_timeout', message: 'no response head in time', sent: 'head' });
  }

  cancel(reason: unknown): void {
    if (this.#call.outcome !== null) return;
    this.#job.endpoint?.cancel(this.#job);
    this.#fail({ code: 'canceled', message: 'the caller aborted', cause: reason });
  }

  attach(sink: Sink): void {
    sink.onEnd(NO_TRAILERS);
  }
  pause(): void {}
  resume(): void {}
  discard(): void {}
  hold(): void {}

  #fail(init: MeshErrorInit): void {
    const endpoint = (this.#call.endpoint as Endpoint).address;
    const error = meshError({ ...init, where: { endpoint } });
    this.#finish(kindOfError(error), error);
    this.#reject(error);
  }

  #finish(kind: OutcomeKind, error: MeshError | null): void {
    const { clock } = this.#deps;
    clock.disarm(this);
    const outcome: Outcome = { kind, status: this.status, error, endedAtMs: clock.now() };
    this.#call.end(isShed(this.status, this.headers) ? { ...outcome, isShed: true } : outcome);
  }
}

function nothing(): void {}
