// The servers of one mesh: what stands before their handlers, the one limit that they share, because the event loop is
// one, and how they end. Survives reloads.
import { type Clock, type Random, runAt, systemRandom } from '../core/clock.ts';
import { type Layer, type Service, wrap } from '../core/service.ts';
import { compileAccess } from '../access/access.ts';
import { AccessCheck } from '../access/check.ts';
import { ActiveCalls } from '../inbound/active-calls.ts';
import { closeAfter } from '../inbound/answer.ts';
import type { AuthorizeDeps } from '../inbound/authorize-layer.ts';
import { ExpiredCalls } from '../inbound/deadline-layer.ts';
import { type EventLoop, processLoop } from '../inbound/event-loop.ts';
import type { DoorGuard } from '../inbound/door.ts';
import type { Refusal } from '../inbound/entrance.ts';
import type { InboundCall } from '../inbound/inbound-call.ts';
import { Places } from '../inbound/places.ts';
import { peerModeOn } from '../access/policy-scope.ts';
import { ServedCalls } from '../inbound/request-limit-layer.ts';
import type { Listening, ServerHost } from '../inbound/server-host.ts';
import { Servers } from '../inbound/servers.ts';
import { NOBODY, type TrustedCallers, trustedCallers } from '../inbound/trusted-callers.ts';
import type { IdentitySource } from '../identity/identity-source.ts';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import { SELF_DEFAULTS, type SelfConfig } from '../model/config.ts';
import type { InboundConfig } from '../model/inbound.ts';
import type { PeerMode } from '../model/security.ts';
import { SERVER_LIMITS_DEFAULTS, type ServerLimits } from '../model/server-limits.ts';
import { AdmissionLimit } from '../resilience/admission-limit.ts';
import { INBOUND_STACK, type ServerTelemetry } from './inbound-stack.ts';

export interface InboundSnapshot {
  /** Calls whose response is not over. */
  readonly inFlight: number;
  /** Calls that may be in flight; null without admission. */
  readonly limit: number | null;
  /** Places taken ÷ limit, 0 to 1. */
  readonly utilization: number;
  /** Calls refused for overload so far. */
  readonly rejected: number;
  /** Calls answered 504 so far because their deadline had passed before they were served. */
  readonly expired: number;
  /** Median latency of the unloaded server, ms; 0 while unknown. */
  readonly baselineMs: number;
  /** Connections not taken so far, by the code of the reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Requests answered 400 so far because two parties could read their head differently. */
  readonly malformed: number;
}

/** What servers need to know beside the configuration. What is absent stays as it was. */
export interface InboundSetup {
  /** Who this process is: policies are about some workloads only. */
  readonly self?: SelfConfig;
  /** null: no TLS can be spoken. */
  readonly identity?: IdentitySource | null;
  /** Other names of the trust domain of this process. */
  readonly trustDomainAliases?: readonly string[];
  readonly telemetry?: ServerTelemetry | null;
  /** Whether gRPC's own metrics are counted, too. @default false */
  readonly grpcMetrics?: boolean;
  /** Who may call; null: everybody. @default what the policies say by themselves, without tokens and external authorizers */
  readonly check?: AccessCheck | null;
  /** A call was denied, or there is something to record of it. Must not throw. */
  readonly onVerdict?: AuthorizeDeps['onVerdict'];
  readonly random?: Random;
  /** Told of every connection that is not taken. */
  readonly onRefused?: (refusal: Refusal) => void;
  /** An identity came that cannot be used. */
  readonly onUnusable?: (error: Error) => void;
}

const NO_ALIASES: readonly string[] = Object.freeze([]);

function ignore(): void {}

export class Inbound implements ServerHost, DoorGuard {
  readonly clock: Clock;
  readonly loop: EventLoop;
  version = 0;
  isDraining = false;
  #config: InboundConfig;
  /** What admission knows; null without. */
  #limit: AdmissionLimit | null = null;
  #places: Places | null = null;
  #layers: readonly Layer[] = [];
  readonly #expired: ExpiredCalls = new ExpiredCalls();
  readonly #active: ActiveCalls = new ActiveCalls();
  readonly #servers: Servers = new Servers(() => this.#onServers());
  /** A handler of ours serves a server that is not ours: it cannot be seen to close. */
  #isForeign = false;
  /** Whether the event loop is measured. */
  #isWatching = false;
  #onEmpty: (() => void) | null = null;
  #setup: InboundSetup = {};
  #trusted: TrustedCallers = NOBODY;
  readonly #modes: Map<number, Exclude<PeerMode, 'unset'>> = new Map();
  readonly #served: ServedCalls = new ServedCalls();
  readonly #refused: Record<string, number> = {};
  #malformed = 0;
  #isRetiring = false;
  limits: ServerLimits = SERVER_LIMITS_DEFAULTS;
  readonly guard: DoorGuard = this;

  constructor(config: InboundConfig, clock: Clock, loop: EventLoop = processLoop) {
    this.clock = clock;
    this.loop = loop;
    this.#config = config;
    this.update(config);
  }

  /** A reload: calls under way end as they began, the limit keeps what it has found, connections live on. */
  update(config: InboundConfig, setup: InboundSetup = {}): void {
    const { admission } = config;
    this.#setup = { ...this.#setup, ...setup };
    this.#trusted = trustedCallers(config.trustedProxies ?? []);
    this.#config = config;
    this.limits = { ...SERVER_LIMITS_DEFAULTS, ...config.limits };
    this.#modes.clear();
    this.#servers.obey();
    if (admission === null) {
      this.#limit = null;
      this.#places = null;
    } else if (this.#limit === null) {
      this.#limit = new AdmissionLimit(admission, this.clock.now());
      this.#places = new Places(this.#limit, this.loop);
    } else this.#limit.update(admission);
    const deps = {
      config,
      self: this.self,
      limits: this.limits,
      clock: this.clock,
      expired: this.#expired,
      places: this.#places,
      served: this.#served,
      telemetry: this.#setup.telemetry ?? null,
      grpcMetrics: this.#setup.grpcMetrics ?? false,
      authorize: this.#authorization(),
    };
    this.#layers = INBOUND_STACK.flatMap(({ make }) => make(deps) ?? []);
    this.version++;
    this.#watch();
  }

  #authorization(): AuthorizeDeps | null {
    const { check = this.#rules(), onVerdict = ignore } = this.#setup;
    return check === null ? null : { check, clock: this.clock, trusted: this.#trusted, onVerdict };
  }

  #rules(): AccessCheck | null {
    const access = compileAccess(this.#config.policies ?? [], this.self);
    return access.isOpen ? null : new AccessCheck({ access, tokens: null, authorizers: new Map(), functions: [] });
  }

  wrap(leaf: Service): Service {
    return wrap(leaf, this.#layers);
  }

  get self(): SelfConfig {
    return this.#setup.self ?? SELF_DEFAULTS;
  }

  get identity(): IdentitySource | null {
    return this.#setup.identity ?? null;
  }

  get trustDomainAliases(): readonly string[] {
    return this.#setup.trustDomainAliases ?? NO_ALIASES;
  }

  get minTls(): '1.2' | '1.3' {
    return this.#config.minTls ?? '1.3';
  }

  get random(): Random {
    return this.#setup.random ?? systemRandom;
  }

  /** Our SPIFFE ID for the header about the caller's certificate; null: no header is made. */
  get clientCertBy(): string | null {
    return this.#config.forwardClientCert === true ? (this.identity?.current?.spiffeId ?? '') : null;
  }

  /** Whether this process wants to be sent calls: what a readiness probe asks. */
  get isReady(): boolean {
    return !this.isDraining && !this.#isRetiring;
  }

  /** Not ready any more, and everything else as before: those who send calls have time to notice. */
  retire(): void {
    this.#isRetiring = true;
    this.#servers.retire();
  }

  /** Which connections a port takes: policies before the concise form, the narrowest first. */
  modeOn(port: number): Exclude<PeerMode, 'unset'> {
    let mode = this.#modes.get(port);
    if (mode === undefined) {
      const decision = peerModeOn(port, this.#config.policies ?? [], this.self);
      mode = decision.policy === null ? this.#config.mtls : decision.mode;
      this.#modes.set(port, mode);
    }
    return mode;
  }

  isTrusted(peer: PeerIdentity | null, address: string): boolean {
    return this.#trusted.has(peer, address);
  }

  onRefused(refusal: Refusal): void {
    this.#refused[refusal.code] = (this.#refused[refusal.code] ?? 0) + 1;
    this.#setup.onRefused?.(refusal);
  }

  onUnusable(error: Error): void {
    this.#setup.onUnusable?.(error);
  }

  onMalformed(): void {
    this.#malformed++;
  }

  listenFault(port: number): Error | null {
    if (this.identity !== null || this.modeOn(port) !== 'strict') return null;
    return new Error(
      `port ${port} takes mTLS only (inbound.mtls, or a PeerAuthentication), and this process has no certificate. Add identity to the configuration.`,
    );
  }

  onListening(server: Listening): void {
    this.#servers.add(server);
  }

  onOpened(call: InboundCall): void {
    this.#active.add(call);
    if (this.#servers.count > 0 || this.#isForeign || this.isDraining) return;
    this.#isForeign = true;
    this.#watch();
  }

  onClosed(call: InboundCall): void {
    this.#active.delete(call);
    if (!this.isDraining) return;
    // An answer whose head was out before the end began could not say that its connection is over.
    this.#servers.closeIdle();
    if (this.isIdle) this.#onEmpty?.();
  }

  snapshot(): InboundSnapshot {
    const limit = this.#limit;
    this.#places?.settle();
    return {
      inFlight: this.#active.size,
      limit: limit?.limit ?? null,
      utilization: Math.round((this.#places?.utilization ?? 0) * 100) / 100,
      rejected: limit?.rejected ?? 0,
      expired: this.#expired.shed,
      baselineMs: Math.round((limit?.baselineMs ?? 0) * 100) / 100,
      refused: { ...this.#refused },
      malformed: this.#malformed,
    };
  }

  /** Accepts no more, tells callers so, and waits for the calls under way; what is left after `drainMs` is cut off. */
  async close(drainMs: number): Promise<void> {
    this.isDraining = true;
    for (const { response } of this.#active) closeAfter(response);
    this.#servers.stop();
    if (!this.isIdle) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = runAt(this.clock, this.clock.now() + drainMs, resolve);
      this.#onEmpty = resolve;
      await promise;
      this.clock.disarm(timer);
    }
    this.#servers.cutOff();
    this.#isForeign = false;
    this.#watch();
  }

  #onServers(): void {
    this.#watch();
    if (this.isIdle) this.#onEmpty?.();
  }

  /** No server of ours listens, and no call is served. */
  get isIdle(): boolean {
    return this.#active.size === 0 && this.#servers.count === 0;
  }

  /** The event loop is measured only while a server of ours listens and somebody wants to know. */
  #watch(): void {
    const isWanted =
      (this.#servers.count > 0 || this.#isForeign) && this.#limit !== null && (this.#config.admission?.eventLoopDelayMs ?? 0) > 0;
    if (isWanted === this.#isWatching) return;
    this.#isWatching = isWanted;
    if (isWanted) this.loop.start();
    else this.loop.stop();
  }
}
