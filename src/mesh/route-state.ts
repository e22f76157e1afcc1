// What lives as long as a route of that name is configured, across reloads: faults under way, tokens, copies in flight, kept
// answers, hedges.
import type { Clock, Random } from '../core/clock.ts';
import type { RouteConfig } from '../model/config.ts';
import type { RetryPolicy } from '../model/destination.ts';
import type { HedgePolicy } from '../model/traffic.ts';
import { AnswerCache, type CacheEngine } from '../resilience/cache.ts';
import { Flights } from '../resilience/flights.ts';
import { Hedging } from '../resilience/hedging.ts';
import { Fault } from '../route/fault.ts';
import { Mirrors } from '../route/mirrors.ts';
import type { RegexCompiler } from '../route/regex.ts';
import { TokenBucket } from '../route/token-bucket.ts';
import type { ActionCounter } from '../telemetry/action-counter.ts';

export interface RouteStateDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly count: ActionCounter;
}

export class RouteState {
  readonly mirrors: Mirrors;
  /** null: the route has no such policy. */
  fault: Fault | null = null;
  bucket: TokenBucket | null = null;
  cache: AnswerCache | null = null;
  flights: Flights | null = null;
  /** By destination: each has a latency of its own. */
  readonly #hedging: Map<string, Hedging> = new Map();
  readonly #deps: RouteStateDeps;

  constructor(deps: RouteStateDeps) {
    this.#deps = deps;
    this.mirrors = new Mirrors({ onAction: deps.count });
  }

  update(route: RouteConfig, regex: RegexCompiler['compile'], engine: CacheEngine | null): void {
    this.#updateAnswers(route, engine);
    const { fault, rateLimit } = route;
    const { clock, random, count } = this.#deps;
    if (fault === undefined) this.fault = null;
    else if (this.fault === null) this.fault = new Fault(fault, { clock, random, regex, onAction: count });
    else this.fault.update(fault, regex);
    if (rateLimit === undefined) this.bucket = null;
    else if (this.bucket === null) this.bucket = new TokenBucket(rateLimit, clock.now());
    else this.bucket.update(rateLimit, clock.now());
  }

  #updateAnswers({ cache, coalesce }: RouteConfig, engine: CacheEngine | null): void {
    const { clock, random, count } = this.#deps;
    if (cache === undefined || engine === null) this.cache = null;
    else if (this.cache === null) this.cache = new AnswerCache(cache, { clock, random }, engine);
    else this.cache.update(cache);
    if (coalesce === undefined) this.flights = null;
    else if (this.flights === null) this.flights = new Flights(coalesce, { clock, onAction: count });
    else this.flights.update(coalesce);
  }

  hedging(destination: string, policy: HedgePolicy, { perTryTimeoutMs }: RetryPolicy): Hedging {
    const known = this.#hedging.get(destination);
    if (known !== undefined) {
      known.update(policy, perTryTimeoutMs);
      return known;
    }
    const hedging = new Hedging(policy, perTryTimeoutMs);
    this.#hedging.set(destination, hedging);
    return hedging;
  }
}
