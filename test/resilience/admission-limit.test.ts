import { describe, expect, it } from 'vitest';
import { ADMISSION_DEFAULTS, type AdmissionPolicy } from '../../src/model/inbound.ts';
import { AdmissionLimit } from '../../src/resilience/admission-limit.ts';
import { overload, type Phase, type PhaseResult } from './admission-world.ts';

const [SHEDDABLE, SHEDDABLE_PLUS, CRITICAL, CRITICAL_PLUS] = [0, 1, 2, 3];

function limitOf(policy: Partial<AdmissionPolicy> = {}): AdmissionLimit {
  return new AdmissionLimit({ ...ADMISSION_DEFAULTS, ...policy }, 0);
}

/** How many of a class come in at once. */
function fill(limit: AdmissionLimit, criticality: number, isRetry = false): number {
  let count = 0;
  while (limit.tryEnter(criticality, isRetry, 0)) count++;
  return count;
}

describe('who is admitted', () => {
  it.each([
    ['sheddable', SHEDDABLE, false, 80],
    ['sheddablePlus', SHEDDABLE_PLUS, false, 90],
    ['critical', CRITICAL, false, 100],
    ['criticalPlus', CRITICAL_PLUS, false, 110],
    ['a retry, however critical', CRITICAL_PLUS, true, 80],
    ['a class that does not exist, as critical', 17, false, 100],
    ['one that was not said, as critical', -1, false, 100],
  ])('%s', (_, criticality = 0, isRetry, most) => {
    const limit = limitOf();
    expect(fill(limit, criticality, isRetry)).toBe(most);
    expect(limit.rejected).toBe(1);
  });

  it('fills up from the least to the most critical', () => {
    const limit = limitOf({ limitInitial: 10 });
    expect([0, 1, 2, 3].map((criticality) => fill(limit, criticality))).toEqual([8, 1, 1, 1]);
  });

  it('never takes less than one call of each class', () => {
    const limit = limitOf({ limitMin: 1, limitInitial: 1, sheddableShare: 0.1 });
    expect(fill(limit, SHEDDABLE)).toBe(1);
  });

  it('says how full it is', () => {
    const limit = limitOf({ limitInitial: 10 });
    expect(limit.utilization).toBe(0);
    limit.tryEnter(CRITICAL, false, 0);
    expect(limit.utilization).toBe(0.1);
    fill(limit, CRITICAL_PLUS);
    expect(limit.utilization).toBe(1);
    limit.leave(0, 1, true);
    expect(limit.inFlight).toBe(10);
  });
});

describe('the event loop', () => {
  it('costs a tenth for each window in which it is late, once', () => {
    const limit = limitOf();
    limit.observeLoopDelay(51, 0);
    limit.observeLoopDelay(51, 50);
    expect(limit.limit).toBe(90);
    limit.observeLoopDelay(51, 1_100);
    expect(limit.limit).toBe(81);
  });

  it('is allowed its delay', () => {
    const limit = limitOf();
    limit.observeLoopDelay(50, 0);
    expect(limit.limit).toBe(100);
  });

  it.each([
    [250, 81],
    [900, 59],
    [60_000, 59],
  ])('a stall of %i ms counts as its windows, five at most', (ms, expected) => {
    const limit = limitOf();
    limit.observeLoopDelay(ms, 0);
    expect(limit.limit).toBe(expected);
  });

  it('that is not watched costs nothing', () => {
    const limit = limitOf({ eventLoopDelayMs: 0 });
    limit.observeLoopDelay(10_000, 0);
    expect(limit.limit).toBe(100);
  });

  it('stops at the least limit', () => {
    const limit = limitOf();
    for (let i = 1; i < 100; i++) limit.observeLoopDelay(60, i * 1_001);
    expect(limit.limit).toBe(4);
  });
});

describe('growth', () => {
  const use = (limit: AdmissionLimit, calls: number, windows: number): void => {
    for (let window = 0; window < windows; window++) {
      const atMs = window * 1_000;
      for (let i = 0; i < calls; i++) limit.tryEnter(CRITICAL, false, atMs);
      for (let i = 0; i < calls; i++) limit.leave(atMs, atMs + 10, true);
    }
  };

  it.each([
    ['full: one per window', 10, 14],
    ['used by half: until it is no more', 5, 11],
    ['hardly used: none', 4, 10],
  ])('%s', (_, calls, expected) => {
    const limit = limitOf({ limitInitial: 10 });
    use(limit, calls, 5);
    expect(limit.limit).toBe(expected);
  });

  it('ends at the ceiling', () => {
    const limit = limitOf({ limitInitial: 10, limitMax: 12 });
    use(limit, 10, 50);
    expect(limit.limit).toBe(12);
  });
});

describe('a reload', () => {
  it('keeps calls in flight and what was found, within the new bounds', () => {
    const limit = limitOf();
    limit.tryEnter(CRITICAL, false, 0);
    limit.observeLoopDelay(60, 0);
    limit.update({ ...ADMISSION_DEFAULTS, limitMax: 500 });
    expect([limit.inFlight, limit.limit]).toEqual([1, 90]);
    limit.update({ ...ADMISSION_DEFAULTS, limitMax: 50, sheddableShare: 0.5 });
    expect([limit.inFlight, limit.limit, limit.ceiling(SHEDDABLE as number, false)]).toEqual([1, 50, 25]);
  });
});

const SECOND = 1_000;
/** Half a minute of quiet, then more than can be done. Results of the second after the start of each overload are apart. */
const S9: readonly Phase[] = [
  { untilMs: 30 * SECOND, load: 0.5 },
  { untilMs: 60 * SECOND, load: 0.9 },
  { untilMs: 62 * SECOND, load: 1.5 },
  { untilMs: 90 * SECOND, load: 1.5 },
  { untilMs: 92 * SECOND, load: 3 },
  { untilMs: 120 * SECOND, load: 3 },
  { untilMs: 121 * SECOND, load: 0.7 },
  { untilMs: 150 * SECOND, load: 0.7 },
];

describe.each([1, 2, 3, 4, 5])('overload of four workers, seed %i', (seed) => {
  const [, normal, first, more, second, most, after, later] = overload(limitOf(), S9, { seed }) as [
    PhaseResult,
    PhaseResult,
    PhaseResult,
    PhaseResult,
    PhaseResult,
    PhaseResult,
    PhaseResult,
    PhaseResult,
  ];

  it('at 0.9 of capacity: 1.5 % refused at most, none of it critical', () => {
    expect(normal.rejected).toBeLessThanOrEqual(0.015);
    expect(normal.critical).toBe(1);
  });

  it('at 1.5: all capacity used, p99 of 6.5 service times, critical calls served', () => {
    expect(more.goodput).toBeGreaterThanOrEqual(0.95);
    expect(more.p99).toBeLessThanOrEqual(130);
    expect(more.critical).toBeGreaterThanOrEqual(0.98);
  });

  it('at 3: the same', () => {
    expect(most.goodput).toBeGreaterThanOrEqual(0.95);
    expect(most.p99).toBeLessThanOrEqual(130);
    expect(most.critical).toBeGreaterThanOrEqual(0.94);
    expect(most.sheddable).toBeLessThan(0.35);
  });

  it('from its first moment on', () => {
    expect(first.goodput).toBeGreaterThanOrEqual(0.9);
    expect(second.goodput).toBeGreaterThanOrEqual(0.9);
  });

  it('is over within a second', () => {
    expect(after.goodput).toBeGreaterThanOrEqual(0.5);
    expect(after.critical).toBe(1);
    expect(later.rejected).toBeLessThanOrEqual(0.015);
    expect(later.critical).toBe(1);
  });
});

describe('overload without a limit', () => {
  it('serves nobody in time', () => {
    const open = { tryEnter: () => true, leave: () => {} };
    const results = overload(open, S9, { seed: 1 });
    expect(results[3]?.goodput).toBeLessThan(0.05);
    expect(results[5]?.goodput).toBe(0);
  });
});

describe('latency', () => {
  it('does not drift through half an hour of overload', () => {
    const limit = limitOf();
    const phases = [
      { untilMs: 30 * SECOND, load: 0.5 },
      { untilMs: 1_200 * SECOND, load: 2 },
      { untilMs: 1_800 * SECOND, load: 2 },
    ];
    const results = overload(limit, phases, { seed: 1 });
    expect(results[2]?.p99).toBeLessThanOrEqual(130);
    expect(limit.baselineMs).toBeLessThan(20);
  });

  it('of a server that begins in overload serves at capacity all the same', () => {
    const [result] = overload(limitOf(), [{ untilMs: 30 * SECOND, load: 3 }], { seed: 1 });
    expect(result?.goodput).toBeGreaterThanOrEqual(0.95);
  });

  it('of work that takes ten times as long now, though nothing waits, is learnt again', () => {
    const limit = limitOf();
    const phases = [
      { untilMs: 30 * SECOND, load: 5 },
      { untilMs: 60 * SECOND, load: 5, slower: 10 },
      { untilMs: 90 * SECOND, load: 5, slower: 10 },
    ];
    const results = overload(limit, phases, { workers: Number.POSITIVE_INFINITY, seed: 1 });
    expect(results[0]?.rejected).toBe(0);
    expect(results[1]?.rejected).toBeGreaterThan(0);
    expect(limit.baselineMs).toBeGreaterThan(100);
    expect(results[2]?.rejected).toBeLessThan(results[1]?.rejected ?? 0);
  });

  it('is not judged by what is short anyway', () => {
    const limit = limitOf({ limitInitial: 10 });
    for (let round = 0; round < 50; round++) {
      const ms = round < 10 ? 1 : 40;
      const atMs = round * 200;
      for (let i = 0; i < 10; i++) limit.tryEnter(CRITICAL_PLUS as number, false, atMs);
      for (let i = 0; i < 10; i++) limit.leave(atMs, atMs + ms, true);
    }
    expect(limit.baselineMs).toBeLessThan(1.1);
    expect(limit.limit).toBeGreaterThan(10);
  });

  it('of callers who gave up counts when it is too long, and never teaches the baseline', () => {
    const limit = limitOf({ limitInitial: 10 });
    const round = (atMs: number, ms: number, ok: boolean): void => {
      for (let i = 0; i < 10; i++) limit.tryEnter(CRITICAL as number, false, atMs);
      for (let i = 0; i < 10; i++) limit.leave(atMs, atMs + ms, ok);
    };
    for (let i = 0; i < 3; i++) round(i * 200, 20, true);
    const before = limit.limit;
    for (let i = 3; i < 8; i++) round(i * 2_000, 500, false);
    expect(limit.limit).toBeLessThan(before);
    expect(limit.baselineMs).toBeLessThan(22);
    const low = limit.limit;
    for (let i = 8; i < 60; i++) round(i * 2_000, 1, false);
    expect(limit.baselineMs).toBeGreaterThan(18);
    expect(limit.limit).toBeGreaterThan(low);
  });
});
