// How Services are called, whatever the route: retry budgets and sessions of XBackendTrafficPolicy, and what routes imply
// for their backends. Source: xbackendtrafficpolicy_types.go, GEP-3388, GEP-1619.
import type { HashKey } from '../../model/balancing.ts';
import { GATEWAY_API_BUDGET_DEFAULTS, type GatewayApiBudgetPolicy } from '../../model/retry-budget.ts';
import type { ConfigPath } from '../../model/issue.ts';
import type { ReadContext } from '../dialect.ts';
import type { Origin, PolicyDraft, Registry, ServicePolicyFields } from '../draft.ts';
import { fullName, type Resource } from '../resource.ts';
import { byAge, fullHost, type World } from '../world.ts';
import { isService } from './check-backend-refs.ts';
import { parseGatewayDuration } from './gateway-duration.ts';
import type { AttachedRoute } from './attached-route.ts';
import type { BackendTrafficSpec } from './policy-spec.ts';
import { sessionOf, specOf } from './read-rule.ts';
import { readSession, sessionBalancer } from './read-session.ts';
import { type BackendObjectSpec, EXPERIMENTAL_GROUP, type RuleSpec } from './route-spec.ts';

/** Sessions that lead to a Service: those of rules first. */
interface Sessions extends Origin {
  readonly keys: HashKey[];
}

export function readBackendTraffic(
  routes: readonly AttachedRoute[],
  world: World,
  context: ReadContext,
  registry: Registry,
): PolicyDraft[] {
  const policies: PolicyDraft[] = [];
  const sessions = new Map<string, Sessions>();
  for (const route of routes) policies.push(...routePolicies(route, sessions, context, registry));
  for (const resource of [...world.of(EXPERIMENTAL_GROUP, 'XBackendTrafficPolicy')].sort(byAge)) {
    policies.push(...trafficPolicies(resource, sessions, context));
  }
  for (const [host, { resource, path, keys }] of sessions) {
    policies.push({ dialect: 'gateway-api', host, resource, path, policy: { loadBalancer: sessionBalancer(keys) } });
  }
  return policies;
}

/** The Gateway API knows neither circuits nor ejections: what a backend answers is what the caller gets. */
const IMPLIED: Partial<ServicePolicyFields> = Object.freeze({ circuitBreaker: null, outlierDetection: null });

/**
 * What a rule means for its backends where nobody says otherwise. One that asks for retries means them: no budget limits
 * them. gRPC is HTTP/2, whatever the Service says of its port.
 */
function routePolicies(
  { resource, rules }: AttachedRoute,
  sessions: Map<string, Sessions>,
  { clusterDomain }: ReadContext,
  registry: Registry,
): PolicyDraft[] {
  return rules.flatMap((rule) => {
    const spec = specOf(rule);
    const session = sessionOf(rule);
    const path: ConfigPath = ['spec', 'rules', rule.index];
    const implied: Partial<ServicePolicyFields> = {
      ...IMPLIED,
      ...(resource.kind === 'GRPCRoute' ? { protocol: 'http2' } : {}),
      ...(spec.retry === undefined ? {} : { retryBudget: { kind: 'none' } }),
    };
    return calledBy(spec).flatMap(({ ref, isCopy }) => {
      const host = hostOf(ref, resource, clusterDomain);
      const at = ref.port === undefined ? {} : { port: ref.port };
      // What is not there is told by the rule itself.
      if (registry.find({ host, ...at }).length === 0) return [];
      if (session !== null && !isCopy) addKey(sessions, host, session.key, { resource, path: [...path, 'sessionPersistence'] });
      return [{ dialect: 'gateway-api' as const, host, ...at, resource, path, policy: {}, implied }];
    });
  });
}

/** Services that a rule sends calls or copies to. */
function calledBy({ backendRefs = [], filters = [] }: RuleSpec): { readonly ref: BackendObjectSpec; readonly isCopy: boolean }[] {
  const all = [...filters, ...backendRefs.flatMap((ref) => ref.filters ?? [])];
  const copies = all.flatMap(({ requestMirror }) => (requestMirror === undefined ? [] : [{ ref: requestMirror.backendRef, isCopy: true }]));
  return [...backendRefs.map((ref) => ({ ref, isCopy: false })), ...copies].filter(({ ref }) => isService(ref));
}

function hostOf({ name, namespace }: BackendObjectSpec, resource: Resource, clusterDomain: string): string {
  return fullHost(name, namespace ?? resource.namespace, clusterDomain);
}

function addKey(sessions: Map<string, Sessions>, host: string, key: HashKey, origin: Origin): void {
  const known = sessions.get(host);
  if (known === undefined) sessions.set(host, { ...origin, keys: [key] });
  else if (!known.keys.some((other) => JSON.stringify(other) === JSON.stringify(key))) known.keys.push(key);
}

function trafficPolicies(resource: Resource, sessions: Map<string, Sessions>, { clusterDomain }: ReadContext): PolicyDraft[] {
  const { targetRefs, retryConstraint, sessionPersistence } = resource.spec as unknown as BackendTrafficSpec;
  return targetRefs.flatMap((ref, i) => {
    if (!isService(ref)) {
      resource.report.warn(['spec', 'targetRefs', i], `a policy is laid on Services here; ${ref.kind} ${ref.name} is called as before`);
      return [];
    }
    const host = fullHost(ref.name, resource.namespace, clusterDomain);
    if (sessionPersistence !== undefined) {
      const path: ConfigPath = ['spec', 'sessionPersistence'];
      addKey(sessions, host, readSession(sessionPersistence, fullName(resource), path, resource).key, { resource, path });
    }
    if (retryConstraint === undefined) return [];
    const path: ConfigPath = ['spec', 'retryConstraint'];
    return [{ dialect: 'gateway-api' as const, host, resource, path, policy: { retryBudget: budgetOf(retryConstraint) } }];
  });
}

function budgetOf({ budget = {}, minRetryRate = {} }: NonNullable<BackendTrafficSpec['retryConstraint']>): GatewayApiBudgetPolicy {
  const msOf = (text: string | undefined): number | null => (text === undefined ? null : parseGatewayDuration(text));
  const { percent, intervalMs, rateMinCount, rateMinIntervalMs } = GATEWAY_API_BUDGET_DEFAULTS;
  return {
    ...GATEWAY_API_BUDGET_DEFAULTS,
    percent: budget.percent ?? percent,
    intervalMs: msOf(budget.interval) ?? intervalMs,
    rateMinCount: minRetryRate.count ?? rateMinCount,
    rateMinIntervalMs: msOf(minRetryRate.interval) ?? rateMinIntervalMs,
  };
}
