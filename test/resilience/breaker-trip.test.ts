import { describe, expect, it } from 'vitest';
import { BREAKER_DEFAULTS, type BreakerPolicy } from '../../src/model/destination.ts';
import { isSameTrip, loadTrip, type Trip, tripReason } from '../../src/resilience/breaker-trip.ts';

const OPEN = { openBaseMs: 1_000, openMaxMs: 5_000, successesToClose: 3 };
const RUN: BreakerPolicy = { kind: 'consecutive', failures: 3, ...OPEN };
const COUNT: BreakerPolicy = { kind: 'count', failureRatio: 0.5, size: 10, callsMin: 4, ...OPEN };

/** Feeds `+` and `-` a ms apart, and gives the place of the first call that opens, -1 for none. */
function opensAt(trip: Trip, calls: string, fromMs = 0, stepMs = 1): number {
  return [...calls].findIndex((sign, index) => trip.add(sign === '+', fromMs + index * stepMs));
}

describe('ratio', () => {
  it.each([
    ['fewer calls than callsMin', '---------', -1],
    ['callsMin failures', '----------', 9],
    ['exactly the ratio', '+++-------', 9],
    ['below the ratio', '++++------', -1],
    ['the ratio is reached later', '++++------------', 13],
    ['a success never opens', '---------+', -1],
  ])('%s', (_name, calls, expected) => {
    expect(opensAt(loadTrip(BREAKER_DEFAULTS) as Trip, calls)).toBe(expected);
  });

  it('is not a promise: nothing is loaded', () => {
    expect(loadTrip(BREAKER_DEFAULTS)).not.toBeInstanceOf(Promise);
  });

  it('forgets what is older than the window, however long the pause', () => {
    const trip = loadTrip(BREAKER_DEFAULTS) as Trip;
    expect(opensAt(trip, '---------')).toBe(-1);
    expect(opensAt(trip, '-', 3_600_000)).toBe(-1);
    expect(opensAt(trip, '--------', 3_600_001)).toBe(-1);
    expect(opensAt(trip, '-', 3_600_020)).toBe(0);
  });

  it('does not open on failures that are spread thin', () => {
    expect(opensAt(loadTrip(BREAKER_DEFAULTS) as Trip, '-'.repeat(100), 0, 600)).toBe(-1);
  });

  it('forgets on reset', () => {
    const trip = loadTrip(BREAKER_DEFAULTS) as Trip;
    opensAt(trip, '---------');
    trip.reset();
    expect(opensAt(trip, '---------', 10)).toBe(-1);
  });
});

describe('consecutive, by cockatiel', () => {
  it.each([
    ['a run', '---', 2],
    ['a run broken by a success', '--+--', -1],
    ['a run after a success', '--+---', 5],
  ])('%s', async (_name, calls, expected) => {
    expect(opensAt(await loadTrip(RUN), calls)).toBe(expected);
  });

  it('forgets on reset', async () => {
    const trip = await loadTrip(RUN);
    opensAt(trip, '--');
    trip.reset();
    expect(opensAt(trip, '--')).toBe(-1);
  });
});

describe('count, by cockatiel', () => {
  it.each([
    ['fewer calls than callsMin', '---', -1],
    ['callsMin failures', '----', 3],
    ['exactly the ratio opens, as with the other rules', '++--', 3],
    ['old calls leave by number', '++++++++++----', -1],
    ['and then the share is reached', '++++++++++-----', 14],
  ])('%s', async (_name, calls, expected) => {
    expect(opensAt(await loadTrip(COUNT), calls)).toBe(expected);
  });

  it('accepts a ratio of 1, and callsMin above size', async () => {
    const trip = await loadTrip({ ...COUNT, failureRatio: 1, callsMin: 99 });
    expect(opensAt(trip, `+${'-'.repeat(9)}`)).toBe(-1);
    trip.reset();
    expect(opensAt(trip, '-'.repeat(10))).toBe(9);
  });
});

describe('reload', () => {
  it.each([
    ['the open time only', BREAKER_DEFAULTS, { ...BREAKER_DEFAULTS, openBaseMs: 7 }, true],
    ['the ratio', BREAKER_DEFAULTS, { ...BREAKER_DEFAULTS, failureRatio: 0.5 }, false],
    ['the window', BREAKER_DEFAULTS, { ...BREAKER_DEFAULTS, windowMs: 1 }, false],
    ['the least number of calls', BREAKER_DEFAULTS, { ...BREAKER_DEFAULTS, callsMin: 11 }, false],
    ['the kind', BREAKER_DEFAULTS, RUN, false],
    ['the kind alone', { ...BREAKER_DEFAULTS, failureRatio: 0.5, callsMin: 4 }, COUNT, false],
    ['the length of the run', RUN, { ...RUN, failures: 9 } as BreakerPolicy, false],
    ['nothing of a run', RUN, { ...RUN }, true],
    ['nothing of a count', COUNT, { ...COUNT }, true],
    ['the ratio of a count', COUNT, { ...COUNT, failureRatio: 0.6 } as BreakerPolicy, false],
    ['the least number of a count', COUNT, { ...COUNT, callsMin: 5 } as BreakerPolicy, false],
    ['the size of a count', COUNT, { ...COUNT, size: 11 } as BreakerPolicy, false],
  ])('a change of %s', (_name, before, after, same) => {
    expect(isSameTrip(before, after)).toBe(same);
  });

  it.each([
    [BREAKER_DEFAULTS, '70 % of the calls of the last 5000 ms failed'],
    [RUN, '3 calls in a row failed'],
    [COUNT, '50 % of the last 10 calls failed'],
  ])('the reason names the rule', (policy, text) => {
    expect(tripReason(policy)).toBe(text);
  });
});
