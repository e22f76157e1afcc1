// A service, and what holds for the process as a whole, in the words of the concise form.
import type { MeshConfig, ServiceConfig } from '../../model/config.ts';
import { describeBalancer, describeOutlier } from './describe-balancing.ts';
import {
  describeBreaker,
  describeBudget,
  describeConnections,
  describeEndpoints,
  describeHealthCheck,
  describeLimits,
  describeRateLimit,
  describeRetries,
  describeThrottle,
  describeTimeout,
  describeTls,
} from './describe-policy.ts';
import { described, type Described, timeText } from './described.ts';
import { defined, type PlainMap } from './plain.ts';

/** Without routes. */
export function describeService(service: ServiceConfig): Described {
  const policies = describePolicies(service);
  const subsets = Object.entries(service.subsets);
  return described(
    {
      hosts: [...service.hosts],
      ...describeEndpoints(service.endpoints),
      ...policies.input,
      subsets: subsets.length === 0 ? undefined : Object.fromEntries(subsets.map(([name, labels]) => [name, { ...labels }])),
    },
    policies.foreign,
  );
}

export function describePolicies(service: ServiceConfig): Described {
  const tls = describeTls(service.tls);
  const retries = describeRetries(service.retries, service.timeoutMs);
  const outlier = describeOutlier(service.outlierDetection);
  const balancer = describeBalancer(service.loadBalancer);
  return described(
    {
      protocol: service.protocol,
      ...tls.input,
      timeout: describeTimeout(service.timeoutMs),
      ...retries.input,
      retryBudget: describeBudget(service.retryBudget),
      circuitBreaker: describeBreaker(service.circuitBreaker),
      ...outlier.input,
      healthCheck: describeHealthCheck(service.healthCheck),
      ...balancer.input,
      limits: describeLimits(service.limits),
      throttle: describeThrottle(service.throttle),
      rateLimit: describeRateLimit(service.rateLimit),
    },
    { ...tls.foreign, ...retries.foreign, ...outlier.foreign, ...balancer.foreign, ...describeConnections(service.connections) },
  );
}

/** All but services and what documents of other meshes say of this process. */
export function describeMesh({ self, identity, unknownHosts, failures, inbound, grpcMetrics }: MeshConfig): PlainMap {
  const { admission } = inbound;
  return defined({
    self: { ...self, labels: { ...self.labels } },
    identity: identity === null ? undefined : { ...identity },
    unknownHosts,
    failures,
    inbound: {
      mtls: inbound.mtls,
      admission:
        admission === null
          ? false
          : {
              minLimit: admission.limitMin,
              maxLimit: admission.limitMax,
              initialLimit: admission.limitInitial,
              decrease: admission.decrease,
              eventLoopDelay: timeText(admission.eventLoopDelayMs),
              latencyFactor: admission.latencyFactor,
              sheddableShare: admission.sheddableShare,
              retryAfter: timeText(admission.retryAfterMs),
            },
    },
    telemetry: grpcMetrics === true ? { grpcMetrics } : undefined,
  });
}

/** What only documents of other meshes can say of the process. */
export function describeForeignMesh({ passHosts, telemetry, grpcMetrics, inbound }: MeshConfig): PlainMap {
  const { mtls: _mtls, admission: _admission, ...more } = inbound;
  return defined({
    passHosts: passHosts === undefined ? undefined : [...passHosts],
    // With what the concise form says of it, which has the same name.
    telemetry: telemetry === undefined ? undefined : plainOf({ ...telemetry, grpcMetrics, sources: [] }),
    ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`inbound.${key}`, plainOf(value)])),
  });
}

/** Drops where things were written, which is no part of what they mean. */
function plainOf(value: unknown): PlainMap[string] {
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  const entries = Object.entries(value).filter(
    ([key, one]) => one !== undefined && key !== 'source' && key !== 'sources' && key !== 'position',
  );
  return Object.fromEntries(entries.map(([key, one]) => [key, plainOf(one)]));
}
