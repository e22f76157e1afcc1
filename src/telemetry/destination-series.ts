// What is counted of the attempts at one destination on behalf of one route. Bound before the first attempt, so that
// recording looks nothing up by name.
import type { Outcome } from '../core/call.ts';
import { Tally } from './call-series.ts';
import type { Family } from './family.ts';
import { METHOD_SLOTS, methodSlot, STATUS_SLOTS } from './outcome-slots.ts';
import * as name from './semconv.ts';
import type { Attributes, Counter, Histogram } from './series.ts';

export interface DestinationFamilies {
  readonly duration: Family<Histogram>;
  readonly retries: Family<Counter>;
  readonly denied: Family<Counter>;
}

export interface DestinationNames {
  /** The service that was called. */
  readonly service: string;
  /** `service` or `service/subset`. */
  readonly destination: string;
  readonly route: string;
}

/** Reasons are words of ours; anything longer is a sentence, and no label. */
export function reasonLabel(reason: string): string {
  return /^[\w-]{1,40}$/.test(reason) ? reason : name.OTHER;
}

/** Made by the meter. */
export class DestinationSeries {
  /** null for the one that holds what is beyond the limit. */
  readonly names: DestinationNames | null;
  readonly labels: Attributes | null;
  readonly tally: Tally = new Tally();
  readonly retriesByReason: Map<string, Counter> = new Map();
  readonly deniedByReason: Map<string, Counter> = new Map();
  inFlight = 0;
  readonly #families: DestinationFamilies;
  readonly #byMethod: ((Histogram | null)[] | null)[] = new Array<null>(METHOD_SLOTS).fill(null);

  constructor(names: DestinationNames | null, families: DestinationFamilies) {
    this.names = names;
    this.#families = families;
    this.labels =
      names === null
        ? null
        : { [name.MESH_SERVICE]: names.service, [name.MESH_ROUTE]: names.route, [name.MESH_DESTINATION]: names.destination };
  }

  /** Counts one attempt at HTTP; gives the series it was counted in. */
  recordAttempt(method: string, outcome: Outcome, durationMs: number): Histogram {
    this.tally.add(outcome.kind);
    const row = methodSlot(method);
    const slot = STATUS_SLOTS.of(outcome);
    const histogram = this.#byMethod[row]?.[slot] ?? this.#open(row, slot);
    histogram.record(durationMs);
    return histogram;
  }

  /** Counts one attempt that is no HTTP request. */
  recordRun(outcome: Outcome): void {
    this.tally.add(outcome.kind);
  }

  /** A retry is made, on this ground. Bound, so that it can be handed on as it is. */
  readonly retried = (reason: string): void => {
    this.#counter(this.retriesByReason, this.#families.retries, name.MESH_RETRY_REASON, reason).value++;
  };

  /** A retry that the policy wants is not made. Bound. */
  readonly retryDenied = (reason: string): void => {
    this.#counter(this.deniedByReason, this.#families.denied, name.MESH_RETRY_DENIED, reason).value++;
  };

  histograms(): Histogram[] {
    return this.#byMethod.flatMap((row) => row ?? []).filter((histogram) => histogram !== null);
  }

  #open(row: number, slot: number): Histogram {
    const slots = (this.#byMethod[row] ??= new Array<null>(STATUS_SLOTS.size).fill(null));
    const { names, labels } = this;
    const histogram = this.#families.duration.of(
      names === null
        ? null
        : {
            [name.HTTP_REQUEST_METHOD]: name.KNOWN_METHODS[row] ?? name.OTHER,
            [name.SERVER_ADDRESS]: names.destination.split('/', 1)[0] ?? '',
            ...STATUS_SLOTS.attributes(slot),
            ...labels,
          },
    );
    slots[slot] = histogram;
    return histogram;
  }

  #counter(byReason: Map<string, Counter>, family: Family<Counter>, attribute: string, reason: string): Counter {
    const label = reasonLabel(reason);
    let counter = byReason.get(label);
    if (counter === undefined) {
      counter = family.of(this.labels === null ? null : { ...this.labels, [attribute]: label });
      byReason.set(label, counter);
    }
    return counter;
  }
}
