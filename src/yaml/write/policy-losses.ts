// Policies of a service for which a mesh has no word, each with what is nearest there.
import type { ServiceConfig } from '../../model/config.ts';
import type { LossScope } from '../losses.ts';
import { describeBalancer, describeOutlier } from './describe-balancing.ts';
import {
  describeBreaker,
  describeBudget,
  describeConnections,
  describeHealthCheck,
  describeLimits,
  describeRateLimit,
  describeThrottle,
} from './describe-policy.ts';
import type { Plain } from './plain.ts';
import { unsaidFields, type WriteContext } from './writer.ts';

/** What decides whether and how something is repeated, beside how often. */
export const RETRY_RULE_KEYS: readonly string[] = [
  'retries.retryOn',
  'retries.backoff',
  'retries.methods',
  'retries.semantics',
  'retries.retryAfterMax',
  'retries.acrossSubsets',
  'retries.bodyLimit',
  'retries.grpcStatuses',
];

export type PolicyKey =
  | 'loadBalancer'
  | 'limits'
  | 'circuitBreaker'
  | 'outlierDetection'
  | 'retryBudget'
  | 'healthCheck'
  | 'throttle'
  | 'rateLimit'
  | 'connections'
  | 'tls'
  | 'protocol';

/** null: there is nothing to be said. */
const TEXTS: Readonly<Record<PolicyKey, (service: ServiceConfig) => Plain | null>> = {
  loadBalancer: ({ loadBalancer }) => describeBalancer(loadBalancer).input.loadBalancer ?? null,
  limits: ({ limits }) => describeLimits(limits),
  circuitBreaker: ({ circuitBreaker }) => (circuitBreaker === null ? null : describeBreaker(circuitBreaker)),
  outlierDetection: ({ outlierDetection }) =>
    outlierDetection === null ? null : (describeOutlier(outlierDetection).input.outlierDetection ?? null),
  retryBudget: ({ retryBudget }) => (retryBudget.kind === 'none' ? null : describeBudget(retryBudget)),
  healthCheck: ({ healthCheck }) => (healthCheck === null ? null : describeHealthCheck(healthCheck)),
  throttle: ({ throttle }) => (throttle === null ? null : describeThrottle(throttle)),
  rateLimit: ({ rateLimit }) => (rateLimit === undefined ? null : describeRateLimit(rateLimit)),
  connections: ({ connections }) => saidConnections(connections),
  tls: ({ tls }) => (tls.mode === 'disable' ? null : tls.mode),
  protocol: ({ protocol }) => (protocol === 'http1' ? null : protocol),
};

/** What Istio means by silence is nobody's wish. */
const USUAL_MS: Readonly<Record<string, number>> = { connectTimeoutMs: 10_000, idleTimeoutMs: 3_600_000 };

function saidConnections(connections: ServiceConfig['connections'] = {}): Plain | null {
  const said = Object.fromEntries(Object.entries(connections).filter(([key, value]) => USUAL_MS[key] !== value));
  return Object.keys(said).length === 0 ? null : describeConnections(said);
}

/** `whys`: for each policy that cannot be said, why, and what is nearest. */
export function reportPolicies(service: ServiceConfig, whys: Readonly<Partial<Record<PolicyKey, string>>>, report: LossScope): void {
  for (const [key, why] of Object.entries(whys) as [PolicyKey, string][]) {
    const what = TEXTS[key](service);
    if (what !== null) report.lost(key, what, why);
    else report.approximated(key, false, '', 'not said; who reads it has a way of his own');
  }
}

/** The same, but for what nobody wrote: that is left to `mesh`. Gives the names of the fields that nobody wrote. */
export function reportWrittenPolicies(
  service: ServiceConfig,
  whys: Readonly<Partial<Record<PolicyKey, string>>>,
  mesh: string,
  context: WriteContext,
): ReadonlySet<string> {
  const report = context.report.ofService(service);
  const unsaid = new Set<string>(unsaidFields(service, context));
  if (unsaid.size > 0) report.approximated([...unsaid], 'nobody wrote any', '', `left to ${mesh}`);
  reportPolicies(service, Object.fromEntries(Object.entries(whys).filter(([key]) => !unsaid.has(key))), report);
  return unsaid;
}
