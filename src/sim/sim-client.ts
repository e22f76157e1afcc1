// One client process of a simulation: the real mesh, and the calls that its users make. It is the edge, so it does what
// fetch would: makes the call, takes the body, remembers how it ended.
import { Call, type EndListener, type Reply, type Sink } from '../core/call.ts';
import { type Clock, type Random, Timer } from '../core/clock.ts';
import type { Service } from '../core/service.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { type LoadModel, nextArrivalMs } from './load.ts';
import type { Recording } from './recording.ts';

export interface SimClientDeps {
  readonly index: number;
  readonly service: string;
  readonly mesh: Mesh;
  readonly clock: Clock;
  readonly recording: Recording;
  readonly random: Random;
}

const NO_BODY: Sink = { onData: () => true, onEnd() {}, onError() {} };

function takeBody(reply: Reply): void {
  reply.attach(NO_BODY);
}

/** How it ended is known from `onEnd`. */
function ignore(): void {}

export class SimClient {
  readonly index: number;
  readonly mesh: Mesh;
  readonly random: Random;
  /** Calls that have not ended. */
  inFlight = 0;
  readonly #deps: SimClientDeps;
  readonly #origin: string;

  constructor(deps: SimClientDeps) {
    this.index = deps.index;
    this.mesh = deps.mesh;
    this.random = deps.random;
    this.#deps = deps;
    this.#origin = `http://${deps.service}`;
  }

  /** Makes one call. */
  call(load: LoadModel): void {
    const { service, clock } = this.#deps;
    const { method = 'GET', path = '/', headers } = load;
    const init = { scheme: 'http', authority: service, method, path, headers: headers?.(this.random) ?? [], body: null };
    const call = new Call(init, clock.now());
    this.inFlight++;
    call.onEnd(this.#onEnd);
    (this.mesh.origin(this.#origin)?.service as Service)(call).then(takeBody, ignore);
  }

  readonly #onEnd: EndListener = (call, outcome) => {
    this.inFlight--;
    const isGood = outcome.kind === 'success' && outcome.status < 500;
    const tookMs = outcome.endedAtMs - call.startedAtMs;
    const allowedMs = Number.isFinite(call.deadlineMs) ? call.deadlineMs - call.startedAtMs : tookMs;
    const isRefused = outcome.error?.family === 'refused';
    this.#deps.recording.call(call.startedAtMs, isGood ? tookMs : allowedMs, isGood, isRefused);
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
