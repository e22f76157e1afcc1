// One call that several callers share. It has a Call of its own, so that no caller's abort ends it while another waits. The
// first caller, the leader, is given the answer as it comes; the others wait for the whole of it. What cannot be shared
// (too long, with a cookie, differing by Vary) sends them on their own ways.
import { Call, type Outcome, type Reply, type Sink } from '../core/call.ts';
import { kindOfError, kindOfStatus } from '../core/classify.ts';
import type { Clock } from '../core/clock.ts';
import { MeshError, meshError } from '../core/errors.ts';
import { placeOf } from '../core/refuse.ts';
import type { Service } from '../core/service.ts';
import { ensureEnded, sendLate } from './inner-call.ts';
import { CopiedReply, lastingHeaders } from './kept-answer.ts';
import { LeaderReply } from './leader-reply.ts';
import { Rider } from './rider.ts';

export interface FlightDeps {
  readonly clock: Clock;
  readonly bodyBytesMax: number;
  /** No more callers may join. */
  readonly onClose: () => void;
  /** Callers with time left after the shared call ran out of its own. */
  readonly askAgain: (call: Call, next: Service) => Promise<Reply>;
}

/** Why a shared call is canceled that its last caller has left. */
const FORSAKEN = new Error('nobody waits for the shared call any more');
FORSAKEN.stack = '';

export class Flight implements Sink {
  readonly #call: Call;
  readonly #deps: FlightDeps;
  readonly #riders: Set<Rider> = new Set();
  #leader: Rider | null;
  #leaderReply: LeaderReply | null = null;
  #reply: Reply | null = null;
  /** What Vary of the answer names; null when the answer cannot be shared. */
  #vary: readonly string[] | null = [];
  /** Of the body so far; null when it is not shared. */
  #chunks: Uint8Array[] | null = [];
  #bytes = 0;

  /** Starts at once, with the caller as leader, and with its deadline. */
  constructor(call: Call, next: Service, nowMs: number, deps: FlightDeps) {
    this.#deps = deps;
    this.#call = sharedCall(call, nowMs);
    this.#leader = this.#board(call, next);
  }

  /** The leader's answer. Apart from the constructor, because what is asked may be answered at once. */
  start(): Promise<Reply> {
    const { answered, next } = this.#leader as Rider;
    this.#call.onEnd((_call, outcome) => this.#endLeader(outcome));
    // Within a promise: what a layer throws at once must not leave the others waiting for ever.
    new Promise<Reply>((resolve) => resolve(next(this.#call))).then(
      (reply) => this.#head(reply),
      (error: unknown) => this.#fail(error),
    );
    return answered;
  }

  /** Callers that wait, beside the leader. */
  get waiters(): number {
    return this.#riders.size - (this.#leader === null ? 0 : 1);
  }

  /** Null when the answer that is coming is none for this call. */
  join(call: Call, next: Service): Promise<Reply> | null {
    if (this.#vary === null || !this.#isAlike(call, this.#vary)) return null;
    return this.#board(call, next).answered;
  }

  #board(call: Call, next: Service): Rider {
    const rider = new Rider(call, next, this.#deps.clock, this.#onLeave);
    this.#riders.add(rider);
    // Who must wait longer than the shared call may take is told by that one, and asks again.
    if (call.deadlineMs < this.#call.deadlineMs) rider.watch();
    return rider;
  }

  readonly #onLeave = (rider: Rider, reason: unknown): void => {
    this.#riders.delete(rider);
    if (rider === this.#leader) {
      this.#leader = null;
      this.#leaderReply?.fail(reason);
      this.#leaderReply = null;
    }
    if (this.#riders.size === 0) this.#forsake();
    else if (this.#leaderReply?.isUnwanted === true) this.#onDiscard();
  };

  #forsake(): void {
    this.#close();
    this.#call.cancel(FORSAKEN);
  }

  #close(): void {
    this.#vary = null;
    this.#deps.onClose();
  }

  #isAlike(call: Call, vary: readonly string[]): boolean {
    return vary.every((name) => valuesOf(call.headers, name) === valuesOf(this.#call.headers, name));
  }

  #head(reply: Reply): void {
    if (this.#riders.size === 0) {
      reply.discard();
      return;
    }
    for (const { call } of this.#riders) call.destination = this.#call.destination;
    this.#reply = reply;
    const vary = sharedVary(reply, this.#deps.bodyBytesMax);
    if (vary === null) {
      this.#sendWaitersOff();
      this.#handToLeader(reply);
      return;
    }
    this.#vary = vary;
    for (const rider of this.#riders) if (rider !== this.#leader && !this.#isAlike(rider.call, vary)) this.#sendOff(rider);
    if (this.#leader !== null) {
      this.#leaderReply = new LeaderReply(reply, this.#onDiscard);
      this.#leader.answer(this.#leaderReply);
    }
    if (this.#riders.size === 0) this.#forsake();
    else reply.attach(this);
  }

  /** Nobody shares it: the leader has it as if there had never been a flight. */
  #handToLeader(reply: Reply): void {
    const leader = this.#leader;
    if (leader === null) {
      reply.discard();
      return;
    }
    if (leader.call.outcome === null) leader.call.pending = this.#call;
    leader.answer(reply);
  }

  readonly #onDiscard = (): void => {
    const length = Number(this.#reply?.headers['content-length'] ?? Number.POSITIVE_INFINITY);
    if (this.waiters === 0 && length > DRAIN_BYTES_MAX) this.#abandonBody();
  };

  /** The leader has its head and wants no body, and nobody else waits for it. */
  #abandonBody(): void {
    if (this.#call.outcome !== null) return;
    const status = this.#reply?.status ?? 0;
    this.#endLeader({ kind: kindOfStatus(status), status, error: null, endedAtMs: this.#deps.clock.now() });
    this.#forsake();
  }

  onData(chunk: Uint8Array): boolean {
    if (this.#chunks !== null) {
      this.#bytes += chunk.byteLength;
      if (this.#bytes > this.#deps.bodyBytesMax) this.#sendWaitersOff();
      else this.#chunks.push(new Uint8Array(chunk));
    }
    const leaderWantsMore = this.#leaderReply === null || this.#leaderReply.push(chunk);
    if (this.#chunks !== null) return true;
    if (this.#leaderReply?.isUnwanted === true) this.#abandonBody();
    return leaderWantsMore;
  }

  onEnd(trailers: Record<string, string | string[]>): void {
    this.#close();
    const { status, statusText, headers } = this.#reply as Reply;
    const outcome = this.#call.outcome ?? { kind: kindOfStatus(status), status, error: null, endedAtMs: this.#deps.clock.now() };
    this.#call.end(outcome);
    this.#leaderReply?.end(trailers);
    const body = this.#chunks === null ? new Uint8Array(0) : Buffer.concat(this.#chunks, this.#bytes);
    const lasting = lastingHeaders(headers);
    for (const rider of this.#riders) rider.finish(outcome, new CopiedReply({ status, statusText, headers: { ...lasting }, body }));
    this.#riders.clear();
  }

  onError(error: unknown): void {
    ensureEnded(this.#call, error, this.#deps.clock.now());
    this.#leaderReply?.fail(error);
    this.#failRiders(this.#call.outcome?.error ?? error);
  }

  #fail(error: unknown): void {
    ensureEnded(this.#call, error, this.#deps.clock.now());
    this.#failRiders(error);
  }

  /** The shared call has ended: so has the leader's. */
  #endLeader(outcome: Outcome): void {
    const leader = this.#leader;
    if (leader === null) return;
    leader.call.destination = this.#call.destination;
    leader.call.retryDenied = this.#call.retryDenied;
    leader.end(outcome);
  }

  /** The time that ran out may not have been theirs. Otherwise an error is shared, each with its own place. */
  #failRiders(error: unknown): void {
    this.#close();
    const nowMs = this.#deps.clock.now();
    const isLate = error instanceof MeshError && error.code === 'deadline_exceeded';
    const leader = this.#leader;
    const waiters = [...this.#riders].filter((rider) => rider !== leader);
    this.#riders.clear();
    leader?.reject(error);
    // The one with most time first: it leads the others.
    waiters.sort((a, b) => b.call.deadlineMs - a.call.deadlineMs);
    for (const rider of waiters) {
      if (isLate && rider.call.deadlineMs > nowMs) rider.handOver((call) => this.#deps.askAgain(call, rider.next));
      else this.#failWaiter(rider, error, nowMs);
    }
  }

  #failWaiter(rider: Rider, cause: unknown, nowMs: number): void {
    rider.call.destination = this.#call.destination;
    const error = sharedError(rider.call, cause);
    rider.fail({ kind: this.#call.outcome?.kind ?? kindOfError(error), status: 0, error, endedAtMs: nowMs }, error);
  }

  #sendWaitersOff(): void {
    this.#close();
    this.#chunks = null;
    for (const rider of this.#riders) if (rider !== this.#leader) this.#sendOff(rider);
    if (this.#riders.size === 0) this.#forsake();
  }

  #sendOff(rider: Rider): void {
    this.#riders.delete(rider);
    rider.handOver((call) => sendLate(call, rider.next, this.#deps.clock.now()));
  }
}

/** All values of a header by its lower-case name, as one text; undefined when there is none. */
export function valuesOf(pairs: readonly string[], name: string): string | undefined {
  let values: string | undefined;
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i] as string;
    if (key.length !== name.length || (key !== name && key.toLowerCase() !== name)) continue;
    values = values === undefined ? (pairs[i + 1] as string) : `${values}, ${pairs[i + 1]}`;
  }
  return values;
}

/** What is longer is not read just to keep a socket. */
const DRAIN_BYTES_MAX = 65_536;

function sharedCall(call: Call, nowMs: number): Call {
  const { scheme, authority, method, path, headers } = call;
  const shared = new Call({ scheme, authority, method, path, headers, body: null }, nowMs);
  shared.route = call.route;
  shared.destination = call.destination;
  shared.idempotent = call.idempotent;
  shared.criticality = call.criticality;
  shared.transportOptions = call.transportOptions;
  shared.deadlineMs = call.deadlineMs;
  // The attempts are told in the trace of who began.
  shared.span = call.span;
  return shared;
}

/** What Vary names; null when the answer is for the one who asked: with a cookie, without an end, or too long. */
function sharedVary({ status, headers }: Reply, bodyBytesMax: number): readonly string[] | null {
  if (headers['set-cookie'] !== undefined || Number(headers['content-length'] ?? 0) > bodyBytesMax) return null;
  if (status === 206 || String(headers['content-type'] ?? '').startsWith('text/event-stream')) return null;
  if (headers.vary === undefined) return [];
  const names = String(headers.vary).toLowerCase().split(',');
  const vary = names.map((name) => name.trim()).filter((name) => name !== '');
  return vary.includes('*') ? null : vary;
}

function sharedError(call: Call, cause: unknown): MeshError {
  if (!(cause instanceof MeshError)) return meshError({ code: 'call_failed', message: 'a layer threw', where: placeOf(call), cause });
  const { code, sent, retryable, retryAfterMs, where } = cause;
  const { endpoint, attempt } = where;
  const place = { ...placeOf(call), ...(endpoint === undefined ? {} : { endpoint }), ...(attempt === undefined ? {} : { attempt }) };
  return meshError({ code, message: 'the call that this one shared failed', sent, retryable, retryAfterMs, where: place, cause });
}
