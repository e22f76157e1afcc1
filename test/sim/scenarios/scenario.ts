// What a scenario is: cases, each of which runs a simulation for one seed and gives figures with the bars they must keep.
// A control is a model of what others do; its bars say how it must fail, which proves that the simulation can show it.
import type { MeshInput } from '../../../src/model/input.ts';
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import type { Picture } from '../../../src/testing.ts';

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly most?: number;
  readonly least?: number;
  /** Why the bar is known to be missed. A bar that is missed without a reason fails the run. */
  readonly why?: string;
}

export interface Case {
  readonly name: string;
  readonly isControl?: true;
  readonly run: (seed: number) => Promise<readonly Figure[]>;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly cases: readonly Case[];
  /** What was read into the specification, and what the model cannot show. @default nothing to say */
  readonly notes?: readonly string[];
  /** Its runs over time, for the page. @default no picture */
  readonly picture?: (seed: number) => Promise<Picture | readonly Picture[]>;
}

export function atMost(what: string, value: number, most: number): Figure {
  return { what, value, most };
}

export function atLeast(what: string, value: number, least: number): Figure {
  return { what, value, least };
}

export function between(what: string, value: number, least: number, most: number): Figure {
  return { what, value, least, most };
}

/** A figure that has no bar, for people. */
export function seen(what: string, value: number): Figure {
  return { what, value };
}

export function isKept({ value, most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY }: Figure): boolean {
  return value <= most && value >= least;
}

/** One service with these policies. */
export function serviceWith(policies: PolicyInput): MeshInput {
  return { services: { target: policies } };
}

/** Retries for every call that wants one, for ever. */
export const UNLIMITED = { tokens: 1_000_000, perSuccess: 1_000, perSecond: 1_000_000 } as const;

/** Istio's defaults: two retries and no budget that would bind, no ejection and no circuit unless configured; least request. */
export const ISTIO: PolicyInput = {
  loadBalancer: { kind: 'leastRequest', fullScanMax: 1 },
  retryBudget: UNLIMITED,
  circuitBreaker: false,
  outlierDetection: false,
};

/** Round robin and nothing else. */
export const PLAIN: PolicyInput = { loadBalancer: 'roundRobin', retries: false, circuitBreaker: false, outlierDetection: false };

export const TEN = { count: 10, workers: 4, serviceMs: 20 } as const;
/** Calls a second that ten servers of four workers and 20 ms can do. */
export const TEN_RPS = 2_000;

/** A server of ours: the admission limit with all defaults, and handlers that heed their signal. */
export const GUARDED = { admission: true, honorsCancel: true } as const;

export const seconds = (ms: number): number => ms / 1_000;
