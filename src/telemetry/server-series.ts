// What is counted of the calls that the servers of this process answer. A series is found by route, method and ending; the
// route is what a framework matched, a text of its own code, never the path of a request.
import type { Outcome } from '../core/call.ts';
import type { Family } from './family.ts';
import { METHOD_SLOTS, methodSlot, STATUS_SLOTS } from './outcome-slots.ts';
import * as name from './semconv.ts';
import type { Attributes, Histogram } from './series.ts';

/** Two by two: scheme, then whether it is HTTP/2. */
const KINDS = 4;

type Slots = (Histogram | null)[];

/** Made by the meter. */
export class ServerSeries {
  inFlight = 0;
  readonly #family: Family<Histogram>;
  readonly #routesMax: number;
  readonly #routes: Map<string, Slots[]> = new Map();
  #lastRoute: string | null = null;
  #last: Slots[] | null = null;

  constructor(family: Family<Histogram>, routesMax: number) {
    this.#family = family;
    this.#routesMax = routesMax;
  }

  /** Counts one call; gives the series it was counted in. `route` is '' when no framework has said. */
  end(route: string, scheme: string, isHttp2: boolean, method: string, outcome: Outcome, durationMs: number): Histogram {
    const slots = route === this.#lastRoute && this.#last !== null ? this.#last : this.#route(route);
    const kind = (scheme === 'https' ? 2 : 0) + (isHttp2 ? 1 : 0);
    const row = methodSlot(method);
    const at = row * STATUS_SLOTS.size + STATUS_SLOTS.of(outcome);
    const histogram = slots[kind]?.[at] ?? this.#open(slots, kind, at, route);
    histogram.record(durationMs);
    return histogram;
  }

  #route(route: string): Slots[] {
    let slots = this.#routes.get(route);
    if (slots === undefined) {
      slots = Array.from({ length: KINDS }, () => []);
      if (this.#routes.size < this.#routesMax) this.#routes.set(route, slots);
    }
    this.#lastRoute = route;
    this.#last = slots;
    return slots;
  }

  #open(slots: Slots[], kind: number, at: number, route: string): Histogram {
    const row = Math.floor(at / STATUS_SLOTS.size);
    const ofKind = slots[kind] as Slots;
    if (ofKind.length === 0) for (let i = 0; i < METHOD_SLOTS * STATUS_SLOTS.size; i++) ofKind.push(null);
    const attributes: Attributes = {
      [name.HTTP_REQUEST_METHOD]: name.KNOWN_METHODS[row] ?? name.OTHER,
      [name.URL_SCHEME]: kind >= 2 ? 'https' : 'http',
      ...serverStatus(STATUS_SLOTS.attributes(at % STATUS_SLOTS.size)),
      ...(route === '' ? {} : { [name.HTTP_ROUTE]: route }),
      [name.NETWORK_PROTOCOL_VERSION]: kind % 2 === 1 ? '2' : '1.1',
    };
    const histogram = this.#family.of(attributes);
    ofKind[at] = histogram;
    return histogram;
  }
}

/** A server is to blame for 5xx alone. Source: semantic conventions, HTTP server metrics. */
function serverStatus(attributes: Attributes): Attributes {
  const status = attributes[name.HTTP_RESPONSE_STATUS_CODE];
  if (typeof status !== 'number' || status >= 500) return attributes;
  return { [name.HTTP_RESPONSE_STATUS_CODE]: status };
}
