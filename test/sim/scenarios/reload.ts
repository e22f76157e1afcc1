// S13: the configuration changes twice a second while things go wrong. Nothing that was learned may be lost.
import type { MeshInput } from '../../../src/model/input.ts';
import { type SimulationOptions, type SimulationResult, simulate, type SimWorld } from '../../../src/testing.ts';
import { atLeast, atMost, type Case, type Figure, type Scenario, seconds, serviceWith, TEN, TEN_RPS } from './scenario.ts';

const EVERY_MS = 500;
const DURATION_MS = 80_000;
const FROM_MS = 20_000;
const UNTIL_MS = 30_000;

/** Reloads all meshes, over and over, with a configuration that differs in a number nobody meets. */
function reloading({ meshes, config, at }: SimWorld): void {
  const step = (atMs: number): void => {
    at(atMs, () => {
      const policies = { defaults: { retries: { retryAfterMax: 4_000 + (atMs % 1_000) } } };
      for (const mesh of meshes) void mesh.reload({ ...policies, ...(config as MeshInput) });
      if (atMs + EVERY_MS < DURATION_MS) step(atMs + EVERY_MS);
    });
  };
  step(EVERY_MS);
}

/** Forgets all services in between: what was learnt is lost. */
function forgetting({ meshes, config, at }: SimWorld): void {
  const step = (atMs: number): void => {
    at(atMs, () => {
      for (const mesh of meshes) void mesh.reload({ services: {} }).then(() => mesh.reload(config));
      if (atMs + EVERY_MS < DURATION_MS) step(atMs + EVERY_MS);
    });
  };
  step(EVERY_MS);
}

const sickShare = (result: SimulationResult): number => 100 * (result.shares(FROM_MS, UNTIL_MS)['e1:80'] ?? 0);

async function both(options: SimulationOptions): Promise<[SimulationResult, SimulationResult]> {
  return [await simulate(options), await simulate({ ...options, prepare: reloading })];
}

/** How much the two differ, % of the first. */
const apart = (a: number, b: number): number => (a === 0 ? 100 * b : (100 * Math.abs(a - b)) / a);

const isSick = ({ faults = [] }: Omit<SimulationOptions, 'seed'>): boolean => faults.some(({ endpoints }) => endpoints === 1);

const underFire = (name: string, options: Omit<SimulationOptions, 'seed'>): Case => ({
  name,
  run: async (seed): Promise<Figure[]> => {
    let unhandled = 0;
    const note = (): void => {
      unhandled++;
    };
    process.on('unhandledRejection', note);
    const [still, moving] = await both({ ...options, seed }).finally(() => process.off('unhandledRejection', note));
    const [a, b] = [still.stats(), moving.stats()];
    return [
      atMost('goodput apart %', apart(a.goodput, b.goodput), 5),
      atMost('p50 apart %', apart(a.p50Ms, b.p50Ms), 5),
      atMost('attempts apart %', apart(a.amplification, b.amplification), 5),
      atMost('recovery apart s', Math.abs(seconds(still.recoveryMs(UNTIL_MS)) - seconds(moving.recoveryMs(UNTIL_MS))), 3),
      atLeast('reloads per client', moving.count('configLoaded') / (options.clients ?? 1), DURATION_MS / EVERY_MS - 2),
      atMost('reloads refused', moving.count('configRejected'), 0),
      atMost('unhandled rejections', unhandled, 0),
      ...(isSick(options) ? [atMost('share of the sinkhole %', sickShare(moving), 0.5)] : []),
    ];
  },
});

const SINKHOLE: Omit<SimulationOptions, 'seed'> = {
  config: serviceWith({ timeout: '1s' }),
  clients: 20,
  endpoints: TEN,
  load: TEN_RPS * 0.5,
  faults: [{ fromMs: FROM_MS, untilMs: UNTIL_MS, endpoints: 1, is: 'failFast' }],
  durationMs: DURATION_MS,
};

export const S13: Scenario = {
  id: 'S13',
  title: 'a reload every 500 ms',
  cases: [
    underFire('while all servers are 4x slower (S1a)', {
      config: serviceWith({ timeout: '1s', retries: { perTryTimeout: '300ms' } }),
      clients: 50,
      endpoints: TEN,
      load: TEN_RPS * 0.7,
      faults: [{ fromMs: FROM_MS, untilMs: UNTIL_MS, is: { slower: 4 } }],
      durationMs: DURATION_MS,
    }),
    underFire('with a sinkhole (S4a)', SINKHOLE),
    {
      name: 'state lost with each reload, sinkhole',
      isControl: true,
      run: async (seed) => [atLeast('share of the sinkhole %', sickShare(await simulate({ ...SINKHOLE, seed, prepare: forgetting })), 2)],
    },
  ],
};
