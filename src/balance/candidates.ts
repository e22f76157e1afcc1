// The endpoints that a call may go to, in one pool or, by priority and locality, in several, with the share of the calls that
// each pool is given. Worked out again only when the set or somebody's standing changed, so that the call path reads ready
// arrays. Endpoints in probation are no health: a pool is given what its sound endpoints can take.
import type { BalancerPolicy } from '../model/destination.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { EndpointSet, Labels } from './endpoint-set.ts';
import { type Division, divide, type Place } from './locality.ts';
import type { OutlierDetector } from './outlier-detector.ts';
import { priorityLoad } from './priority.ts';
import { subsetOf } from './subset.ts';
import { ZoneLoad } from './zone-load.ts';

/** For endpoints with priorities, when no locality policy says otherwise. Source: Envoy. */
const OVERPROVISIONING = 1.4;

/** A report of load older than this says nothing, ms. */
const REPORT_FRESH_MS = 5_000;

export interface Pool {
  /** All, those that are out too. */
  readonly all: readonly LiveEndpoint[];
  /** Those in good standing; in a panic, all. */
  readonly in: readonly LiveEndpoint[];
  /** `in`, and those anywhere that wait for a probe that could be repeated; the same array when nobody does. */
  readonly withProbes: readonly LiveEndpoint[];
  /** `in`, and those anywhere that by now take any call as their probe. */
  readonly withAnyProbes: readonly LiveEndpoint[];
  /** `all`, and those elsewhere that wait for a probe: what rules that know a key lay out. */
  readonly layout: readonly LiveEndpoint[];
}

/** What decides about pools. */
export interface PoolRules {
  readonly policy: Pick<BalancerPolicy, 'locality' | 'panicPercent' | 'subsetSize'>;
  readonly self: Place;
  /** A number of this process: which endpoints its subset has. */
  readonly seed: number;
}

export class Candidates implements Pool {
  all: readonly LiveEndpoint[] = [];
  in: readonly LiveEndpoint[] = [];
  withProbes: readonly LiveEndpoint[] = [];
  withAnyProbes: readonly LiveEndpoint[] = [];
  layout: readonly LiveEndpoint[] = [];
  /** The one pool that all calls go to; null: `drawn` says which. */
  only: Pool | null = this;
  /** The preferred one first; those without a share too. */
  pools: readonly Pool[] = [this];
  readonly #set: EndpointSet;
  readonly #labels: Labels | null;
  readonly #outlier: OutlierDetector | null;
  readonly #rules: PoolRules;
  #setVersion = -1;
  #outlierVersion = -1;
  #division: Division | null = null;
  /** Percent for each pool. */
  #load: readonly number[] = [];
  /** The sums of the shares up to each pool, the last one being 1. */
  #upTo: number[] = [];
  readonly #zone: ZoneLoad = new ZoneLoad();
  /** When to look at the reports of load; Infinity when they do not matter. */
  #lookAtMs: number = Number.POSITIVE_INFINITY;

  constructor(set: EndpointSet, labels: Labels | null, outlier: OutlierDetector | null, rules: PoolRules) {
    this.#set = set;
    this.#labels = labels;
    this.#outlier = outlier;
    this.#rules = rules;
  }

  /** Brings everything up to date. Call before reading. */
  refresh(nowMs: number): void {
    const outlier = this.#outlier;
    outlier?.advance(nowMs);
    if (this.#set.version !== this.#setVersion || (outlier !== null && outlier.version !== this.#outlierVersion)) this.#rebuild();
    if (nowMs >= this.#lookAtMs) this.#look(nowMs);
  }

  /** The pool that a number in [0, 1) falls on. Only when `only` is null. */
  drawn(draw: number): Pool {
    const upTo = this.#upTo;
    let index = 0;
    while (index < upTo.length - 1 && draw >= (upTo[index] as number)) index++;
    return this.pools[index] as Pool;
  }

  #rebuild(): void {
    if (this.#set.version !== this.#setVersion) this.#select();
    const outlier = this.#outlier;
    this.#outlierVersion = outlier === null ? -1 : outlier.version;
    const isUp = (endpoint: LiveEndpoint): boolean => !endpoint.standing.unhealthy;
    const probes =
      outlier === null ? [] : this.all.filter((endpoint) => isUp(endpoint) && !outlier.isIn(endpoint) && outlier.mayProbe(endpoint, true));
    const anyProbes = outlier === null ? [] : probes.filter((endpoint) => outlier.mayProbe(endpoint, false));
    const isIn = (endpoint: LiveEndpoint): boolean => isUp(endpoint) && (outlier === null || outlier.isIn(endpoint));
    // The same array while everybody is in: pickers know by it that nothing has changed.
    const poolOf = (all: readonly LiveEndpoint[], isPanic: boolean): Pool => {
      const taken = isPanic || all.every(isIn) ? all : all.filter(isIn);
      const foreign = isPanic ? [] : probes.filter((endpoint) => !all.includes(endpoint));
      return {
        all,
        in: taken,
        withProbes: probes.length === 0 || isPanic ? taken : taken.concat(probes),
        withAnyProbes: anyProbes.length === 0 || isPanic ? taken : taken.concat(anyProbes),
        layout: foreign.length === 0 ? all : all.concat(foreign),
      };
    };
    Object.assign(this, poolOf(this.all, false));
    this.#divide(poolOf);
  }

  /** The endpoints changed, or what they are. */
  #select(): void {
    const { policy, self, seed } = this.#rules;
    this.#setVersion = this.#set.version;
    const selected = this.#set.select(this.#labels);
    const weighty = selected.every(({ weight }) => weight > 0) ? selected : selected.filter(({ weight }) => weight > 0);
    this.all = subsetOf(weighty, policy.subsetSize, seed);
    this.#division = null;
    if (this.all.length === 0) return;
    const division = divide(this.all, policy.locality, self);
    if (division.shares !== null) this.all = division.pools.flat();
    if (division.pools.length > 1 || (policy.panicPercent ?? 0) > 0) this.#division = division;
  }

  /** Who is given what. Without any health there is nothing to divide: the balancer looks elsewhere, or panics. */
  #divide(poolOf: (all: readonly LiveEndpoint[], isPanic: boolean) => Pool): void {
    const division = this.#division;
    const { locality } = this.#rules.policy;
    const panicPercent = this.#rules.policy.panicPercent ?? 0;
    this.#lookAtMs = Number.POSITIVE_INFINITY;
    this.only = this;
    this.pools = [this];
    if (division === null || this.in.length === 0) return;
    const overprovisioning = locality?.overprovisioning ?? OVERPROVISIONING;
    const sound = division.pools.map((all) => poolOf(all, false));
    if (division.shares === null) {
      const healthy = sound.map((pool) => pool.in.length);
      const total = sound.map((pool) => pool.all.length);
      const { load, panic } = priorityLoad(healthy, total, overprovisioning, panicPercent);
      // One sound endpoint of very many rounds to no health; it is better than none.
      if (sound.some((pool, i) => load[i] !== 0 && pool.in.length === 0 && !panic[i])) return;
      this.pools = sound.map((pool, i) => (panic[i] ? poolOf(pool.all, true) : pool));
      this.#load = load;
      if (division.isZoned && (locality?.loadMax ?? 1) < 1) this.#lookAtMs = this.#zone.dueMs;
    } else if (priorityLoad([this.in.length], [this.all.length], overprovisioning, panicPercent).panic[0]) {
      this.pools = [poolOf(this.all, true)];
      this.#load = [100];
    } else {
      const { shares } = division;
      this.pools = sound;
      this.#load = sound.map((pool, i) => (shares[i] as number) * Math.min(1, (overprovisioning * pool.in.length) / pool.all.length));
    }
    this.#share();
  }

  /** Makes the shares of the loads, less what the own zone gives away because it is busy. */
  #share(): void {
    const load = [...this.#load];
    if (this.#lookAtMs !== Number.POSITIVE_INFINITY && this.#zone.share < 1) {
      const next = this.pools.findIndex((pool, i) => i > 0 && pool.in.length > 0);
      const moved = next < 0 ? 0 : (load[0] as number) * (1 - this.#zone.share);
      load[0] = (load[0] as number) - moved;
      if (next > 0) load[next] = (load[next] as number) + moved;
    }
    const total = load.reduce((sum, one) => sum + one, 0);
    const whole = load.findIndex((one) => one === total);
    this.only = whole < 0 ? null : (this.pools[whole] as Pool);
    let sum = 0;
    this.#upTo = load.map((one) => {
      sum += one;
      return sum / total;
    });
  }

  #look(nowMs: number): void {
    const loadMax = this.#rules.policy.locality?.loadMax ?? 1;
    const [own, others] = this.pools;
    const isChanged = this.#zone.look(meanLoad(own as Pool, nowMs), meanLoad(others as Pool, nowMs), loadMax, nowMs);
    this.#lookAtMs = this.#zone.dueMs;
    if (isChanged) this.#share();
  }
}

/** Mean of the fresh reports; NaN when there is none. */
function meanLoad(pool: Pool, nowMs: number): number {
  let sum = 0;
  let count = 0;
  for (const { load, loadAtMs } of pool.in) {
    if (Number.isNaN(load) || nowMs - loadAtMs > REPORT_FRESH_MS) continue;
    sum += load;
    count++;
  }
  return sum / count;
}
