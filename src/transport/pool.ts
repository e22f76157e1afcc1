// The leaf: one undici Pool per endpoint and TLS name, made when first used. Writes the headers that only the last hop
// knows: host, remaining time, attempt number.
import type { Call, Endpoint, Reply } from '../core/call.ts';
import { type Clock, type Random, runAt, systemRandom, type Timer } from '../core/clock.ts';
import type { Service } from '../core/service.ts';
import type { IdentitySource, Unsubscribe } from '../identity/identity-source.ts';
import type { RotatingTls } from '../identity/rotating-tls.ts';
import type { ClientTls } from '../identity/tls-context.ts';
import type { TlsPolicy } from '../model/destination.ts';
import { type SocketHost, watchSocket } from './cut-bodies.ts';
import { dispatchOptions } from './dispatch-options.ts';
import { Exchange, type ExchangeHost } from './exchange.ts';
import { refuse } from '../core/refuse.ts';
import { isCertificateRefused, isIdentityError, isIdentityMissing } from './failure.ts';
import { LimitedPool, SocketLimit } from './limited-pool.ts';
import { type ConnectionOptions, connectionOptions, poolOptions, type TransportPolicy } from './pool-options.ts';
import { secureConnector } from './tls-connector.ts';
import { isTlsLoaded, loadTls, rotatingTls } from './tls-room.ts';
import { TicketWait } from './tls-ticket.ts';
import { buildConnector, type Dispatcher, Pool } from './undici.ts';

export interface TransportDeps {
  readonly clock: Clock;
  readonly identity: IdentitySource | null;
  /** Spreads the ages of connections. @default the chance of the process */
  readonly random?: Random;
}

/** What the pools of one service share: its policy, TLS material, and the calls that wait for a socket. With TLS, `loadTls` comes first. */
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
    const rotating = rotatingTls(tls, { clock, identity, onFailure: ({ message }) => this.onIdentityFailed(message) });
    if (this.#isStarted) rotating.start();
    return rotating;
  }
}

/** With mutual TLS a connection is made anew, and its peer looked at again, after this time at most. */
const MUTUAL_AGE_MS_MAX = 3_600_000;
const AGE_JITTER = 0.2;
/** What an old generation still carries after this time is cut. Source: Envoy `--drain-time-s`. */
const RETIRED_MS_MAX = 600_000;

class EndpointPool implements ExchangeHost, SocketHost {
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
    const { policy } = shared;
    const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
    const isH2 = policy.protocol === 'http2';
    const connect = this.#watched(connector(shared, serverName, isH2, tickets), isH2);
    const options = { ...poolOptions(policy, serverName === undefined), connect };
    const origin = `${serverName === undefined ? 'http' : 'https'}://${host}:${endpoint.port}`;
    if (shared.socketLimit !== null) {
      this.pool = new LimitedPool(origin, options, {
        clock: shared.clock,
        limit: shared.socketLimit,
        onConnect: () => this.#onConnect(),
        onConnectFailure: (error) => this.#onConnectFailure(error),
      });
      return;
    }
    this.pool = new Pool(origin, options);
    this.pool.on('connect', () => this.#onConnect());
    this.pool.on('connectionError', (_origin, _targets, error) => this.#onConnectFailure(error));
  }

  #onConnect(): void {
    // undici gives the waiting calls to the new socket in this very turn.
    this.isFresh = true;
    this.#settleSoon();
  }

  #onConnectFailure(error: Error): void {
    const shared = this.#shared;
    if (isIdentityError(error)) shared.onPeerUntrusted(this.#endpoint, error.message);
    else if (isCertificateRefused(error)) shared.onCertificateRefused(this.#endpoint, error.message);
    else if (!isIdentityMissing(error)) shared.onConnectFailure();
  }

  onSocketError(error: Error): void {
    this.socketError = error;
    this.#settleSoon();
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

  /** What is true in this turn alone. */
  #settleSoon(): void {
    queueMicrotask(() => {
      this.isFresh = false;
      this.socketError = null;
    });
  }

  /** Listens before undici does, so that an error is known when undici tells what it makes of it. */
  #watched(connect: buildConnector.connector, isH2: boolean): buildConnector.connector {
    return (options, callback) =>
      connect(options, (...result) => {
        if (result[1]) watchSocket(result[1], this, isH2);
        callback(...result);
      });
  }
}

function connector(
  shared: ServiceTransport,
  serverName: string | undefined,
  isH2: boolean,
  tickets: TicketWait | null,
): buildConnector.connector {
  const making = connectionOptions(shared.policy);
  const plain: ConnectionOptions = { allowH2: isH2, useH2c: isH2, ...making };
  if (serverName === undefined) return buildConnector(plain);
  const isMutual = shared.policy.tls.mode === 'mutual';
  return secureConnector({ tls: () => shared.tls, serverName, isH2, making, clock: shared.clock, tickets: isMutual ? tickets : null });
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
  return new EndpointLeaf(endpoint, shared);
}

/** Weighs little before its first call: a service may have thousands. */
class EndpointLeaf implements EndpointTransport {
  readonly #endpoint: Endpoint;
  readonly #shared: ServiceTransport;
  #plain: EndpointPool | null = null;
  #secure: SecurePools | null = null;
  #wire: Wire | null = null;
  #isClosed = false;
  readonly service: Service = (call) => this.#send(call);

  constructor(endpoint: Endpoint, shared: ServiceTransport) {
    this.#endpoint = endpoint;
    this.#shared = shared;
  }

  close(): void {
    this.#isClosed = true;
    this.#plain?.close();
    this.#secure?.close();
    if (this.#wire !== null) for (const line of this.#wire.lines.values()) line.close();
  }

  #send(call: Call): Promise<Reply> {
    const shared = this.#shared;
    const { maxPendingRequests } = shared.policy.limits;
    if (maxPendingRequests > 0 && shared.pending >= maxPendingRequests) return refusePending(call, shared);
    if (this.#isClosed) return refuseClosed(call, shared);
    if (call.scheme === 'https' && !isTlsLoaded()) return loadTls().then(() => this.#send(call));
    if (call.carrier !== null) return call.carrier.send(call, (this.#wire ??= this.#makeWire()));
    let host: EndpointPool;
    let options: Dispatcher.DispatchOptions;
    try {
      host = this.#poolFor(call);
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

  #poolFor(call: Call): EndpointPool {
    const name = serverNameOf(call, this.#shared);
    if (name === undefined) {
      this.#plain ??= new EndpointPool(this.#endpoint, undefined, this.#shared, null);
      return this.#plain;
    }
    this.#secure ??= new SecurePools(this.#endpoint, this.#shared);
    return this.#secure.get(name);
  }

  #makeWire(): Wire {
    const shared = this.#shared;
    return { endpoint: this.#endpoint, shared, serverNameOf: (call) => serverNameOf(call, shared), lines: new Map() };
  }
}

function serverNameOf(call: Call, shared: ServiceTransport): string | undefined {
  const isPlain = shared.policy.tls.mode === 'disable' && call.scheme !== 'https';
  return isPlain ? undefined : shared.tls.serverName || hostname(call.authority);
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
