// ServiceProfile documents to routes and a budget. Where there is one with routes or overrides, it alone decides: annotations
// and failure accrual are nothing to Linkerd then. Source: linkerd2-proxy app/outbound/src/http/logical/profile.rs.
import { isIpv6 } from '../../model/address.ts';
import { parseDuration } from '../../model/duration.ts';
import type { RetryPolicy } from '../../model/destination.ts';
import type { ConfigPath } from '../../model/issue.ts';
import { LINKERD_BUDGET_DEFAULTS, type LinkerdBudgetPolicy } from '../../model/retry-budget.ts';
import type { ReadContext } from '../dialect.ts';
import type { PolicyDraft, RouteDraft, RoutesDraft, TargetDraft } from '../draft.ts';
import { milliValue } from '../quantity.ts';
import { positionIn, type Resource } from '../resource.ts';
import { kubernetesName, type World } from '../world.ts';
import { IMPLIED, NO_RETRIES } from './linkerd-defaults.ts';
import type { ProfileRouteSpec, ResponseClassSpec, ServiceProfileSpec, WeightedDstSpec } from './profile-spec.ts';
import { matchesOf } from './request-condition.ts';
import { failingStatuses, GRPC_FAILURES } from './response-classes.ts';

const GROUP = 'linkerd.io';
const KIND = 'ServiceProfile';

/** Profiles by the host that they are about: the caller's own namespace comes first, then that of the service. */
export function profilesOf(world: World, { self, clusterDomain }: ReadContext): ReadonlyMap<string, Resource> {
  const profiles = new Map<string, Resource>();
  for (const resource of world.of(GROUP, KIND)) {
    const host = resource.name.toLowerCase();
    const home = kubernetesName(host, clusterDomain)?.namespace;
    if (resource.namespace === self.namespace) profiles.set(host, resource);
    else if (resource.namespace === home && !profiles.has(host)) profiles.set(host, resource);
  }
  return profiles;
}

/** Whether it takes the place of everything else that is said about its service. */
export function decides({ spec }: Resource): boolean {
  const { routes = [], dstOverrides = [] } = spec as ServiceProfileSpec;
  return routes.length > 0 || dstOverrides.length > 0;
}

export function readProfileRoutes(host: string, resource: Resource, split: readonly TargetDraft[] | null): RoutesDraft {
  const { routes = [], dstOverrides = [] } = resource.spec as ServiceProfileSpec;
  const targets = split ?? targetsOf(dstOverrides);
  const read = routes.flatMap((route, i) => readRoute(route, i, resource, targets));
  // Retries are paid where they go.
  const implied = { ...IMPLIED, retryBudget: budgetOf(resource) };
  return { host, dialect: 'linkerd', resource, path: ['spec'], routes: [...read, defaultRoute(resource, targets)], implied };
}

export function readProfilePolicy(host: string, resource: Resource): PolicyDraft {
  const { retryBudget } = resource.spec as ServiceProfileSpec;
  return {
    host,
    dialect: 'linkerd',
    resource,
    path: retryBudget === undefined ? ['metadata', 'name'] : ['spec', 'retryBudget'],
    policy: { retryBudget: budgetOf(resource) },
    implied: IMPLIED,
  };
}

function budgetOf({ spec }: Resource): LinkerdBudgetPolicy {
  const { retryBudget } = spec as ServiceProfileSpec;
  if (retryBudget === undefined) return LINKERD_BUDGET_DEFAULTS;
  const { retryRatio, minRetriesPerSecond, ttl } = retryBudget;
  const ttlMs = parseDuration(ttl) ?? LINKERD_BUDGET_DEFAULTS.ttlMs;
  return { kind: 'linkerd', ratio: retryRatio, retriesPerSecondMin: minRetriesPerSecond, ttlMs };
}

function readRoute(route: ProfileRouteSpec, index: number, resource: Resource, targets: readonly TargetDraft[]): RouteDraft[] {
  const { name, condition, responseClasses = [], isRetryable = false, timeout } = route;
  const matches = matchesOf(condition);
  if ('fault' in matches || matches.length === 0) return [];
  const path: ConfigPath = ['spec', 'routes', index];
  const at = (key: string): ReturnType<typeof positionIn> => positionIn(resource, [...path, key], 'key');
  return [
    {
      name,
      dialect: 'linkerd',
      // A match that asks for nothing takes every call.
      matches: matches.some(({ method, path: paths }) => method === undefined && paths === undefined) ? [] : matches,
      targets,
      mirrors: [],
      idempotent: false,
      timeoutMs: timeout === undefined ? 0 : (parseDuration(timeout) ?? 0),
      retries: isRetryable ? retriesOf(responseClasses) : NO_RETRIES,
      source: positionIn(resource, [...path, 'name']),
      sources: {
        matches: at('condition'),
        ...(timeout === undefined ? {} : { timeoutMs: at('timeout') }),
        ...(route.isRetryable === undefined ? {} : { retries: at('isRetryable') }),
      },
    },
  ];
}

/** Linkerd knows no limit beside the budget, whose reserve is as much by default: 10 a second for 10 s. */
const ATTEMPTS_MAX = 100;

/** Answers that count as failures are repeated at once while the budget pays; what gave no answer is not. */
function retriesOf(classes: readonly ResponseClassSpec[]): RetryPolicy {
  return {
    ...NO_RETRIES,
    attempts: ATTEMPTS_MAX,
    retryOn: failingStatuses(classes),
    backoff: { baseMs: 0, maxMs: 0 },
    grpcStatuses: GRPC_FAILURES,
    semantics: { kind: 'linkerd', pause: 'none', lastAttemptWithoutTimeout: false, grpcTrailers: true },
  };
}

function defaultRoute(resource: Resource, targets: readonly TargetDraft[]): RouteDraft {
  return {
    name: 'default',
    dialect: 'linkerd',
    matches: [],
    targets,
    mirrors: [],
    idempotent: false,
    timeoutMs: 0,
    retries: NO_RETRIES,
    source: positionIn(resource, ['metadata', 'name']),
  };
}

/** Weight 0, and what is no name, is left out; when nothing is left, calls go to the service itself. */
function targetsOf(overrides: readonly WeightedDstSpec[]): TargetDraft[] {
  return overrides.flatMap(({ authority, weight }, i) => {
    const milli = milliValue(weight) ?? 0;
    const [, host = '', port] = /^(.*?)(?::([0-9]{1,5}))?$/.exec(authority.toLowerCase()) ?? [];
    const isName = host !== '' && !isIpv6(host.replace(/^\[|\]$/g, '')) && !/^[0-9.]+$/.test(host);
    if (milli <= 0 || !isName) return [];
    const path: ConfigPath = ['spec', 'dstOverrides', i, 'authority'];
    return [{ host: host.replace(/\.$/, ''), ...(port === undefined ? {} : { port: Number(port) }), weight: milli, path }];
  });
}
