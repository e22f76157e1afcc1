// One endpoint with what this process has learnt of it: calls in flight and a moving average of the latency to the
// response head that believes bad news at once and forgets with time (peak EWMA). A failure counts as slow, else a
// replica that fails in a millisecond would draw all the traffic. Pure: time is handed in.
// Source: Finagle and Linkerd peak EWMA; Linkerd's failure penalty; Kratos' age of calls in flight.
import type { Call, Endpoint } from '../core/call.ts';
import type { Service } from '../core/service.ts';
import type { BalancerPolicy, EndpointConfig } from '../model/destination.ts';
import { Standing } from './standing.ts';

/** Below this latency endpoints count as equal, so that calls in flight and chance decide, ms. */
const LATENCY_MIN_MS = 0.05;

/** A Retry-After hint counts as a latency of at most this many failure penalties. */
const HINT_PENALTIES_MAX = 10;

/** The decayed latency is read anew after this share of tau; it errs by at most as much. */
const DECAY_STEP = 1 / 1_024;

export class LiveEndpoint implements Endpoint {
  readonly address: string;
  readonly host: string;
  readonly port: number;
  labels: Readonly<Record<string, string>>;
  locality: string;
  weight: number;
  priority: number;
  service: Service;
  /** Attempts whose last byte has not come. */
  inFlight = 0;
  /** Whether the source no longer names it: it takes no new calls. Written by the endpoint set. */
  removed = false;
  /** Whether a latency was ever measured, so that its average is more than a guess. */
  measured = false;
  /** Since when it is up, for slow start, monotonic ms. Written by the endpoint set when it joins, by a health check when it comes back. */
  upSinceMs = 0;
  /** Utilisation that it reported last, 0 to 1; NaN when it never did. Written by the balancer, if its policy asks for it. */
  load: number = Number.NaN;
  /** When the report was looked for last, monotonic ms. */
  loadAtMs: number = Number.NEGATIVE_INFINITY;
  readonly standing: Standing = new Standing();
  #policy: BalancerPolicy;
  #latencyMs: number;
  #latencyAtMs: number;
  #decayedMs: number;
  #decayedAtMs: number;
  /** Two attempts of those in flight: one watched for its age, and the newest, which is watched next. */
  #watched: Call | null = null;
  #newest: Call | null = null;

  constructor(config: EndpointConfig, service: Service, policy: BalancerPolicy, latencyMs: number, nowMs: number) {
    const { host, port } = splitAddress(config.address);
    this.address = config.address;
    this.host = host;
    this.port = port;
    this.labels = config.labels;
    this.locality = config.locality;
    this.weight = config.weight;
    this.priority = config.priority ?? 0;
    this.service = service;
    this.#policy = policy;
    this.#latencyMs = latencyMs;
    this.#latencyAtMs = nowMs;
    this.#decayedMs = latencyMs;
    this.#decayedAtMs = nowMs;
  }

  /** What the source says now of a known address. */
  configure(config: EndpointConfig, policy: BalancerPolicy): void {
    this.labels = config.labels;
    this.locality = config.locality;
    this.weight = config.weight;
    this.priority = config.priority ?? 0;
    this.#policy = policy;
  }

  /** An attempt was sent here. */
  begin(attempt: Call): void {
    this.inFlight++;
    this.#newest = attempt;
    if (this.#watched === null || this.#watched.headAtMs !== 0) this.#watched = attempt;
  }

  /** The attempt has ended; the caller says with `observe`, `penalize` or `atLeast` what it tells of the latency. */
  finish(attempt: Call): void {
    this.inFlight--;
    if (this.#watched === attempt) this.#watched = this.#newest === attempt ? null : this.#newest;
    if (this.#newest === attempt) this.#newest = null;
  }

  /** A head came after `latencyMs`. */
  observe(latencyMs: number, nowMs: number): void {
    const weight = Math.exp(-Math.max(0, nowMs - this.#latencyAtMs) / this.#policy.tauMs);
    const decayedMs = this.#latencyMs * weight;
    this.measured = true;
    this.#set(latencyMs > decayedMs ? latencyMs : decayedMs + latencyMs * (1 - weight), nowMs);
  }

  /** A failure: at least the penalty, or as long as it took. */
  penalize(elapsedMs: number, nowMs: number): void {
    this.atLeast(Math.max(elapsedMs, this.#policy.failurePenaltyMs), nowMs);
  }

  /** The endpoint asked for a pause. Never shortens a penalty. */
  pushBack(hintMs: number, nowMs: number): void {
    this.atLeast(Math.min(hintMs, this.#policy.failurePenaltyMs * HINT_PENALTIES_MAX), nowMs);
  }

  /** A lower bound: an attempt was given up after so long without a head. Only ever raises the average. */
  atLeast(latencyMs: number, nowMs: number): void {
    if (latencyMs > this.#exactMs(nowMs)) this.#set(latencyMs, nowMs);
  }

  /** The average as of now, ms. */
  latencyMs(nowMs: number): number {
    if (nowMs - this.#decayedAtMs > this.#policy.tauMs * DECAY_STEP) {
      this.#decayedMs = this.#exactMs(nowMs);
      this.#decayedAtMs = nowMs;
    }
    return this.#decayedMs;
  }

  /** What one more attempt here is expected to cost: latency × attempts in flight with it ÷ weight. */
  cost(nowMs: number): number {
    let latencyMs = this.latencyMs(nowMs);
    // An attempt without a head counts with its age, so that a black hole is seen before its first timeout. Watching
    // one of those in flight is enough: in a black hole it stays the oldest, and its successor is the newest.
    const watched = this.#watched;
    if (watched !== null && watched.headAtMs === 0) {
      const ageMs = nowMs - watched.startedAtMs;
      if (ageMs > latencyMs) latencyMs = ageMs;
    }
    if (latencyMs < LATENCY_MIN_MS) latencyMs = LATENCY_MIN_MS;
    return (latencyMs * (this.inFlight + 1)) / this.weight;
  }

  #exactMs(nowMs: number): number {
    return this.#latencyMs * Math.exp(-Math.max(0, nowMs - this.#latencyAtMs) / this.#policy.tauMs);
  }

  #set(latencyMs: number, nowMs: number): void {
    this.#latencyMs = latencyMs;
    this.#latencyAtMs = nowMs;
    this.#decayedMs = latencyMs;
    this.#decayedAtMs = nowMs;
  }
}

/** `host:port` or `[ipv6]:port`. The host comes without brackets. */
function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon);
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return { host: bare, port: Number(address.slice(colon + 1)) };
}
