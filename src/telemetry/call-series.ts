// What is counted of the calls to one service, as their callers see them. Bound before the first call; ending a call finds
// its series by the name of the route, which is nearly always that of the call before.
import type { Outcome, OutcomeKind } from '../core/call.ts';
import type { Family } from './family.ts';
import { CLASS_SLOTS } from './outcome-slots.ts';
import { MESH_ROUTE, MESH_SERVICE } from './semconv.ts';
import type { Attributes, Histogram } from './series.ts';

/** Endings by kind. */
export class Tally {
  success = 0;
  failure = 0;
  ignored = 0;

  add(kind: OutcomeKind): void {
    if (kind === 'success') this.success++;
    else if (kind === 'failure') this.failure++;
    else this.ignored++;
  }

  get total(): number {
    return this.success + this.failure + this.ignored;
  }
}

class RouteSeries {
  readonly #family: Family<Histogram>;
  /** null: overflow. */
  readonly #labels: Attributes | null;
  readonly #bySlot: (Histogram | null)[] = new Array<null>(CLASS_SLOTS.size).fill(null);

  constructor(family: Family<Histogram>, labels: Attributes | null) {
    this.#family = family;
    this.#labels = labels;
  }

  histogram(outcome: Outcome): Histogram {
    const slot = CLASS_SLOTS.of(outcome);
    return this.#bySlot[slot] ?? this.#open(slot);
  }

  #open(slot: number): Histogram {
    const labels = this.#labels;
    const histogram = this.#family.of(labels === null ? null : { ...labels, ...CLASS_SLOTS.attributes(slot) });
    this.#bySlot[slot] = histogram;
    return histogram;
  }

  histograms(): Histogram[] {
    return this.#bySlot.filter((histogram) => histogram !== null);
  }
}

/** Made by the meter. */
export class CallSeries {
  /** '' for the one that holds what is beyond the limit. */
  readonly service: string;
  readonly tally: Tally = new Tally();
  inFlight = 0;
  readonly #family: Family<Histogram>;
  readonly #routesMax: number;
  readonly #routes: Map<string, RouteSeries> = new Map();
  #lastName: string | null = null;
  #last: RouteSeries | null = null;
  #overflow: RouteSeries | null = null;

  constructor(service: string, family: Family<Histogram>, routesMax: number) {
    this.service = service;
    this.#family = family;
    this.#routesMax = routesMax;
  }

  /** Counts one call; gives the series it was counted in. `route` is '' when the call was refused before it had one. */
  end(route: string, outcome: Outcome, durationMs: number): Histogram {
    this.tally.add(outcome.kind);
    const series = route === this.#lastName && this.#last !== null ? this.#last : this.#route(route);
    const histogram = series.histogram(outcome);
    histogram.record(durationMs);
    return histogram;
  }

  #route(route: string): RouteSeries {
    let series = this.#routes.get(route);
    if (series === undefined && this.service !== '' && this.#routes.size < this.#routesMax) {
      series = new RouteSeries(this.#family, { [MESH_SERVICE]: this.service, [MESH_ROUTE]: route });
      this.#routes.set(route, series);
    }
    series ??= this.#overflow ??= new RouteSeries(this.#family, null);
    this.#lastName = route;
    this.#last = series;
    return series;
  }

  /** The series of all routes, for the snapshot. */
  histograms(): Histogram[] {
    return [...this.#routes.values()].flatMap((route) => route.histograms());
  }
}
