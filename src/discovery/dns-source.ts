// Endpoints from a name, asked again when the TTL runs out or a connect fails. The last good set is kept through every
// error and negative answer, for as long as it takes: a name service that is down is no reason to lose endpoints that
// work. Closes nothing when an address leaves; the balancer drains it. Must not know how questions are asked.
import { isIP } from 'node:net';
import { type Clock, type Random, type Timer, runAt } from '../core/clock.ts';
import type { EndpointConfig } from '../model/destination.ts';
import { type DnsAnswer, type DnsLookup, type DnsLookupConfig, dnsLookup, hostAndPort } from './dns-lookup.ts';
import type { DnsResolver } from './dns-resolver.ts';
import { type EndpointSource, REFRESH_MIN_MS } from './endpoint-source.ts';

export interface DnsSourceDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly resolver: DnsResolver;
}

/** TTLs below this are raised to it, ms. */
export const TTL_MIN_MS = 1_000;
/** TTLs above this are lowered to it, before the jitter, ms. */
export const TTL_MAX_MS = 300_000;
/** Wait after an error, ms. Up to that it doubles from 1 s while no endpoint is known, so that a start need not wait. */
export const RETRY_MS = 5_000;
/** TTLs are spread by this share up and down, so that processes do not ask in step. */
export const TTL_JITTER = 0.1;
/** An answer that takes longer counts as an error, ms. */
const ANSWER_MAX_MS = 10_000;

export function dnsSource(config: DnsLookupConfig, deps: DnsSourceDeps): EndpointSource {
  return new DnsSource(config, deps);
}

class DnsSource implements EndpointSource {
  readonly #config: DnsLookupConfig;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lookup: DnsLookup;
  #update: (endpoints: readonly EndpointConfig[]) => void = () => {};
  #failed: (message: string) => void = () => {};
  /** The next look, or the time limit of the one under way. */
  #timer: Timer | null = null;
  /** Number of the look under way, 0 when none is: a late answer is recognised by it. */
  #look = 0;
  #looks = 0;
  #lookAtMs = Number.NEGATIVE_INFINITY;
  /** The last good set, as one string to compare by. */
  #known = '';
  #count = 0;
  #failures = 0;

  constructor(config: DnsLookupConfig, deps: DnsSourceDeps) {
    this.#config = config;
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#lookup = dnsLookup(config, deps.resolver);
  }

  start(update: (endpoints: readonly EndpointConfig[]) => void, failed: (message: string) => void): void {
    this.#update = update;
    this.#failed = failed;
    const { host, port } = this.#config;
    if (isIP(host) !== 0) update([{ address: hostAndPort(host, port), labels: {}, locality: '', weight: 1 }]);
    else this.#ask();
  }

  refresh(): void {
    if (this.#timer === null || this.#look !== 0) return;
    const dueMs = this.#lookAtMs + REFRESH_MIN_MS * (1 + TTL_JITTER * this.#random());
    if (dueMs <= this.#clock.now()) this.#ask();
    else if (dueMs < this.#timer.timerDueMs) this.#arm(dueMs, this.#ask);
  }

  close(): void {
    if (this.#timer !== null) this.#clock.disarm(this.#timer);
    this.#timer = null;
    this.#look = -1;
  }

  readonly #ask = (): void => {
    const look = ++this.#looks;
    this.#look = look;
    this.#lookAtMs = this.#clock.now();
    this.#arm(this.#lookAtMs + ANSWER_MAX_MS, () => this.#fail(look, `no answer within ${ANSWER_MAX_MS / 1_000} s`));
    this.#lookup().then(
      (answer) => this.#succeed(look, answer),
      (error: unknown) => this.#fail(look, error instanceof Error ? error.message : String(error)),
    );
  };

  #succeed(look: number, answer: DnsAnswer): void {
    if (look !== this.#look) return;
    this.#look = 0;
    this.#failures = 0;
    const ttlMs = Math.min(Math.max(answer.ttlMs, TTL_MIN_MS), TTL_MAX_MS);
    const spreadMs = ttlMs * (1 - TTL_JITTER + 2 * TTL_JITTER * this.#random());
    this.#arm(this.#clock.now() + Math.max(spreadMs, TTL_MIN_MS), this.#ask);
    const known = answer.endpoints.map(({ address, weight }) => `${address} ${weight}`).join();
    if (known === this.#known) return;
    this.#known = known;
    this.#count = answer.endpoints.length;
    this.#update(answer.endpoints);
  }

  #fail(look: number, message: string): void {
    if (look !== this.#look) return;
    this.#look = 0;
    this.#failures++;
    const isKnown = this.#count > 0;
    const waitMs = isKnown ? RETRY_MS : Math.min(RETRY_MS, 1_000 * 2 ** (this.#failures - 1));
    this.#arm(this.#clock.now() + waitMs * (1 + TTL_JITTER * this.#random()), this.#ask);
    if (this.#failures > 1) return;
    const left = isKnown ? `the last ${this.#count} endpoints stay in use` : 'no endpoints are known yet';
    this.#failed(`DNS gave no address for ${this.#config.host}: ${message}; ${left}`);
  }

  #arm(dueMs: number, run: () => void): void {
    if (this.#timer !== null) this.#clock.disarm(this.#timer);
    this.#timer = runAt(this.#clock, dueMs, run);
  }
}
