import { describe, expect, it } from 'vitest';
import { ZoneLoad } from '../../src/balance/zone-load.ts';

/** Looks again and again at a zone that would be as loaded as `demand` says if it kept all calls. */
function settle(zone: ZoneLoad, demand: number, others: number, looks: number): number[] {
  const loads: number[] = [];
  for (let i = 0; i < looks; i++) {
    const load = Math.min(1, demand * zone.share);
    loads.push(load);
    zone.look(load, others, 0.8, zone.dueMs === Number.NEGATIVE_INFINITY ? 0 : zone.dueMs);
  }
  return loads;
}

describe('ZoneLoad', () => {
  it('keeps everything below the bound', () => {
    const zone = new ZoneLoad();
    settle(zone, 0.79, Number.NaN, 20);
    expect(zone.share).toBe(1);
  });

  it.each([0.9, 1, 1.5, 3])('gives away what is too much, and settles at the bound: demand %d', (demand) => {
    const loads = settle(new ZoneLoad(), demand, 0.3, 60);
    for (const load of loads.slice(30)) expect(load).toBeCloseTo(0.8, 1);
    for (const load of loads.slice(30)) expect(Math.abs(load - 0.8)).toBeLessThan(0.05);
  });

  it('takes back when the load falls, or nobody reports', () => {
    for (const [own, others] of [
      [0.2, 0.2],
      [Number.NaN, 0.2],
    ] as const) {
      const zone = new ZoneLoad();
      settle(zone, 3, 0.3, 60);
      expect(zone.share).toBeLessThan(0.35);
      for (let i = 0; i < 20; i++) zone.look(own, others, 0.8, zone.dueMs);
      expect(zone.share).toBe(1);
    }
  });

  it('sends nothing to those that are as busy', () => {
    const zone = new ZoneLoad();
    settle(zone, 3, 1, 20);
    expect(zone.share).toBe(1);
  });

  it('never gives away all, lest nobody reports any more', () => {
    const zone = new ZoneLoad();
    settle(zone, 100, 0, 200);
    expect(zone.share).toBe(0.05);
  });

  it('says whether the share changed, and when it looks next', () => {
    const zone = new ZoneLoad();
    expect(zone.look(0.5, 0.5, 0.8, 1_000)).toBe(false);
    expect(zone.dueMs).toBe(1_250);
    expect(zone.look(0.9, 0.5, 0.8, 1_250)).toBe(true);
  });
});
