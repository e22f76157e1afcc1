// The servers of one mesh: what stands before their handlers, the one limit that they share, because the event loop is
// one, and how they end. Survives reloads.
import { type Clock, runAt } from '../core/clock.ts';
import { type Layer, type Service, wrap } from '../core/service.ts';
import { closeAfter } from '../inbound/answer.ts';
import { ExpiredCalls } from '../inbound/deadline-layer.ts';
import { type EventLoop, processLoop } from '../inbound/event-loop.ts';
import type { InboundCall } from '../inbound/inbound-call.ts';
import { Places } from '../inbound/places.ts';
import type { ServerHost } from '../inbound/server.ts';
import { Servers } from '../inbound/servers.ts';
import type { InboundConfig } from '../model/inbound.ts';
import { AdmissionLimit } from '../resilience/admission-limit.ts';
import { INBOUND_STACK } from './inbound-stack.ts';

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
}

export class Inbound implements ServerHost {
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
  readonly #active: Set<InboundCall> = new Set();
  readonly #servers: Servers = new Servers(() => this.#onServers());
  /** A handler of ours serves a server that is not ours: it cannot be seen to close. */
  #isForeign = false;
  /** Whether the event loop is measured. */
  #isWatching = false;
  #onEmpty: (() => void) | null = null;

  constructor(config: InboundConfig, clock: Clock, loop: EventLoop = processLoop) {
    this.clock = clock;
    this.loop = loop;
    this.#config = config;
    this.update(config);
  }

  /** A reload: calls under way end as they began, the limit keeps what it has found. */
  update(config: InboundConfig): void {
    const { admission } = config;
    this.#config = config;
    if (admission === null) {
      this.#limit = null;
      this.#places = null;
    } else if (this.#limit === null) {
      this.#limit = new AdmissionLimit(admission, this.clock.now());
      this.#places = new Places(this.#limit, this.loop);
    } else this.#limit.update(admission);
    const deps = { config, clock: this.clock, expired: this.#expired, places: this.#places };
    this.#layers = INBOUND_STACK.flatMap(({ make }) => make(deps) ?? []);
    this.version++;
    this.#watch();
  }

  wrap(leaf: Service): Service {
    return wrap(leaf, this.#layers);
  }

  onListening: ServerHost['onListening'] = (server) => this.#servers.add(server);

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
