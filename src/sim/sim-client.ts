// One client of a simulation: the calls that the users of a process make, and how they ended.
import type { EndListener } from '../core/call.ts';
import { type Clock, type Random, Timer } from '../core/clock.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { CRITICALITIES } from '../model/traffic.ts';
import { type LoadModel, nextArrivalMs } from './load.ts';
import type { Recording } from './recording.ts';
import type { SimProcess } from './sim-process.ts';

export interface SimClientDeps {
  readonly process: SimProcess;
  readonly service: string;
  readonly recording: Recording;
  readonly random: Random;
}

/** How it ended is known from `onEnd`. */
function ignore(): void {}

export class SimClient {
  readonly random: Random;
  /** Calls that have not ended. */
  inFlight = 0;
  readonly #deps: SimClientDeps;

  constructor(deps: SimClientDeps) {
    this.random = deps.random;
    this.#deps = deps;
  }

  get mesh(): Mesh {
    return this.#deps.process.mesh;
  }

  /** Makes one call. */
  call(load: LoadModel): void {
    const { process, service } = this.#deps;
    const { method = 'GET', path = '/', headers, criticality } = load;
    const drawn = typeof path === 'string' ? path : path(this.random);
    const call = process.newCall(service, method, drawn, headers?.(this.random) ?? []);
    if (criticality !== undefined) call.criticality = CRITICALITIES.indexOf(criticality(this.random));
    this.inFlight++;
    call.onEnd(this.#onEnd);
    process.send(call).then(ignore, ignore);
  }

  readonly #onEnd: EndListener = (call, outcome) => {
    this.inFlight--;
    const isGood = outcome.kind === 'success' && outcome.status < 500;
    const tookMs = outcome.endedAtMs - call.startedAtMs;
    const allowedMs = Number.isFinite(call.deadlineMs) ? call.deadlineMs - call.startedAtMs : tookMs;
    const isRefused = outcome.error?.family === 'refused';
    this.#deps.recording.call(call.startedAtMs, isGood ? tookMs : allowedMs, { isGood, isRefused, criticality: call.criticality });
  };
}

/** The users of one client: a timer that makes a call whenever it fires, until `untilMs`. */
export class Users extends Timer {
  readonly #client: SimClient;
  readonly #load: LoadModel;
  readonly #clients: number;
  readonly #untilMs: number;
  readonly #clock: Clock;

  constructor(client: SimClient, load: LoadModel, clients: number, untilMs: number, clock: Clock) {
    super();
    this.#client = client;
    this.#load = load;
    this.#clients = clients;
    this.#untilMs = untilMs;
    this.#clock = clock;
  }

  begin(): void {
    const nowMs = this.#clock.now();
    const nextMs = nextArrivalMs(this.#load, this.#clients, nowMs, this.#client.random);
    if (nextMs < this.#untilMs) this.#clock.arm(this, nextMs);
  }

  fire(): void {
    this.#client.call(this.#load);
    this.begin();
  }
}
