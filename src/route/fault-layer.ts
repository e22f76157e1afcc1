// Puts faults in front of a call, or of one attempt. Above the deadline (position `call`) a delay is nobody's time: the call
// starts afterwards. Below admission (position `attempt`) it is the endpoint that seems slow: the timers of the attempt run,
// limits and circuit see it, and the endpoint that is picked in the end is not blamed. A call that is spared passes through.
import type { Call, Cancelable, EndListener, Reply } from '../core/call.ts';
import { type Clock, Timer } from '../core/clock.ts';
import { httpStatusOfGrpc } from '../core/grpc-status.ts';
import { answer, type MadeReplyInit } from '../core/made-reply.ts';
import { refuse } from '../core/refuse.ts';
import type { Layer, Service } from '../core/service.ts';
import type { FaultPolicy } from '../model/traffic.ts';
import { ABORT, DELAY, type Fault } from './fault.ts';

export interface FaultLayerDeps {
  readonly clock: Clock;
}

/** Where it stands, as of when it was made, decides what it delays: the call, or one attempt of it. */
export function faultLayer(fault: Fault, deps: FaultLayerDeps): Layer {
  const { clock } = deps;
  // Not by the parent: layers above may have given the call one.
  const isCall = fault.policy.position === 'call';
  const onEnd: EndListener = () => fault.release();
  return (next) => (call) => {
    const drawn = fault.draw(call);
    if (drawn === 0) return next(call);
    // Under way until its end, as Envoy counts.
    call.onEnd(onEnd);
    const { delay, abort } = fault.policy;
    const aborted = (drawn & ABORT) === 0 ? undefined : abort;
    const goOn: Service = (late) => {
      if (aborted === undefined) return next(late);
      fault.aborted();
      return answer(late, clock.now(), abortOf(late, aborted));
    };
    if ((drawn & DELAY) === 0 || delay === undefined) return goOn(call);
    fault.delayed();
    return new Delay(call, goOn, clock, isCall).run(delay.fixedMs);
  };
}

/** The answer that a sidecar in front of the endpoint would give. Source: Envoy fault filter; `x-inmesh-flag` is ours. */
function abortOf(call: Call, { status, grpcStatus }: NonNullable<FaultPolicy['abort']>): MadeReplyInit {
  return grpcStatus === undefined ? httpAbort(call, status) : grpcAbort(call, grpcStatus);
}

const BODY = 'fault filter abort';

function httpAbort(call: Call, status: number): MadeReplyInit {
  const headers = { 'content-type': 'text/plain', 'content-length': String(BODY.length), 'x-inmesh-flag': 'FI' };
  return { status, headers, body: call.method === 'HEAD' ? undefined : BODY };
}

/** Trailers-only: the status stands in the head. A gRPC call counts it as its transport would. */
function grpcAbort({ carrier }: Call, grpcStatus: number): MadeReplyInit {
  const headers = { 'content-type': 'application/grpc', 'grpc-status': String(grpcStatus), 'grpc-message': BODY, 'x-inmesh-flag': 'FI' };
  return { status: carrier === null ? 200 : httpStatusOfGrpc(grpcStatus), headers };
}

/** A call that is kept waiting. The caller's abort ends it at once, the time of an attempt when it is over. */
class Delay extends Timer implements Cancelable {
  readonly #call: Call;
  readonly #goOn: Service;
  readonly #clock: Clock;
  readonly #isCall: boolean;
  #resolve: (reply: Promise<Reply>) => void = () => {};
  /** When the attempt fails, ms; Infinity when the delay ends in time. */
  #failsAtMs = Number.POSITIVE_INFINITY;

  constructor(call: Call, goOn: Service, clock: Clock, isCall: boolean) {
    super();
    this.#call = call;
    this.#goOn = goOn;
    this.#clock = clock;
    this.#isCall = isCall;
  }

  run(delayMs: number): Promise<Reply> {
    const call = this.#call;
    return new Promise<Reply>((resolve) => {
      this.#resolve = resolve;
      call.pending = this;
      // The caller may have gone while a layer above was busy.
      if (call.canceled || call.parent?.canceled === true) {
        this.cancel(call.canceled ? call.cancelReason : call.parent?.cancelReason);
        return;
      }
      const endsAtMs = this.#clock.now() + delayMs;
      const dueMs = Math.min(call.attemptDeadlineMs, call.deadlineMs);
      if (dueMs <= endsAtMs) this.#failsAtMs = dueMs;
      this.#clock.arm(this, Math.min(endsAtMs, dueMs));
    });
  }

  /** Nothing else keeps the process while a call waits for nothing: without this a script ends in the middle of its call. */
  override get holdsProcess(): boolean {
    return true;
  }

  fire(): void {
    const call = this.#call;
    call.pending = null;
    if (this.#failsAtMs !== Number.POSITIVE_INFINITY) {
      this.#resolve(timedOut(call, this.#failsAtMs, this.#clock.now()));
      return;
    }
    try {
      this.#resolve(this.#isCall ? this.#startLate() : this.#tryLate(call));
    } catch (error) {
      this.#resolve(Promise.reject(error as Error));
    }
  }

  cancel(reason: unknown): void {
    this.#clock.disarm(this);
    this.#resolve(refuse(this.#call, this.#clock.now(), { code: 'canceled', message: 'the caller aborted', cause: reason }));
  }

  /** Timeout and first attempt count from now. */
  #startLate(): Promise<Reply> {
    this.#call.startedAtMs = this.#clock.now();
    return this.#goOn(this.#call);
  }

  /**
   * The endpoint gets an attempt that starts now, else it would look as slow as the delay. To all above it is still the
   * same attempt: it ends with this one, and has the endpoint that this one met.
   */
  #tryLate(attempt: Call): Promise<Reply> {
    const late = attempt.fork(attempt.attempt, this.#clock.now());
    late.attemptDeadlineMs = attempt.attemptDeadlineMs;
    // Where the balancer looks for the endpoints that were tried before.
    attempt.tried = attempt.parent?.tried ?? null;
    late.onEnd(tellAttempt);
    late.commit();
    return this.#goOn(late).then((reply) => {
      tellAttempt(late);
      return reply;
    });
  }
}

function tellAttempt(late: Call): void {
  const attempt = late.parent as Call;
  attempt.endpoint = late.endpoint;
  attempt.headAtMs = late.headAtMs;
}

/** What a leaf says of an endpoint that hangs. */
function timedOut(call: Call, failsAtMs: number, nowMs: number): Promise<never> {
  const isDeadline = call.deadlineMs <= failsAtMs;
  const sinceMs = isDeadline ? (call.parent ?? call).startedAtMs : call.startedAtMs;
  const message = `no response head within ${Math.round(failsAtMs - sinceMs)} ms`;
  return refuse(call, nowMs, { code: isDeadline ? 'deadline_exceeded' : 'attempt_timeout', message, sent: 'head' });
}
