// When calls begin. Open loop: nobody waits for an answer before the next call, because users do not either; a closed loop
// hides a collapse by sending less. Pure; chance is handed in.
import type { Random } from '../core/clock.ts';
import type { Criticality } from '../model/traffic.ts';
import { exponential } from './distribution.ts';

/** How many calls, and when. */
export interface LoadModel {
  /** Calls a second, all clients together. */
  readonly rps: number;
  /** Stretches of time with `times` as much, ms since the start. */
  readonly steps?: readonly { readonly fromMs: number; readonly untilMs: number; readonly times: number }[];
  /** `poisson`: at random, each client by itself. `lockstep`: every client at the same moments. @default poisson */
  readonly arrivals?: 'poisson' | 'lockstep';
  /** @default GET */
  readonly method?: string;
  /** A fixed one, or drawn for each call with the client's own chance. @default / */
  readonly path?: string | ((random: Random) => string);
  /** How much a call matters, drawn like the path. @default nobody says */
  readonly criticality?: (random: Random) => Criticality;
  /** Flat pairs of name and value for the n-th call of a client, drawn with the client's own chance. @default none */
  readonly headers?: (random: Random) => string[];
}

/** When the next call begins, ms since the start; Infinity when none comes any more. */
export function nextArrivalMs(load: LoadModel, clients: number, nowMs: number, random: Random): number {
  if (load.arrivals === 'lockstep') return nowMs + (1_000 * clients) / load.rps;
  let fromMs = nowMs;
  for (;;) {
    const perMs = rateAt(load, fromMs) / clients / 1_000;
    const nextMs = perMs > 0 ? fromMs + exponential(random) / perMs : Number.POSITIVE_INFINITY;
    const changeMs = nextChangeMs(load, fromMs);
    if (nextMs <= changeMs) return nextMs;
    if (changeMs === Number.POSITIVE_INFINITY) return changeMs;
    // Poisson arrivals have no memory: where the rate changes, the wait is drawn anew.
    fromMs = changeMs;
  }
}

function rateAt({ rps, steps = [] }: LoadModel, atMs: number): number {
  let rate = rps;
  for (const { fromMs, untilMs, times } of steps) if (atMs >= fromMs && atMs < untilMs) rate *= times;
  return rate;
}

function nextChangeMs({ steps = [] }: LoadModel, afterMs: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { fromMs, untilMs } of steps) {
    if (fromMs > afterMs && fromMs < next) next = fromMs;
    if (untilMs > afterMs && untilMs < next) next = untilMs;
  }
  return next;
}
