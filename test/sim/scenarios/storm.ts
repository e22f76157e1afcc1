// S15: a cache that answers nine calls of ten is emptied at once. What is behind it gets ten times its load, unless calls
// for the same thing become one.
import type { MeshInput, RouteInput } from '../../../src/model/input.ts';
import { type Picture, simulate, type SimulationResult } from '../../../src/testing.ts';
import { atLeast, atMost, type Figure, type Scenario, seconds, seen } from './scenario.ts';

const KEYS = 800;
const FRESH_S = 4;
const RPS = 3_000;
/** 300 calls a second. */
const DATABASE = { workers: 6, serviceMs: 20, headers: { 'cache-control': `max-age=${FRESH_S}` } } as const;
const FROM_MS = 60_000;
const DURATION_MS = 110_000;
/** Keys expire from now on, and are asked for again. */
const FILLED_MS = 3_600;
/** Slowly, so that the cache is warm before the whole load is there: it could not be filled otherwise. */
const WARMING = Array.from({ length: 12 }, (_, i) => ({ fromMs: i * 3_000, untilMs: (i + 1) * 3_000, times: 1.25 ** (i - 12) }));

function config(route: RouteInput): MeshInput {
  return { services: { target: { timeout: '5s', endpoints: ['database:80'], routes: [route] } } };
}

interface Storm {
  readonly result: SimulationResult;
  /** Calls that reached the database until the first keys expired ÷ keys that were asked for. */
  readonly perKey: number;
}

async function storm(route: RouteInput, seed: number): Promise<Storm> {
  const keys = new Set<string>();
  const received: number[] = [];
  let isFilling = false;
  const result = await simulate({
    config: config({ cache: true, ...route }),
    endpoints: DATABASE,
    load: {
      rps: RPS,
      steps: WARMING,
      path: (random) => {
        const key = `/${Math.floor(random() * KEYS)}`;
        if (isFilling) keys.add(key);
        return key;
      },
    },
    durationMs: DURATION_MS,
    seed,
    script: [
      {
        atMs: FROM_MS,
        run: async ({ meshes, endpoint }) => {
          received.push(endpoint('database:80').received);
          isFilling = true;
          // A cache that was switched off has forgotten everything.
          await Promise.all(meshes.map((mesh) => mesh.reload(config({ ...route, cache: false }))));
          await Promise.all(meshes.map((mesh) => mesh.reload(config({ cache: true, ...route }))));
        },
      },
      {
        atMs: FROM_MS + FILLED_MS,
        run: ({ endpoint }) => {
          received.push(endpoint('database:80').received);
          isFilling = false;
        },
      },
    ],
  });
  return { result, perKey: ((received[1] as number) - (received[0] as number)) / keys.size };
}

const hitPercent = (result: SimulationResult): number => 100 * (1 - result.stats(FROM_MS - 15_000, FROM_MS).amplification);

export const S15: Scenario = {
  id: 'S15',
  title: 'cache storm: 3 000 rps, the cache is emptied, the database can do 300',
  notes: [`${KEYS} keys, fresh for ${FRESH_S} s, are some more than 90 % hits; at 90 % the database would have no room at all.`],
  cases: [
    {
      name: 'identical calls become one',
      run: async (seed): Promise<Figure[]> => {
        const { result, perKey } = await storm({ coalesce: true }, seed);
        return [
          atMost('calls of the database ÷ keys', perKey, 1.2),
          atMost('recovery s', seconds(result.recoveryMs(FROM_MS)), 10),
          seen('hits before %', hitPercent(result)),
        ];
      },
    },
    {
      name: 'each call asks',
      isControl: true,
      run: async (seed) => {
        const { result } = await storm({}, seed);
        return [
          seen('hits before %', hitPercent(result)),
          atLeast('answered before %', 100 * result.stats(FROM_MS - 15_000, FROM_MS).goodput, 99.9),
          atLeast('recovery s', seconds(result.recoveryMs(FROM_MS)), 45),
          atMost('answered at the end %', 100 * result.stats(DURATION_MS - 10_000).goodput, 50),
        ];
      },
    },
  ],
  picture: async (seed): Promise<Picture> => ({
    title: 'A cache is emptied',
    subtitle: '3 000 calls a second, 92 % of them from the cache before; the database can do 300',
    runs: [
      { name: 'identical calls become one', series: (await storm({ coalesce: true }, seed)).result.series() },
      { name: 'each call asks', series: (await storm({}, seed)).result.series() },
    ],
    spanMs: [FROM_MS, FROM_MS + 2_000],
  }),
};
