// What lives as long as a route of that name is configured, across reloads: faults under way, tokens, copies in flight, kept
// answers, hedges.
import type { Clock, Random } from '../core/clock.ts';
import type { RouteConfig } from '../model/config.ts';
import type { RetryPolicy } from '../model/destination.ts';
import type { HedgePolicy } from '../model/traffic.ts';
import type { AnswerCache } from '../resilience/cache.ts';
import type { Flights } from '../resilience/flights.ts';
import type { Hedging } from '../resilience/hedging.ts';
import type { Fault } from '../route/fault.ts';
import type { Mirrors } from '../route/mirrors.ts';
import type { RegexCompiler } from '../route/regex.ts';
import type { TokenBucket } from '../route/token-bucket.ts';
import type { ActionCounter } from '../telemetry/action-counter.ts';
import { needed, type Parts } from './parts.ts';

export interface RouteStateDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly count: ActionCounter;
}

export class RouteState {
  /** null, here and below: the route has no such policy. */
  mirrors: Mirrors | null = null;
  fault: Fault | null = null;
  bucket: TokenBucket | null = null;
  cache: AnswerCache | null = null;
  flights: Flights | null = null;
  /** By destination: each has a latency of its own. */
  readonly #hedging: Map<string, Hedging> = new Map();
  readonly #deps: RouteStateDeps;

  constructor(deps: RouteStateDeps) {
    this.#deps = deps;
  }

  update(route: RouteConfig, parts: Parts, regex: RegexCompiler['compile']): void {
    this.#updateAnswers(route, parts);
    const { fault, rateLimit, mirrors } = route;
    const { clock, random, count } = this.#deps;
    if (fault === undefined) this.fault = null;
    else if (this.fault === null) this.fault = new (needed(parts.fault).Fault)(fault, { clock, random, regex, onAction: count });
    else this.fault.update(fault, regex);
    if (rateLimit === undefined) this.bucket = null;
    else if (this.bucket === null) this.bucket = new (needed(parts.rateLimit).TokenBucket)(rateLimit, clock.now());
    else this.bucket.update(rateLimit, clock.now());
    if (mirrors.length > 0) this.mirrors ??= new (needed(parts.mirror).Mirrors)({ onAction: count });
  }

  #updateAnswers({ cache, coalesce }: RouteConfig, parts: Parts): void {
    const { clock, random, count } = this.#deps;
    if (cache === undefined) this.cache = null;
    else if (this.cache === null) {
      const { AnswerCache, engine } = needed(parts.cache);
      this.cache = new AnswerCache(cache, { clock, random }, engine);
    } else this.cache.update(cache);
    if (coalesce === undefined) this.flights = null;
    else if (this.flights === null) this.flights = new (needed(parts.coalesce).Flights)(coalesce, { clock, onAction: count });
    else this.flights.update(coalesce);
  }

  hedging(destination: string, policy: HedgePolicy, { perTryTimeoutMs }: RetryPolicy, parts: Parts): Hedging {
    const known = this.#hedging.get(destination);
    if (known !== undefined) {
      known.update(policy, perTryTimeoutMs);
      return known;
    }
    const { Hedging } = needed(parts.hedge);
    const hedging = new Hedging(policy, perTryTimeoutMs);
    this.#hedging.set(destination, hedging);
    return hedging;
  }
}
