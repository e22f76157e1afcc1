// From any configuration to the Gateway API: HTTPRoutes of Services, retry budgets, and TLS towards Services.
import type { ServiceConfig } from '../../model/config.ts';
import type { RetryBudgetPolicy } from '../../model/retry-budget.ts';
import { GATEWAY_API_BUDGET_DEFAULTS } from '../../model/retry-budget.ts';
import type { LossScope } from '../losses.ts';
import { describeBudget } from '../write/describe-policy.ts';
import { reportMesh } from '../write/mesh-losses.ts';
import type { PlainMap } from '../write/plain.ts';
import { reportWrittenPolicies } from '../write/policy-losses.ts';
import { ServiceBackends } from '../write/service-backends.ts';
import type { ServicePlace } from '../write/service-place.ts';
import { type DialectWriter, keptFor, type MadeResource, type WriteContext, type Written } from '../write/writer.ts';
import { formatGatewayDuration } from './gateway-duration.ts';
import type { BackendTlsSpec, BackendTrafficSpec } from './policy-spec.ts';
import { EXPERIMENTAL_GROUP, GATEWAY_GROUP } from './route-spec.ts';
import { writeRoutes } from './write-routes.ts';
import { gatewayTimes } from './write-rule.ts';

export const gatewayApiWriter: DialectWriter = { groups: [GATEWAY_GROUP, EXPERIMENTAL_GROUP, ''], write };

const MESH = 'the Gateway API';

function write(context: WriteContext): Written {
  reportMesh(context, {
    mesh: MESH,
    inbound: 'the Gateway API does not say which connections a workload takes; the mesh has a word of its own for it',
    unknownHosts: 'the Gateway API does not say what becomes of strangers; the mesh has a word of its own for it',
  });
  const backends = new ServiceBackends(context);
  const made = writeRoutes(context, {
    mesh: MESH,
    refuses: new Set(),
    writeTimes: gatewayTimes,
    backends,
    writePolicies: (service) => writePolicies(service, backends.placeOf(service), context),
  });
  return { made, edits: [] };
}

/** What is left to the implementation, and what is nearest. */
const WHYS = {
  loadBalancer: 'the Gateway API leaves it to the implementation whom it asks',
  limits: 'the Gateway API has no limits of calls',
  circuitBreaker: 'the Gateway API has no circuits',
  outlierDetection: 'the Gateway API leaves nobody out; readiness probes of Kubernetes are the nearest',
  healthCheck: 'readiness probes of Kubernetes are the nearest',
  throttle: 'the Gateway API does not refuse calls before they are sent',
  rateLimit: 'the Gateway API limits no rates of calls that go out',
  connections: 'the Gateway API leaves sockets to the implementation',
} as const;

function writePolicies(service: ServiceConfig, place: ServicePlace, context: WriteContext): MadeResource[] {
  const report = context.report.ofService(service);
  const unsaid = reportWrittenPolicies(service, WHYS, 'the implementation', context);
  const isOpen = (field: string): boolean => !unsaid.has(field) && keptFor(service, [field], context) === undefined;
  return [
    ...(isOpen('retryBudget') ? writeBudget(service.retryBudget, place, report) : []),
    ...(isOpen('tls') ? writeTls(service, place, report) : []),
  ];
}

function writeBudget(budget: RetryBudgetPolicy, place: ServicePlace, report: LossScope): MadeResource[] {
  if (budget.kind === 'none') {
    report.approximated('retryBudget', false, '', 'nothing is written; what reads a rule without retries may have a budget of its own');
    return [];
  }
  const { name, namespace } = place;
  const said = nearestBudget(budget);
  const to = `XBackendTrafficPolicy ${name}: retryConstraint budget ${said.percent} % in ${formatGatewayDuration(said.intervalMs)}`;
  const isWhole = [said.percent, said.rateMinCount, said.intervalMs, said.rateMinIntervalMs].every(Number.isInteger);
  const isOurs = budget.kind === 'gateway-api' && isWhole && plainEqual(said, budget);
  if (isOurs) report.kept('retryBudget', describeBudget(budget), to);
  else
    report.approximated('retryBudget', describeBudget(budget), to, 'a share of the calls of an interval, with a rate that is always free');
  const spec: BackendTrafficSpec = {
    targetRefs: [{ group: '', kind: 'Service', name }],
    retryConstraint: {
      budget: { percent: Math.round(said.percent), interval: formatGatewayDuration(said.intervalMs) },
      minRetryRate: { count: Math.round(said.rateMinCount), interval: formatGatewayDuration(said.rateMinIntervalMs) },
    },
  };
  return [
    {
      apiVersion: `${EXPERIMENTAL_GROUP}/v1alpha1`,
      kind: 'XBackendTrafficPolicy',
      name,
      namespace,
      parts: { spec: spec as unknown as PlainMap },
    },
  ];
}

type Budget = typeof GATEWAY_API_BUDGET_DEFAULTS;

function plainEqual(a: Budget, b: Budget): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const HOUR_MS = 3_600_000;
const COUNT_MAX = 1_000_000;

function nearestBudget(budget: Exclude<RetryBudgetPolicy, { readonly kind: 'none' }>): Budget {
  const d = GATEWAY_API_BUDGET_DEFAULTS;
  const percent = (ratio: number): number => Math.min(100, Math.round(ratio * 100));
  switch (budget.kind) {
    case 'gateway-api':
      return {
        ...budget,
        intervalMs: Math.min(HOUR_MS, Math.max(1_000, budget.intervalMs)),
        rateMinCount: Math.min(COUNT_MAX, Math.max(1, budget.rateMinCount)),
        rateMinIntervalMs: Math.min(HOUR_MS, Math.max(1, budget.rateMinIntervalMs)),
      };
    case 'envoy':
      return { ...d, percent: Math.round(budget.percent), rateMinCount: Math.min(COUNT_MAX, Math.max(1, budget.concurrencyMin)) };
    case 'linkerd':
      return {
        ...d,
        percent: percent(budget.ratio),
        rateMinCount: Math.min(COUNT_MAX, Math.max(1, budget.retriesPerSecondMin)),
        intervalMs: budget.ttlMs,
      };
    case 'grpc':
      return { ...d, percent: percent(budget.tokenRatio) };
    case 'successes':
      return { ...d, percent: percent(budget.tokensPerSuccess) };
  }
}

const SUBJECTS_MAX = 5;

function writeTls({ tls }: ServiceConfig, { name, namespace, host }: ServicePlace, report: LossScope): MadeResource[] {
  const { mode, serverName, subjectAltNames = [], ca, verify } = tls;
  if (mode === 'disable') return [];
  if (mode === 'mutual') {
    report.approximated('tls', mode, '', 'certificates between workloads are the business of the mesh; the Gateway API does not say it');
    return [];
  }
  if (verify !== undefined) report.lost('tls.verify', verify, 'the Gateway API always verifies');
  const hostname = serverName ?? host;
  const isText = ca?.includes('-----BEGIN ') === true;
  const config = `${name}-ca`;
  const to = `BackendTLSPolicy ${name}`;
  if (serverName === undefined)
    report.approximated('tls.serverName', 'the host of the call', `${to}: hostname ${hostname}`, 'a name must be said');
  if (ca !== undefined && !isText)
    report.approximated(
      ['tls', 'tls.ca'],
      ca,
      `${to}: ConfigMap ${config}`,
      `put the certificates into the ConfigMap ${config}, as ca.crt; until then nothing is sent`,
    );
  else report.kept('tls', mode, to);
  if (subjectAltNames.length > SUBJECTS_MAX)
    report.lost('tls.subjectAltNames', subjectAltNames.length, `at most ${SUBJECTS_MAX} names; the first are written`);
  const names = subjectAltNames
    .slice(0, SUBJECTS_MAX)
    .map((one) => (one.includes('://') ? { type: 'URI' as const, uri: one } : { type: 'Hostname' as const, hostname: one }));
  const spec: BackendTlsSpec = {
    targetRefs: [{ group: '', kind: 'Service', name }],
    validation: {
      ...(ca === undefined
        ? { wellKnownCACertificates: 'System' }
        : { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: config }] }),
      hostname,
      ...(names.length === 0 ? {} : { subjectAltNames: names }),
    },
  };
  const policy = {
    apiVersion: `${GATEWAY_GROUP}/v1`,
    kind: 'BackendTLSPolicy',
    name,
    namespace,
    parts: { spec: spec as unknown as PlainMap },
  };
  if (!isText || ca === undefined) return [policy];
  return [{ apiVersion: 'v1', kind: 'ConfigMap', name: config, namespace, parts: { data: { 'ca.crt': ca } } }, policy];
}
