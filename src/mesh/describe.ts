// Policies in words, for `explain`: one line each, with the figures that decide.
import type { RouteConfig, ServiceConfig } from '../model/config.ts';
import { formatDuration } from '../model/duration.ts';
import { GRPC_STATUSES } from '../model/grpc-status.ts';
import { CRITICALITIES, type FaultPolicy, type MirrorPolicy } from '../model/traffic.ts';
import type { RouteTarget } from '../model/route.ts';

/** 0.55 times 100 is not 55. */
function percentOf(share: number): number {
  return Math.round(share * 1e6) / 1e4;
}

export function retriesText({
  attempts,
  backoff,
  grpcStatuses = [],
  perTryTimeoutMs,
  retryOn,
  semantics,
}: ServiceConfig['retries']): string {
  if (attempts === 0) return 'off';
  const perTry = perTryTimeoutMs > 0 ? `per try ${formatDuration(perTryTimeoutMs)}, ` : '';
  const conditions = [...retryOn, ...grpcStatuses.map((status) => `gRPC ${GRPC_STATUSES[status] ?? status}`)];
  const methods = semantics === undefined ? '' : ', any method';
  return `${attempts}, ${perTry}on ${conditions.join(', ')}${methods}, back-off ${backoff.baseMs} to ${backoff.maxMs} ms`;
}

export function budgetText({ retryBudget: budget }: ServiceConfig): string {
  switch (budget.kind) {
    case 'successes':
      return `${budget.tokensMax} tokens, +${budget.tokensPerSuccess} per success, +${budget.tokensPerSecond}/s`;
    case 'envoy':
      return `Envoy's: ${budget.percent} % of the calls in flight, at least ${budget.concurrencyMin}`;
    case 'linkerd':
      return `Linkerd's: ratio ${budget.ratio}, +${budget.retriesPerSecondMin}/s, over ${formatDuration(budget.ttlMs)}`;
    case 'gateway-api':
      return `Gateway API's: ${budget.percent} % of the calls in ${formatDuration(budget.intervalMs)}, at least ${budget.rateMinCount} in ${formatDuration(budget.rateMinIntervalMs)}`;
    case 'grpc':
      return `gRPC's: ${budget.tokensMax} tokens, +${budget.tokenRatio} per success, retries above half`;
    case 'none':
      return 'none: nothing limits retries but their number';
  }
}

export function breakerText({ circuitBreaker: breaker }: ServiceConfig): string {
  if (breaker === null) return 'off';
  const open = `opens for up to ${formatDuration(breaker.openBaseMs)}, doubling to ${formatDuration(breaker.openMaxMs)}`;
  if (breaker.kind === 'ratio')
    return `${percentOf(breaker.failureRatio)} % of at least ${breaker.callsMin} calls in ${formatDuration(breaker.windowMs)}, ${open}`;
  if (breaker.kind === 'consecutive') return `${breaker.failures} failures in a row, ${open}`;
  return `${percentOf(breaker.failureRatio)} % of the last ${breaker.size} calls, ${open}`;
}

export function outlierText({ outlierDetection: outlier }: ServiceConfig): string {
  if (outlier === null) return 'off';
  if (outlier.kind === 'linkerd') {
    return `Linkerd's: ${outlier.failuresMax} failures in a row${outlier.successRate === null ? '' : ` or success below ${outlier.successRate.threshold}`}; out for ${formatDuration(outlier.penaltyMinMs)} to ${formatDuration(outlier.penaltyMaxMs)}`;
  }
  const times = `ejects ${formatDuration(outlier.baseEjectionMs)} to ${formatDuration(outlier.maxEjectionMs)}, at most ${outlier.maxEjectionPercent} %`;
  if (outlier.kind === 'envoy') {
    return `Envoy's: ${outlier.consecutive5xx} × 5xx, ${outlier.consecutiveGatewayErrors} gateway errors in a row, swept every ${formatDuration(outlier.intervalMs)}; ${times}`;
  }
  return `${outlier.consecutiveErrors} errors in a row, or worse than its peers over ${formatDuration(outlier.windowMs)}; ${times}`;
}

export function balancerText({ loadBalancer: { kind, hash, locality, slowStart, subsetSize } }: ServiceConfig): string {
  const parts: string[] = [kind];
  if (hash !== null) parts.push(`by ${hash.keys.map((key) => Object.keys(key)[0]).join(', ')}`);
  if (locality !== null) parts.push(locality.mode === 'zone' ? 'own zone first' : 'localities by priority');
  if (slowStart !== null) parts.push(`slow start ${formatDuration(slowStart.windowMs)}`);
  if (subsetSize > 0) parts.push(`${subsetSize} endpoints for this process`);
  return parts.join(', ');
}

export function limitsText({ limits }: ServiceConfig): string {
  const { adaptive, ...fixed } = limits;
  const set = Object.entries(fixed)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${name} ${value}`);
  if (adaptive !== null) set.push(`adaptive ${adaptive.min} to ${adaptive.max} an endpoint`);
  return set.length === 0 ? 'none' : set.join(', ');
}

export function faultText({ delay, abort, position }: FaultPolicy): string {
  const parts: string[] = [];
  if (delay !== undefined) parts.push(`delay ${formatDuration(delay.fixedMs)} for ${delay.percent} %`);
  if (abort !== undefined)
    parts.push(`abort with ${abort.grpcStatus === undefined ? abort.status : `gRPC ${abort.grpcStatus}`} for ${abort.percent} %`);
  return `${parts.join(', ')}, of each ${position}`;
}

export function tlsText({ tls }: ServiceConfig): string {
  const { mode, serverName, subjectAltNames, verify, ca } = tls;
  if (mode === 'disable') return mode;
  const parts: string[] = [mode];
  if (ca !== undefined) parts.push(ca.includes('-----BEGIN ') ? 'roots given' : `roots ${ca}`);
  if (serverName !== undefined) parts.push(`name ${serverName}`);
  if (subjectAltNames !== undefined) parts.push(`one of ${subjectAltNames.join(', ')}`);
  if (verify !== undefined) parts.push(verify === 'none' ? 'nothing verified' : 'any name');
  return parts.join(', ');
}

const ENDPOINTS_SHOWN_MAX = 5;

export function endpointsText({ endpoints }: ServiceConfig): string {
  if (endpoints.kind === 'file') return `file ${endpoints.path}`;
  if (endpoints.kind === 'dns') return `dns ${endpoints.host}${endpoints.port === 0 ? '' : `:${endpoints.port}`}`;
  const addresses = endpoints.endpoints.map(({ address }) => address);
  const more = addresses.length - ENDPOINTS_SHOWN_MAX;
  if (addresses.length === 0) return 'none';
  return more > 0 ? `${addresses.slice(0, ENDPOINTS_SHOWN_MAX).join(', ')} and ${more} more` : addresses.join(', ');
}

/** null: all left to the transport. */
export function connectionsText({ connections }: ServiceConfig): string | null {
  if (connections === undefined) return null;
  const { connectTimeoutMs, idleTimeoutMs, maxAgeMs, tcpKeepalive, maxConcurrentStreams, http2Ping } = connections;
  const parts: string[] = [];
  if (connectTimeoutMs !== undefined) parts.push(`connect within ${formatDuration(connectTimeoutMs)}`);
  if (idleTimeoutMs !== undefined) parts.push(idleTimeoutMs === 0 ? 'idle for ever' : `idle ${formatDuration(idleTimeoutMs)}`);
  if (maxAgeMs !== undefined) parts.push(`at most ${formatDuration(maxAgeMs)} old`);
  if (tcpKeepalive !== undefined) parts.push('TCP keep-alive');
  if (maxConcurrentStreams !== undefined) parts.push(`${maxConcurrentStreams} streams`);
  if (http2Ping !== undefined) parts.push(`ping every ${formatDuration(http2Ping.intervalMs)}`);
  return parts.length === 0 ? null : parts.join(', ');
}

export function targetName({ service, subset }: Pick<RouteTarget, 'service' | 'subset'>): string {
  return subset === undefined || subset === '' ? service : `${service}/${subset}`;
}

function mirrorText({ target, percent, of }: MirrorPolicy): string {
  return `${targetName(target)} ${percent} %${of === undefined ? '' : ` of the calls to ${targetName(of)}`}`;
}

/** What a route does beside the rest, by the name of the field; only what is on. */
export function extrasOf(service: ServiceConfig, route: RouteConfig): readonly (readonly [name: string, text: string])[] {
  const { fault, mirrors, rewrite, redirect, directResponse, hedge, cache, coalesce, fallback, criticality } = route;
  const rateLimit = route.rateLimit ?? service.rateLimit;
  const { healthCheck, throttle } = service;
  const texts: readonly (readonly [string, string | undefined])[] = [
    ['rateLimit', rateLimit && `${rateLimit.tokensPerFill} in ${formatDuration(rateLimit.fillMs)}, bursts of ${rateLimit.tokensMax}`],
    ['fault', fault && faultText(fault)],
    ['mirrors', mirrors.length === 0 ? undefined : mirrors.map(mirrorText).join(', ')],
    [
      'rewrite',
      rewrite && [rewrite.path === undefined ? '' : `path ${rewrite.path.kind}`, rewrite.authority ?? ''].filter(Boolean).join(', '),
    ],
    ['redirect', redirect && `${redirect.status} to ${redirect.scheme ?? 'its scheme'}://${redirect.host ?? 'its host'}`],
    ['directResponse', directResponse && `${directResponse.status}, ${directResponse.body.length} characters`],
    ['idempotent', route.idempotent ? 'whatever the method' : undefined],
    ['hedge', hedge && `for ${percentOf(hedge.extraLoad)} % of the calls`],
    ['cache', cache && `${cache.entriesMax} answers, ${cache.bytesMax} bytes, stale for ${formatDuration(cache.staleIfErrorMs)} on errors`],
    ['coalesce', coalesce && `up to ${coalesce.waitersMax} waiting`],
    ['fallback', fallback && (typeof fallback.answer === 'function' ? 'a function' : `a fixed answer, ${fallback.answer.status ?? 200}`)],
    ['criticality', criticality === undefined ? undefined : CRITICALITIES[criticality]],
    ['healthCheck', healthCheck === null ? undefined : `${healthCheck.kind} every ${formatDuration(healthCheck.intervalMs)}`],
    [
      'throttle',
      throttle === null ? undefined : `more than ${throttle.k} calls per accepted one, over ${formatDuration(throttle.windowMs)}`,
    ],
  ];
  return texts.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
}
