// One simulated world: its time, its chance, the endpoints that are models, and the clients that are real meshes.
// Everything happens in the order of one queue, so a run repeats exactly.
import type { Call } from '../core/call.ts';
import { runAt } from '../core/clock.ts';
import type { DnsResolver } from '../discovery/source.ts';
import type { ConfigSource } from '../mesh/config-source.ts';
import { createMesh, type Mesh } from '../mesh/mesh.ts';
import { type EndpointModel, FakeEndpoint } from './fake-endpoint.ts';
import { fakeLeaf } from './fake-exchange.ts';
import { ProcessClock } from './process-clock.ts';
import { Recording } from './recording.ts';
import { streamOf } from './seeded-random.ts';
import { SimClient } from './sim-client.ts';
import { SimProcess } from './sim-process.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface WorldOptions {
  readonly seed: number;
  /** What stands behind an address that nobody has described. */
  readonly model: EndpointModel;
  /** Least and most time of a way there and back, ms. */
  readonly networkMs: readonly [number, number];
  readonly isBlind: boolean;
  /** Whether all processes draw the same. */
  readonly isAlike: boolean;
  /** What DNS says. @default no name is known */
  readonly resolver?: DnsResolver;
}

type OnAttempt = (attempt: Call, endpoint: FakeEndpoint) => void;

/** Attempts that are not made for a recorded call. */
const UNRECORDED = (): void => {};

const nobody = (name: string): Promise<never> =>
  Promise.reject(Object.assign(new Error(`a simulation knows no name ${name}: give the service endpoints`), { code: 'ENOTFOUND' }));
const NO_NAMES: DnsResolver = { resolve4: nobody, resolve6: nobody, resolveSrv: nobody, lookup: nobody };

export class World {
  readonly clock: VirtualClock = new VirtualClock(0);
  readonly recording: Recording = new Recording();
  readonly #options: WorldOptions;
  readonly #endpoints: Map<string, FakeEndpoint> = new Map();
  readonly #meshes: Mesh[] = [];

  constructor(options: WorldOptions) {
    this.#options = options;
  }

  get nowMs(): number {
    return this.clock.now();
  }

  /** Puts a server behind an address. */
  place(address: string, model: EndpointModel): FakeEndpoint {
    const endpoint = new FakeEndpoint(address, model, this.clock, streamOf(this.#options.seed, `endpoint ${address}`));
    this.#endpoints.set(address, endpoint);
    return endpoint;
  }

  endpoint(address: string): FakeEndpoint {
    return this.#endpoints.get(address) ?? this.place(address, this.#options.model);
  }

  get endpoints(): readonly FakeEndpoint[] {
    return [...this.#endpoints.values()];
  }

  /** A process with the real library in it. Its name gives it its chance. */
  async process(name: string, config: ConfigSource, onAttempt: OnAttempt = UNRECORDED): Promise<SimProcess> {
    const { seed, networkMs, isBlind, isAlike, resolver = NO_NAMES } = this.#options;
    const chance = streamOf(seed, `network ${name}`);
    const clock = new ProcessClock(this.clock, chance());
    const [least, most] = networkMs;
    const drawNetworkMs = (): number => least + chance() * (most - least);
    const mesh = await createMesh({
      config,
      watch: false,
      telemetry: { spans: 'off', metrics: 'off' },
      clock,
      random: streamOf(seed, isAlike ? 'mesh' : `mesh ${name}`),
      // Nothing is there in a simulation but what is simulated: no wait for what does not come.
      readyMs: 0,
      resolver,
      env: {},
      transport: ({ address }) => fakeLeaf({ clock, endpoint: () => this.endpoint(address), networkMs: drawNetworkMs, onAttempt, isBlind }),
    });
    this.#meshes.push(mesh);
    return new SimProcess(mesh, clock);
  }

  /** A process that calls `service`, and whose calls are recorded. */
  async client(index: number, service: string, config: ConfigSource): Promise<SimClient> {
    const process = await this.process(`client ${index}`, config, this.#onAttempt);
    const { recording } = this;
    process.mesh.events.onAny((event) => recording.events.push({ atMs: this.nowMs, client: index, event }));
    return new SimClient({ process, service, recording, random: streamOf(this.#options.seed, `load ${index}`) });
  }

  at(atMs: number, run: () => void): void {
    runAt(this.clock, atMs, run);
  }

  async close(): Promise<void> {
    await Promise.all(this.#meshes.map((mesh) => mesh.close({ drainMs: 0 })));
  }

  readonly #onAttempt: OnAttempt = (_attempt, { address }) => {
    this.recording.attempt(this.nowMs, address);
  };
}
