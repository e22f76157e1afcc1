// How a service is called, as the blocks of a traffic policy. What is Istio's own way is not written.
import type { ServiceConfig } from '../../model/config.ts';
import type { RetryBudgetPolicy } from '../../model/retry-budget.ts';
import type { LossScope } from '../losses.ts';
import {
  describeBreaker,
  describeBudget,
  describeConnections,
  describeHealthCheck,
  describeRateLimit,
  describeThrottle,
} from '../write/describe-policy.ts';
import type { ClientTlsSpec, ConnectionPoolSpec, RetryBudgetSpec, TrafficPolicySpec } from './destination-rule-spec.ts';
import { ISTIO_CONNECTIONS } from './istio-defaults.ts';
import { isWhole, writeDuration } from './write-duration.ts';
import { writeLoadBalancer } from './write-load-balancer.ts';
import { writeOutlier } from './write-outlier.ts';

export interface TrafficPolicyDeps {
  readonly report: LossScope;
  /** The document, for the report. */
  readonly to: string;
  /** Fields that a document which goes out as it is says. */
  readonly isKept: (field: string) => boolean;
  /** Whether somebody wrote the field, in the concise form. */
  readonly isWritten: (key: string) => boolean;
  /** Whether a ServiceEntry says what the endpoints speak. */
  readonly hasEntry: boolean;
}

/** Empty when nothing is to be said. */
export function writeTrafficPolicy(service: ServiceConfig, deps: TrafficPolicyDeps): TrafficPolicySpec {
  const unless = <T>(fields: readonly string[], write: () => T | undefined): T | undefined =>
    fields.some(deps.isKept) ? undefined : write();
  const connectionPool = unless(['limits', 'connections'], () => writeConnectionPool(service, deps));
  const outlierDetection = unless(['outlierDetection'], () => writeOutlier(service, deps));
  const loadBalancer = unless(['loadBalancer'], () => writeLoadBalancer(service.loadBalancer, outlierDetection !== undefined, deps));
  const tls = unless(['tls'], () => writeTls(service.tls, deps));
  const retryBudget = unless(['retryBudget'], () => writeBudget(service.retryBudget, deps));
  reportUnsaid(service, deps);
  return {
    ...(connectionPool === undefined ? {} : { connectionPool }),
    ...(loadBalancer === undefined ? {} : { loadBalancer }),
    ...(outlierDetection === undefined ? {} : { outlierDetection }),
    ...(tls === undefined ? {} : { tls }),
    ...(retryBudget === undefined ? {} : { retryBudget }),
  };
}

function writeConnectionPool(service: ServiceConfig, deps: TrafficPolicyDeps): ConnectionPoolSpec | undefined {
  const { limits, protocol } = service;
  const { report, to } = deps;
  const at = `${to}: connectionPool`;
  if (limits.adaptive !== null)
    report.lost('limits.adaptive', { ...limits.adaptive }, 'Istio learns no limits; outlierDetection is the nearest');
  for (const [key, place] of LIMITS) if (limits[key] > 0) report.kept(`limits.${key}`, limits[key], `${at}.${place}`);
  if (limits.maxRetries > 0 && service.retryBudget.kind !== 'none') {
    report.approximated('limits.maxRetries', limits.maxRetries, '', 'a retry budget takes its place');
  }
  const upgrade = protocol === 'http2' && !deps.hasEntry && !deps.isKept('protocol');
  if (protocol === 'http2') report.kept('protocol', protocol, upgrade ? `${at}.http.h2UpgradePolicy` : 'the protocol of the port');
  const connections = service.connections ?? {};
  if (service.connections === undefined)
    report.approximated(
      'connections',
      'left to the transport',
      '',
      'Istio gives a connection 10s to be made, and closes it after 1h without calls',
    );
  const {
    connectTimeoutMs: connectMs,
    idleTimeoutMs: idleMs,
    maxAgeMs,
    tcpKeepalive: alive,
    http2Ping: ping,
    maxConcurrentStreams,
  } = connections;
  for (const [path, value] of Object.entries(describeConnections(service.connections))) report.kept(path, value, at);
  const tcp = {
    ...(limits.maxConnections > 0 ? { maxConnections: limits.maxConnections } : {}),
    ...(connectMs === undefined || connectMs === ISTIO_CONNECTIONS.connectTimeoutMs ? {} : { connectTimeout: writeDuration(connectMs) }),
    ...(maxAgeMs === undefined ? {} : { maxConnectionDuration: writeDuration(maxAgeMs) }),
    ...(alive === undefined
      ? {}
      : {
          tcpKeepalive: {
            ...(alive.probes === undefined ? {} : { probes: alive.probes }),
            ...(alive.timeMs === undefined ? {} : { time: writeDuration(alive.timeMs) }),
            ...(alive.intervalMs === undefined ? {} : { interval: writeDuration(alive.intervalMs) }),
          },
        }),
  };
  const http = {
    ...(limits.maxPendingRequests > 0 ? { http1MaxPendingRequests: limits.maxPendingRequests } : {}),
    ...(limits.maxRequests > 0 ? { http2MaxRequests: limits.maxRequests } : {}),
    ...(limits.maxRequestsPerConnection > 0 ? { maxRequestsPerConnection: limits.maxRequestsPerConnection } : {}),
    ...(limits.maxRetries > 0 ? { maxRetries: limits.maxRetries } : {}),
    ...(idleMs === undefined || idleMs === 0 || idleMs === ISTIO_CONNECTIONS.idleTimeoutMs ? {} : { idleTimeout: writeDuration(idleMs) }),
    ...(upgrade ? { h2UpgradePolicy: 'UPGRADE' as const } : {}),
    ...(maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams }),
    ...(ping === undefined ? {} : { http2KeepAlive: { interval: writeDuration(ping.intervalMs), timeout: writeDuration(ping.timeoutMs) } }),
  };
  const pool = { ...(Object.keys(tcp).length === 0 ? {} : { tcp }), ...(Object.keys(http).length === 0 ? {} : { http }) };
  return Object.keys(pool).length === 0 ? undefined : pool;
}

const LIMITS = [
  ['maxConnections', 'tcp.maxConnections'],
  ['maxPendingRequests', 'http.http1MaxPendingRequests'],
  ['maxRequests', 'http.http2MaxRequests'],
  ['maxRequestsPerConnection', 'http.maxRequestsPerConnection'],
  ['maxRetries', 'http.maxRetries'],
] as const;

function writeTls(tls: ServiceConfig['tls'], { report, to, isWritten }: TrafficPolicyDeps): ClientTlsSpec | undefined {
  const { mode, cert, key, ca, serverName, subjectAltNames, verify, crl } = tls;
  if (mode === 'disable') {
    if (isWritten('tls')) report.kept('tls', mode, `${to}: tls.mode DISABLE`);
    else report.approximated('tls', mode, '', 'Istio encrypts by itself where the other side is in the mesh');
    return isWritten('tls') ? { mode: 'DISABLE' } : undefined;
  }
  const files = { clientCertificate: cert, privateKey: key, caCertificates: ca, caCrl: crl };
  const said: Record<string, string> = {};
  for (const [name, value] of Object.entries(files)) {
    if (value === undefined || (mode === 'simple' && (name === 'clientCertificate' || name === 'privateKey'))) continue;
    if (value.includes('-----BEGIN '))
      report.lost('tls', `${name} as text`, 'Istio takes paths of files, or the name of a secret; put it in one');
    else said[name] = value;
  }
  const isOwn = mode === 'mutual' && cert === undefined;
  // The mesh brings certificate and roots of its own.
  if (isOwn && ca !== undefined) report.approximated('tls.ca', ca, `${to}: tls`, 'with the certificates of the mesh come its roots');
  report.kept('tls', mode, `${to}: tls.mode`);
  return {
    mode: isOwn ? 'ISTIO_MUTUAL' : mode === 'mutual' ? 'MUTUAL' : 'SIMPLE',
    ...(isOwn ? {} : said),
    ...(serverName === undefined ? {} : { sni: serverName }),
    ...(subjectAltNames === undefined ? {} : { subjectAltNames: [...subjectAltNames] }),
    ...(verify === 'none' ? { insecureSkipVerify: true } : {}),
  };
}

function writeBudget(budget: RetryBudgetPolicy, { report, to }: TrafficPolicyDeps): RetryBudgetSpec | undefined {
  if (budget.kind === 'none') return undefined;
  const said = nearestBudget(budget);
  const at = `${to}: retryBudget percent ${said.percent}, minRetryConcurrency ${said.minRetryConcurrency}`;
  if (budget.kind === 'envoy' && (budget.intervalMs === 0 || isWhole(budget.intervalMs)) && budget.concurrencyMin > 0)
    report.kept('retryBudget', describeBudget(budget), at);
  else report.approximated('retryBudget', describeBudget(budget), at, 'Istio counts retries in flight as a share of the calls in flight');
  return said;
}

/** A success that gives 0.2 tokens pays for 20 % of retries. Source: Istio's own conversion of the rule of Gateway API. */
function nearestBudget(
  budget: Exclude<RetryBudgetPolicy, { readonly kind: 'none' }>,
): RetryBudgetSpec & { percent: number; minRetryConcurrency: number } {
  const percent = (ratio: number): number => Math.min(100, Math.round(ratio * 10_000) / 100);
  const floor = (count: number): number => Math.max(1, Math.round(count));
  switch (budget.kind) {
    case 'envoy': {
      const { percent: share, concurrencyMin, intervalMs } = budget;
      return {
        percent: share,
        minRetryConcurrency: floor(concurrencyMin),
        ...(intervalMs > 0 ? { budgetInterval: writeDuration(intervalMs) } : {}),
      };
    }
    case 'gateway-api':
      return { percent: budget.percent, minRetryConcurrency: floor(budget.rateMinCount), budgetInterval: writeDuration(budget.intervalMs) };
    case 'linkerd':
      return {
        percent: percent(budget.ratio),
        minRetryConcurrency: floor(budget.retriesPerSecondMin),
        budgetInterval: writeDuration(budget.ttlMs),
      };
    case 'grpc':
      return { percent: percent(budget.tokenRatio), minRetryConcurrency: 3 };
    case 'successes':
      return { percent: percent(budget.tokensPerSuccess), minRetryConcurrency: 3 };
  }
}

/** What no field of Istio is for. */
function reportUnsaid(service: ServiceConfig, { report, to }: TrafficPolicyDeps): void {
  const { circuitBreaker, healthCheck, throttle, rateLimit, outlierDetection } = service;
  if (circuitBreaker !== null) {
    const what = describeBreaker(circuitBreaker);
    if (outlierDetection === null)
      report.lost(
        'circuitBreaker',
        what,
        'Istio has no circuit of a whole service; limits and outlierDetection are the nearest, and there is no ejection here',
      );
    else
      report.approximated(
        'circuitBreaker',
        what,
        `${to}: outlierDetection`,
        'Istio leaves out endpoints one by one, never the service as a whole',
      );
  }
  if (healthCheck !== null)
    report.lost('healthCheck', describeHealthCheck(healthCheck), 'Istio leaves it to the readiness probes of Kubernetes');
  if (throttle !== null) report.lost('throttle', describeThrottle(throttle), 'Istio does not refuse calls before they are sent');
  if (rateLimit !== undefined) report.lost('rateLimit', describeRateLimit(rateLimit), 'Istio limits rates through EnvoyFilter only');
}
