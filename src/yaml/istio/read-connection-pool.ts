// Sizes and times of connections. 0 means that nothing was said. Source: Istio, applyConnectionPool.
import type { ConnectionPolicy, LimitsPolicy } from '../../model/destination.ts';
import { msOf } from './check-duration.ts';
import type { ConnectionPoolSpec } from './destination-rule-spec.ts';
import { ISTIO_CONNECTIONS, ISTIO_LIMITS } from './istio-defaults.ts';

export function readLimits({ tcp = {}, http = {} }: ConnectionPoolSpec): LimitsPolicy {
  return {
    ...ISTIO_LIMITS,
    maxConnections: tcp.maxConnections ?? 0,
    maxPendingRequests: http.http1MaxPendingRequests ?? 0,
    maxRequests: http.http2MaxRequests ?? 0,
    maxRequestsPerConnection: http.maxRequestsPerConnection ?? 0,
    maxRetries: http.maxRetries ?? 0,
  };
}

export function readConnections({ tcp = {}, http = {} }: ConnectionPoolSpec): ConnectionPolicy {
  const { connectTimeout, maxConnectionDuration, tcpKeepalive } = tcp;
  const { maxConcurrentStreams = 0, http2KeepAlive } = http;
  const idleTimeout = http.idleTimeout ?? tcp.idleTimeout;
  return {
    ...ISTIO_CONNECTIONS,
    ...(connectTimeout === undefined ? {} : { connectTimeoutMs: msOf(connectTimeout) }),
    ...(idleTimeout === undefined ? {} : { idleTimeoutMs: msOf(idleTimeout) }),
    ...(maxConnectionDuration === undefined ? {} : { maxAgeMs: msOf(maxConnectionDuration) }),
    ...(tcpKeepalive === undefined ? {} : { tcpKeepalive: readKeepalive(tcpKeepalive) }),
    ...(maxConcurrentStreams === 0 ? {} : { maxConcurrentStreams }),
    ...(http2KeepAlive === undefined
      ? {}
      : { http2Ping: { intervalMs: msOf(http2KeepAlive.interval), timeoutMs: msOf(http2KeepAlive.timeout) } }),
  };
}

function readKeepalive({
  probes = 0,
  time,
  interval,
}: NonNullable<NonNullable<ConnectionPoolSpec['tcp']>['tcpKeepalive']>): NonNullable<ConnectionPolicy['tcpKeepalive']> {
  return {
    ...(probes === 0 ? {} : { probes }),
    ...(time === undefined ? {} : { timeMs: msOf(time) }),
    ...(interval === undefined ? {} : { intervalMs: msOf(interval) }),
  };
}
