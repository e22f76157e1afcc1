// A server that is only a model: workers, a queue, and how it misbehaves. It sees jobs come and says when they are
// answered; who asked, and through what, it does not know.
import { type Random, Timer } from '../core/clock.ts';
import { type Distribution, drawer } from './distribution.ts';
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

/** What becomes of a job: a status, or how its connection failed. */
export type Answer = number | 'refused' | 'lost';

/** One attempt at the server. It is its own timer: first of the way there, then of the work. */
export abstract class Job extends Timer {
  endpoint: FakeEndpoint | null = null;
  phase: 'away' | 'underWay' | 'waiting' | 'served' | 'rejected' | 'over' = 'away';
  /** What a rejected job is answered. */
  rejectedAs: Answer = 503;

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
  readonly #active: Set<Job> = new Set();
  #queue: Job[] = [];
  #queueHead = 0;
  #waiting = 0;
  #busy = 0;
  #behavior: Behavior = 'up';
  #slower = 1;
  #received = 0;
  #startedAtMs: number = Number.NEGATIVE_INFINITY;

  constructor(address: string, model: EndpointModel, clock: VirtualClock, random: Random) {
    this.address = address;
    this.#model = model;
    this.#clock = clock;
    this.#random = random;
    this.#drawMs = drawer(model.serviceMs ?? 20, random);
    this.#workers = model.workers ?? 4;
    this.#queueMax = model.queueMax ?? Number.POSITIVE_INFINITY;
  }

  get behavior(): Behavior {
    return this.#behavior;
  }

  /** Calls being served and waiting. */
  get load(): number {
    return this.#busy + this.#waiting;
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
    this.#clock.arm(job, this.#clock.now() + this.#drawMs() * this.#slower * (this.#model.slower ?? 1) * this.#coldness());
  }

  #done(job: Job, status: number): void {
    if (job.phase !== 'served') return;
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
      this.#serve(job);
      return;
    }
    this.#queue = [];
    this.#queueHead = 0;
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
      if (answer !== null) job.answered(answer);
    }
  }
}
