// The shared calls of one route that are under way, by what makes calls alike. Survives reloads.
import type { Call, Reply } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import type { Service } from '../core/service.ts';
import { type CoalescePolicy, CRITICALITY_DEFAULT } from '../model/traffic.ts';
import { uriOf } from './cache-request.ts';
import { Flight, valuesOf } from './flight.ts';

export interface FlightsDeps {
  readonly clock: Clock;
  /** A call joined another. */
  readonly onAction: (action: 'coalesced') => void;
}

/** Change what is answered, so they make calls different whatever the policy says. */
const ALWAYS: readonly string[] = [
  'cache-control',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'pragma',
  'range',
];

export class Flights {
  readonly #deps: FlightsDeps;
  readonly #byKey: Map<string, Flight> = new Map();
  #policy: CoalescePolicy;
  #names: readonly string[];

  constructor(policy: CoalescePolicy, deps: FlightsDeps) {
    this.#policy = policy;
    this.#names = namesOf(policy);
    this.#deps = deps;
  }

  /** A new policy, for the calls from now on. */
  update(policy: CoalescePolicy): void {
    this.#policy = policy;
    this.#names = namesOf(policy);
  }

  /** Shared calls that may be joined. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Joins the call to one like it, or begins one. `nowMs`: since when it may be answered, its own start as a rule. */
  ask(call: Call, next: Service, nowMs: number): Promise<Reply> {
    const key = this.#keyOf(call);
    const flight = this.#byKey.get(key);
    if (flight === undefined) return this.#begin(key, call, next, nowMs);
    const joined = flight.waiters < this.#policy.waitersMax ? flight.join(call, next) : null;
    if (joined === null) return next(call);
    this.#deps.onAction('coalesced');
    return joined;
  }

  #begin(key: string, call: Call, next: Service, nowMs: number): Promise<Reply> {
    const { clock } = this.#deps;
    const flight: Flight = new Flight(call, next, nowMs, {
      clock,
      bodyBytesMax: this.#policy.bodyBytesMax,
      onClose: () => {
        if (this.#byKey.get(key) === flight) this.#byKey.delete(key);
      },
      askAgain: (late, on) => this.ask(late, on, clock.now()),
    });
    this.#byKey.set(key, flight);
    return flight.start();
  }

  /** Header values cannot hold a line feed, so no two lists of values read the same. */
  #keyOf(call: Call): string {
    const { headers, criticality } = call;
    // What is dropped first must not take along what matters.
    let key = `${criticality < 0 ? CRITICALITY_DEFAULT : criticality} ${uriOf(call)}`;
    for (let i = 0; i < this.#names.length; i++) {
      const value = valuesOf(headers, this.#names[i] as string);
      if (value !== undefined) key += `\n${i}=${value}`;
    }
    return key;
  }
}

function namesOf({ headers }: CoalescePolicy): readonly string[] {
  return [...new Set([...ALWAYS, ...headers])].sort();
}
