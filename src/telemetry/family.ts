// All series of one metric, at most so many: what comes after the limit shares one series, marked as OpenTelemetry does.
// The limit is the last fence; labels come from the configuration, so it should never be reached.
import type { MetricDefinition } from './metrics.ts';
import { METRIC_OVERFLOW } from './semconv.ts';
import type { Attributes } from './series.ts';

/** Series per metric, the overflow series included. Source: default of the OpenTelemetry SDK. */
export const SERIES_MAX = 2_000;

const OVERFLOW: Attributes = Object.freeze({ [METRIC_OVERFLOW]: true });

export class Family<S> {
  readonly definition: MetricDefinition;
  readonly #make: (attributes: Attributes) => S;
  readonly #seriesMax: number;
  readonly #byKey: Map<string, S> = new Map();
  #overflow: S | null = null;

  constructor(definition: MetricDefinition, make: (attributes: Attributes) => S, seriesMax: number) {
    this.definition = definition;
    this.#make = make;
    this.#seriesMax = seriesMax;
  }

  /** The series with these labels, given in the order of the definition; made at first sight. null: the overflow series. */
  of(attributes: Attributes | null): S {
    if (attributes === null) return this.overflow();
    const key = JSON.stringify(attributes);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#byKey.size >= this.#seriesMax - 1) return this.overflow();
    const series = this.#make(Object.freeze(attributes));
    this.#byKey.set(key, series);
    return series;
  }

  overflow(): S {
    this.#overflow ??= this.#make(OVERFLOW);
    return this.#overflow;
  }

  remove(attributes: Attributes): void {
    this.#byKey.delete(JSON.stringify(attributes));
  }

  get size(): number {
    return this.#byKey.size + (this.#overflow === null ? 0 : 1);
  }

  *[Symbol.iterator](): IterableIterator<S> {
    yield* this.#byKey.values();
    if (this.#overflow !== null) yield this.#overflow;
  }
}
