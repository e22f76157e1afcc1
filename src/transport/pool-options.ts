// The policy of a service in undici's words: how many sockets, how long they live, how they are made.
import type { ConnectionPolicy, LimitsPolicy, TlsPolicy } from '../model/destination.ts';
import type { buildConnector, Pool } from './undici.ts';

export interface TransportPolicy {
  readonly service: string;
  readonly protocol: 'http1' | 'http2';
  readonly tls: TlsPolicy;
  readonly limits: LimitsPolicy;
  readonly connections?: ConnectionPolicy | undefined;
  /** How many endpoints share `maxConnections` of HTTP/2, where it is divided among them beforehand. */
  readonly endpoints: number;
}

/** A connection is given up after this time, and the call goes to another endpoint. Source: Envoy `connect_timeout`. */
const CONNECT_MS_MAX = 5_000;

/** A timer of Node cannot be longer. */
const IDLE_FOREVER_MS = 2_147_483_647;

/** Options that undici reads and its types leave out. */
type PoolOptions = Pool.Options & { useH2c?: boolean; h2Options?: { maxConcurrentStreams?: number; pingInterval?: number } };

export type ConnectionOptions = buildConnector.BuildOptions & { useH2c?: boolean };

export function poolOptions({ limits, protocol, connections, endpoints }: TransportPolicy, isPlain: boolean): PoolOptions {
  const isH2 = protocol === 'http2';
  return {
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: isH2 ? 100 : 1,
    allowH2: isH2,
    useH2c: isH2 && isPlain,
    ...(limits.maxRequestsPerConnection === 0 ? {} : { maxRequestsPerClient: limits.maxRequestsPerConnection }),
    connections: connectionsOf(limits, endpoints),
    ...(connections === undefined ? {} : lifeOf(connections, isH2)),
  };
}

/** Sockets that one endpoint may have, so that all together keep to the limit of the service; never less than one. */
function connectionsOf(limits: LimitsPolicy, endpoints: number): number | null {
  return limits.maxConnections > 0 ? Math.max(1, Math.floor(limits.maxConnections / Math.max(1, endpoints))) : null;
}

/** How long sockets live, as undici says it. It counts idle time from the last answer, and age when the socket is next asked for. */
function lifeOf({ idleTimeoutMs, maxAgeMs, maxConcurrentStreams, http2Ping }: ConnectionPolicy, isH2: boolean): Partial<PoolOptions> {
  const idleMs = idleTimeoutMs === 0 ? IDLE_FOREVER_MS : idleTimeoutMs;
  return {
    ...(idleMs === undefined ? {} : { keepAliveTimeout: idleMs, keepAliveMaxTimeout: idleMs }),
    ...(maxAgeMs === undefined ? {} : { clientTtl: maxAgeMs }),
    ...(isH2 && maxConcurrentStreams !== undefined ? { pipelining: maxConcurrentStreams } : {}),
    ...(isH2 && http2Ping !== undefined ? { h2Options: { pingInterval: http2Ping.intervalMs } } : {}),
  };
}

/** What the making of a connection takes from the policy. */
export function connectionOptions({ connections }: TransportPolicy): ConnectionOptions {
  const { connectTimeoutMs: timeout = CONNECT_MS_MAX, tcpKeepalive } = connections ?? {};
  if (tcpKeepalive === undefined) return { timeout };
  return { timeout, keepAlive: true, ...(tcpKeepalive.timeMs === undefined ? {} : { keepAliveInitialDelay: tcpKeepalive.timeMs }) };
}
