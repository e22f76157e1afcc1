// S10: six replicas are replaced one after the other, each new one cold, and clients learn of it late.
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import {
  type Picture,
  type SimulationOptions,
  type SimulationResult,
  type SimWorld,
  seededRandom,
  simulate,
} from '../../../src/testing.ts';
import { atLeast, atMost, between, type Case, type Figure, PLAIN, type Scenario, serviceWith } from './scenario.ts';

const COUNT = 6;
const STEP_MS = 10_000;
const CLIENTS = 20;
const LAG_MS_MAX = 5_000;
const MODEL = { workers: 4, serviceMs: 20, coldStart: { times: 10, forMs: 10_000 } } as const;
const FROM_MS = STEP_MS;
const DURATION_MS = (COUNT + 3) * STEP_MS;

function world(policies: PolicyInput, seed: number): SimulationOptions {
  return {
    config: serviceWith({ timeout: '1s', ...policies }),
    clients: CLIENTS,
    endpoints: { ...MODEL, count: COUNT },
    load: COUNT * 200 * 0.5,
    durationMs: DURATION_MS,
    seed,
  };
}

/** Replaces one replica every ten seconds. The old one goes on for `drainMs` after the new one was announced. */
function deploy(policies: PolicyInput, drainMs: number, seed: number): Promise<SimulationResult> {
  const lag = seededRandom(seed);
  const addresses = Array.from({ length: COUNT }, (_, i) => `e${i + 1}:80`);
  const replace = (step: number, { meshes, place, endpoint, at, nowMs }: SimWorld): void => {
    const old = addresses[step] as string;
    const fresh = `e${COUNT + step + 1}:80`;
    addresses[step] = fresh;
    place(fresh, MODEL).start();
    const config = { services: { target: { timeout: '1s', ...policies, endpoints: [...addresses] } } };
    for (const mesh of meshes) at(nowMs + lag() * LAG_MS_MAX, () => void mesh.reload(config));
    at(nowMs + drainMs, () => endpoint(old).behave('refuse'));
  };
  const script = addresses.map((_, step) => ({ atMs: (step + 1) * STEP_MS, run: (one: SimWorld) => replace(step, one) }));
  return simulate({ ...world(policies, seed), script });
}

const ours = (name: string, drainMs: number, errorsPpm: number): Case => ({
  name,
  run: async (seed): Promise<Figure[]> => {
    const healthy = (await simulate(world({}, seed))).stats(FROM_MS);
    const { goodput, p99Ms, p999Ms } = (await deploy({}, drainMs, seed)).stats(FROM_MS);
    return [
      atMost('errors ppm', 1e6 * (1 - goodput), errorsPpm),
      atMost('p99 / healthy', p99Ms / healthy.p99Ms, 1.15),
      atMost('p99.9 / healthy', p999Ms / healthy.p999Ms, 1.4),
    ];
  },
});

export const S10: Scenario = {
  id: 'S10',
  title: 'rolling deploy of six replicas, 10x cold for 10 s, lag 0 to 5 s',
  cases: [
    ours('drain of 10 s', STEP_MS, 0),
    ours('no drain', 0, 50),
    {
      name: 'round robin',
      isControl: true,
      run: async (seed) => {
        const { goodput, p99Ms } = (await deploy(PLAIN, 0, seed)).stats(FROM_MS);
        return [between('errors %', 100 * (1 - goodput), 11, 14), atLeast('p99 ms', p99Ms, 1_000)];
      },
    },
  ],
  picture: async (seed): Promise<Picture> => ({
    title: 'Six replicas are replaced, one every 10 s, without a drain',
    subtitle: '20 callers learn of it up to 5 s late; a new replica is 10 times slower at first',
    runs: [
      { name: 'inmesh', series: (await deploy({}, 0, seed)).series() },
      { name: 'round robin', series: (await deploy(PLAIN, 0, seed)).series() },
    ],
    spanMs: [STEP_MS, (COUNT + 1) * STEP_MS],
  }),
};
