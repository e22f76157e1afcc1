// From all DestinationRules to policies by host: for every host that is known, the rule that holds for it, port by port and
// subset by subset.
import { ENVOY_BUDGET_DEFAULTS, type EnvoyBudgetPolicy } from '../../model/retry-budget.ts';
import { settle } from '../bind-deps.ts';
import type { ReadContext } from '../dialect.ts';
import type { KnownHost, Origin, PolicyDraft, PolicyField, PolicyParts, Registry, ServicePolicyFields } from '../draft.ts';
import { msOf } from './check-duration.ts';
import type { RetryBudgetSpec } from './destination-rule-spec.ts';
import type { DestinationRules, MergedRule } from './destination-rules.ts';
import { isWithin } from './host-name.ts';
import { IMPLIED_POLICY } from './istio-defaults.ts';
import { readClientTls } from './read-client-tls.ts';
import { readConnections, readLimits } from './read-connection-pool.ts';
import { readLoadBalancer } from './read-load-balancer.ts';
import { readOutlier } from './read-outlier.ts';
import { type Blocks, blocksFor, portsOf } from './traffic-blocks.ts';

type PolicyOrigins = NonNullable<PolicyParts['origins']>;

export interface DestinationRuleDeps {
  readonly rules: DestinationRules;
  readonly context: ReadContext;
  /** Names that the endpoints of a host are known to show in their certificates. */
  readonly namesOf: (host: string) => readonly string[];
}

export function readDestinationRules({ hosts }: Registry, deps: DestinationRuleDeps): PolicyDraft[] {
  const drafts: PolicyDraft[] = [];
  const seen = new Set<string>();
  for (const known of hosts) {
    if (seen.has(known.host)) continue;
    seen.add(known.host);
    const rule = deps.rules.find(known.host, known.namespace);
    if (rule === null) continue;
    drafts.push(policyDraft(known, rule, deps));
    warnOfEjection(known, rule);
  }
  for (const { host, resource } of deps.rules.hosts) {
    if ([...seen].some((one) => isWithin(one, host))) continue;
    resource.report.warn(['spec', 'host'], `no service has the host ${host}, so this rule does nothing`, { code: 'IST0174' });
  }
  return drafts;
}

function policyDraft({ host }: KnownHost, rule: MergedRule, deps: DestinationRuleDeps): PolicyDraft {
  const { resource, policy: top, subsets } = rule;
  const written = subsets.map(({ spec, origin }) => ({
    name: spec.name,
    policy:
      spec.trafficPolicy === undefined
        ? undefined
        : { spec: spec.trafficPolicy, origin: { ...origin, path: [...origin.path, 'trafficPolicy'] } },
  }));
  const at = (port: number | undefined): PolicyParts => {
    const own = written.flatMap(({ name, policy }) =>
      policy === undefined ? [] : [[name, partsOf(host, blocksFor(top, policy, port), deps)] as const],
    );
    return {
      ...partsOf(host, blocksFor(top, undefined, port), deps),
      ...(own.length === 0 ? {} : { subsetPolicies: Object.fromEntries(own) }),
    };
  };
  const ports = portsOf([top, ...written.map(({ policy }) => policy)]);
  const parts = at(undefined);
  const list = subsets[0]?.origin;
  const labels = Object.fromEntries(subsets.map(({ spec }) => [spec.name, spec.labels ?? {}]));
  return {
    host,
    resource,
    path: ['spec', 'host'],
    dialect: 'istio',
    ...parts,
    policy: { ...parts.policy, ...(subsets.length === 0 ? {} : { subsets: labels }) },
    origins: { ...parts.origins, ...(list === undefined ? {} : { subsets: { ...list, path: list.path.slice(0, -1) } }) },
    ...(ports.length === 0 ? {} : { ports: Object.fromEntries(ports.map((port) => [port, at(port)])) }),
  };
}

/** Blocks that are written decide; those that are not mean Istio's defaults where nobody else says anything. */
function partsOf(host: string, blocks: Blocks, { context, namesOf }: DestinationRuleDeps): PolicyParts {
  const { connectionPool, loadBalancer, outlierDetection, tls, retryBudget } = blocks;
  refuse(blocks, context);
  const balancer = readLoadBalancer(loadBalancer, outlierDetection?.spec, context);
  const limits = connectionPool === undefined ? undefined : readLimits(connectionPool.spec);
  const policy: Partial<ServicePolicyFields> = {
    ...(loadBalancer === undefined ? {} : { loadBalancer: balancer }),
    ...(outlierDetection === undefined ? {} : { outlierDetection: readOutlier(outlierDetection.spec) }),
    // A budget takes the place of the fixed number.
    ...(limits === undefined ? {} : { limits: retryBudget === undefined ? limits : { ...limits, maxRetries: 0 } }),
    ...(connectionPool === undefined ? {} : { connections: readConnections(connectionPool.spec) }),
    ...(connectionPool?.spec.http?.h2UpgradePolicy === 'UPGRADE' ? { protocol: 'http2' as const } : {}),
    ...(retryBudget === undefined ? {} : { retryBudget: readBudget(retryBudget.spec) }),
    ...(tls === undefined ? {} : { tls: readClientTls(tls, namesOf(host), context) }),
  };
  const silent = Object.entries({ ...IMPLIED_POLICY, loadBalancer: balancer }).filter(([field]) => !Object.hasOwn(policy, field));
  return { policy, implied: Object.fromEntries(silent), origins: originsOf(blocks) };
}

function readBudget({ percent, minRetryConcurrency = 0, budgetInterval }: RetryBudgetSpec): EnvoyBudgetPolicy {
  const d = ENVOY_BUDGET_DEFAULTS;
  return {
    kind: 'envoy',
    percent: percent ?? d.percent,
    concurrencyMin: minRetryConcurrency || d.concurrencyMin,
    intervalMs: msOf(budgetInterval),
  };
}

/** What only a proxy can do. */
function refuse({ tunnel, proxyProtocol, connectionPool }: Blocks, context: ReadContext): void {
  if (tunnel !== undefined) settle(context, tunnel.origin, 'tunnel: calls are not carried through CONNECT by inmesh; remove it', 'INM0011');
  if (proxyProtocol !== undefined) {
    settle(context, proxyProtocol.origin, 'proxyProtocol: calls of this process have no other caller to announce; remove it', 'INM0011');
  }
  if (connectionPool?.spec.http?.useClientProtocol !== true) return;
  const { resource, path } = connectionPool.origin;
  const message = 'useClientProtocol is passed over: what the service speaks is said by its protocol';
  resource.report.warn([...path, 'http', 'useClientProtocol'], message, { part: 'key', code: 'INM0011' });
}

const FIELDS: Readonly<Record<string, readonly PolicyField[]>> = {
  loadBalancer: ['loadBalancer'],
  outlierDetection: ['outlierDetection'],
  connectionPool: ['limits', 'connections', 'protocol'],
  retryBudget: ['retryBudget'],
  tls: ['tls'],
};

function originsOf(blocks: Readonly<Record<string, { readonly origin: Origin } | undefined>>): PolicyOrigins {
  const origins = Object.entries(FIELDS).flatMap(([name, fields]) => {
    const origin = blocks[name]?.origin;
    return origin === undefined ? [] : fields.map((field) => [field, origin] as const);
  });
  return Object.fromEntries(origins);
}

/** Envoy counts before it ejects: with Istio's 10 % nobody is ever ejected from fewer than ten endpoints. */
function warnOfEjection({ endpoints, host }: KnownHost, { policy }: MergedRule): void {
  const block = blocksFor(policy, undefined, undefined).outlierDetection;
  if (block === undefined || endpoints.kind !== 'static' || endpoints.endpoints.length === 0) return;
  const count = endpoints.endpoints.length;
  const { maxEjectionPercent } = readOutlier(block.spec);
  if (100 / count <= maxEjectionPercent) return;
  const { resource, path } = block.origin;
  const message = `outlierDetection can eject nobody: one of the ${count} endpoints of ${host} is more than maxEjectionPercent ${maxEjectionPercent}; set it to ${Math.ceil(100 / count)} or more`;
  resource.report.warn(path, message, { part: 'key', code: 'INM0105' });
}
