// One attempt of a gRPC call at one endpoint: at once the listener of grpc-js, the Reply, the timer, and what `cancel` reaches.
// The reply is there with the first message, or with the status when none comes: until then the attempt can be repeated and
// the caller sees nothing of it. Messages pass through untouched, and only as many as the caller asks for.
import type { Call, Cancelable, Outcome, OutcomeKind, Reply, ReplyHeaders } from '../../core/call.ts';
import { kindOfError, kindOfStatus } from '../../core/classify.ts';
import { Timer } from '../../core/clock.ts';
import { type MeshError, type MeshErrorInit, meshError } from '../../core/errors.ts';
import { httpStatusOfGrpc } from '../../core/grpc-status.ts';
import { ERROR_HEADER, GRPC_STATUS_HEADER, GRPC_STATUS_TRAILER } from '../../core/headers.ts';
import { placeOf } from '../../core/refuse.ts';
import type { Wire } from '../pool.ts';
import { leaveLine, type Line, lineFor, READY } from './endpoint-line.ts';
import type { GrpcCall, Listener, Metadata, StatusObject } from './grpc-js.ts';
import { failureOf, grpcStatusOfError, httpStatusIn } from './grpc-failure.ts';
import { AttemptEar } from './attempt-ear.ts';
import { type AttemptSource, attemptMetadata } from './attempt-metadata.ts';
import type { LogEntry, LogReader, MessageLog } from './message-log.ts';
import { headersOf } from './metadata-pairs.ts';

/** The caller, as the attempt that answers for the call sees him. */
export interface AnswerListener extends Listener {
  /** The answer broke off; the status, if the failure was seen as one, is the cause. */
  onFailure(error: MeshError): void;
}

const OK = 0;
const CANCELLED = 1;
/** A connection is given up after this time, and the call goes to another endpoint. Source: Envoy `connect_timeout`. */
const CONNECT_MS_MAX = 5_000;

export class GrpcAttempt extends Timer implements Reply, Cancelable, Listener, LogReader {
  status = 0;
  entry: LogEntry | null = null;
  sent = 0;
  nextReader: LogReader | null = null;
  /** Head of the answer; null when none came. */
  metadata: Metadata | null = null;
  /** The message with which the reply came. */
  first: Buffer | null = null;
  /** The end, once it is there. */
  final: StatusObject | null = null;
  /** Or why there was none. */
  failed: MeshError | null = null;
  /** Whether a layer has replaced the head. */
  areHeadersChanged = false;
  readonly #call: Call;
  readonly #log: MessageLog;
  readonly #wire: Wire;
  #line: Line | null = null;
  #grpc: GrpcCall | null = null;
  #ear: AttemptEar | null = null;
  #resolve: ((reply: Reply) => void) | null = null;
  #reject: ((error: MeshError) => void) | null = null;
  #headers: ReplyHeaders | null = null;
  /** The caller, once the attempt answers for the call. */
  #listener: AnswerListener | null = null;
  #isAnswered = false;
  #isDone = false;
  #isWriting = false;
  #isHalfClosed = false;
  #isDiscarded = false;
  /** The connection was there when the call was given to it. */
  #wasReady = false;
  #connectMs = 0;

  constructor(call: Call, wire: Wire) {
    super();
    this.#call = call;
    this.#wire = wire;
    this.#log = call.body as MessageLog;
  }

  /** The promise is settled by the first message, or by the end. */
  send(source: AttemptSource): Promise<Reply> {
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
      try {
        this.#start(source);
      } catch (cause) {
        this.#fail({ code: 'protocol_error', message: `the call cannot be sent: ${(cause as Error).message}`, cause });
      }
    });
  }

  #start(source: AttemptSource): void {
    const call = this.#call;
    const { shared } = this.#wire;
    const line = lineFor(call, this.#wire, source.kit);
    const grpc = line.channel.createCall(call.path, Number.POSITIVE_INFINITY, source.host ?? call.authority, null, null);
    this.#line = line;
    line.attempts++;
    this.#grpc = grpc;
    if (source.credentials !== null) grpc.setCredentials(source.credentials);
    this.#wasReady = line.channel.getConnectivityState(false) === READY;
    if (!this.#wasReady) this.#connectMs = shared.clock.now() + (shared.policy.connections?.connectTimeoutMs ?? CONNECT_MS_MAX);
    this.#armForHead();
    const ear = new AttemptEar(this);
    this.#ear = ear;
    grpc.start(attemptMetadata(call, source), ear);
    if (source.wantsMessage) grpc.startRead();
    this.#log.join(this);
    this.pump();
  }

  // What grpc-js calls.

  onReceiveMetadata(metadata: Metadata): void {
    if (this.#isDone || this.metadata !== null) return;
    this.metadata = metadata;
    this.#headers = null;
    this.#call.headAtMs = this.#wire.shared.clock.now();
    // Who has not said all may be waiting for the head before he goes on; held back, it would be a deadlock.
    if (!this.#log.isClosed) this.#answer(200);
  }

  onReceiveMessage(message: Buffer): void {
    if (this.#isDone || this.#isDiscarded) return;
    if (this.#listener !== null) {
      this.#listener.onReceiveMessage(message);
      return;
    }
    this.first = message;
    if (this.#call.headAtMs === 0) this.#call.headAtMs = this.#wire.shared.clock.now();
    this.#answer(200);
  }

  onReceiveStatus(status: StatusObject): void {
    if (this.#isDone) return;
    if (status.code === OK) {
      this.final = status;
      this.status = 200;
      this.#finish('success', null);
      if (this.#isAnswered) this.#listener?.onReceiveStatus(status);
      else this.#answer(200);
      return;
    }
    this.#failed(status);
  }

  #failed(status: StatusObject): void {
    const line = this.#line as Line;
    const isStarted = this.metadata !== null || this.#isStarted(line);
    const failure = failureOf(status, line, { isStarted, isMessageReceived: this.#isAnswered });
    if (failure !== null) {
      const { shared, endpoint } = this.#wire;
      if (failure.code === 'connect_failed') shared.onConnectFailure();
      else if (failure.code === 'peer_untrusted') shared.onPeerUntrusted(endpoint, failure.message);
      this.#fail(failure, status);
      return;
    }
    const counts = httpStatusIn(status) || httpStatusOfGrpc(status.code);
    this.final = status;
    if (this.#call.headAtMs === 0) this.#call.headAtMs = this.#wire.shared.clock.now();
    // Before the end of the call is told: whoever is told may look at the reply.
    const isFirst = !this.#isAnswered;
    this.status = counts;
    this.#finish(kindOfStatus(counts), null);
    if (isFirst) this.#answer(counts);
    else this.#listener?.onReceiveStatus(status);
  }

  // What time, the caller, and the layers above call.

  fire(): void {
    const call = this.#call;
    const { clock } = this.#wire.shared;
    const nowMs = clock.now();
    const isHead = this.metadata !== null || this.#isAnswered;
    const isDeadline = call.deadlineMs <= nowMs;
    if (isHead && !isDeadline) {
      // The head came in time. The timer is set anew now and not then: most calls are over long before.
      if (call.deadlineMs !== Number.POSITIVE_INFINITY) clock.arm(this, call.deadlineMs);
      return;
    }
    if (!isDeadline && nowMs < call.attemptDeadlineMs) {
      if (this.#isReady()) {
        this.#connectMs = 0;
        this.#armForHead();
      } else {
        const message = 'no connection within the time for connecting';
        this.#fail({ code: 'connect_failed', message, sent: 'none', retryable: true });
      }
      return;
    }
    const sinceMs = isDeadline ? (call.parent ?? call).startedAtMs : call.startedAtMs;
    const what = isHead ? 'the answer was not complete' : 'no answer';
    this.#fail({
      code: isDeadline ? 'deadline_exceeded' : 'attempt_timeout',
      message: `${what} within ${Math.round(this.timerDueMs - sinceMs)} ms`,
      sent: this.#isAnswered ? 'body' : this.#wasReady || this.#isReady() ? 'head' : 'none',
    });
  }

  cancel(reason: unknown): void {
    if (this.#isDone) return;
    this.#fail({ code: 'canceled', message: 'the caller canceled', cause: reason });
  }

  /** The caller takes what comes from now on. What has come is his to fetch from the fields. */
  listen(listener: AnswerListener): void {
    this.#listener = listener;
  }

  startRead(): void {
    if (!this.#isDone) this.#grpc?.startRead();
  }

  get peer(): string {
    return this.#grpc?.getPeer() ?? '';
  }

  get inner(): GrpcCall | null {
    return this.#grpc;
  }

  attach(): void {
    throw new TypeError('a gRPC answer has messages and no bytes: a layer that reads bodies does not fit a gRPC call');
  }

  pause(): void {}

  resume(): void {}

  discard(): void {
    if (this.#isDone) return;
    this.#isDiscarded = true;
    this.#finish(kindOfStatus(this.status), null);
    this.#grpc?.cancelWithStatus(CANCELLED, 'nobody wants the answer');
  }

  hold(): void {
    this.discard();
  }

  /** An end that was held can be told later; messages cannot. */
  get intact(): boolean {
    return this.final !== null || (!this.#isDone && this.#isAnswered);
  }

  /** Made when somebody looks: most answers are passed on unread. */
  get headers(): ReplyHeaders {
    if (this.#headers === null) {
      const { metadata, final } = this;
      const headers = metadata === null ? {} : headersOf(metadata);
      if (final !== null && final.code !== 0 && httpStatusIn(final) === 0) {
        // Trailers are of interest to the retries alone, and only when nothing else came.
        Object.assign(headers, headersOf(final.metadata));
        headers[metadata === null ? GRPC_STATUS_HEADER : GRPC_STATUS_TRAILER] = String(final.code);
      }
      this.#headers = headers;
    }
    return this.#headers;
  }

  set headers(headers: ReplyHeaders) {
    this.#headers = headers;
    this.areHeadersChanged = true;
  }

  get statusText(): string {
    return '';
  }

  get rawHeaders(): unknown {
    return null;
  }

  set rawHeaders(_raw: unknown) {}

  // What the log calls.

  /** One message at a time: grpc-js keeps a single one that waits, and would lose the others. */
  pump(): void {
    const grpc = this.#grpc;
    if (grpc === null || this.#isDone) return;
    const { entry } = this;
    const isLast = this.#log.isClosed && (entry === null || entry.next === null);
    if (entry !== null && !this.#isWriting) {
      this.#isWriting = true;
      // Who waits for nothing is not told.
      const isAwaited = !isLast || entry.ack !== undefined;
      grpc.sendMessageWithContext(isAwaited ? { callback: this.#ear?.onWritten, flags: entry.flags } : entry, entry.message);
    }
    // Together with the last message, so that both go out in one packet.
    if (isLast && !this.#isHalfClosed) {
      this.#isHalfClosed = true;
      grpc.halfClose();
    }
  }

  lost(): void {
    this.#fail({ code: 'canceled', message: 'another attempt of the same call is further' });
  }

  /** Not at once: grpc-js 1.13 says so while it is still handing the message on, and a half-close from here would overtake the next. */
  onWritten(): void {
    if (this.#isHalfClosed) this.writeOn();
    else process.nextTick(writeOn, this);
  }

  writeOn(): void {
    this.#isWriting = false;
    if (this.#isDone) return;
    this.#log.written(this);
    this.pump();
  }

  #armForHead(): void {
    const call = this.#call;
    let dueMs = call.attemptDeadlineMs < call.deadlineMs ? call.attemptDeadlineMs : call.deadlineMs;
    if (this.#connectMs !== 0 && this.#connectMs < dueMs) dueMs = this.#connectMs;
    if (dueMs !== Number.POSITIVE_INFINITY) this.#wire.shared.clock.arm(this, dueMs);
  }

  #isReady(): boolean {
    return this.#line?.channel.getConnectivityState(false) === READY;
  }

  /** Whether a connection had taken the call: only then it has a peer of its own. */
  #isStarted({ target }: Line): boolean {
    const { peer } = this;
    return peer !== target && peer !== 'unknown';
  }

  #answer(status: number): void {
    const resolve = this.#resolve;
    if (resolve === null) return;
    this.status = status;
    this.#isAnswered = true;
    this.#resolve = null;
    this.#reject = null;
    resolve(this);
  }

  #fail(init: MeshErrorInit, status: StatusObject | null = null): void {
    const call = this.#call;
    const error = meshError({ ...init, where: placeOf(call) });
    const reject = this.#reject;
    this.#resolve = null;
    this.#reject = null;
    const listener = this.#listener;
    this.#finish(kindOfError(error), error);
    if (status === null) this.#grpc?.cancelWithStatus(CANCELLED, error.code);
    this.failed = error;
    if (reject !== null) reject(error);
    else listener?.onFailure(error);
  }

  #finish(kind: OutcomeKind, error: MeshError | null): void {
    const { clock } = this.#wire.shared;
    this.#isDone = true;
    this.#listener = error === null ? this.#listener : null;
    if (this.#ear !== null) this.#ear.owner = null;
    if (this.#line !== null) leaveLine(this.#line);
    clock.disarm(this);
    this.#log.leave(this);
    const grpcStatus = this.final?.code ?? (error === null ? 0 : grpcStatusOfError(error));
    const outcome: Outcome = { kind, status: this.status, error, endedAtMs: clock.now(), grpcStatus };
    this.#call.end(this.#isShed() ? { ...outcome, isShed: true } : outcome);
  }

  #isShed(): boolean {
    const { final } = this;
    return final !== null && final.code !== 0 && final.metadata.get(ERROR_HEADER)[0] === 'overloaded';
  }
}

function writeOn(attempt: GrpcAttempt): void {
  attempt.writeOn();
}
