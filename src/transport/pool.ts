// The leaf: one undici Pool per endpoint and TLS name, made when first used. Writes the headers that only the last hop
// knows: host, remaining time, attempt number.
import { isIP } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import type { Call, Endpoint, Reply } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import type { Service } from '../core/service.ts';
import { type ClientTls, clientTls } from '../identity/tls-context.ts';
import type { IdentityConfig } from '../model/config.ts';
import type { ConnectionPolicy, LimitsPolicy, TlsPolicy } from '../model/destination.ts';
import { CRITICALITIES } from '../model/traffic.ts';
import { Exchange, type ExchangeHost } from './exchange.ts';
import { refuse } from '../core/refuse.ts';
import { isIdentityError } from './failure.ts';
import { ATTEMPT_HEADER, CRITICALITY_HEADER, DEADLINE_HEADER } from '../core/headers.ts';
import { buildConnector, type Dispatcher, Pool } from './undici.ts';

export interface TransportPolicy {
  readonly service: string;
  readonly protocol: 'http1' | 'http2';
  readonly tls: TlsPolicy;
  readonly limits: LimitsPolicy;
  readonly connections?: ConnectionPolicy | undefined;
  /** How many endpoints share `maxConnections`. */
  readonly endpoints: number;
}

export interface TransportDeps {
  readonly clock: Clock;
  readonly identity: IdentityConfig | null;
}

/** What the pools of one service share: its policy, TLS material, and the calls that wait for a socket. */
export class ServiceTransport {
  readonly policy: TransportPolicy;
  readonly clock: Clock;
  /** Calls given to undici that have no socket yet. */
  pending = 0;
  /** Told when no connection could be made: discovery may look again. */
  onConnectFailure: () => void = () => {};
  /** Told when a peer did not prove its identity: never sickness, always an event. */
  onPeerUntrusted: (endpoint: Endpoint, message: string) => void = () => {};
  readonly #deps: TransportDeps;
  #tls: ClientTls | null = null;

  constructor(policy: TransportPolicy, deps: TransportDeps) {
    this.policy = policy;
    this.clock = deps.clock;
    this.#deps = deps;
    // Read now, so that a missing certificate is an error at load and not at the first call.
    if (policy.tls.mode !== 'disable') this.#tls = clientTls(policy.tls, deps.identity);
  }

  get tls(): ClientTls {
    this.#tls ??= clientTls({ ...this.policy.tls, mode: 'simple' }, this.#deps.identity);
    return this.#tls;
  }
}

/** A connection is given up after this time, and the call goes to another endpoint. Source: Envoy `connect_timeout`. */
const CONNECT_MS_MAX = 5_000;

/** Options that undici reads and its types leave out. */
type DispatchOptions = Dispatcher.DispatchOptions & { servername?: string | undefined };
type PoolOptions = Pool.Options & { useH2c?: boolean; h2Options?: { maxConcurrentStreams?: number; pingInterval?: number } };
type ConnectorOptions = buildConnector.BuildOptions & { useH2c?: boolean };

class EndpointPool implements ExchangeHost {
  readonly clock: Clock;
  isFresh = false;
  socketError: Error | null = null;
  readonly isMutual: boolean;
  readonly pool: Pool;
  /** Name sent as SNI and verified; undefined without TLS. */
  readonly serverName: string | undefined;
  readonly #shared: ServiceTransport;

  constructor(endpoint: Endpoint, serverName: string | undefined, shared: ServiceTransport) {
    this.clock = shared.clock;
    this.serverName = serverName;
    this.isMutual = shared.policy.tls.mode === 'mutual';
    this.#shared = shared;
    const { limits, protocol, connections } = shared.policy;
    const host = isIP(endpoint.host) === 6 ? `[${endpoint.host}]` : endpoint.host;
    const isH2 = protocol === 'http2';
    const options: PoolOptions = {
      headersTimeout: 0,
      bodyTimeout: 0,
      pipelining: isH2 ? 100 : 1,
      allowH2: isH2,
      useH2c: isH2 && serverName === undefined,
      ...(limits.maxRequestsPerConnection === 0 ? {} : { maxRequestsPerClient: limits.maxRequestsPerConnection }),
      connections: connectionsOf(limits, shared.policy.endpoints),
      ...(connections === undefined ? {} : lifeOf(connections, isH2)),
      connect: this.#watched(connector(shared, serverName, isH2)),
    };
    this.pool = new Pool(`${serverName === undefined ? 'http' : 'https'}://${host}:${endpoint.port}`, options);
    this.pool.on('connect', () => {
      // undici gives the waiting calls to the new socket in this very turn.
      this.isFresh = true;
      queueMicrotask(this.#onSettled);
    });
    this.pool.on('connectionError', (_origin, _targets, error) => {
      if (isIdentityError(error)) shared.onPeerUntrusted(endpoint, error.message);
      else shared.onConnectFailure();
    });
  }

  onStarted(): void {
    this.#shared.pending--;
  }

  readonly #onSettled = (): void => {
    this.isFresh = false;
    this.socketError = null;
  };

  /** Listens before undici does, so that an error is known when undici tells what it makes of it. */
  #watched(connect: buildConnector.connector): buildConnector.connector {
    const onError = (error: Error): void => {
      this.socketError = error;
      queueMicrotask(this.#onSettled);
    };
    return (options, callback) =>
      connect(options, (...result) => {
        result[1]?.on('error', onError);
        callback(...result);
      });
  }
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

/** A timer of Node cannot be longer. */
const IDLE_FOREVER_MS = 2_147_483_647;

/** What the making of a connection takes from the policy. */
function makingOf({ connections }: TransportPolicy): { timeout: number; keepAlive?: boolean; keepAliveInitialDelay?: number } {
  const { connectTimeoutMs: timeout = CONNECT_MS_MAX, tcpKeepalive } = connections ?? {};
  if (tcpKeepalive === undefined) return { timeout };
  return { timeout, keepAlive: true, ...(tcpKeepalive.timeMs === undefined ? {} : { keepAliveInitialDelay: tcpKeepalive.timeMs }) };
}

function connector(shared: ServiceTransport, serverName: string | undefined, isH2: boolean): buildConnector.connector {
  if (serverName === undefined) return buildConnector({ allowH2: isH2, useH2c: isH2, ...makingOf(shared.policy) } as ConnectorOptions);
  const { connect, checkPeer } = shared.tls;
  const connectTls = buildConnector({
    ...(connect as buildConnector.BuildOptions),
    checkServerIdentity: (_host: string, peer: PeerCertificate) => checkPeer(serverName, peer),
    ...makingOf(shared.policy),
    maxCachedSessions: 0,
    allowH2: isH2,
    preferH2: isH2,
  });
  // An address is no name to send (RFC 6066 §3), but one to verify.
  const sni = isIP(serverName) === 0 ? serverName : '';
  return (options, callback) => connectTls({ ...options, servername: sni }, callback);
}

/** The transport of one endpoint. Closing is graceful: calls in flight finish. */
export interface EndpointTransport {
  readonly service: Service;
  close(): void;
}

export function endpointTransport(endpoint: Endpoint, shared: ServiceTransport): EndpointTransport {
  let plain: EndpointPool | null = null;
  const secure: Map<string, EndpointPool> = new Map();
  let isClosed = false;
  const isAlwaysTls = shared.policy.tls.mode !== 'disable';
  const { maxPendingRequests } = shared.policy.limits;

  function poolFor(call: Call): EndpointPool {
    if (!isAlwaysTls && call.scheme !== 'https') {
      plain ??= new EndpointPool(endpoint, undefined, shared);
      return plain;
    }
    const name = shared.tls.serverName || hostname(call.authority);
    let pool = secure.get(name);
    if (pool === undefined) {
      pool = new EndpointPool(endpoint, name, shared);
      secure.set(name, pool);
    }
    return pool;
  }

  function send(call: Call): Promise<Reply> {
    if (maxPendingRequests > 0 && shared.pending >= maxPendingRequests) return refusePending(call, shared);
    if (isClosed) return refuseClosed(call, shared);
    let host: EndpointPool;
    let options: Dispatcher.DispatchOptions;
    try {
      host = poolFor(call);
      options = dispatchOptions(call, host.serverName);
    } catch (cause) {
      return refuse(call, shared.clock.now(), {
        code: 'protocol_error',
        message: `the call cannot be sent: ${(cause as Error).message}`,
        cause,
      });
    }
    shared.pending++;
    return new Exchange(call, host).send(host.pool as unknown as Dispatcher, options);
  }

  return {
    service: send,
    close(): void {
      isClosed = true;
      // Errors of a pool that nobody uses any more have nobody to tell.
      plain?.pool.close().catch(() => {});
      for (const { pool } of secure.values()) pool.close().catch(() => {});
    },
  };
}

function hostname(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.indexOf(':');
  return end <= 0 ? authority : authority.slice(0, end).replace(/^\[|\]$/g, '');
}

/** The caller's headers and those that only the last hop knows. Made at its final size: `push` would grow it twice. */
function ownHeaders(call: Call): string[] {
  const given = call.headers;
  const count = given.length;
  const dueMs = call.deadlineMs < call.attemptDeadlineMs ? call.deadlineMs : call.attemptDeadlineMs;
  const isBounded = dueMs !== Number.POSITIVE_INFINITY;
  // What the caller wrote himself stands.
  const isCritical = call.criticality >= 0 && call.header(CRITICALITY_HEADER) === undefined;
  const headers = new Array<string>(count + (isBounded ? 4 : 2) + (call.attempt > 1 ? 2 : 0) + (isCritical ? 2 : 0));
  for (let i = 0; i < count; i++) headers[i] = given[i] as string;
  let at = count;
  headers[at++] = 'host';
  headers[at++] = call.authority;
  if (isBounded) {
    headers[at++] = DEADLINE_HEADER;
    headers[at++] = String(Math.max(1, Math.round(dueMs - call.startedAtMs)));
  }
  if (call.attempt > 1) {
    headers[at++] = ATTEMPT_HEADER;
    headers[at++] = String(call.attempt);
  }
  if (isCritical) {
    headers[at++] = CRITICALITY_HEADER;
    headers[at] = CRITICALITIES[call.criticality] as string;
  }
  return headers;
}

function dispatchOptions(call: Call, servername: string | undefined): Dispatcher.DispatchOptions {
  const headers = ownHeaders(call);
  const { upgrade, transportOptions } = call;
  const options: DispatchOptions = {
    path: call.path,
    method: call.method as Dispatcher.HttpMethod,
    headers,
    body: call.body === null ? null : (call.body.open() as NonNullable<Dispatcher.DispatchOptions['body']>),
    upgrade: upgrade === '' ? null : upgrade,
    // Without it undici takes the name from the host header, and reconnects whenever that changes.
    servername,
  };
  return transportOptions === null ? options : Object.assign(options, transportOptions);
}

function refusePending(call: Call, shared: ServiceTransport): Promise<Reply> {
  const limit = shared.policy.limits.maxPendingRequests;
  const message = `${limit} calls already wait for a connection (limits.maxPendingRequests)`;
  return refuse(call, shared.clock.now(), { code: 'overloaded', message });
}

/** The endpoint was removed between pick and send: nothing was sent, another endpoint may take it, and nobody is to blame. */
function refuseClosed(call: Call, shared: ServiceTransport): Promise<Reply> {
  return refuse(call, shared.clock.now(), { code: 'connect_failed', message: 'the endpoint was removed', retryable: true }, 'ignored');
}
