// A server that is only a model: workers, a queue, and how it misbehaves. It sees jobs come and says when they are
// answered; who asked, and through what, it does not know.
import type { ReplyHeaders } from '../core/call.ts';
import { type Random, Timer } from '../core/clock.ts';
import type { AdmissionPolicy } from '../model/inbound.ts';
import { type Distribution, drawer } from './distribution.ts';
import { Gate, type ServerLimit } from './gate.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What stands behind an address. */
export interface EndpointModel {
  /** Calls served at once. @default 4 */
  readonly workers?: number;
  /** Time that a worker spends on a call. @default 20, lognormal, sigma 0.6 */
  readonly serviceMs?: Distribution;
  /** Calls that may wait for a worker; one more gets a 503 after 0.5 ms. @default no limit */
  readonly queueMax?: number;
  /** Whether the work for a caller that has gone is dropped. @default false */
  readonly honorsCancel?: boolean;
  /** Whether a call whose deadline has passed before a worker takes it is answered 504, without work. @default false */
  readonly dropsExpired?: boolean;
  /**
   * Who is let in: the limit of a server of inmesh, with these values instead of its defaults, or one of your own. A call
   * that is not gets a 503 with Retry-After after 0.5 ms; every answer reports the load. @default everybody
   */
  readonly admission?: true | Partial<AdmissionPolicy> | ((nowMs: number) => ServerLimit);
  /** Work that a refusal by `admission` costs, ms; the calls served next are late by it. @default 0 */
  readonly refusalMs?: number;
  /** Headers of every answer that is worked for. @default none */
  readonly headers?: ReplyHeaders;
  /** Service times are multiplied by this. @default 1 */
  readonly slower?: number;
  /** Slower at first: `times` as slow when it starts, falling to 1 within `forMs`. @default none */
  readonly coldStart?: { readonly times: number; readonly forMs: number };
  /** What serves a call after its service time, if more is to happen; gives the status. @default 200 */
  readonly handle?: (address: string) => Promise<number>;
}

/**
 * How an endpoint misbehaves. `refuse`: no connection, after 0.2 ms. `failFast`: 503 after 1 ms, without work. `blackHole`: no
 * answer, ever. `errors`: this share of the answers is `status` (503), after the usual work. `slower`: times the service time.
 */
export type Behavior =
  | 'up'
  | 'refuse'
  | 'failFast'
  | 'blackHole'
  | { readonly errors: number; readonly status?: number }
  | { readonly slower: number };

export const REFUSE_MS = 0.2;
export const FAIL_FAST_MS = 1;
export const OVER_QUEUE_MS = 0.5;

const EXPIRED = 504;
const NO_HEADERS: ReplyHeaders = {};

/** What becomes of a job: a status, or how its connection failed. */
export type Answer = number | 'refused' | 'lost';

/** One attempt at the server. It is its own timer: first of the way there, then of the work. */
export abstract class Job extends Timer {
  endpoint: FakeEndpoint | null = null;
  phase: 'away' | 'underWay' | 'waiting' | 'served' | 'rejected' | 'over' = 'away';
  /** What a rejected job is answered. */
  rejectedAs: Answer = 503;
  /** Of its answer. */
  headers: ReplyHeaders = NO_HEADERS;
  /** What its caller says of it: index into CRITICALITIES or -1, whether it is a repetition, until when it is of use. */
  criticality = -1;
  isRetry = false;
  deadlineMs: number = Number.POSITIVE_INFINITY;
  /** When the gate let it in; NaN while it has no place. */
  enteredAtMs: number = Number.NaN;

  abstract answered(answer: Answer): void;

  fire(): void {
    const endpoint = this.endpoint as FakeEndpoint;
    if (this.phase === 'underWay') endpoint.arrive(this);
    else if (this.phase === 'served') endpoint.finish(this);
    else if (this.phase === 'rejected') {
      this.phase = 'over';
      this.answered(this.rejectedAs);
    }
  }
}

export class FakeEndpoint {
  readonly address: string;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #model: EndpointModel;
  readonly #drawMs: () => number;
  readonly #workers: number;
  readonly #queueMax: number;
  readonly #headers: ReplyHeaders;
  readonly #gate: Gate | null;
  readonly #active: Set<Job> = new Set();
  #queue: Job[] = [];
  #queueHead = 0;
  #waiting = 0;
  #busy = 0;
  #behavior: Behavior = 'up';
  #slower = 1;
  #received = 0;
  /** Work of refusals that nobody has waited for yet, ms. */
  #owedMs = 0;
  #startedAtMs: number = Number.NEGATIVE_INFINITY;

  constructor(address: string, model: EndpointModel, clock: VirtualClock, random: Random) {
    this.address = address;
    this.#model = model;
    this.#clock = clock;
    this.#random = random;
    this.#drawMs = drawer(model.serviceMs ?? 20, random);
    this.#workers = model.workers ?? 4;
    this.#queueMax = model.queueMax ?? Number.POSITIVE_INFINITY;
    this.#headers = model.headers ?? NO_HEADERS;
    this.#gate = model.admission === undefined ? null : new Gate(model.admission, clock.now());
  }

  get behavior(): Behavior {
    return this.#behavior;
  }

  /** Calls being served and waiting. */
  get load(): number {
    return this.#busy + this.#waiting;
  }

  /** Calls that `admission` lets in at once; Infinity without it. */
  get limit(): number {
    return this.#gate?.limit ?? Number.POSITIVE_INFINITY;
  }

  /** Attempts that were sent to it. */
  get received(): number {
    return this.#received;
  }

  /** From now on. One that refuses is a process that died: what it was serving is lost. One that comes back is cold. */
  behave(behavior: Behavior): void {
    const wasDead = this.#behavior === 'refuse';
    this.#behavior = behavior;
    this.#slower = typeof behavior === 'object' && 'slower' in behavior ? behavior.slower : 1;
    if (behavior === 'refuse') this.#die('lost');
    else if (behavior === 'blackHole') this.#die(null);
    else if (wasDead) this.start();
  }

  /** A fresh process: cold, if the model says so. */
  start(): void {
    this.#startedAtMs = this.#clock.now();
  }

  /** A job sets out; `networkMs` is its way there and back, all spent before it arrives. */
  send(job: Job, networkMs: number): void {
    job.endpoint = this;
    this.#received++;
    if (this.#behavior === 'refuse') this.#reject(job, 'refused', REFUSE_MS);
    else if (this.#behavior === 'failFast') this.#reject(job, 503, FAIL_FAST_MS);
    else {
      job.phase = 'underWay';
      this.#clock.arm(job, this.#clock.now() + networkMs);
    }
  }

  /** @internal Called by the job. */
  arrive(job: Job): void {
    const behavior = this.#behavior;
    if (behavior === 'blackHole') job.phase = 'over';
    else if (behavior === 'refuse') this.#reject(job, 'lost', 0);
    else if (behavior === 'failFast') this.#reject(job, 503, 0);
    else if (this.#gate !== null && !this.#gate.enter(job, this.#clock.now())) this.#refuse(job, this.#gate);
    else if (this.#busy < this.#workers) this.#serve(job);
    else if (this.#waiting >= this.#queueMax) this.#reject(job, 503, OVER_QUEUE_MS);
    else {
      job.phase = 'waiting';
      this.#queue.push(job);
      this.#waiting++;
    }
  }

  /** @internal Called by the job. */
  finish(job: Job): void {
    const { handle } = this.#model;
    if (handle === undefined) this.#done(job, this.#status());
    // Whoever serves it further is late by promises, not by time.
    else void handle(this.address).then((status) => this.#done(job, status));
  }

  /** The caller has gone. */
  cancel(job: Job): void {
    // Its connection is closed, so its place is free, whether or not anybody still works for it.
    this.#gate?.leave(job, this.#clock.now(), false);
    if (job.phase === 'rejected' || job.phase === 'underWay') {
      // It is on its way; the server will see it all the same, unless it looks whether anybody waits.
      if (job.phase === 'rejected' || this.#model.honorsCancel === true) {
        this.#clock.disarm(job);
        job.phase = 'over';
      }
    } else if (this.#model.honorsCancel === true && job.phase === 'waiting') {
      job.phase = 'over';
      this.#waiting--;
    } else if (this.#model.honorsCancel === true && job.phase === 'served') {
      this.#clock.disarm(job);
      this.#leave(job);
    }
  }

  #serve(job: Job): void {
    job.phase = 'served';
    this.#busy++;
    this.#active.add(job);
    const owedMs = this.#owedMs;
    this.#owedMs = 0;
    this.#clock.arm(job, this.#clock.now() + owedMs + this.#drawMs() * this.#slower * (this.#model.slower ?? 1) * this.#coldness());
  }

  #refuse(job: Job, gate: Gate): void {
    this.#owedMs += this.#model.refusalMs ?? 0;
    job.headers = gate.refusal();
    this.#reject(job, 503, OVER_QUEUE_MS);
  }

  #done(job: Job, status: number): void {
    if (job.phase !== 'served') return;
    const gate = this.#gate;
    job.headers = gate === null ? this.#headers : gate.report(this.#headers);
    gate?.leave(job, this.#clock.now(), status < 500);
    this.#leave(job);
    job.answered(status);
  }

  /** Its worker takes the next one. */
  #leave(job: Job): void {
    job.phase = 'over';
    this.#busy--;
    this.#active.delete(job);
    this.#next();
  }

  #next(): void {
    while (this.#queueHead < this.#queue.length) {
      const job = this.#queue[this.#queueHead++] as Job;
      if (this.#queueHead > 1_024 && this.#queueHead * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#queueHead);
        this.#queueHead = 0;
      }
      if (job.phase !== 'waiting') continue;
      this.#waiting--;
      if (this.#isExpired(job)) continue;
      this.#serve(job);
      return;
    }
    this.#queue = [];
    this.#queueHead = 0;
  }

  /** Answers a call that nobody waits for any more. */
  #isExpired(job: Job): boolean {
    if (this.#model.dropsExpired !== true || this.#clock.now() < job.deadlineMs) return false;
    this.#gate?.leave(job, this.#clock.now(), false);
    this.#reject(job, EXPIRED, 0);
    return true;
  }

  #reject(job: Job, answer: Answer, afterMs: number): void {
    job.phase = 'rejected';
    job.rejectedAs = answer;
    this.#clock.arm(job, this.#clock.now() + afterMs);
  }

  #status(): number {
    const behavior = this.#behavior;
    if (typeof behavior !== 'object' || !('errors' in behavior)) return 200;
    return this.#random() < behavior.errors ? (behavior.status ?? 503) : 200;
  }

  #coldness(): number {
    const { coldStart } = this.#model;
    if (coldStart === undefined) return 1;
    const age = (this.#clock.now() - this.#startedAtMs) / coldStart.forMs;
    return age >= 1 ? 1 : coldStart.times + (1 - coldStart.times) * age;
  }

  #die(answer: Answer | null): void {
    const jobs = [...this.#active, ...this.#queue.slice(this.#queueHead).filter((job) => job.phase === 'waiting')];
    this.#active.clear();
    this.#queue = [];
    this.#queueHead = 0;
    this.#waiting = 0;
    this.#busy = 0;
    for (const job of jobs) {
      this.#clock.disarm(job);
      job.phase = 'over';
      this.#gate?.leave(job, this.#clock.now(), false);
      if (answer !== null) job.answered(answer);
    }
  }
}
