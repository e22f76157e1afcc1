// From what is wanted to what runs: a config becomes stacks. Everything by name is resolved here, once, so that a call
// looks nothing up. The old stacks serve the calls that began on them.
import { balancer } from '../balance/balancer.ts';
import { adaptiveRoom, outcomeListener } from '../balance/outcome-listener.ts';
import { plainPicker } from '../balance/plain-picker.ts';
import type { Call, DestinationRef, RouteRef } from '../core/call.ts';
import { isIdempotent } from '../core/classify.ts';
import { type Service, wrap } from '../core/service.ts';
import type { MeshConfig, RouteConfig, ServiceConfig } from '../model/config.ts';
import type { BalancerPolicy, RetryPolicy } from '../model/destination.ts';
import type { RouteTarget } from '../model/route.ts';
import { routeRetries } from '../model/route-retries.ts';
import { compileMatches } from '../route/match.ts';
import type { RegexCompiler } from '../route/regex.ts';
import { router } from '../route/router.ts';
import { splitter } from '../route/splitter.ts';
import { functionLeaf } from './function-call.ts';
import { HostTable } from './host-table.ts';
import { loadParts, needed, type Parts } from './parts.ts';
import { RouteState } from './route-state.ts';
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
  readonly hosts: HostTable<CompiledService>;
  /** For `rebuild`. */
  readonly rules: Rules;
}

export interface CompileDeps extends Omit<StackDeps, 'config'> {
  readonly states: Map<string, ServiceState>;
  /** By service and name of the route. */
  readonly routeStates: Map<string, RouteState>;
  readonly stateDeps: ServiceStateDeps;
  /** A number of this process: which endpoints its subset has, where its keys fall. */
  readonly seed: number;
  readonly users: readonly UserLayer[];
}

const MATCHES_ALL = (): boolean => true;

/** Of a configuration without patterns: never asked. */
const NO_PATTERNS: Pick<RegexCompiler, 'compile' | 'replacer'> = { compile: () => MATCHES_ALL, replacer: () => (text) => text };

/** Prepares everything that may fail, then swaps. Rejects without having changed anything. */
export async function compile(config: MeshConfig, deps: CompileDeps): Promise<CompiledMesh> {
  const { states, stateDeps } = deps;
  const services = Object.values(config.services);
  const parts = await loadParts(config);
  const { compile: compilePattern } = parts.regex ?? NO_PATTERNS;
  const matchers = new Map(
    services.map((service) => [service.name, service.routes.map((route) => compileMatches(route.matches, compilePattern))]),
  );
  const prepared = await Promise.all(services.map((service) => ServiceState.prepare(service, states.get(service.name), stateDeps, parts)));

  for (const one of prepared) commitState(states, one);
  for (const [name, state] of states) {
    if (config.services[name] !== undefined) continue;
    state.close();
    states.delete(name);
  }
  return build(config, { matchers, parts, compilePattern }, deps);
}

type Matchers = ReadonlyMap<string, readonly (((call: Call) => boolean) | null)[]>;

/** What was compiled of the rules themselves. */
interface Rules {
  readonly matchers: Matchers;
  readonly parts: Parts;
  readonly compilePattern: RegexCompiler['compile'];
}

function build(config: MeshConfig, rules: Rules, deps: CompileDeps): CompiledMesh {
  const layers = deps.users.filter(({ of }) => of === 'transport').map(({ layer }) => layer);
  for (const state of deps.states.values()) state.useLayers(layers);
  const stacks = new Build(config, rules, deps);
  const services = new Map(
    Object.values(config.services).map((service) => [service.name, stacks.service(service, rules.matchers.get(service.name) ?? [])]),
  );
  const hosts = new HostTable<CompiledService>();
  for (const one of services.values()) for (const host of one.config.hosts) hosts.add(host, one);
  stacks.dropOldRoutes();
  return { config, services, hosts, rules };
}

/** The same configuration with other layers of the user. */
export function rebuild({ config, rules }: CompiledMesh, deps: CompileDeps): CompiledMesh {
  return build(config, rules, deps);
}

function commitState(states: Map<string, ServiceState>, prepared: PreparedService): void {
  const { name } = prepared.config;
  const known = states.get(name);
  if (known === undefined) states.set(name, new ServiceState(prepared));
  else known.commit(prepared);
}

class Build {
  readonly #config: MeshConfig;
  readonly #rules: Rules;
  readonly #deps: CompileDeps;
  readonly #routes: Set<string> = new Set();

  constructor(config: MeshConfig, rules: Rules, deps: CompileDeps) {
    this.#config = config;
    this.#rules = rules;
    this.#deps = deps;
  }

  /** Routes that no service has any more lose what was learnt of them. */
  dropOldRoutes(): void {
    const { routeStates } = this.#deps;
    for (const key of routeStates.keys()) if (!this.#routes.has(key)) routeStates.delete(key);
  }

  service(service: ServiceConfig, matchers: readonly (((call: Call) => boolean) | null)[]): CompiledService {
    const { states, users } = this.#deps;
    const deps = this.#callDeps(service);
    const routes = service.routes.map((route, index) => ({
      ref: routeRef(service, route),
      matches: matchers[index] ?? null,
      rules: route.matches,
      service: this.#route(deps, route),
    }));
    return {
      config: service,
      state: states.get(service.name) as ServiceState,
      service: wrap(router(routes), layersOf(CALL_STACK, deps, users)),
      functions: this.#functions(deps),
      matchers: matchers.map((matches) => matches ?? MATCHES_ALL),
      bodyBytesMax: Math.max(...service.routes.map((route) => bodyBytesMax(service, route))),
    };
  }

  #callDeps(service: ServiceConfig): CallDeps {
    const { clock, random, telemetry, drain, repetition, states } = this.#deps;
    const bucket = states.get(service.name)?.bucket ?? null;
    const { parts } = this.#rules;
    const { replacer } = parts.regex ?? NO_PATTERNS;
    return { config: this.#config, clock, random, telemetry, drain, repetition, service, bucket, replacer, parts };
  }

  #routeState(service: ServiceConfig, route: RouteConfig, place: readonly string[] = [service.name, route.name]): RouteState {
    const { routeStates, clock, random, telemetry } = this.#deps;
    const key = JSON.stringify(place);
    this.#routes.add(key);
    let state = routeStates.get(key);
    if (state === undefined) {
      state = new RouteState({ clock, random, count: telemetry.actions(service.name, route.name) });
      routeStates.set(key, state);
    }
    state.update(route, this.#rules.parts, this.#rules.compilePattern);
    return state;
  }

  #route(callDeps: CallDeps, route: RouteConfig): Service {
    const { service, telemetry } = callDeps;
    const actions = telemetry.actions(service.name, route.name);
    const deps: RouteDeps = { ...callDeps, route, traffic: this.#routeState(service, route), mirrors: [], actions };
    const mirrors = route.mirrors.map((policy) => ({
      policy,
      destination: destinationRef(policy.target),
      send: this.#destination(deps, policy.target, NO_RETRIES),
    }));
    return wrap(this.#branch(deps), layersOf(ROUTE_STACK, { ...deps, mirrors }, this.#deps.users));
  }

  /** Where the stack of a route ends: among its targets, or in an answer of its own. */
  #branch(deps: RouteDeps): Service {
    const { route, random, clock, replacer, parts } = deps;
    if (route.directResponse !== undefined) return needed(parts.answer).directResponse(route.directResponse, { clock });
    if (route.redirect !== undefined) return needed(parts.redirect).redirect(route.redirect, { clock, replacer });
    const targets = route.targets.map((target) => ({
      ref: destinationRef(target),
      weight: target.weight,
      service: this.#target(deps, target),
    }));
    return splitter(targets, { random, ...(route.sticky === undefined ? {} : { sticky: route.sticky }) });
  }

  #target(deps: RouteDeps, target: RouteTarget): Service {
    const { clock, replacer, parts } = deps;
    if (target.fails !== undefined) return needed(parts.failing).failingTarget(target.fails, clock);
    if (target.redirect !== undefined) return needed(parts.redirect).redirect(target.redirect, { clock, replacer });
    return this.#destination(deps, target, DESTINATION_STACK);
  }

  #destination(deps: RouteDeps, target: RouteTarget, stack: typeof DESTINATION_STACK): Service {
    const { states, users, clock, random, seed } = this.#deps;
    const service = this.#config.services[target.service] as ServiceConfig;
    const { loadBalancer } = service;
    const state = states.get(target.service) as ServiceState;
    const retries = retriesOf(service, deps.route);
    const destination = destinationRef(target).name;
    const leaf = balancer({
      set: state.set,
      labels: labelsOf(service, target),
      spillTo: spillOf(service, deps.route, target, retries),
      picker: plainPicker(loadBalancer, random) ?? needed(deps.parts.picker).makePicker(loadBalancer, random, seed),
      outlier: state.outlier,
      clock,
      destinationName: destination,
      policy: withRetries(loadBalancer, retries),
      random,
      self: this.#config.self,
      seed,
      // The retry margin reads it; a few answers a second are looked at.
      readsLoad: true,
      retriesStay: loadBalancer.hash?.retriesStay === true || (retries.semantics?.kind === 'envoy' && !retries.semantics.avoidTried),
      neverPanics: loadBalancer.panicPercent === null || state.outlier?.neverPanics === true,
      room: adaptiveRoom(service.limits.adaptive),
      onOutcome: outcomeListener(service.limits.adaptive, service.healthCheck !== null),
      isRepeatable: (call) => (call.body === null || call.body.replayable) && isIdempotent(call, retries),
    });
    return wrap(leaf, layersOf(stack, { ...deps, caller: deps.service, service, state, retries, destination, target }, users));
  }

  /** `mesh.call` has no routes and no endpoints: one fixed way down to the function. */
  #functions(deps: CallDeps): Service {
    const { states, users, clock } = this.#deps;
    const { service } = deps;
    const state = states.get(service.name) as ServiceState;
    const ref: RouteRef = { name: 'call', service: service.name, timeoutMs: service.timeoutMs };
    const destination: DestinationRef = { service: service.name, subset: '', name: service.name };
    const plain: RouteConfig = { name: 'call', dialect: 'inmesh', matches: [], targets: [], mirrors: [], idempotent: false };
    const target: RouteTarget = { service: service.name, weight: 1 };
    const actions = deps.telemetry.actions(service.name, plain.name);
    // A route of the user may have the same name.
    const traffic = this.#routeState(service, plain, [service.name]);
    const routeDeps: RouteDeps = { ...deps, route: plain, traffic, mirrors: [], actions };
    const destinationDeps = { ...routeDeps, caller: service, state, retries: service.retries, destination: service.name, target };
    const below = wrap(functionLeaf(clock), layersOf(DESTINATION_STACK, destinationDeps, users));
    const inner = wrap(below, layersOf(ROUTE_STACK, routeDeps, users));
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

/** Whether retries leave the zone is a matter of the retries in Envoy's way of seeing it. */
function withRetries(policy: BalancerPolicy, { semantics }: RetryPolicy): BalancerPolicy {
  if (policy.locality === null || semantics?.kind !== 'envoy') return policy;
  return { ...policy, locality: { ...policy.locality, retriesLeave: semantics.leavePriority } };
}

/** A copy is sent once. */
const NO_RETRIES = DESTINATION_STACK.filter(({ role }) => role !== 'retry');

function retriesOf(service: ServiceConfig, route: RouteConfig): RetryPolicy {
  const retries = routeRetries(route, service);
  return route.idempotent ? { ...retries, methods: ANY_METHOD } : retries;
}

const ANY_METHOD: readonly string[] = Object.freeze(['*']);

/** The longest body that is kept, for replay or for a copy. */
function bodyBytesMax(service: ServiceConfig, route: RouteConfig): number {
  return Math.max(retriesOf(service, route).bodyBytesMax, ...route.mirrors.map((mirror) => mirror.bodyBytesMax));
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
