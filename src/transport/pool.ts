// The leaf: one undici Pool per endpoint and TLS name, made when first used. Writes the headers that only the last hop
// knows: host, remaining time, attempt number.
import { isIP } from 'node:net';
import type { Call, Endpoint, Reply } from '../core/call.ts';
import { type Clock, type Random, runAt, systemRandom, type Timer } from '../core/clock.ts';
import type { Service } from '../core/service.ts';
import type { IdentitySource, Unsubscribe } from '../identity/identity-source.ts';
import { RotatingTls } from '../identity/rotating-tls.ts';
import type { ClientTls } from '../identity/tls-context.ts';
import type { ConnectionPolicy, LimitsPolicy, TlsPolicy } from '../model/destination.ts';
import { watchEnd, watchStreams } from './cut-bodies.ts';
import { dispatchOptions } from './dispatch-options.ts';
import { Exchange, type ExchangeHost } from './exchange.ts';
import { refuse } from '../core/refuse.ts';
import { isCertificateRefused, isIdentityError, isIdentityMissing } from './failure.ts';
import { LimitedPool, SocketLimit } from './limited-pool.ts';
import { secureConnector } from './tls-connector.ts';
import { TicketWait } from './tls-ticket.ts';
import { buildConnector, type Dispatcher, Pool } from './undici.ts';

export interface TransportPolicy {
  readonly service: string;
  readonly protocol: 'http1' | 'http2';
  readonly tls: TlsPolicy;
  readonly limits: LimitsPolicy;
  readonly connections?: ConnectionPolicy | undefined;
  /** How many endpoints share `maxConnections` of HTTP/2, where it is divided among them beforehand. */
  readonly endpoints: number;
}

export interface TransportDeps {
  readonly clock: Clock;
  readonly identity: IdentitySource | null;
  /** Spreads the ages of connections. @default the chance of the process */
  readonly random?: Random;
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
  /** Told when an endpoint did not accept our certificate. */
  onCertificateRefused: (endpoint: Endpoint, message: string) => void = () => {};
  /** Told when a body has waited long for its reader. */
  onBodyUnread: (endpoint: Endpoint, forMs: number) => void = () => {};
  /** Told why new certificate files are not used. */
  onIdentityFailed: (message: string) => void = () => {};
  /** What all endpoints share of HTTP/1.1; null: sockets are not counted. */
  readonly socketLimit: SocketLimit | null;
  readonly #deps: TransportDeps;
  #tls: RotatingTls | null = null;
  #isStarted = false;

  constructor(policy: TransportPolicy, deps: TransportDeps) {
    this.policy = policy;
    this.clock = deps.clock;
    this.#deps = deps;
    const { limits, protocol } = policy;
    this.socketLimit = limits.maxConnections > 0 && protocol === 'http1' ? new SocketLimit(limits.maxConnections) : null;
    // Read now, so that a missing certificate is an error at load and not at the first call.
    if (policy.tls.mode !== 'disable') this.#tls = this.#rotating(policy.tls);
  }

  /** As of now: a rotation puts another one in its place. */
  get tls(): ClientTls {
    this.#tls ??= this.#rotating({ ...this.policy.tls, mode: 'simple' });
    return this.#tls.current;
  }

  /** From now on certificates rotate. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#tls?.start();
  }

  /** Told of each rotation. */
  onTlsChange(listener: () => void): Unsubscribe {
    return this.#tls?.onChange(listener) ?? (() => {});
  }

  /** When connections made now grow too old, ms of the clock: each a little sooner or later, so that not all go at once. */
  retireAtMs(): number {
    const { clock, random = systemRandom } = this.#deps;
    return clock.now() + MUTUAL_AGE_MS_MAX * (1 - random() * AGE_JITTER);
  }

  /** What it knows of certificates stays as it is. */
  close(): void {
    this.#tls?.close();
  }

  #rotating(tls: TlsPolicy): RotatingTls {
    const { clock, identity } = this.#deps;
    const rotating = new RotatingTls(tls, { clock, identity, onFailure: ({ message }) => this.onIdentityFailed(message) });
    if (this.#isStarted) rotating.start();
    return rotating;
  }
}

/** With mutual TLS a connection is made anew, and its peer looked at again, after this time at most. */
const MUTUAL_AGE_MS_MAX = 3_600_000;
const AGE_JITTER = 0.2;
/** What an old generation still carries after this time is cut. Source: Envoy `--drain-time-s`. */
const RETIRED_MS_MAX = 600_000;

/** A connection is given up after this time, and the call goes to another endpoint. Source: Envoy `connect_timeout`. */
const CONNECT_MS_MAX = 5_000;

/** Options that undici reads and its types leave out. */
type PoolOptions = Pool.Options & { useH2c?: boolean; h2Options?: { maxConcurrentStreams?: number; pingInterval?: number } };
type ConnectorOptions = buildConnector.BuildOptions & { useH2c?: boolean };

class EndpointPool implements ExchangeHost {
  readonly clock: Clock;
  isFresh = false;
  socketError: Error | null = null;
  readonly isMutual: boolean;
  readonly pool: Pool | LimitedPool;
  /** Name sent as SNI and verified; undefined without TLS. */
  readonly serverName: string | undefined;
  readonly #shared: ServiceTransport;
  readonly #endpoint: Endpoint;
  #timer: Timer | null = null;

  constructor(endpoint: Endpoint, serverName: string | undefined, shared: ServiceTransport, tickets: TicketWait | null) {
    this.clock = shared.clock;
    this.serverName = serverName;
    this.isMutual = shared.policy.tls.mode === 'mutual';
    this.#shared = shared;
    this.#endpoint = endpoint;
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
      connect: this.#watched(connector(shared, serverName, isH2, tickets), isH2),
    };
    const onConnect = (): void => {
      // undici gives the waiting calls to the new socket in this very turn.
      this.isFresh = true;
      queueMicrotask(this.#onSettled);
    };
    const onConnectFailure = (error: Error): void => {
      if (isIdentityError(error)) shared.onPeerUntrusted(endpoint, error.message);
      else if (isCertificateRefused(error)) shared.onCertificateRefused(endpoint, error.message);
      else if (!isIdentityMissing(error)) shared.onConnectFailure();
    };
    const origin = `${serverName === undefined ? 'http' : 'https'}://${host}:${endpoint.port}`;
    if (shared.socketLimit !== null) {
      this.pool = new LimitedPool(origin, options, { clock: shared.clock, limit: shared.socketLimit, onConnect, onConnectFailure });
      return;
    }
    this.pool = new Pool(origin, options);
    this.pool.on('connect', onConnect);
    this.pool.on('connectionError', (_origin, _targets, error) => onConnectFailure(error));
  }

  onStarted(): void {
    this.#shared.pending--;
  }

  onBodyUnread(forMs: number): void {
    this.#shared.onBodyUnread(this.#endpoint, forMs);
  }

  /** Graceful; only what does not end in a long while is cut. */
  close(): void {
    this.#setTimer(0, () => {});
    const { pool, clock } = this;
    // Errors of a pool that nobody uses any more have nobody to tell.
    if (pool instanceof LimitedPool) {
      pool.close();
      return;
    }
    const stop = (): void => this.#setTimer(0, () => {});
    pool.close().then(stop, stop);
    this.#setTimer(clock.now() + RETIRED_MS_MAX, () => {
      pool.destroy().catch(() => {});
    });
  }

  /** Runs it when the connections of this pool are as old as they may be. */
  whenOld(retire: () => void): void {
    if (this.isMutual) this.#setTimer(this.#shared.retireAtMs(), retire);
  }

  #setTimer(dueMs: number, run: () => void): void {
    if (this.#timer !== null) this.clock.disarm(this.#timer);
    this.#timer = dueMs === 0 ? null : runAt(this.clock, dueMs, run);
  }

  readonly #onSettled = (): void => {
    this.isFresh = false;
    this.socketError = null;
  };

  /** Listens before undici does, so that an error is known when undici tells what it makes of it. */
  #watched(connect: buildConnector.connector, isH2: boolean): buildConnector.connector {
    const onError = (error: Error): void => {
      this.socketError = error;
      queueMicrotask(this.#onSettled);
    };
    return (options, callback) =>
      connect(options, (...result) => {
        result[1]?.on('error', onError);
        if (result[1]) watchEnd(result[1], onError);
        if (isH2 && result[1]) watchStreams(result[1], this);
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

function connector(
  shared: ServiceTransport,
  serverName: string | undefined,
  isH2: boolean,
  tickets: TicketWait | null,
): buildConnector.connector {
  const making = makingOf(shared.policy);
  if (serverName === undefined) return buildConnector({ allowH2: isH2, useH2c: isH2, ...making } as ConnectorOptions);
  const isMutual = shared.policy.tls.mode === 'mutual';
  return secureConnector({ tls: shared.tls, serverName, isH2, making, clock: shared.clock, tickets: isMutual ? tickets : null });
}

/** The pools of one endpoint by the name that is verified, all of one generation of certificates. */
class SecurePools {
  readonly #endpoint: Endpoint;
  readonly #shared: ServiceTransport;
  readonly #tickets: TicketWait;
  readonly #pools: Map<string, EndpointPool> = new Map();
  #unsubscribe: Unsubscribe | null = null;

  constructor(endpoint: Endpoint, shared: ServiceTransport) {
    this.#endpoint = endpoint;
    this.#shared = shared;
    this.#tickets = new TicketWait(shared.clock);
  }

  get(name: string): EndpointPool {
    return this.#pools.get(name) ?? this.#made(name);
  }

  close(): void {
    this.#unsubscribe?.();
    this.#retireAll();
  }

  #made(name: string): EndpointPool {
    const pool = new EndpointPool(this.#endpoint, name, this.#shared, this.#tickets);
    this.#pools.set(name, pool);
    this.#unsubscribe ??= this.#shared.onTlsChange(this.#retireAll);
    pool.whenOld(() => {
      this.#pools.delete(name);
      pool.close();
    });
    return pool;
  }

  /** The next call makes a new pool; the calls of the old ones finish there. */
  readonly #retireAll = (): void => {
    const old = [...this.#pools.values()];
    this.#pools.clear();
    for (const pool of old) pool.close();
  };
}

/** What a carrier finds at an endpoint. */
export interface Wire {
  readonly endpoint: Endpoint;
  readonly shared: ServiceTransport;
  /** Name to verify and to send as SNI; undefined: no TLS. */
  serverNameOf(call: Call): string | undefined;
  /** What the carriers keep open here, by keys of their own; closed with the endpoint. */
  readonly lines: Map<unknown, { close(): void }>;
}

/** The transport of one endpoint. Closing is graceful: calls in flight finish. */
export interface EndpointTransport {
  readonly service: Service;
  close(): void;
}

export function endpointTransport(endpoint: Endpoint, shared: ServiceTransport): EndpointTransport {
  let plain: EndpointPool | null = null;
  let wire: Wire | null = null;
  const secure = new SecurePools(endpoint, shared);
  let isClosed = false;
  const isAlwaysTls = shared.policy.tls.mode !== 'disable';
  const { maxPendingRequests } = shared.policy.limits;

  function serverNameOf(call: Call): string | undefined {
    return !isAlwaysTls && call.scheme !== 'https' ? undefined : shared.tls.serverName || hostname(call.authority);
  }

  function poolFor(call: Call): EndpointPool {
    const name = serverNameOf(call);
    if (name === undefined) {
      plain ??= new EndpointPool(endpoint, undefined, shared, null);
      return plain;
    }
    return secure.get(name);
  }

  function send(call: Call): Promise<Reply> {
    if (maxPendingRequests > 0 && shared.pending >= maxPendingRequests) return refusePending(call, shared);
    if (isClosed) return refuseClosed(call, shared);
    if (call.carrier !== null) return call.carrier.send(call, (wire ??= { endpoint, shared, serverNameOf, lines: new Map() }));
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
      plain?.close();
      secure.close();
      if (wire !== null) for (const line of wire.lines.values()) line.close();
    },
  };
}

function hostname(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.indexOf(':');
  return end <= 0 ? authority : authority.slice(0, end).replace(/^\[|\]$/g, '');
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
