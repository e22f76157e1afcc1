// S7: five percent for the new version. Also in the first seconds, also when all clients walk in step.
import type { MeshInput } from '../../../src/model/input.ts';
import { type LoadModel, type SimulationOptions, type SimulationResult, simulate, type SimWorld } from '../../../src/testing.ts';
import { atLeast, atMost, between, type Figure, type Scenario, seen } from './scenario.ts';

const CLIENTS = 50;
const DURATION_MS = 120_000;
const SLOT_MS = 50;
const CANARY = 'e9:80';
/** 20 calls a second from each client: one canary call a second is its share. */
const RPS = 20 * CLIENTS;

function config(percent: number, sticky: boolean): MeshInput {
  const route = { to: { v1: 100 - percent, v2: percent }, ...(sticky ? { sticky: { header: 'user' } } : {}) };
  const endpoints = Array.from({ length: 9 }, (_, i) => ({ address: `e${i + 1}:80`, labels: { version: i === 8 ? 'v2' : 'v1' } }));
  return { services: { target: { endpoints, subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } }, routes: [route] } } };
}

function world(arrivals: NonNullable<LoadModel['arrivals']>, seed: number): SimulationOptions {
  return {
    config: config(5, false),
    clients: CLIENTS,
    endpoints: { workers: 100, serviceMs: 5 },
    load: { rps: RPS, arrivals },
    durationMs: DURATION_MS,
    seed,
  };
}

/** Most canary calls in a slot, in multiples of the mean. */
function burst(times: readonly number[]): number {
  const slots = new Map<number, number>();
  for (const at of times) slots.set(Math.floor(at / SLOT_MS), (slots.get(Math.floor(at / SLOT_MS)) ?? 0) + 1);
  return Math.max(...slots.values()) / (times.length / (DURATION_MS / SLOT_MS));
}

const canaryBurst = (result: SimulationResult): number => burst(result.attemptTimes((address) => address === CANARY));

const shares = (result: SimulationResult): Figure[] => [
  between('share %', 100 * (result.shares()[CANARY] ?? 0), 4.7, 5.3),
  between('share % first 10 s', 100 * (result.shares(0, 10_000)[CANARY] ?? 0), 4, 6),
];

/** Share of the users of the canary that still are when its weight doubles, %. */
async function stickyStability(seed: number): Promise<{ readonly kept: number; readonly users: number }> {
  const before = new Set<string>();
  const after = new Map<string, boolean>();
  const watch = ({ meshes, at }: SimWorld): void => {
    let isAfter = false;
    at(60_000, () => {
      isAfter = true;
    });
    for (const mesh of meshes) {
      mesh.use(
        (next) => (attempt) => {
          const user = attempt.header('user') ?? '';
          const isCanary = attempt.endpoint?.address === CANARY;
          if (!isAfter && isCanary) before.add(user);
          if (isAfter) after.set(user, isCanary);
          return next(attempt);
        },
        { role: 'watch', above: 'transport' },
      );
    }
  };
  await simulate({
    ...world('poisson', seed),
    config: config(5, true),
    load: { rps: RPS, headers: (random) => ['user', `user-${Math.floor(random() * 1_000)}`] },
    prepare: watch,
    script: [{ atMs: 59_999, run: async ({ meshes }) => void (await Promise.all(meshes.map((mesh) => mesh.reload(config(10, true))))) }],
  });
  const known = [...before].filter((user) => after.has(user));
  return { kept: (100 * known.filter((user) => after.get(user)).length) / known.length, users: known.length };
}

export const S7: Scenario = {
  id: 'S7',
  title: 'canary of 5 %, 50 clients',
  notes: [
    'Calls that come at random bunch by themselves: 2.5 canary calls are expected in 50 ms, and of 2 400 such slots the fullest has about 10, whoever draws. Clients that do not talk to each other cannot do better than four times the mean.',
  ],
  cases: [
    {
      name: 'lockstep',
      run: async (seed) => {
        const result = await simulate(world('lockstep', seed));
        return [...shares(result), atMost('burst in 50 ms ÷ mean', canaryBurst(result), 2.5)];
      },
    },
    {
      name: 'poisson',
      run: async (seed) => {
        const result = await simulate(world('poisson', seed));
        const lockstep = await simulate(world('lockstep', seed));
        return [
          ...shares(result),
          seen('burst in 50 ms ÷ mean', canaryBurst(result)),
          atMost('burst in 50 ms ÷ that of lockstep', canaryBurst(result) / canaryBurst(lockstep), 2.5),
        ];
      },
    },
    {
      name: 'sticky by user, 5 to 10 %',
      run: async (seed) => {
        const { kept, users } = await stickyStability(seed);
        return [atLeast('stay with the canary %', kept, 100), atLeast('users', users, 20)];
      },
    },
    {
      name: 'every client begins at the same point',
      isControl: true,
      run: async (seed) => {
        const result = await simulate({ ...world('lockstep', seed), alike: true });
        return [atLeast('burst in 50 ms ÷ mean', canaryBurst(result), 15)];
      },
    },
  ],
};
