// The port of outlier detection: who is left out, and who may probe it. Whose rule it is, ours, Envoy's or Linkerd's, the
// balancer does not know.
import type { Call, Outcome } from '../core/call.ts';
import type { Random } from '../core/clock.ts';
import type { Emit } from '../core/events.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { EndpointSet } from './endpoint-set.ts';

export interface OutlierDetector {
  /** Changes whenever `isIn` or `mayProbe` of an endpoint may have changed. */
  readonly version: number;
  /** Whether calls are refused, rather than sent to those that are out, when nobody is in. */
  readonly neverPanics: boolean;
  /** Whether the endpoint takes calls like any other. */
  isIn(endpoint: LiveEndpoint): boolean;
  /** Whether the endpoint is out and waits for a probe. `isRepeatable`: the call could be repeated if the probe fails. */
  mayProbe(endpoint: LiveEndpoint, isRepeatable: boolean): boolean;
  /** Lets time change what time alone changes. One comparison while nothing is due. */
  advance(nowMs: number): void;
  /** The attempt goes to an endpoint that `mayProbe`: it is the probe. */
  beginProbe(endpoint: LiveEndpoint, attempt: Call): void;
  /** How an attempt at the endpoint ended. Every attempt is told once. */
  record(endpoint: LiveEndpoint, attempt: Call, outcome: Outcome): void;
  /** The endpoint asked for a pause (Retry-After). */
  pushBack(endpoint: LiveEndpoint, forMs: number, nowMs: number): void;
  /** A health check of an endpoint that is out has ended. */
  checked(endpoint: LiveEndpoint, isPassed: boolean, nowMs: number): void;
  /** No longer in use: whoever is out comes back, and nothing that is told from now on counts. */
  release(nowMs: number): void;
}

export interface OutlierDeps {
  /** Name of the service, for events. */
  readonly service: string;
  readonly set: EndpointSet;
  readonly random: Random;
  readonly emit: Emit;
  /** Asks for a health check now; whether there will be one. Its end is told with `checked`. @default nobody checks */
  readonly askCheck?: ((endpoint: LiveEndpoint) => boolean) | undefined;
}
