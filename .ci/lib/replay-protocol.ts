// What the processes of a replay tell each other. Times are ms since the start, which is a moment of the wall clock that
// all processes of one machine share.

/** Argument of a child. It looks its case up by itself, as functions do not travel. */
export interface ChildPlan {
  readonly scenario: string;
  readonly name: string;
  /** Which of the servers, or of the clients, it is. */
  readonly index: number;
  readonly seed: number;
}

/** From a server. */
export interface Listening {
  readonly port: number;
}

export interface Ready {
  readonly ready: true;
}

/** To a client: where the servers listen. */
export interface Ports {
  readonly ports: readonly number[];
}

/** To all: time begins then. */
export interface Begin {
  readonly begin: number;
}

/** To a server: no more calls come. */
export interface Report {
  readonly report: true;
}

/** From a server at the end. */
export interface ServerReport {
  /** When requests arrived. */
  readonly arrivedAtMs: readonly number[];
  /** How late its timers fired, 99th percentile and most, ms. */
  readonly lateP99Ms: number;
  readonly lateMaxMs: number;
}

/** From a client at the end, one entry for each call. */
export interface ClientReport {
  readonly startedAtMs: readonly number[];
  readonly tookMs: readonly number[];
  readonly isGood: readonly boolean[];
  readonly isRefused: readonly boolean[];
  /** Index into CRITICALITIES, -1 when nobody said. */
  readonly criticality: readonly number[];
  /** How late calls began, 99th percentile and most, ms. */
  readonly lateP99Ms: number;
  readonly lateMaxMs: number;
}

/** Wall clock, ms, with fractions: the same for all processes of a machine. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
