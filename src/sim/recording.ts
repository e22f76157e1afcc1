// What happened in a simulation, call by call and attempt by attempt, in flat arrays: a run has millions of them.
// Reads them back as figures of any stretch of time. Latency of a failed call counts as its whole time allowed, so that
// failing fast never looks fast.
import type { MeshEvent } from '../core/events.ts';
import { quantile } from './quantile.ts';
import { type Series, seriesOf } from './series.ts';

/** Something that a mesh did, and which client saw it. Times are ms since the start of the simulation. */
export interface SimEvent {
  readonly atMs: number;
  readonly client: number;
  readonly event: MeshEvent;
}

/** Figures of the calls that began in one stretch of time. */
export interface Stats {
  readonly calls: number;
  /** Share of the calls that were answered well in time, 0 to 1; 1 when there was no call. */
  readonly goodput: number;
  /** Attempts that left for an endpoint ÷ calls. */
  readonly amplification: number;
  /** Calls that our own circuit or limits refused. */
  readonly refused: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

/** How a call ended. */
export interface CallEnding {
  readonly isGood: boolean;
  readonly isRefused: boolean;
  /** Index into CRITICALITIES, -1 when nobody said. */
  readonly criticality: number;
}

const SUCCESS = 1;
const REFUSED = 2;
/** From here on: criticality + 1. */
const CRITICALITY_SHIFT = 2;

/** Numbers in a row that grow. */
class Column<T extends Float64Array | Float32Array | Uint16Array | Uint8Array> {
  data: T;
  readonly #make: (size: number) => T;
  length = 0;

  constructor(make: (size: number) => T) {
    this.#make = make;
    this.data = make(1_024);
  }

  push(value: number): void {
    if (this.length === this.data.length) {
      const grown = this.#make(this.data.length * 2);
      grown.set(this.data);
      this.data = grown;
    }
    this.data[this.length++] = value;
  }
}

const float64 = (size: number): Float64Array => new Float64Array(size);
const float32 = (size: number): Float32Array => new Float32Array(size);
const uint16 = (size: number): Uint16Array => new Uint16Array(size);
const uint8 = (size: number): Uint8Array => new Uint8Array(size);

export class Recording {
  readonly events: SimEvent[] = [];
  readonly #startedAt = new Column<Float64Array>(float64);
  readonly #latency = new Column<Float32Array>(float32);
  readonly #flags = new Column<Uint8Array>(uint8);
  readonly #attemptAt = new Column<Float64Array>(float64);
  readonly #attemptTo = new Column<Uint16Array>(uint16);
  readonly #names: string[] = [];
  readonly #indexes: Map<string, number> = new Map();

  call(startedAtMs: number, latencyMs: number, { isGood, isRefused, criticality }: CallEnding): void {
    this.#startedAt.push(startedAtMs);
    this.#latency.push(latencyMs);
    this.#flags.push((isGood ? SUCCESS : 0) | (isRefused ? REFUSED : 0) | ((criticality + 1) << CRITICALITY_SHIFT));
  }

  attempt(atMs: number, address: string): void {
    let index = this.#indexes.get(address);
    if (index === undefined) {
      index = this.#names.push(address) - 1;
      this.#indexes.set(address, index);
    }
    this.#attemptAt.push(atMs);
    this.#attemptTo.push(index);
  }

  get calls(): number {
    return this.#startedAt.length;
  }

  /** Figures of what began in `[fromMs, toMs)`; of one class only, by its index into CRITICALITIES. Attempts are those of all classes. */
  stats(fromMs: number, toMs: number, criticality: number | null = null): Stats {
    const { data: startedAt, length } = this.#startedAt;
    const latencies: number[] = [];
    let good = 0;
    let refused = 0;
    let sum = 0;
    for (let i = 0; i < length; i++) {
      const at = startedAt[i] as number;
      if (at < fromMs || at >= toMs) continue;
      const latency = this.#latency.data[i] as number;
      const flags = this.#flags.data[i] as number;
      if (criticality !== null && flags >> CRITICALITY_SHIFT !== criticality + 1) continue;
      latencies.push(latency);
      sum += latency;
      if ((flags & SUCCESS) !== 0) good++;
      if ((flags & REFUSED) !== 0) refused++;
    }
    const sorted = Float64Array.from(latencies).sort();
    const calls = sorted.length;
    return {
      calls,
      goodput: calls === 0 ? 1 : good / calls,
      amplification: calls === 0 ? 0 : this.#attempts(fromMs, toMs) / calls,
      refused,
      meanMs: calls === 0 ? 0 : sum / calls,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      p999Ms: quantile(sorted, 0.999),
    };
  }

  /** Latency of the calls answered well, of those that began in `[fromMs, toMs)`, ms; 0 when there was none. */
  answeredMs(q: number, fromMs: number, toMs: number): number {
    const latencies: number[] = [];
    for (let i = 0; i < this.#startedAt.length; i++) {
      const at = this.#startedAt.data[i] as number;
      if (at >= fromMs && at < toMs && ((this.#flags.data[i] as number) & SUCCESS) !== 0) latencies.push(this.#latency.data[i] as number);
    }
    return quantile(Float64Array.from(latencies).sort(), q);
  }

  /** Share of the attempts that each address had. */
  shares(fromMs: number, toMs: number): Record<string, number> {
    const counts = new Float64Array(this.#names.length);
    let total = 0;
    for (let i = 0; i < this.#attemptAt.length; i++) {
      const at = this.#attemptAt.data[i] as number;
      if (at < fromMs || at >= toMs) continue;
      const to = this.#attemptTo.data[i] as number;
      counts[to] = (counts[to] as number) + 1;
      total++;
    }
    return Object.fromEntries(this.#names.map((name, i) => [name, total === 0 ? 0 : (counts[i] as number) / total]));
  }

  /** Start times of the attempts at the addresses, in order. */
  attemptTimes(isWanted: (address: string) => boolean): number[] {
    const wanted = this.#names.map(isWanted);
    const times: number[] = [];
    for (let i = 0; i < this.#attemptAt.length; i++) {
      if (wanted[this.#attemptTo.data[i] as number] === true) times.push(this.#attemptAt.data[i] as number);
    }
    return times;
  }

  /** Calls that began in each slot of `slotMs`, and how many of them went well. */
  slots(slotMs: number, toMs: number): { readonly calls: Float64Array; readonly good: Float64Array } {
    const count = Math.max(1, Math.ceil(toMs / slotMs));
    const calls = new Float64Array(count);
    const good = new Float64Array(count);
    for (let i = 0; i < this.#startedAt.length; i++) {
      const slot = Math.floor((this.#startedAt.data[i] as number) / slotMs);
      if (slot >= count) continue;
      calls[slot] = (calls[slot] as number) + 1;
      if (((this.#flags.data[i] as number) & SUCCESS) !== 0) good[slot] = (good[slot] as number) + 1;
    }
    return { calls, good };
  }

  /** Step by step, from the start to `durationMs`. */
  series(stepMs: number, durationMs: number): Series {
    const { data: flags, length } = this.#flags;
    return seriesOf(
      {
        startedAtMs: this.#startedAt.data.subarray(0, length),
        latencyMs: this.#latency.data,
        isGood: (call) => ((flags[call] as number) & SUCCESS) !== 0,
        attemptAtMs: this.#attemptAt.data.subarray(0, this.#attemptAt.length),
      },
      stepMs,
      durationMs,
    );
  }

  #attempts(fromMs: number, toMs: number): number {
    let count = 0;
    const { data, length } = this.#attemptAt;
    for (let i = 0; i < length; i++) if ((data[i] as number) >= fromMs && (data[i] as number) < toMs) count++;
    return count;
  }
}
