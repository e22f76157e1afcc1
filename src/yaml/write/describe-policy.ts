// Policies of a service in the words of the concise form: retries, budget, breaker, limits and the like. The balancer
// and who is left out are in files of their own.
import type { ServiceConfig } from '../../model/config.ts';
import type { BreakerPolicy, ConnectionPolicy, LimitsPolicy, RetryPolicy, ThrottlePolicy, TlsPolicy } from '../../model/destination.ts';
import { DURATION_MS_MAX } from '../../model/duration.ts';
import { GRPC_STATUSES } from '../../model/grpc-status.ts';
import type { RetryBudgetPolicy } from '../../model/retry-budget.ts';
import type { RateLimitPolicy } from '../../model/traffic.ts';
import type { HealthCheckPolicy } from '../../model/balancing.ts';
import { described, type Described, NEVER, statusText, timeText } from './described.ts';
import { defined, type Plain, type PlainMap } from './plain.ts';

/** 0 is no limit, and so is a year. */
export function describeTimeout(timeoutMs: number): string {
  return timeoutMs === 0 || timeoutMs >= DURATION_MS_MAX ? NEVER : timeText(timeoutMs);
}

/** `timeoutMs`: of the whole call; a try that may take as long is not limited. */
export function describeRetries(policy: RetryPolicy, timeoutMs: number): Described {
  if (policy.attempts === 0) return described({ retries: false });
  const { semantics, grpcStatuses, perTryTimeoutMs: perTryMs } = policy;
  const isLimited = perTryMs > 0 && perTryMs < DURATION_MS_MAX && (timeoutMs === 0 || perTryMs < timeoutMs);
  return described(
    {
      retries: {
        attempts: Number.isFinite(policy.attempts) ? policy.attempts : 'any',
        perTryTimeout: isLimited ? timeText(perTryMs) : NEVER,
        retryOn: [...policy.retryOn],
        backoff: { base: timeText(policy.backoff.baseMs), max: timeText(policy.backoff.maxMs) },
        retryAfterMax: timeText(policy.retryAfterMaxMs),
        methods: [...policy.methods],
        acrossSubsets: policy.acrossSubsets,
        bodyLimit: policy.bodyBytesMax,
        ...(grpcStatuses === undefined || grpcStatuses.length === 0 ? {} : { grpcStatuses: grpcStatuses.map(statusName) }),
      },
    },
    {
      'retries.semantics': semantics === undefined ? undefined : { ...semantics },
    },
  );
}

function statusName(code: number): string | number {
  return GRPC_STATUSES[code] ?? code;
}

export function describeBudget(budget: RetryBudgetPolicy): Plain {
  switch (budget.kind) {
    case 'none':
      return false;
    case 'successes':
      return { mode: 'inmesh', tokens: budget.tokensMax, perSuccess: budget.tokensPerSuccess, perSecond: budget.tokensPerSecond };
    case 'envoy':
      return {
        mode: 'envoy',
        percent: budget.percent,
        minRetryConcurrency: budget.concurrencyMin,
        budgetInterval: timeText(budget.intervalMs),
      };
    case 'linkerd':
      return { mode: 'linkerd', retryRatio: budget.ratio, minRetriesPerSecond: budget.retriesPerSecondMin, ttl: timeText(budget.ttlMs) };
    case 'gateway-api':
      return {
        mode: 'gateway-api',
        budget: { percent: budget.percent, interval: timeText(budget.intervalMs) },
        minRetryRate: { count: budget.rateMinCount, interval: timeText(budget.rateMinIntervalMs) },
      };
    case 'grpc':
      return { mode: 'grpc', maxTokens: budget.tokensMax, tokenRatio: budget.tokenRatio };
  }
}

export function describeBreaker(breaker: BreakerPolicy | null): Plain {
  if (breaker === null) return false;
  const open = {
    openBase: timeText(breaker.openBaseMs),
    openMax: timeText(breaker.openMaxMs),
    successesToClose: breaker.successesToClose,
  };
  if (breaker.kind === 'consecutive') return { consecutive: breaker.failures, ...open };
  const { failureRatio, callsMin: minCalls } = breaker;
  if (breaker.kind === 'ratio') return { failureRatio, window: timeText(breaker.windowMs), minCalls, ...open };
  return { count: { failureRatio, size: breaker.size, minCalls }, ...open };
}

export function describeHealthCheck(check: HealthCheckPolicy | null): Plain {
  if (check === null) return false;
  const port = check.port === 0 ? undefined : check.port;
  const probes: Readonly<Record<HealthCheckPolicy['kind'], PlainMap>> = {
    http: defined({ path: check.path, statuses: check.statuses.map(statusText), port }),
    tcp: defined({ port }),
    grpc: defined({ service: check.service === '' ? undefined : check.service, port }),
  };
  return {
    [check.kind]: probes[check.kind],
    interval: timeText(check.intervalMs),
    timeout: timeText(check.timeoutMs),
    unhealthyThreshold: check.unhealthyThreshold,
    healthyThreshold: check.healthyThreshold,
    always: check.always,
  };
}

export function describeLimits({ adaptive, ...limits }: LimitsPolicy): PlainMap {
  return { ...limits, adaptive: adaptive === null ? false : { ...adaptive } };
}

export function describeThrottle(throttle: ThrottlePolicy | null): Plain {
  if (throttle === null) return false;
  return { k: throttle.k, window: timeText(throttle.windowMs), minRps: throttle.rpsMin, maxReject: throttle.rejectMax };
}

export function describeRateLimit(limit: RateLimitPolicy | undefined): Plain {
  return limit === undefined ? false : { requests: limit.tokensPerFill, per: timeText(limit.fillMs), burst: limit.tokensMax };
}

export function describeTls({ verify, webRoots, crl, mode, subjectAltNames, ...more }: TlsPolicy): Described {
  const tls: Plain =
    mode === 'disable' ? mode : { mode, ...more, ...(subjectAltNames === undefined ? {} : { subjectAltNames: [...subjectAltNames] }) };
  return described({ tls }, { 'tls.verify': verify, 'tls.webRoots': webRoots, 'tls.crl': crl });
}

/** The concise form leaves sockets to the transport. */
export function describeConnections(connections: ConnectionPolicy | undefined): PlainMap {
  const { tcpKeepalive, http2Ping, maxConcurrentStreams, ...times } = connections ?? {};
  return defined({
    ...Object.fromEntries(Object.entries(times).map(([key, ms]) => [`connections.${key.replace(/Ms$/, '')}`, timeText(ms)])),
    'connections.tcpKeepalive': tcpKeepalive === undefined ? undefined : defined({ ...tcpKeepalive }),
    'connections.http2Ping': http2Ping === undefined ? undefined : { ...http2Ping },
    'connections.maxConcurrentStreams': maxConcurrentStreams,
  });
}

/** Who answers for the service; empty when nobody has said. */
export function describeEndpoints(endpoints: ServiceConfig['endpoints']): PlainMap {
  if (endpoints.kind === 'file') return { endpointsFile: endpoints.path };
  if (endpoints.kind === 'dns') {
    const { host, port, record } = endpoints;
    return {
      dns:
        record === 'any'
          ? `${host.includes(':') ? `[${host}]` : host}:${port}`
          : defined({ host, port: port === 0 ? undefined : port, record }),
    };
  }
  return {
    endpoints: endpoints.endpoints.map(({ address, labels, locality, weight, priority }) =>
      defined({
        address,
        labels: Object.keys(labels).length === 0 ? undefined : { ...labels },
        locality: locality === '' ? undefined : locality,
        weight: weight === 1 ? undefined : weight,
        priority: priority === undefined || priority === 0 ? undefined : priority,
      }),
    ),
  };
}
