// S2, S4d, S4e: failures that are nobody's fault in particular. What heals them, and who is blamed wrongly.
import type { Layer } from '../../../src/core/service.ts';
import { RollingWindow } from '../../../src/core/window.ts';
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import { type SimulationOptions, type SimulationResult, simulate } from '../../../src/testing.ts';
import { grpcThrottle, useEverywhere } from './others.ts';
import {
  atLeast,
  atMost,
  between,
  type Case,
  type Figure,
  PLAIN,
  type Scenario,
  seconds,
  seen,
  serviceWith,
  TEN,
  TEN_RPS,
} from './scenario.ts';

const FROM_MS = 10_000;
const HOUR_MS = 3_600_000;

function errorsEverywhere(
  policies: PolicyInput,
  errors: number,
  utilization: number,
  more: Partial<SimulationOptions>,
  seed: number,
): Promise<SimulationResult> {
  return simulate({
    config: serviceWith({ timeout: '5s', ...policies }),
    clients: 20,
    endpoints: TEN,
    load: TEN_RPS * utilization,
    faults: [{ fromMs: FROM_MS, is: { errors } }],
    durationMs: FROM_MS + 60_000,
    seed,
    ...more,
  });
}

const residual = (result: SimulationResult): number => 100 * (1 - result.stats(FROM_MS).goodput);

const healed = (errors: number, most: number): Case => ({
  name: `${errors * 100} %`,
  run: async (seed) => {
    const result = await errorsEverywhere({}, errors, 0.5, {}, seed);
    return [atMost('residual %', residual(result), most), atMost('amplification', result.stats(FROM_MS).amplification, 1 + 1.2 * errors)];
  },
});

export const S2: Scenario = {
  id: 'S2',
  title: 'transient errors: all endpoints fail independently',
  cases: [
    healed(0.05, 0.05),
    healed(0.1, 0.3),
    {
      name: 'gRPC throttle, 10 %',
      isControl: true,
      run: async (seed) => {
        const policies: PolicyInput = { ...PLAIN, retries: {}, retryBudget: { tokens: 1_000, perSuccess: 1 } };
        return [
          atLeast(
            'residual %',
            residual(
              await errorsEverywhere(
                policies,
                0.1,
                0.5,
                { prepare: (world) => useEverywhere(world, grpcThrottle, { below: 'retry' }) },
                seed,
              ),
            ),
            5,
          ),
        ];
      },
    },
  ],
};

/** How often a gate of a fixed ratio (success below 0.8 in 10 s, 5 calls) would eject. It only counts. Source: Linkerd's unified breaker. */
function fixedRatioGate(): { readonly layer: Layer; readonly trips: () => number } {
  const windows = new Map<string, RollingWindow>();
  let trips = 0;
  const layer: Layer = (next) => (attempt) => {
    attempt.onEnd(({ endpoint }, { kind, endedAtMs }) => {
      if (endpoint === null) return;
      let window = windows.get(endpoint.address);
      if (window === undefined) windows.set(endpoint.address, (window = new RollingWindow(10_000)));
      window.add(kind === 'success', endedAtMs);
      const calls = window.good + window.bad;
      if (calls < 5 || window.good / calls >= 0.8) return;
      trips++;
      window.reset();
    });
    return next(attempt);
  };
  return { layer, trips: () => trips };
}

/** Trips per endpoint and hour of one client. */
async function fixedRatioTrips(options: SimulationOptions): Promise<number> {
  const gate = fixedRatioGate();
  await simulate({ ...options, prepare: ({ meshes }) => void meshes[0]?.use(gate.layer, { role: 'gate', above: 'transport' }) });
  return gate.trips() / TEN.count / (options.durationMs / HOUR_MS);
}

const NO_REFUSALS: PolicyInput = { circuitBreaker: false, outlierDetection: false };

/** Mean share of the endpoints that a client leaves out, %. */
function outShare({ events, durationMs }: SimulationResult, clients: number): number {
  const outSince = new Map<string, number>();
  let outMs = 0;
  for (const { atMs, client, event } of events) {
    if (event.type !== 'endpointEjected' && event.type !== 'endpointReturned') continue;
    const key = `${client} ${event.endpoint}`;
    const sinceMs = outSince.get(key);
    if (event.type === 'endpointReturned' && sinceMs !== undefined) {
      outMs += atMs - sinceMs;
      outSince.delete(key);
    } else if (event.type === 'endpointEjected' && sinceMs === undefined) outSince.set(key, atMs);
  }
  for (const sinceMs of outSince.values()) outMs += durationMs - sinceMs;
  return (100 * outMs) / (TEN.count * clients * (durationMs - FROM_MS));
}

export const S4D: Scenario = {
  id: 'S4d',
  title: 'correlated errors on all ten, u 0.7',
  notes: [
    'No added errors: the same errors with the same retries, but without ejection and circuit, leave as many. Capacity kept: nobody is left out, and the p99 stays that of the load that the retries make.',
  ],
  cases: [
    {
      name: '30 %',
      run: async (seed) => {
        const result = await errorsEverywhere({}, 0.3, 0.7, {}, seed);
        const bare = await errorsEverywhere(NO_REFUSALS, 0.3, 0.7, {}, seed);
        return [
          atMost('residual %', residual(result), 20),
          atMost('residual % added by ejection and circuit', residual(result) - residual(bare), 0.5),
          seen('amplification', result.stats(FROM_MS).amplification),
          atMost('endpoints left out %', outShare(result, 20), 1),
          atMost('p99 ÷ that without ejection and circuit', result.answeredMs(0.99, FROM_MS) / bare.answeredMs(0.99, FROM_MS), 1.1),
          atMost('circuits opened', result.count('circuitOpened'), 0),
        ];
      },
    },
    { name: '10 %', run: async (seed) => [atMost('residual %', residual(await errorsEverywhere({}, 0.1, 0.7, {}, seed)), 0.3)] },
    {
      name: 'gate of a fixed ratio, 30 %',
      isControl: true,
      run: async (seed) => [
        between('trips per endpoint-hour', await fixedRatioTrips(background(0.3, 503, 20, HOUR_MS / 6, seed)), 6_000, 9_000),
      ],
    },
  ],
};

/** One client, ten endpoints, calls in turn, so that each endpoint gets `rps`. */
function background(errors: number, status: number, rps: number, durationMs: number, seed: number): SimulationOptions {
  return {
    config: serviceWith({ timeout: '5s', retries: false, circuitBreaker: false, loadBalancer: 'roundRobin' }),
    endpoints: TEN,
    load: rps * TEN.count,
    faults: [{ fromMs: 0, is: { errors, status } }],
    durationMs,
    seed,
  };
}

interface Background {
  readonly errors: number;
  readonly status: number;
  readonly rps: number;
  readonly durationMs: number;
}

/** Ejections per endpoint and hour, when nobody is worse than the others. */
export async function falseTrips({ errors, status, rps, durationMs }: Background, seed: number): Promise<number> {
  const { events } = await simulate(background(errors, status, rps, durationMs, seed));
  const trips = events.filter(({ event }) => event.type === 'endpointEjected' && event.rule !== 'probe').length;
  return trips / TEN.count / (durationMs / HOUR_MS);
}

/** Mean time from the beginning of a fault until the endpoint is left out, s. */
async function detectionS(errors: number, rps: number, seed: number): Promise<number> {
  const episodeMs = 120_000;
  const episodes = 30;
  const faults = Array.from({ length: episodes }, (_, i) => ({
    fromMs: (i + 0.5) * episodeMs,
    untilMs: (i + 0.75) * episodeMs,
    endpoints: 1,
    is: { errors },
  }));
  const { events } = await simulate({ ...background(0, 503, rps, episodes * episodeMs, seed), faults });
  let sumMs = 0;
  for (const { fromMs, untilMs } of faults) {
    const found = events.find(
      ({ atMs, event }) => atMs >= fromMs && atMs < untilMs && event.type === 'endpointEjected' && event.endpoint === 'e1:80',
    );
    sumMs += (found?.atMs ?? untilMs) - fromMs;
  }
  return seconds(sumMs / episodes);
}

/** 10 endpoint-hours at 20 rps, 100 at 2 rps. */
const trips = (rps: number, status: number): Case => ({
  name: `background of ${status}, ${rps} rps`,
  run: async (seed): Promise<Figure[]> => {
    const figures: Figure[] = [];
    for (const errors of [0.02, 0.05, 0.1, 0.3]) {
      const value = await falseTrips({ errors, status, rps, durationMs: rps > 2 ? HOUR_MS : 10 * HOUR_MS }, seed);
      figures.push(atMost(`false trips/h at ${errors * 100} %`, value, 1.5));
    }
    return figures;
  },
});

export const S4E: Scenario = {
  id: 'S4e',
  title: 'false trips per endpoint-hour, and time to detect',
  notes: ['503 counts for the run of errors that ejects as well, 500 for the comparison with the peers alone.'],
  cases: [
    trips(2, 500),
    trips(2, 503),
    trips(20, 500),
    trips(20, 503),
    {
      name: 'detection, 2 rps',
      run: async (seed) => [atMost('s at 100 %', await detectionS(1, 2, seed), 4), atMost('s at 50 %', await detectionS(0.5, 2, seed), 9)],
    },
    {
      name: 'gate of a fixed ratio, 10 %, 2 rps',
      isControl: true,
      run: async (seed) => [between('trips per endpoint-hour', await fixedRatioTrips(background(0.1, 503, 2, HOUR_MS, seed)), 60, 110)],
    },
  ],
};
