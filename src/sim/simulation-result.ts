// What a simulation has shown. The figures are read from the recording when somebody asks; as JSON it is a summary that is
// equal, byte for byte, for equal seeds.
import type { MeshEvent } from '../core/events.ts';
import { CRITICALITIES, type Criticality } from '../model/traffic.ts';
import type { Recording, SimEvent, Stats } from './recording.ts';
import type { Series } from './series.ts';

export interface Recovery {
  /** Share of calls that must go well. @default 0.99 */
  readonly goodput?: number;
  /** For how long. @default 5000 */
  readonly forMs?: number;
}

const STEP_MS = 100;

export class SimulationResult {
  readonly seed: number;
  readonly durationMs: number;
  readonly #recording: Recording;

  constructor(seed: number, durationMs: number, recording: Recording) {
    this.seed = seed;
    this.durationMs = durationMs;
    this.#recording = recording;
  }

  /** Figures of the calls that began in `[fromMs, toMs)`, of all or of those that matter so much. @default the whole run */
  stats(fromMs = 0, toMs: number = this.durationMs, criticality?: Criticality): Stats {
    return this.#recording.stats(fromMs, toMs, criticality === undefined ? null : CRITICALITIES.indexOf(criticality));
  }

  /** A quantile (0 to 1) of the latency of those that were answered well alone, ms; 0 when there was none. */
  answeredMs(q: number, fromMs = 0, toMs: number = this.durationMs): number {
    return this.#recording.answeredMs(q, fromMs, toMs);
  }

  /** The same, step by step: what `drawRuns` draws. @default steps of 1000 ms */
  series(stepMs = 1_000): Series {
    return this.#recording.series(stepMs, this.durationMs);
  }

  /** Share of the attempts that each address had, 0 to 1. */
  shares(fromMs = 0, toMs: number = this.durationMs): Record<string, number> {
    return this.#recording.shares(fromMs, toMs);
  }

  /** Start times of the attempts at the addresses, ms. */
  attemptTimes(isWanted: (address: string) => boolean): number[] {
    return this.#recording.attemptTimes(isWanted);
  }

  /** What the meshes did, in order. */
  get events(): readonly SimEvent[] {
    return this.#recording.events;
  }

  /** How often that happened in `[fromMs, toMs)`. */
  count(type: MeshEvent['type'], fromMs = 0, toMs: number = Number.POSITIVE_INFINITY): number {
    return this.events.filter(({ atMs, event }) => event.type === type && atMs >= fromMs && atMs < toMs).length;
  }

  /** From `afterMs` until calls go well again and go on doing so, ms; Infinity when they do not. */
  recoveryMs(afterMs: number, { goodput = 0.99, forMs = 5_000 }: Recovery = {}): number {
    const { calls, good } = this.#recording.slots(STEP_MS, this.durationMs);
    const width = Math.round(forMs / STEP_MS);
    for (let from = Math.ceil(afterMs / STEP_MS); from + width <= calls.length; from++) {
      let all = 0;
      let well = 0;
      for (let i = from; i < from + width; i++) {
        all += calls[i] as number;
        well += good[i] as number;
      }
      if (all > 0 && well >= goodput * all) return from * STEP_MS - afterMs;
    }
    return Number.POSITIVE_INFINITY;
  }

  toJSON(): object {
    const events: Record<string, number> = {};
    for (const { event } of this.events) events[event.type] = (events[event.type] ?? 0) + 1;
    const { calls, good } = this.#recording.slots(1_000, this.durationMs);
    const seconds = { calls: [...calls], good: [...good] };
    return { seed: this.seed, durationMs: this.durationMs, total: this.stats(), shares: this.shares(), events, seconds };
  }
}
