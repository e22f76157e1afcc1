import { describe, expect, it } from 'vitest';
import { isPathologyName, type Pathology, pathologies } from '../../src/sim/pathologies.ts';
import type { Site } from '../../src/sim/site.ts';
import { unfit } from '../../src/sim/trial.ts';

function siteOf(localities: readonly string[]): Site {
  return {
    service: 'target',
    endpoints: localities.map((locality, i) => ({ address: `e${i + 1}:80`, labels: {}, locality })),
    clients: 10,
    rps: 100,
    capacityRps: 200,
    durationMs: 60_000,
    fromMs: 15_000,
    untilMs: 30_000,
    seed: 1,
    model: { workers: 4 },
    load: { rps: 100 },
  };
}

const SITE = siteOf(['r/a/1', 'r/a/2', 'r/b', 'r/b', '']);
const ADDRESSES = SITE.endpoints.map(({ address }) => address);

describe.each(Object.entries(pathologies))('%s', (_name, { title, plan }: Pathology) => {
  const { faults = [], load = [], replaced = [], sick = [] } = plan(SITE);

  it('goes wrong from the beginning of the trouble to its end, and not beyond', () => {
    for (const { fromMs, untilMs } of [...faults, ...load]) expect([fromMs, untilMs]).toEqual([SITE.fromMs, SITE.untilMs]);
    for (const { atMs } of replaced) expect(atMs >= SITE.fromMs && atMs < SITE.untilMs).toBe(true);
    for (const { times } of load) expect(times * SITE.rps).toBeGreaterThan(SITE.capacityRps);
  });

  it('names endpoints that are there, and some that are well when it is about some', () => {
    const named = [...faults.flatMap(({ endpoints }) => endpoints as string[]), ...replaced.map(({ address }) => address), ...sick];
    for (const address of named) expect(ADDRESSES).toContain(address);
    expect(sick.length).toBeLessThan(ADDRESSES.length);
  });

  it('has a title that fits on a line', () => {
    expect(title.length).toBeLessThan(72);
  });
});

describe('zone-loss', () => {
  it('takes the whole zone of the first endpoint that has one', () => {
    expect(pathologies['zone-loss'].plan(SITE).sick).toEqual(['e1:80', 'e2:80']);
    expect(pathologies['zone-loss'].plan(siteOf(['', 'r/b', 'r/a', 'r/b'])).sick).toEqual(['e2:80', 'e4:80']);
  });
});

describe('heterogeneous', () => {
  it.each([
    [2, ['e1:80']],
    [5, ['e1:80', 'e2:80']],
  ])('of %i endpoints makes %j slow', (count, sick) => {
    expect(pathologies.heterogeneous.plan(siteOf(Array.from({ length: count }, () => ''))).sick).toEqual(sick);
  });
});

describe('a site', () => {
  it.each<[keyof typeof pathologies, readonly string[], string | null]>([
    ['healthy', [''], null],
    ['all-slow', [''], null],
    ['slow-replica', [''], 'needs 2 endpoints that calls reach; there is 1'],
    ['slow-replica', ['', ''], null],
    ['zone-loss', ['', ''], 'needs endpoints in 2 zones (locality); there are 0'],
    ['zone-loss', ['r/a/1', 'r/a/2'], 'needs endpoints in 2 zones (locality); there is 1'],
    ['zone-loss', ['r/a', 'r/b'], null],
  ])('is fit for %s with %j: %s', (name, localities, expected) => {
    expect(unfit(siteOf(localities), pathologies[name])).toBe(expected);
  });

  it('knows the names, and no others', () => {
    expect(isPathologyName('sinkhole')).toBe(true);
    expect(isPathologyName('toString')).toBe(false);
  });
});
