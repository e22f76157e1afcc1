// READ THIS FIRST: the way of a call, from the caller's hand to the socket. Four small stacks, outermost entry first;
// each ends in a branch or in the leaf, which leads to the next. The order is data: a test checks `above` and `below`,
// `inmesh explain` prints these very entries, and users insert their own layers by role.
import type { LiveEndpoint } from '../balance/endpoint.ts';
import { inherited } from '../core/context.ts';
import type { Clock, Random } from '../core/clock.ts';
import { MeshError, meshError } from '../core/errors.ts';
import type { Layer } from '../core/service.ts';
import type { MeshConfig, RouteConfig, ServiceConfig } from '../model/config.ts';
import type { RetryPolicy } from '../model/destination.ts';
import type { RouteTarget } from '../model/route.ts';
import type { ActionCounter } from '../telemetry/action-counter.ts';
import { admissionLayer } from '../resilience/admission-layer.ts';
import { deadlineLayer } from '../resilience/deadline-layer.ts';
import type { RepetitionSwitch } from '../resilience/repetition-switch.ts';
import { type HedgeDeps, type RetryDeps, retryLayer } from '../resilience/retry-layer.ts';
import type { MirrorTarget } from '../route/mirror-layer.ts';
import type { Replacer } from '../route/regex.ts';
import type { TokenBucket } from '../route/token-bucket.ts';
import { copyOf } from '../transport/body.ts';
import type { Drain } from './drain.ts';
import { needed, type Parts } from './parts.ts';
import { respondLayer } from './respond-layer.ts';
import type { RouteState } from './route-state.ts';
import type { ServiceState } from './service-state.ts';
import type { Telemetry } from './telemetry.ts';

/** One place in a stack. */
export interface StackEntry<Deps> {
  readonly role: string;
  /** Why it stands here, in one sentence. */
  readonly why: string;
  /** Roles of the same stack that must stand further in. */
  readonly above: readonly string[];
  /** Roles of the same stack that must stand further out. */
  readonly below: readonly string[];
  /** null when the policy is absent: an absent policy costs nothing. Branches and the leaf are made by compile. */
  readonly make: (deps: Deps) => Layer | null;
}

export interface StackDeps {
  readonly config: MeshConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly drain: Drain;
  /** Stops retries and hedges by hand. */
  readonly repetition: RepetitionSwitch;
}

export interface CallDeps extends StackDeps {
  readonly service: ServiceConfig;
  readonly replacer: Replacer;
  /** What the configuration asks for beyond what every mesh has. */
  readonly parts: Parts;
  /** Of the service that is called. */
  readonly bucket: TokenBucket | null;
}

export interface RouteDeps extends CallDeps {
  readonly route: RouteConfig;
  readonly traffic: RouteState;
  readonly mirrors: readonly MirrorTarget[];
  /** Counts what the route does beside sending calls on. */
  readonly actions: ActionCounter;
}

export interface DestinationDeps extends RouteDeps {
  readonly state: ServiceState;
  readonly retries: RetryPolicy;
  readonly destination: string;
  readonly target: RouteTarget;
  /** The service whose route this is; `service` is the one that the target names, which may be another. */
  readonly caller: ServiceConfig;
}

const BRANCH = (): null => null;

/** The logical call. */
export const CALL_STACK: readonly StackEntry<CallDeps>[] = [
  {
    role: 'respond',
    why: 'Outermost, so that spans and metrics still see the refusal that it turns into an answer.',
    above: ['drain', 'span', 'metrics', 'router'],
    below: [],
    make: ({ config, clock }) => (config.failures === 'respond' ? respondLayer(clock) : null),
  },
  {
    role: 'drain',
    why: 'Above all that works: close waits for every call under way, whatever layer it is in, and refuses those that come later.',
    above: ['span', 'metrics', 'router'],
    below: ['respond'],
    make: ({ drain }) => drain.layer,
  },
  {
    role: 'span',
    why: 'Above everything that may refuse or repeat, so that one span tells the whole story of the call.',
    above: ['metrics', 'router'],
    below: ['respond', 'drain'],
    make: ({ telemetry, service }) => telemetry.callSpan(service.name),
  },
  {
    role: 'metrics',
    why: 'Counts calls as the caller sees them: with their retries, waits and refusals.',
    above: ['service-rate-limit', 'router'],
    below: ['span'],
    make: ({ telemetry, service, config }) => telemetry.callMetrics(service.name, config.grpcMetrics),
  },
  {
    role: 'service-rate-limit',
    why: 'Above the router, so that all routes share the tokens of the service; below span and metrics, which see what is refused.',
    above: ['router'],
    below: ['span', 'metrics'],
    make: ({ bucket, clock, service, parts }) =>
      bucket === null ? null : needed(parts.rateLimit).rateLimitLayer(bucket, { clock, name: `service ${service.name}` }),
  },
  {
    role: 'router',
    why: 'The first rule that matches decides timeout, retries and targets; below it everything belongs to one route.',
    above: [],
    below: ['span', 'metrics', 'service-rate-limit'],
    make: BRANCH,
  },
];

/** One route of a service. */
export const ROUTE_STACK: readonly StackEntry<RouteDeps>[] = [
  {
    role: 'criticality',
    why: 'Says once how much a call matters, before anybody has to drop something.',
    above: ['fallback', 'rate-limit', 'fault', 'deadline', 'coalesce', 'mirror', 'splitter'],
    below: [],
    make: ({ route, parts }) => (route.criticality === undefined ? null : needed(parts.criticality).criticalityLayer(route.criticality)),
  },
  {
    role: 'fallback',
    why: 'Above everything of the route that may refuse or fail, so it is asked last; below span and metrics, which see the failure.',
    above: ['rate-limit', 'fault', 'headers', 'rewrite', 'deadline', 'cache', 'coalesce', 'mirror', 'splitter'],
    below: ['criticality'],
    make: ({ route, clock, actions, parts }) =>
      route.fallback === undefined ? null : needed(parts.fallback).fallbackLayer(route.fallback, { clock, onAction: actions }),
  },
  {
    role: 'rate-limit',
    why: 'Before anything is done for a call: one that is refused costs nothing, and one that is repeated pays once.',
    above: ['fault', 'headers', 'rewrite', 'deadline', 'mirror', 'splitter'],
    below: [],
    make: ({ traffic, clock, service, route, parts }) =>
      traffic.bucket === null
        ? null
        : needed(parts.rateLimit).rateLimitLayer(traffic.bucket, { clock, name: `route ${service.name}/${route.name}` }),
  },
  {
    role: 'fault',
    why: 'Above the deadline: a fault of position `call` is no time of the call, and no retry repeats it, as in Istio; it sees the headers of the caller.',
    above: ['headers', 'deadline', 'mirror', 'splitter'],
    below: ['rate-limit'],
    make: ({ traffic, clock, parts }) =>
      traffic.fault?.policy.position === 'call' ? needed(parts.fault).faultLayer(traffic.fault, { clock }) : null,
  },
  {
    role: 'headers',
    why: 'Above the split and the retries: a header is set once, and every attempt carries it.',
    above: ['deadline', 'splitter'],
    below: [],
    make: ({ route, parts }) =>
      route.requestHeaders === undefined && route.responseHeaders === undefined
        ? null
        : needed(parts.headers).headerLayer(route.requestHeaders, route.responseHeaders),
  },
  {
    role: 'rewrite',
    why: 'Below the header operations, above every copy and attempt: all of them go to the new path and host.',
    above: ['deadline', 'mirror', 'splitter'],
    below: ['headers'],
    make: ({ route, replacer, parts }) =>
      route.rewrite === undefined ? null : needed(parts.rewrite).rewriteLayer(route.rewrite, { replacer }),
  },
  {
    role: 'deadline',
    why: 'Above the retries, so that one absolute time bounds all of them; below the router, which knows the timeout.',
    above: ['mirror', 'splitter'],
    below: ['rate-limit', 'fault', 'rewrite'],
    make: ({ clock }) => deadlineLayer({ clock, inherited }),
  },
  {
    role: 'cache',
    why: 'Below the deadline, which all that is asked for one call shares; above coalescing: an answer at hand waits for nobody.',
    above: ['coalesce', 'mirror', 'splitter'],
    below: ['fallback', 'headers', 'rewrite', 'deadline'],
    make: ({ traffic, actions, parts }) =>
      traffic.cache === null ? null : needed(parts.cache).cacheLayer(traffic.cache, { onAction: actions }),
  },
  {
    role: 'coalesce',
    why: "Below the deadline, which is each caller's own; above mirror, split and retries, which happen once for all who wait.",
    above: ['mirror', 'splitter'],
    below: ['fallback', 'deadline', 'cache'],
    make: ({ traffic, parts }) => (traffic.flights === null ? null : needed(parts.coalesce).coalesceLayer(traffic.flights)),
  },
  {
    role: 'mirror',
    why: 'Below all that changes or refuses the call, so that the copy is what would be sent; above the retries, so that none of them is copied.',
    above: ['splitter'],
    below: ['rate-limit', 'fault', 'headers', 'rewrite', 'deadline'],
    make: ({ mirrors, clock, random, traffic, parts }) =>
      mirrors.length === 0 ? null : needed(parts.mirror).mirrorLayer(mirrors, { clock, random, mirrors: needed(traffic.mirrors), copyOf }),
  },
  {
    role: 'splitter',
    why: 'Above the retries: a call is drawn once, and its weight counts once however often it is repeated.',
    above: [],
    below: ['deadline', 'mirror'],
    make: BRANCH,
  },
];

/** One target of a route: a service, or a subset of it. */
export const DESTINATION_STACK: readonly StackEntry<DestinationDeps>[] = [
  {
    role: 'target-headers',
    why: 'Below the splitter, which has drawn the target; above the retries: a header is set once.',
    above: ['target-rewrite', 'retry'],
    below: [],
    make: ({ target, parts }) =>
      target.requestHeaders === undefined && target.responseHeaders === undefined
        ? null
        : needed(parts.headers).headerLayer(target.requestHeaders, target.responseHeaders),
  },
  {
    role: 'target-rewrite',
    why: 'As for the route: below the header operations, above every attempt.',
    above: ['retry'],
    below: ['target-headers'],
    make: ({ target, replacer, parts }) =>
      target.rewrite === undefined ? null : needed(parts.rewrite).rewriteLayer(target.rewrite, { replacer }),
  },
  {
    role: 'retry',
    why: 'Above admission and balancing, so that every attempt, repeated or hedged, asks again and goes to another endpoint.',
    above: ['attempt-span', 'attempt-metrics', 'admission', 'attempt-fault', 'balancer'],
    below: ['target-headers', 'target-rewrite'],
    make: (deps) => retryLayer(deps.retries, retryDeps(deps), hedgeDeps(deps)),
  },
  {
    role: 'attempt-span',
    why: 'Below retry: one CLIENT span for each attempt, refused ones included.',
    above: ['attempt-metrics', 'admission', 'balancer'],
    below: ['retry'],
    make: ({ telemetry, service }) => telemetry.attemptSpan(service.name, service.protocol),
  },
  {
    role: 'attempt-metrics',
    why: 'Below retry: what the endpoints saw, as opposed to what the caller saw.',
    above: ['admission', 'balancer'],
    below: ['retry'],
    make: ({ telemetry, caller, destination, route, config }) =>
      telemetry.attemptMetrics(caller.name, destination, route.name, config.grpcMetrics),
  },
  {
    role: 'admission',
    why: 'Before an endpoint is picked: limits and circuit belong to the service as a whole, and a refusal blames no endpoint.',
    above: ['balancer'],
    below: ['retry'],
    make: ({ state, service, clock }) =>
      admissionLayer({ breaker: state.breaker, limits: state.limits, policy: service.limits, clock, name: service.name }),
  },
  {
    role: 'throttle',
    why: 'Below admission: what an open circuit refuses is no answer of the service, and must not be counted; above fault and balancer, which are the service.',
    above: ['attempt-fault', 'balancer'],
    below: ['retry', 'attempt-span', 'attempt-metrics', 'admission'],
    make: ({ state, service, clock, random, parts }) =>
      state.throttle === null
        ? null
        : needed(parts.throttle).throttleLayer(state.throttle, { breaker: state.breaker, clock, random, name: service.name }),
  },
  {
    role: 'attempt-fault',
    why: 'Below admission: timers, limits and circuit meet the fault as they would a sick endpoint; above the balancer, so that no endpoint is blamed.',
    above: ['balancer'],
    below: ['retry', 'attempt-span', 'attempt-metrics', 'admission'],
    make: ({ traffic, clock, parts }) =>
      traffic.fault?.policy.position === 'attempt' ? needed(parts.fault).faultLayer(traffic.fault, { clock }) : null,
  },
  {
    role: 'balancer',
    why: 'Picks the endpoint as late as possible, with what the attempts before have learned.',
    above: [],
    below: ['retry', 'admission', 'attempt-fault'],
    make: BRANCH,
  },
];

function retryDeps(deps: DestinationDeps): RetryDeps {
  const { config, state, clock, random, service, caller, route, telemetry, destination, repetition } = deps;
  const { onRetry, onDenied } = telemetry.retryCounters(caller.name, destination, route.name);
  return {
    clock,
    random,
    budget: state.budget,
    gate: repetition.gate(service.name),
    mayRetry: () => state.limits.mayRetry(service.limits),
    fastestMs: () => state.fastestMs(),
    onRetryAfter(endpoint, forMs) {
      const nowMs = clock.now();
      (endpoint as LiveEndpoint).pushBack(forMs, nowMs);
      state.outlier?.pushBack(endpoint as LiveEndpoint, forMs, nowMs);
    },
    onRetry(reason) {
      onRetry(reason);
      state.margin.product(clock.now());
    },
    onDenied,
    observer: telemetry.repetitions(caller.name, config.grpcMetrics),
  };
}

/** null: calls of the route are not hedged. */
function hedgeDeps({ route, destination, retries, traffic, actions, parts }: DestinationDeps): HedgeDeps | null {
  if (route.hedge === undefined) return null;
  const hedging = traffic.hedging(destination, route.hedge, retries, parts);
  return { hedging, onHedge: actions };
}

/** One endpoint. */
export const ENDPOINT_STACK: readonly StackEntry<StackDeps>[] = [
  {
    role: 'transport',
    why: 'The leaf: one pool per endpoint and TLS name; it writes host, remaining time and attempt number, and keeps the timers.',
    above: [],
    below: [],
    make: BRANCH,
  },
];

/** What `explain` and the house tests read. The stack of calls that come in is in inbound-stack.ts, which is loaded with the first server. */
export interface StackListing {
  readonly name: 'call' | 'route' | 'destination' | 'endpoint';
  readonly entries: readonly Pick<StackEntry<never>, 'role' | 'why' | 'above' | 'below'>[];
}

export const STACKS: readonly StackListing[] = [
  { name: 'call', entries: CALL_STACK },
  { name: 'route', entries: ROUTE_STACK },
  { name: 'destination', entries: DESTINATION_STACK },
  { name: 'endpoint', entries: ENDPOINT_STACK },
];

/** A layer of the user, placed relative to a role of ours. */
export interface UserLayer {
  readonly layer: Layer;
  /** Its own name, shown by `explain`. */
  readonly role: string;
  readonly place: 'above' | 'below';
  /** The role it stands next to. */
  readonly of: string;
}

/** A layer of the user that throws must not leave its call open: whoever counts calls under way would wait for ever. */
function guarded({ layer }: UserLayer, clock: Clock): Layer {
  return (next) => {
    const service = layer(next);
    return (call) => {
      let answered: ReturnType<typeof service>;
      try {
        answered = service(call);
      } catch (error) {
        answered = Promise.reject(error as Error);
      }
      answered.catch((cause: unknown) => {
        if (call.outcome !== null) return;
        const error = cause instanceof MeshError ? cause : meshError({ code: 'call_failed', message: 'a layer threw', cause });
        call.end({ kind: 'ignored', status: 0, error, endedAtMs: clock.now() });
      });
      return answered;
    };
  };
}

/** The layers of a stack, outermost first, with those of the user in their places. */
export function layersOf<Deps extends StackDeps>(entries: readonly StackEntry<Deps>[], deps: Deps, users: readonly UserLayer[]): Layer[] {
  const layers: Layer[] = [];
  for (const entry of entries) {
    for (const user of users) if (user.of === entry.role && user.place === 'above') layers.push(guarded(user, deps.clock));
    const own = entry.make(deps);
    if (own !== null) layers.push(own);
    for (const user of users) if (user.of === entry.role && user.place === 'below') layers.push(guarded(user, deps.clock));
  }
  return layers;
}
