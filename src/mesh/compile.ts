// From what is wanted to what runs: a config becomes stacks. Everything by name is resolved here, once, so that a call
// looks nothing up. The old stacks serve the calls that began on them.
import { balancer } from '../balance/balancer.ts';
import { makePicker } from '../balance/make-picker.ts';
import type { Call, DestinationRef, RouteRef } from '../core/call.ts';
import { isIdempotent } from '../core/classify.ts';
import { type Service, wrap } from '../core/service.ts';
import type { MeshConfig, RouteConfig, ServiceConfig } from '../model/config.ts';
import type { RetryPolicy } from '../model/destination.ts';
import type { RouteTarget } from '../model/route.ts';
import { compileMatches } from '../route/match.ts';
import { loadRegex, type RegexCompiler } from '../route/regex.ts';
import { router } from '../route/router.ts';
import { splitter } from '../route/splitter.ts';
import { functionLeaf } from './function-call.ts';
import { type PreparedService, ServiceState, type ServiceStateDeps } from './service-state.ts';
import {
  CALL_STACK,
  type CallDeps,
  DESTINATION_STACK,
  layersOf,
  ROUTE_STACK,
  type RouteDeps,
  type StackDeps,
  type UserLayer,
} from './stack.ts';

export interface CompiledService {
  readonly config: ServiceConfig;
  readonly state: ServiceState;
  /** The stack of an HTTP call. */
  readonly service: Service;
  /** The stack of `mesh.call`. */
  readonly functions: Service;
  /** One per route; what `explain` asks. */
  readonly matchers: readonly ((call: Call) => boolean)[];
  /** The longest body that any of its routes would replay. */
  readonly bodyBytesMax: number;
}

export interface CompiledMesh {
  readonly config: MeshConfig;
  readonly services: ReadonlyMap<string, CompiledService>;
  readonly hosts: ReadonlyMap<string, CompiledService>;
  readonly matchers: Matchers;
}

export interface CompileDeps extends Omit<StackDeps, 'config'> {
  readonly states: Map<string, ServiceState>;
  readonly stateDeps: ServiceStateDeps;
  readonly users: readonly UserLayer[];
}

type Regex = (pattern: string) => (text: string) => boolean;

const MATCHES_ALL = (): boolean => true;

/** Whether any rule needs a regular expression: the engine is loaded only then. */
function usesRegex(config: MeshConfig): boolean {
  return JSON.stringify(config.services).includes('"kind":"regex"');
}

async function regexOf(config: MeshConfig): Promise<Regex> {
  if (!usesRegex(config)) return () => MATCHES_ALL;
  const compiler: RegexCompiler = await loadRegex();
  return (pattern) => compiler.compile(pattern);
}

/** Prepares everything that may fail, then swaps. Rejects without having changed anything. */
export async function compile(config: MeshConfig, deps: CompileDeps): Promise<CompiledMesh> {
  const { states, stateDeps } = deps;
  const services = Object.values(config.services);
  const regex = await regexOf(config);
  const matchers = new Map(services.map((service) => [service.name, service.routes.map((route) => compileMatches(route.matches, regex))]));
  const prepared = await Promise.all(services.map((service) => ServiceState.prepare(service, states.get(service.name), stateDeps)));

  for (const one of prepared) commitState(states, one);
  for (const [name, state] of states) {
    if (config.services[name] !== undefined) continue;
    state.close();
    states.delete(name);
  }
  return build(config, matchers, deps);
}

type Matchers = ReadonlyMap<string, readonly (((call: Call) => boolean) | null)[]>;

function build(config: MeshConfig, matchers: Matchers, deps: CompileDeps): CompiledMesh {
  const layers = deps.users.filter(({ of }) => of === 'transport').map(({ layer }) => layer);
  for (const state of deps.states.values()) state.useLayers(layers);
  const stacks = new Build(config, deps);
  const services = new Map(
    Object.values(config.services).map((service) => [service.name, stacks.service(service, matchers.get(service.name) ?? [])]),
  );
  const hosts = new Map<string, CompiledService>();
  for (const one of services.values()) for (const host of one.config.hosts) hosts.set(host, one);
  return { config, services, hosts, matchers };
}

/** The same configuration with other layers of the user. */
export function rebuild({ config, matchers }: CompiledMesh, deps: CompileDeps): CompiledMesh {
  return build(config, matchers, deps);
}

function commitState(states: Map<string, ServiceState>, prepared: PreparedService): void {
  const { name } = prepared.config;
  const known = states.get(name);
  if (known === undefined) states.set(name, new ServiceState(prepared));
  else known.commit(prepared);
}

class Build {
  readonly #config: MeshConfig;
  readonly #deps: CompileDeps;

  constructor(config: MeshConfig, deps: CompileDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  service(service: ServiceConfig, matchers: readonly (((call: Call) => boolean) | null)[]): CompiledService {
    const { states, users } = this.#deps;
    const deps = this.#callDeps(service);
    const routes = service.routes.map((route, index) => ({
      ref: routeRef(service, route),
      matches: matchers[index] ?? null,
      service: this.#route({ ...deps, route }),
    }));
    return {
      config: service,
      state: states.get(service.name) as ServiceState,
      service: wrap(router(routes), layersOf(CALL_STACK, deps, users)),
      functions: this.#functions(deps),
      matchers: matchers.map((matches) => matches ?? MATCHES_ALL),
      bodyBytesMax: Math.max(...service.routes.map((route) => (route.retries ?? service.retries).bodyBytesMax)),
    };
  }

  #callDeps(service: ServiceConfig): CallDeps {
    const { clock, random, telemetry, drain } = this.#deps;
    return { config: this.#config, clock, random, telemetry, drain, service };
  }

  #route(deps: RouteDeps): Service {
    const { route, random } = deps;
    const targets = route.targets.map((target) => ({
      ref: destinationRef(target),
      weight: target.weight,
      service: this.#destination(deps, target),
    }));
    const split = splitter(targets, { random, ...(route.sticky === undefined ? {} : { sticky: route.sticky }) });
    return wrap(split, layersOf(ROUTE_STACK, deps, this.#deps.users));
  }

  #destination(deps: RouteDeps, target: RouteTarget): Service {
    const { states, users, clock, random } = this.#deps;
    const service = this.#config.services[target.service] as ServiceConfig;
    const state = states.get(target.service) as ServiceState;
    const retries = deps.route.retries ?? service.retries;
    const destination = destinationRef(target).name;
    const leaf = balancer({
      set: state.set,
      labels: labelsOf(service, target),
      spillTo: spillOf(service, deps.route, target, retries),
      picker: makePicker(service.loadBalancer, random),
      outlier: state.outlier,
      clock,
      destinationName: destination,
      isRepeatable: (call) => (call.body === null || call.body.replayable) && isIdempotent(call, retries),
    });
    return wrap(leaf, layersOf(DESTINATION_STACK, { ...deps, caller: deps.service, service, state, retries, destination }, users));
  }

  /** `mesh.call` has no routes and no endpoints: one fixed way down to the function. */
  #functions(deps: CallDeps): Service {
    const { states, users, clock } = this.#deps;
    const { service } = deps;
    const state = states.get(service.name) as ServiceState;
    const route = service.routes.at(-1) as RouteConfig;
    const ref: RouteRef = { name: 'call', service: service.name, timeoutMs: service.timeoutMs };
    const destination: DestinationRef = { service: service.name, subset: '', name: service.name };
    const destinationDeps = {
      ...deps,
      caller: service,
      route: { ...route, name: 'call' },
      state,
      retries: service.retries,
      destination: service.name,
    };
    const below = wrap(functionLeaf(clock), layersOf(DESTINATION_STACK, destinationDeps, users));
    const routeStack = ROUTE_STACK.filter(({ role }) => role !== 'headers');
    const inner = wrap(below, layersOf(routeStack, { ...deps, route }, users));
    const callStack = CALL_STACK.filter(({ role }) => role !== 'respond');
    return wrap(
      (call) => {
        call.route = ref;
        call.destination = destination;
        return inner(call);
      },
      layersOf(callStack, deps, users),
    );
  }
}

function routeRef(service: ServiceConfig, route: RouteConfig): RouteRef {
  return { name: route.name, service: service.name, timeoutMs: route.timeoutMs ?? service.timeoutMs };
}

function destinationRef({ service, subset = '' }: RouteTarget): DestinationRef {
  return { service, subset, name: subset === '' ? service : `${service}/${subset}` };
}

function labelsOf(service: ServiceConfig, { subset }: RouteTarget): Readonly<Record<string, string>> | null {
  return subset === undefined ? null : (service.subsets[subset] ?? null);
}

/** The other subsets that the route itself sends calls to: a retry may go there, never to a subset that the rule hides. */
function spillOf(
  service: ServiceConfig,
  route: RouteConfig,
  target: RouteTarget,
  retries: RetryPolicy,
): Readonly<Record<string, string>>[] {
  if (!retries.acrossSubsets || target.subset === undefined) return [];
  return route.targets
    .filter((other) => other.service === target.service && other.subset !== undefined && other.subset !== target.subset && other.weight > 0)
    .map((other) => service.subsets[other.subset as string] as Readonly<Record<string, string>>);
}
