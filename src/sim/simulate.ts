// A whole simulation from one description: clients with the real library, endpoints that are models, faults in between.
// What does not fit into the description is done by a script, at its time.
import type { DnsResolver } from '../discovery/source.ts';
import type { CheckedSource, ConfigSource } from '../mesh/config-source.ts';
import { isFileSource } from '../mesh/config-source.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { MeshInput, ServiceInput } from '../model/input.ts';
import type { Behavior, EndpointModel, FakeEndpoint } from './fake-endpoint.ts';
import type { LoadModel } from './load.ts';
import { type SimClient, Users } from './sim-client.ts';
import type { SimProcess } from './sim-process.ts';
import { SimulationResult } from './simulation-result.ts';
import { World } from './world.ts';

/** Some endpoints that are alike. */
export interface EndpointGroup extends EndpointModel {
  /** How many. @default 3; with endpoints in the configuration, those */
  readonly count?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** `region/zone/subzone`. @default none */
  readonly locality?: string;
}

/** Something that goes wrong. */
export interface Fault {
  readonly fromMs: number;
  /** @default until the end */
  readonly untilMs?: number;
  /** The first so many, or by address. @default all */
  readonly endpoints?: number | readonly string[];
  readonly is: Behavior;
}

/** What a script can reach. */
export interface SimWorld {
  /** ms since the start. */
  readonly nowMs: number;
  /** One real mesh for each client. */
  readonly meshes: readonly Mesh[];
  /** A process more, with a mesh of its own; to be made before the first call, for a `handle` that calls further. */
  process(name: string, config: ConfigSource): Promise<SimProcess>;
  /** The configuration that the clients began with, endpoints included. */
  readonly config: ConfigSource;
  /** The model behind an address; made when it is new. */
  endpoint(address: string): FakeEndpoint;
  /** Puts a new server behind an address. */
  place(address: string, model: EndpointModel): FakeEndpoint;
  /** Something later, ms since the start. */
  at(atMs: number, run: () => void): void;
}

export interface SimulationOptions {
  /** As for `createMesh`. A service without endpoints gets `endpoints`. @default one service with all defaults */
  readonly config?: ConfigSource;
  /** What one client has instead of `config`, say a place of its own; 0 is the first. @default all the same */
  readonly configOf?: (client: number, config: ConfigSource) => ConfigSource;
  /** The service that is called. @default the first of the configuration */
  readonly service?: string;
  /** Processes, each with a mesh of its own. @default 1 */
  readonly clients?: number;
  /** @default 3 endpoints of 4 workers */
  readonly endpoints?: EndpointGroup | readonly EndpointGroup[];
  /** Calls a second, all clients together, or the whole. */
  readonly load: number | LoadModel;
  readonly faults?: readonly Fault[];
  /** At these times, ms since the start. */
  readonly script?: readonly { readonly atMs: number; readonly run: (world: SimWorld) => void | Promise<void> }[];
  readonly durationMs: number;
  /** Equal seeds give equal results. @default 1 */
  readonly seed?: number;
  /** Least and most time of the network, there and back, ms. @default 0.5 to 0.7 */
  readonly networkMs?: readonly [number, number];
  /** What a service that is found by DNS is told; without it such a service gets `endpoints`. What stands behind an address is the first group. */
  readonly resolver?: DnsResolver;
  /** Before time begins: for layers of your own, and for processes more. What reads files must be done here. */
  readonly prepare?: (world: SimWorld) => void | Promise<void>;
  /** All clients draw the same, to model libraries whose draws begin at a fixed point. @default false */
  readonly alike?: boolean;
  /** Failed answers look like successes to all but the retries, to model a balancer that knows latency alone. @default false */
  readonly blind?: boolean;
}

const NETWORK_MS_DEFAULT: readonly [number, number] = [0.5, 0.7];
const COUNT_DEFAULT = 3;
/** Longest wait for calls under way at the end: nothing allows a call more than this. */
const DRAIN_MS_MAX = 600_000;
const DRAIN_STEP_MS = 1_000;

/** Runs the simulation. Rejects when the configuration is faulty, and when a call never ends. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { clients: count = 1, durationMs, seed = 1, networkMs = NETWORK_MS_DEFAULT, prepare } = options;
  const groups = groupsOf(options);
  const { blind = false, alike = false, configOf = (_: number, same: ConfigSource) => same } = options;
  const { resolver } = options;
  const world = new World({
    seed,
    networkMs,
    model: groups[0] ?? {},
    isBlind: blind,
    isAlike: alike,
    ...(resolver === undefined ? {} : { resolver }),
  });
  const { config, service } = describe(options, groups, world);
  const clients: SimClient[] = [];
  for (let i = 0; i < count; i++) clients.push(await world.client(i, service, configOf(i, config)));
  const face = faceOf(world, clients, config);
  await prepare?.(face);
  const load = typeof options.load === 'number' ? { rps: options.load } : options.load;
  for (const client of clients) new Users(client, load, count, durationMs, world.clock).begin();
  for (const fault of options.faults ?? []) schedule(world, fault);
  const failures = runScript(options, face);
  await world.clock.advance(durationMs);
  await drain(world, clients);
  await world.close();
  if (failures.length > 0) throw failures[0];
  return new SimulationResult(seed, durationMs, world.recording);
}

function groupsOf({ endpoints = {} }: SimulationOptions): readonly EndpointGroup[] {
  return Array.isArray(endpoints) ? (endpoints as readonly EndpointGroup[]) : [endpoints as EndpointGroup];
}

/** Gives the servers their addresses, and the configuration the servers. */
function describe(
  { config = {}, service, resolver }: SimulationOptions,
  groups: readonly EndpointGroup[],
  world: World,
): { config: ConfigSource; service: string } {
  if (isFileSource(config)) {
    if (service === undefined) throw new TypeError('simulate: with a configuration in files, name the service that is called');
    return { config, service };
  }
  if ('checked' in config) return describeChecked(config, service, groups, world);
  const input = config as MeshInput;
  const name = service ?? Object.keys(input.services ?? {})[0] ?? 'service';
  if (resolver !== undefined && input.services?.[name]?.dns !== undefined) return { config, service: name };
  // Names and files mean nothing in a simulated world: only fixed addresses are kept.
  const { dns: _dns, endpointsFile: _file, endpoints: fixed, ...known }: ServiceInput = input.services?.[name] ?? {};
  if (fixed !== undefined) {
    const addresses = fixed.map((endpoint) => (typeof endpoint === 'string' ? endpoint : endpoint.address));
    placeAll(world, groups, addresses);
    return { config, service: name };
  }
  const endpoints: { address: string; labels: Readonly<Record<string, string>>; locality?: string }[] = [];
  for (const { count = COUNT_DEFAULT, labels = {}, locality, ...model } of groups) {
    for (let i = 0; i < count; i++) {
      const address = `e${endpoints.length + 1}:80`;
      world.place(address, model);
      endpoints.push({ address, labels, ...(locality === undefined ? {} : { locality }) });
    }
  }
  return { config: { ...input, services: { ...input.services, [name]: { ...known, endpoints } } }, service: name };
}

/** Its endpoints are fixed already. */
function describeChecked(
  config: CheckedSource,
  service: string | undefined,
  groups: readonly EndpointGroup[],
  world: World,
): { config: ConfigSource; service: string } {
  const name = service ?? Object.keys(config.checked.services)[0] ?? 'service';
  const endpoints = config.checked.services[name]?.endpoints;
  if (endpoints?.kind === 'static') {
    placeAll(
      world,
      groups,
      endpoints.endpoints.map(({ address }) => address),
    );
  }
  return { config, service: name };
}

/** One group after the other; the last one goes on to the end unless it is counted. */
function placeAll(world: World, groups: readonly EndpointGroup[], addresses: readonly string[]): void {
  let next = 0;
  for (const group of groups) {
    for (let i = 0; i < (group.count ?? addresses.length) && next < addresses.length; i++) world.place(addresses[next++] as string, group);
  }
}

function schedule(world: World, { fromMs, untilMs, endpoints, is }: Fault): void {
  const sick = (): readonly FakeEndpoint[] => {
    if (endpoints === undefined) return world.endpoints;
    return typeof endpoints === 'number' ? world.endpoints.slice(0, endpoints) : endpoints.map((address) => world.endpoint(address));
  };
  world.at(fromMs, () => {
    for (const endpoint of sick()) endpoint.behave(is);
  });
  if (untilMs === undefined) return;
  world.at(untilMs, () => {
    for (const endpoint of sick()) endpoint.behave('up');
  });
}

function faceOf(world: World, clients: readonly SimClient[], config: ConfigSource): SimWorld {
  return {
    get nowMs() {
      return world.nowMs;
    },
    meshes: clients.map(({ mesh }) => mesh),
    config,
    process: (name, plan) => world.process(name, plan),
    endpoint: (address) => world.endpoint(address),
    place: (address, model) => world.place(address, model),
    at: (atMs, run) => world.at(atMs, run),
  };
}

/** What the script will have thrown. */
function runScript({ script = [] }: SimulationOptions, world: SimWorld): unknown[] {
  const failures: unknown[] = [];
  const play = async (run: (world: SimWorld) => void | Promise<void>): Promise<void> => {
    try {
      await run(world);
    } catch (error) {
      failures.push(error);
    }
  };
  for (const { atMs, run } of script) world.at(atMs, () => void play(run));
  return failures;
}

async function drain(world: World, clients: readonly SimClient[]): Promise<void> {
  const inFlight = (): number => clients.reduce((sum, client) => sum + client.inFlight, 0);
  for (let waitedMs = 0; inFlight() > 0; waitedMs += DRAIN_STEP_MS) {
    if (waitedMs >= DRAIN_MS_MAX) throw new Error(`${inFlight()} calls never ended`);
    await world.clock.advance(DRAIN_STEP_MS);
  }
}
