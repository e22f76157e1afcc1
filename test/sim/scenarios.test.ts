// Short forms of the scenarios, one seed each; .ci/sim.ts runs all of them, long and with several seeds.
import { describe, expect, it } from 'vitest';
import { S1A, trigger } from './scenarios/metastable.ts';
import { falseTrips } from './scenarios/errors.ts';
import { S8 } from './scenarios/hedge.ts';
import { ISTIO, isKept, type Scenario } from './scenarios/scenario.ts';
import { S4A } from './scenarios/sinkhole.ts';
import { S3 } from './scenarios/slow.ts';
import { S5 } from './scenarios/zone.ts';

const SHORT: readonly [Scenario, readonly string[]][] = [
  [S1A, ['callers, 50 clients, u 0.7', 'both ends, 50 clients, u 0.7']],
  [S3, ['20 clients, u 0.5', 'least request of two, 20 clients']],
  [S4A, ['1 of 10, 20 clients', '1 of 3, 20 clients', 'peak EWMA without penalty, 1 of 3']],
  [S5, ['refuses, try 500 ms', 'black hole, try 200 ms', 'at most 10 % ejected, nothing leaves the zone, black hole']],
  [S8, ['20 clients, u 0.3']],
];

describe.each(SHORT)('$id: $title', ({ cases }, names) => {
  it.each(names)('%s', async (name) => {
    const found = cases.find((one) => one.name === name);
    const figures = (await found?.run(1)) ?? [];
    expect(figures.length).toBeGreaterThan(0);
    expect(figures.filter((figure) => !isKept(figure))).toEqual([]);
  });
});

describe('S1a, the control', () => {
  it('two unlimited retries never recover', async () => {
    const effect = await trigger(ISTIO, { clients: 5, utilization: 0.5, slower: 4, durationMs: 50_000 }, 1);
    expect(effect.amplification).toBeGreaterThan(2.5);
    expect(effect.goodputLater).toBeLessThan(0.01);
  });
});

describe('S4e', () => {
  it('few peers do not eject one of their own by chance', async () => {
    expect(await falseTrips({ errors: 0.3, status: 500, rps: 2, durationMs: 7_200_000 }, 1)).toBeLessThanOrEqual(1.5);
  });
});
