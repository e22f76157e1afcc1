// READ THIS FIRST: the way of a call, from the caller's hand to the socket. Four small stacks, outermost entry first;
// each ends in a branch or in the leaf, which leads to the next. The order is data: a test checks `above` and `below`,
// `inmesh explain` prints these very entries, and users insert their own layers by role.
import type { LiveEndpoint } from '../balance/endpoint.ts';
import { inheritedDeadlineMs } from '../core/context.ts';
import type { Clock, Random } from '../core/clock.ts';
import { MeshError, meshError } from '../core/errors.ts';
import type { Layer } from '../core/service.ts';
import type { MeshConfig, RouteConfig, ServiceConfig } from '../model/config.ts';
import type { RetryPolicy } from '../model/destination.ts';
import { admissionLayer } from '../resilience/admission-layer.ts';
import { deadlineLayer } from '../resilience/deadline-layer.ts';
import { retryLayer } from '../resilience/retry-layer.ts';
import { headerLayer } from '../route/header-layer.ts';
import type { Drain } from './drain.ts';
import { respondLayer } from './respond-layer.ts';
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
}

export interface CallDeps extends StackDeps {
  readonly service: ServiceConfig;
}

export interface RouteDeps extends CallDeps {
  readonly route: RouteConfig;
}

export interface DestinationDeps extends RouteDeps {
  readonly state: ServiceState;
  readonly retries: RetryPolicy;
  readonly destination: string;
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
    above: ['router'],
    below: ['span'],
    make: ({ telemetry, service }) => telemetry.callMetrics(service.name),
  },
  {
    role: 'router',
    why: 'The first rule that matches decides timeout, retries and targets; below it everything belongs to one route.',
    above: [],
    below: ['span', 'metrics'],
    make: BRANCH,
  },
];

/** One route of a service. */
export const ROUTE_STACK: readonly StackEntry<RouteDeps>[] = [
  {
    role: 'headers',
    why: 'Above the split and the retries: a header is set once, and every attempt carries it.',
    above: ['deadline', 'splitter'],
    below: [],
    make: ({ route }) =>
      route.requestHeaders === undefined && route.responseHeaders === undefined
        ? null
        : headerLayer(route.requestHeaders, route.responseHeaders),
  },
  {
    role: 'deadline',
    why: 'Above the retries, so that one absolute time bounds all of them; below the router, which knows the timeout.',
    above: ['splitter'],
    below: [],
    make: ({ clock }) => deadlineLayer({ clock, inheritedDeadlineMs }),
  },
  {
    role: 'splitter',
    why: 'Above the retries: a call is drawn once, and its weight counts once however often it is repeated.',
    above: [],
    below: ['deadline'],
    make: BRANCH,
  },
];

/** One target of a route: a service, or a subset of it. */
export const DESTINATION_STACK: readonly StackEntry<DestinationDeps>[] = [
  {
    role: 'retry',
    why: 'Above admission and balancing, so that every attempt asks again and goes to another endpoint.',
    above: ['attempt-span', 'attempt-metrics', 'admission', 'balancer'],
    below: [],
    make: ({ retries, state, clock, random, service, caller, route, telemetry, destination }) =>
      retryLayer(retries, {
        clock,
        random,
        budget: state.budget,
        mayRetry: () => state.limits.mayRetry(service.limits),
        fastestMs: () => state.fastestMs(),
        onRetryAfter: (endpoint, forMs) => (endpoint as LiveEndpoint).pushBack(forMs, clock.now()),
        ...telemetry.retryCounters(caller.name, destination, route.name),
      }),
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
    make: ({ telemetry, caller, destination, route }) => telemetry.attemptMetrics(caller.name, destination, route.name),
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
    role: 'balancer',
    why: 'Picks the endpoint as late as possible, with what the attempts before have learned.',
    above: [],
    below: ['retry', 'admission'],
    make: BRANCH,
  },
];

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

/** What `explain` and the house tests read. */
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
