// The public object: one mesh in one process. Holds what runs now, swaps it whole on reload, and hands the edges out.
import type { Call } from '../core/call.ts';
import { type Clock, runAt, systemClock, systemRandom } from '../core/clock.ts';
import { MeshError, meshError } from '../core/errors.ts';
import type { MeshEvent } from '../core/events.ts';
import type { Layer } from '../core/service.ts';
import type { AccessCheck } from '../access/check.ts';
import type { IdentitySource } from '../identity/identity-source.ts';
import type { MeshConfig } from '../model/config.ts';
import { parseDuration } from '../model/duration.ts';
import type { RouteMatch } from '../model/route.ts';
import { compileMatches } from '../route/match.ts';
import { MeshDispatcher } from '../transport/dispatcher.ts';
import { type MeshFetch, meshFetch } from '../transport/fetch.ts';
import type { Origin, Outbound } from '../transport/outbound.ts';
import { type CompiledMesh, compile, type CompileDeps, rebuild } from './compile.ts';
import {
  type ConfigSource,
  defaultSource,
  isFileSource,
  type LoadedConfig,
  type LocatePath,
  loadMeshConfig,
  parseEndpoints,
} from './config-source.ts';
import { RepetitionSwitch } from '../resilience/repetition-switch.ts';
import { Drain } from './drain.ts';
import { explain, type ExplainRequest, type Explanation } from './explain.ts';
import { type CallFunction, functionCall, type FunctionCallOptions } from './function-call.ts';
import type { Inbound } from './inbound.ts';
import { MeshAccess } from './mesh-access.ts';
import { MeshEvents } from './mesh-events.ts';
import { MeshIdentity } from './mesh-identity.ts';
import { MeshInbound } from './mesh-inbound.ts';
import type { MeshOptions } from './mesh-options.ts';
import { findService, originLookup, passLookup } from './origins.ts';
import { type IPolicy, policyLayer } from './policy-layer.ts';
import { type MeshSnapshot, snapshot } from './snapshot.ts';
import type { UserLayer } from './stack.ts';
import { makeTelemetry, type Telemetry } from './telemetry.ts';
import { type UseOptions, userLayer } from './user-layer.ts';

const READY_MS_DEFAULT = 5_000;
const DRAIN_MS_DEFAULT = 10_000;

/** Text as Go writes durations, as ms; throws a TypeError for anything else. */
function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new TypeError(`${JSON.stringify(text)} is no duration; write it like 500ms, 2s or 1m30s`);
  return ms;
}

export class Mesh implements Outbound, AsyncDisposable {
  readonly clock: Clock;
  /** What happens: endpoints ejected, circuits opened, configs loaded and rejected. */
  readonly events: MeshEvents = new MeshEvents();
  /** For undici and built-in fetch: `{ dispatcher: mesh.dispatcher }`. */
  readonly dispatcher: MeshDispatcher;
  /** Shaped like fetch, and cheaper. */
  readonly fetch: MeshFetch;
  readonly #options: MeshOptions;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #drain: Drain;
  readonly #telemetry: Telemetry;
  readonly #users: UserLayer[] = [];
  readonly #repetition: RepetitionSwitch;
  readonly #identity: MeshIdentity;
  readonly #inbound: MeshInbound;
  readonly #access: MeshAccess;
  readonly #deps: CompileDeps;
  #source: ConfigSource;
  #hash = '';
  #at: LocatePath | undefined;
  #compiled: CompiledMesh | null = null;
  #lookup: (origin: string) => Origin | null = () => null;
  #passing: (origin: string) => boolean = () => false;
  #reloading: Promise<unknown> = Promise.resolve();
  #watch: { close(): void } | null = null;
  #watched = '';
  #closing: Promise<void> | null = null;
  /** Names that `call` was given and no configuration knows; they keep their state over reloads. */
  readonly #adopted: Set<string> = new Set();
  #ignoreStalls: (() => void) | undefined;

  /** @internal Use createMesh. */
  constructor(options: MeshOptions, telemetry: Telemetry) {
    const { clock = systemClock, random = systemRandom } = options;
    this.#options = options;
    this.#env = options.env ?? process.env;
    this.#source = options.config ?? {};
    this.clock = clock;
    this.#drain = new Drain(clock);
    this.#telemetry = telemetry;
    const emit = (event: MeshEvent): void => this.#emit(event);
    this.#repetition = new RepetitionSwitch(emit);
    const { identity: given, readyMs = READY_MS_DEFAULT } = options;
    this.#identity = new MeshIdentity({ clock, random, emit, given, readyMs });
    this.#access = new MeshAccess({ clock, emit, functions: options.authorize ?? [] });
    this.#inbound = new MeshInbound({ clock, random, emit, telemetry, onVerdict: this.#access.onVerdict });
    this.#deps = {
      clock,
      random,
      telemetry,
      drain: this.#drain,
      repetition: this.#repetition,
      users: this.#users,
      states: new Map(),
      routeStates: new Map(),
      seed: Math.floor(random() * 2 ** 32),
      stateDeps: {
        clock,
        random,
        emit,
        identity: null,
        parseEndpoints,
        resolver: options.resolver,
        leaf: options.transport,
        endpointLayers: [],
      },
    };
    this.dispatcher = new MeshDispatcher(this, { parseDuration: durationMs, onClose: () => this.close() });
    this.fetch = meshFetch({ outbound: this, dispatcher: this.dispatcher, parseDuration: durationMs });
  }

  /** The stack behind `scheme://host[:port]`, for edges of your own; null when no service names the host. */
  origin(origin: string): Origin | null {
    return this.#lookup(origin);
  }

  /** What the servers of this process take on; inmesh/server asks it. Throws a TypeError while there is none. */
  get inbound(): Inbound {
    return this.#inbound.it;
  }

  /** @internal For serving.ts. */
  takeIn(side: typeof Inbound): void {
    this.#inbound.begin(side);
  }

  /** The certificate of this process through time; null without one. */
  get identity(): IdentitySource | null {
    return this.#identity.source;
  }

  /** Whether hosts that no service names are refused. */
  get refusesUnknown(): boolean {
    return this.#compiled?.config.unknownHosts === 'refuse';
  }

  /** Whether the origin passes even then. */
  readonly passes = (origin: string): boolean => this.#passing(origin);

  get isClosed(): boolean {
    return this.#drain.isClosed;
  }

  /**
   * Any promise under the policies of a service: deadline, retries, budget, circuit, limits. The service may have no
   * endpoints (`endpoints: []`); a name that no service has gets the defaults.
   */
  call<T>(name: string, run: CallFunction<T>, options: FunctionCallOptions = {}): Promise<T> {
    const { timeout, policy } = options;
    const timeoutMs = timeout === undefined ? 0 : typeof timeout === 'number' ? timeout : durationMs(timeout);
    const known = this.#compiled?.services.get(name);
    if (known === undefined) return this.#callUnknown(name, run, options);
    const service = policy === undefined ? known.functions : policyLayer(policy, this.clock)(known.functions);
    return functionCall({ name, run, options, timeoutMs, clock: this.clock, service });
  }

  /** A name that the configuration does not know joins it, with its defaults; names come from code, so they are few. */
  async #callUnknown<T>(name: string, run: CallFunction<T>, options: FunctionCallOptions): Promise<T> {
    await this.#serially(() => this.#adopt(name));
    return this.call(name, run, options);
  }

  /** What would become of a call, and which line decided it. Nothing is sent. */
  explain(request: ExplainRequest): Explanation {
    const compiled = this.#running();
    const table = {
      config: compiled.config,
      users: this.#users,
      traced: this.#telemetry.isTraced(),
      at: this.#at,
      find: (origin: string) => {
        const found = findService(compiled, origin);
        return found === null ? null : { service: found.config, matchers: found.matchers };
      },
      takes: (match: RouteMatch, call: Call) => compileMatches([match], compiled.rules.compilePattern)?.(call) ?? true,
    };
    return explain(table, request);
  }

  /** The state of everything, as plain JSON. */
  snapshot(): MeshSnapshot {
    return snapshot(this.#running(), {
      hash: this.#hash,
      metrics: this.#telemetry.snapshot(),
      inbound: this.#inbound.snapshot(),
      certs: this.#identity.snapshot(),
      nowMs: this.clock.now(),
    });
  }

  /** For the `metricProducers` of an OpenTelemetry metric reader. */
  get metricProducer(): Telemetry['metricProducer'] {
    return this.#telemetry.metricProducer;
  }

  /** Puts a layer of yours, or any cockatiel policy, next to a role. Holds for calls from now on. */
  use(layer: Layer | IPolicy, options: UseOptions): this {
    this.#users.push(userLayer(layer, options, this.clock));
    this.#swap(rebuild(this.#running(), this.#deps));
    return this;
  }

  /**
   * Opens the circuit of a service by hand: every call is refused until the function returned is called. Throws a
   * TypeError for a service that is unknown or has no circuit breaker.
   */
  isolate(service: string, reason?: string): () => void {
    const breaker = this.#deps.states.get(service)?.breaker;
    if (breaker === null || breaker === undefined)
      throw new TypeError(`isolate: no service ${JSON.stringify(service)} with a circuit breaker`);
    return breaker.isolate(reason);
  }

  /**
   * No retries and no hedges to a service, or to any when none is named, until the function returned is called: for an
   * outage, to take the extra load off. Throws a TypeError for a service that is unknown.
   */
  pauseRetries(service = '', reason = 'by hand'): () => void {
    if (service !== '' && !this.#deps.states.has(service)) throw new TypeError(`pauseRetries: no service ${JSON.stringify(service)}`);
    return this.#repetition.pause(service, reason);
  }

  /** Resolves when every service knows its endpoints, or could not find them. */
  async ready(): Promise<void> {
    const states = [...this.#deps.states.values()];
    await Promise.all(states.map(({ ready }) => ready));
  }

  /**
   * Reads the configuration again, or takes another one. Everything is checked first; a faulty one rejects with
   * `config_invalid`, and what runs goes on running.
   */
  reload(config?: ConfigSource): Promise<void> {
    return this.#serially(async () => {
      const source = config ?? this.#source;
      let loaded: LoadedConfig;
      try {
        loaded = await this.#load(source, false);
      } catch (error) {
        this.#emit({ type: 'configRejected', message: (error as Error).message });
        throw error;
      }
      if (config !== undefined) this.#source = config;
      await this.#startWatch(loaded.files);
    });
  }

  /** New calls are refused; those under way have `drainMs` (10 s) to finish; then sockets, watches and timers go. */
  close(options: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainMs ?? DRAIN_MS_DEFAULT);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drainMs: number): Promise<void> {
    this.#watch?.close();
    process.off('SIGHUP', this.#onChange);
    this.#ignoreStalls?.();
    const untilMs = this.clock.now() + drainMs;
    const served = this.#inbound.close(drainMs);
    // Handlers under way still call others: their own calls are drained after them.
    if (served !== null) await served;
    await this.#drain.close(Math.max(0, untilMs - this.clock.now()));
    await this.#reloading;
    this.#telemetry.close();
    for (const state of this.#deps.states.values()) state.close();
    this.#identity.close();
    this.#access.close();
  }

  /** @internal */
  async start(): Promise<this> {
    this.#source = this.#options.config ?? (await defaultSource(this.#env));
    const loaded = await this.#load(this.#source, true);
    await this.#startWatch(loaded.files);
    this.#ignoreStalls = this.clock.onStall?.((forMs) => this.#emit({ type: 'eventLoopStalled', forMs }));
    const { readyMs = READY_MS_DEFAULT } = this.#options;
    const waited = Promise.withResolvers<void>();
    const timer = runAt(this.clock, this.clock.now() + readyMs, waited.resolve);
    await Promise.race([this.ready(), waited.promise]);
    this.clock.disarm(timer);
    return this;
  }

  async #load(source: ConfigSource, isFirst: boolean): Promise<LoadedConfig> {
    const loaded = await loadMeshConfig(source, this.#env);
    if (!isFirst && loaded.hash === this.#hash) return loaded;
    let compiled: CompiledMesh;
    let check: AccessCheck | null = null;
    try {
      compiled = await this.#identity.with(loaded.config.identity, async (identity) => {
        const access = await this.#access.prepare(loaded.config, identity);
        const ready = await compile(withNames(loaded.config, this.#adopted), this.#depsWith(identity));
        check = this.#access.commit(access);
        return ready;
      });
    } catch (error) {
      if (error instanceof MeshError) throw error;
      throw meshError({ code: 'config_invalid', message: (error as Error).message, cause: error });
    }
    this.#hash = loaded.hash;
    this.#at = loaded.at;
    this.#swap(compiled);
    this.#inbound.update(loaded.config, this.identity, check);
    this.#emit({ type: 'configLoaded', hash: loaded.hash });
    return loaded;
  }

  #swap(compiled: CompiledMesh): void {
    this.#compiled = compiled;
    this.#lookup = originLookup(compiled);
    this.#passing = passLookup(compiled.config.passHosts ?? []);
    this.#telemetry.observe(this.#deps.states);
  }

  async #adopt(name: string): Promise<void> {
    const { config, services } = this.#running();
    if (services.has(name)) return;
    this.#adopted.add(name);
    this.#swap(await compile(withNames(config, this.#adopted), this.#depsWith(this.identity)));
  }

  #depsWith(identity: IdentitySource | null): CompileDeps {
    return { ...this.#deps, stateDeps: { ...this.#deps.stateDeps, identity } };
  }

  #running(): CompiledMesh {
    if (this.#compiled === null) throw meshError({ code: 'closed', message: 'the mesh has not started' });
    return this.#compiled;
  }

  #serially<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#reloading.then(task, task);
    this.#reloading = done.catch(() => {});
    return done;
  }

  #emit(event: MeshEvent): void {
    this.#telemetry.onEvent(event);
    this.events.emit(event);
  }

  /** A watch goes on while the files are the same. What falls between two of them is looked for. */
  async #startWatch(files: readonly string[]): Promise<void> {
    const isWanted = this.#options.watch !== false && isFileSource(this.#source);
    const paths = isWanted ? [...new Set([...[this.#source as string | readonly string[]].flat(), ...files])] : [];
    const watched = paths.join('\n');
    if (watched === this.#watched) return;
    const isAnother = this.#watch !== null;
    this.#watched = watched;
    this.#watch?.close();
    this.#watch = null;
    process.off('SIGHUP', this.#onChange);
    if (!isWanted) return;
    const { watchFiles } = await import('../core/file-watch.ts');
    if (this.isClosed) return;
    this.#watch = watchFiles(paths, this.#onChange, { clock: this.clock });
    process.on('SIGHUP', this.#onChange);
    if (isAnother) this.#onChange();
  }

  /** A file changed, or SIGHUP came. What is wrong was emitted; nobody waits for the promise. */
  readonly #onChange = (): void => {
    this.reload().catch(() => {});
  };
}

/** The configuration with an entry for every name that has none. */
function withNames(config: MeshConfig, names: ReadonlySet<string>): MeshConfig {
  const { unnamed } = config;
  const services = { ...config.services };
  for (const name of names) {
    const routes = unnamed.routes.map((route) => ({ ...route, targets: route.targets.map((target) => ({ ...target, service: name })) }));
    services[name] ??= { ...unnamed, name, hosts: [], routes };
  }
  return { ...config, services };
}

/** What create-mesh.ts loads. */
export function createMesh(options: MeshOptions = {}): Promise<Mesh> {
  return new Mesh(options, makeTelemetry(options.telemetry ?? {}, options.clock ?? systemClock)).start();
}
