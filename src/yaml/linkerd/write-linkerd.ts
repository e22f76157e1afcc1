// From any configuration to Linkerd: HTTPRoutes of Services with Linkerd's annotations, and Services that say who is left out.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import type { RetryPolicy } from '../../model/destination.ts';
import { formatGatewayDuration } from '../gateway-api/gateway-duration.ts';
import { GATEWAY_GROUP } from '../gateway-api/route-spec.ts';
import { writeRoutes } from '../gateway-api/write-routes.ts';
import { type RuleDeps, type RuleTimes, singleTimeout } from '../gateway-api/write-rule.ts';
import { describeBalancer } from '../write/describe-balancing.ts';
import { reportMesh } from '../write/mesh-losses.ts';
import { reportWrittenPolicies } from '../write/policy-losses.ts';
import { ServiceBackends } from '../write/service-backends.ts';
import {
  hasOwnEndpoints,
  keptFor,
  type DialectWriter,
  type ResourceEdit,
  unsaidFields,
  type WriteContext,
  type Written,
} from '../write/writer.ts';
import { POLICY_GROUP } from './inbound-spec.ts';
import { accrualAnnotations, type Annotations, reportAccrual, writeRetryAnnotations } from './write-annotations.ts';

export const linkerdWriter: DialectWriter = { groups: ['linkerd.io', POLICY_GROUP, GATEWAY_GROUP, ''], write };

const MESH = 'Linkerd';

function write(context: WriteContext): Written {
  reportMesh(context, {
    mesh: MESH,
    inbound: 'annotate the namespace or the workload: config.linkerd.io/default-inbound-policy: all-authenticated',
    unknownHosts: 'make an EgressNetwork with trafficPolicy: Deny',
  });
  const edits: ResourceEdit[] = [];
  const annotationsOf = (service: ServiceConfig): Annotations =>
    isOpen(service, 'outlierDetection', context) ? accrualAnnotations(service) : {};
  const made = writeRoutes(context, {
    mesh: MESH,
    refuses: new Set(['URLRewrite', 'RequestMirror', 'sessionPersistence'] as const),
    writeTimes: linkerdTimes,
    backends: new ServiceBackends(context, annotationsOf),
    writePolicies: (service) => {
      edits.push(...policyEdits(service, annotationsOf(service), context));
      return [];
    },
  });
  return { made, edits };
}

function isOpen(service: ServiceConfig, field: 'outlierDetection', context: WriteContext): boolean {
  return !unsaidFields(service, context).includes(field) && keptFor(service, [field], context) === undefined;
}

const WHYS = {
  limits: 'Linkerd lets 100000 calls be in flight, and no other limit is said',
  circuitBreaker: 'Linkerd leaves out endpoints one by one, never the service as a whole',
  retryBudget: 'retries by annotation have no budget; a ServiceProfile has one, and no other route beside it',
  healthCheck: 'readiness probes of Kubernetes are the nearest',
  throttle: 'Linkerd does not refuse calls before they are sent',
  rateLimit: 'Linkerd limits rates where calls come in: HTTPLocalRateLimitPolicy',
  connections: 'Linkerd leaves sockets to itself',
  tls: 'Linkerd encrypts between workloads by itself, and leaves calls to others as they are',
} as const;

/** What is said of a service, in a document that goes out as it came in. */
function policyEdits(service: ServiceConfig, annotations: Annotations, context: WriteContext): ResourceEdit[] {
  const report = context.report.ofService(service);
  const unsaid = reportWrittenPolicies(service, WHYS, MESH, context);
  if (!unsaid.has('loadBalancer')) reportBalancer(service, context);
  if (!isOpen(service, 'outlierDetection', context)) return [];
  const { name, namespace } = new ServiceBackends(context).placeOf(service);
  reportAccrual(service, `Service ${name}`, report);
  const found = context.kept.resources.find((one) => one.kind === 'Service' && one.name === name && one.namespace === namespace);
  if (found === undefined) {
    // Else a Service is made, with its annotations.
    if (!hasOwnEndpoints(service, context) && Object.keys(annotations).length > 0)
      report.lost(
        'outlierDetection',
        Object.keys(annotations),
        `there is no document of the Service ${name} to annotate; annotate it with ${Object.entries(annotations)
          .map(([key, value]) => `${key}=${value}`)
          .join(' ')}`,
      );
    return [];
  }
  return Object.entries(annotations).map(([key, value]) => ({ resource: found, path: ['metadata', 'annotations', key], value }));
}

function reportBalancer(service: ServiceConfig, { report }: WriteContext): void {
  const { loadBalancer } = service;
  const what = describeBalancer(loadBalancer).input.loadBalancer ?? loadBalancer.kind;
  const scope = report.ofService(service);
  if (loadBalancer.kind === 'peakEwma')
    scope.approximated('loadBalancer', what, 'Linkerd’s own balancer', 'peak EWMA too, of two random endpoints, with numbers of its own');
  else scope.lost('loadBalancer', what, 'Linkerd always asks the endpoint that answers soonest (peak EWMA)');
}

/** Time stands in the rule, retries in annotations of its document. */
function linkerdTimes(
  route: RouteConfig,
  retries: RetryPolicy | null | undefined,
  wholeMs: number | undefined,
  { report, to, mesh }: RuleDeps,
): RuleTimes {
  const timeoutMs = wholeMs ?? 0;
  if (wholeMs === undefined) report.approximated('timeout', 'nobody wrote one', '', `left to ${mesh}`);
  else if (timeoutMs > 0 && Number.isInteger(timeoutMs)) report.kept('timeout', `${timeoutMs}ms`, `${to}: timeouts.request`);
  else if (timeoutMs > 0) report.approximated('timeout', `${timeoutMs}ms`, `${to}: timeouts.request`, 'in whole milliseconds');
  else report.approximated('timeout', 'none', '', 'nothing is written: Linkerd waits as long as it takes');
  const timeouts = {
    ...(timeoutMs > 0 ? { request: formatGatewayDuration(Math.max(1, timeoutMs)) } : {}),
    ...singleTimeout(route, retries, timeoutMs, { report, to }),
  };
  const spec = Object.keys(timeouts).length > 0 ? { timeouts } : {};
  if (retries === undefined) {
    report.approximated('retries', 'nobody wrote any', '', `left to ${mesh}`);
    return { spec, annotations: {} };
  }
  return { spec, annotations: writeRetryAnnotations(retries, timeoutMs, to, report) };
}
