// `mesh.call`: the destination policies around any promise, for what is neither HTTP nor gRPC. The leaf is the user's
// function; there is no endpoint to pick.
import { criticalityIndex } from '../core/criticality.ts';
import type { Criticality } from '../model/traffic.ts';
import { Call, type Outcome, type Reply, type ReplyHeaders, type Sink } from '../core/call.ts';
import { type Clock, Timer } from '../core/clock.ts';
import { MeshError, meshError } from '../core/errors.ts';
import type { Service } from '../core/service.ts';
import type { IPolicy } from './policy-layer.ts';

/** What the function is handed for each attempt. */
export interface CallContext {
  /** 1 for the first. */
  readonly attempt: number;
  /** Aborted when the attempt times out or the caller gives up; never after success. Made when asked for. */
  readonly signal: AbortSignal;
  /** Time left, ms; Infinity when there is no deadline. */
  readonly remainingMs: number;
}

export interface FunctionCallOptions {
  /** Whether the function may run again after it failed. @default false: only when the error says that nothing was sent */
  readonly idempotent?: boolean;
  /** Total time, ms or Go duration. @default that of the service, 30 s */
  readonly timeout?: number | string;
  /** Who is dropped first when there is too much: the lowest. @default that of the inbound call that is served, else critical */
  readonly criticality?: Criticality;
  /** The caller's own abort. */
  readonly signal?: AbortSignal;
  /** Any cockatiel policy, around the whole call. */
  readonly policy?: IPolicy;
}

export type CallFunction<T> = (context: CallContext) => Promise<T> | T;

const NEVER_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The answer of a function: no bytes, one value. */
class ValueReply implements Reply {
  readonly status: number = 200;
  readonly statusText: string = '';
  headers: ReplyHeaders = {};
  rawHeaders: unknown = null;
  readonly intact: boolean = true;
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  attach(sink: Sink): void {
    sink.onEnd({});
  }
  pause(): void {}
  resume(): void {}
  discard(): void {}
  hold(): void {}
}

/** One run of the function: timer and cancel reach it although the function itself may ignore its signal. */
class Run extends Timer {
  readonly #call: Call;
  readonly #clock: Clock;
  #resolve: (reply: Reply) => void = () => {};
  #reject: (error: MeshError) => void = () => {};

  constructor(call: Call, clock: Clock) {
    super();
    this.#call = call;
    this.#clock = clock;
  }

  start(run: CallFunction<unknown>): Promise<Reply> {
    const call = this.#call;
    const clock = this.#clock;
    const dueMs = Math.min(call.attemptDeadlineMs, call.deadlineMs);
    const context: CallContext = {
      attempt: call.attempt,
      get signal() {
        return call.signal;
      },
      get remainingMs() {
        return call.deadlineMs - clock.now();
      },
    };
    return new Promise<Reply>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      call.pending = this;
      if (dueMs !== Number.POSITIVE_INFINITY) clock.arm(this, dueMs);
      Promise.resolve()
        .then(() => run(context))
        .then(
          (value) => this.#succeed(value),
          (error: unknown) => this.#fail(thrown(error, call)),
        );
    });
  }

  /** The function may wait for something that holds no process; its caller is owed an outcome all the same. */
  override get holdsProcess(): boolean {
    return true;
  }

  fire(): void {
    const call = this.#call;
    const isDeadline = call.deadlineMs <= this.timerDueMs;
    const code = isDeadline ? 'deadline_exceeded' : 'attempt_timeout';
    const error = meshError({
      code,
      message: 'the function did not settle in time',
      sent: 'head',
      where: { service: call.authority, attempt: call.attempt },
    });
    this.#fail(error);
  }

  cancel(reason: unknown): void {
    this.#fail(meshError({ code: 'canceled', message: 'the caller aborted', where: { service: this.#call.authority }, cause: reason }));
  }

  #succeed(value: unknown): void {
    if (this.#call.outcome !== null) return;
    const nowMs = this.#clock.now();
    this.#call.headAtMs = nowMs;
    this.#end({ kind: 'success', status: 200, error: null, endedAtMs: nowMs });
    this.#resolve(new ValueReply(value));
  }

  #fail(error: MeshError): void {
    if (this.#call.outcome !== null) return;
    const kind = error.code === 'canceled' ? 'ignored' : 'failure';
    const call = this.#call;
    this.#end({ kind, status: 0, error, endedAtMs: this.#clock.now() });
    call.abortSignal(error);
    this.#reject(error);
  }

  #end(outcome: Outcome): void {
    this.#clock.disarm(this);
    this.#call.end(outcome);
  }
}

function thrown(error: unknown, call: Call): MeshError {
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  const where = { service: call.authority, attempt: call.attempt };
  if (NEVER_SENT.has(code))
    return meshError({ code: 'connect_failed', message: `the function could not connect (${code})`, retryable: true, where, cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return meshError({
    code: 'call_failed',
    message: `the function threw: ${message}`,
    sent: 'body',
    retryable: call.idempotent,
    where,
    cause: error,
  });
}

/** The functions of the calls under way; the leaf finds its own through the logical call. */
const functions: WeakMap<Call, CallFunction<unknown>> = new WeakMap();

/** The leaf of the function stack. */
export function functionLeaf(clock: Clock): Service {
  return (call) => {
    let logical = call;
    while (logical.parent !== null) logical = logical.parent;
    return new Run(call, clock).start(functions.get(logical) as CallFunction<unknown>);
  };
}

export interface FunctionCallInit<T> {
  readonly name: string;
  readonly run: CallFunction<T>;
  readonly options: FunctionCallOptions;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly service: Service;
}

/** Resolves to what the function returns; rejects with what it throws, with the caller's reason, or with a MeshError of ours. */
export async function functionCall<T>(init: FunctionCallInit<T>): Promise<T> {
  const { name, run, options, clock, service } = init;
  const { signal } = options;
  signal?.throwIfAborted();
  const call = new Call({ scheme: 'function', authority: name, method: 'CALL', path: '/', headers: [], body: null }, clock.now());
  call.idempotent = options.idempotent === true;
  if (options.criticality !== undefined) call.criticality = criticalityIndex(options.criticality);
  call.timeoutMs = init.timeoutMs;
  functions.set(call, run as CallFunction<unknown>);
  const abort = (): void => call.cancel(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const reply = await service(call);
    return reply.value as T;
  } catch (error) {
    if (
      error instanceof MeshError &&
      error.cause !== undefined &&
      (error.code === 'call_failed' || error.code === 'connect_failed' || error.code === 'canceled')
    )
      throw error.cause;
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
