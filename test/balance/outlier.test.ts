import { describe, expect, it } from 'vitest';
import { wilsonUpperBound } from '../../src/balance/outlier.ts';
import type { Call } from '../../src/core/call.ts';
import type { OutlierPolicy } from '../../src/model/destination.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { OutlierRig as Rig } from './outlier-rig.ts';

const NO_COMPARISON: Partial<OutlierPolicy> = { windowMs: 0 };
const ONLY_COMPARISON: Partial<OutlierPolicy> = { consecutiveErrors: 0 };

describe('wilsonUpperBound', () => {
  // Computed by hand from (p + z²/2n + z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n).
  it.each([
    [0, 5, 2.33, 0.5205],
    [0, 10, 2.33, 0.3519],
    [5, 10, 2.33, 0.7966],
    [50, 100, 2.33, 0.6135],
    [10, 10, 2.33, 1],
    [0, 4, 1.96, 0.4899],
    [8, 10, 1.96, 0.9433],
  ])('%i of %i at z %d: %d', (good, calls, z, expected) => {
    expect(wilsonUpperBound(good, calls, z)).toBeCloseTo(expected, 3);
  });
});

describe('the run', () => {
  it.each([
    ['four errors', '----', '+++'],
    ['five gateway errors', '-----', '-++'],
    ['five local errors', 'xxxxx', '-++'],
    ['a mixture', '-x-x-', '-++'],
    ['a success in between', '----+----', '+++'],
    ['a 500 in between is an answer of the service', '----5----', '+++'],
    ['an ignored one in between', '----?-', '-++'],
  ])('%s', (_name, endings, expected) => {
    const rig = new Rig(3, NO_COMPARISON);
    rig.play(0, endings);
    expect(rig.states).toBe(expected);
  });

  it('tells what happened', () => {
    const rig = new Rig(3, NO_COMPARISON);
    rig.eject(1);
    expect(rig.events).toEqual([
      {
        type: 'endpointEjected',
        service: 'reviews',
        endpoint: 'e1:1',
        rule: 'consecutive',
        reason: '5 gateway or local errors in a row',
        forMs: 1_000,
      },
    ]);
  });

  it('0 switches it off', () => {
    const rig = new Rig(3, { ...NO_COMPARISON, consecutiveErrors: 0 });
    rig.play(0, '-'.repeat(50));
    expect(rig.states).toBe('+++');
  });
});

describe('a run among failing peers', () => {
  /** No comparison: no rate is that much worse. The window is kept for the share of the peers. */
  const ONLY_RUN: Partial<OutlierPolicy> = { margin: 1 };

  // The least n of at least 5 with n · ln(1 / share) >= ln(100 000) = 11.513.
  it.each([
    [0, 5],
    [0.01, 5],
    [0.05, 5],
    [0.11, 6],
    [0.2, 8],
    [0.3, 10],
    [0.5, 17],
    [0.8, 52],
  ])('of which %d fail ejects from %i on', (share, needed) => {
    const rig = new Rig(3, ONLY_RUN);
    for (const peer of [1, 2]) rig.burst(peer, '5'.repeat(share * 100).padEnd(100, '+'));
    rig.play(0, '-'.repeat(needed - 1));
    expect(rig.states).toBe('+++');
    rig.play(0, '-');
    expect(rig.states).toBe('-++');
    expect(rig.rules).toEqual(['consecutive']);
  });

  it('never ejects when all of them fail', () => {
    const rig = new Rig(3, ONLY_RUN);
    for (const peer of [1, 2]) rig.burst(peer, '5'.repeat(100));
    rig.play(0, '-'.repeat(500));
    expect(rig.states).toBe('+++');
  });

  it.each([
    ['without a window', { windowMs: 0 }, '5'.repeat(100), 0],
    ['when they had too few calls', ONLY_RUN, '5555', 0],
    ['when theirs were long ago', ONLY_RUN, '5'.repeat(100), 20_000],
  ])('%s ejects as if they were well', (_name, policy, ofPeers, laterMs) => {
    const rig = new Rig(2, policy);
    rig.burst(1, ofPeers);
    rig.advance(laterMs);
    rig.play(0, '----');
    expect(rig.states).toBe('++');
    rig.play(0, '-');
    expect(rig.states).toBe('-+');
  });

  it('leaves out of the share who is out already', () => {
    const rig = new Rig(4, ONLY_RUN);
    rig.burst(3, '+'.repeat(20));
    rig.burst(2, '5'.repeat(5));
    rig.burst(1, '-'.repeat(12));
    expect(rig.states).toBe('+-++');
    rig.burst(0, '-'.repeat(7));
    expect(rig.states).toBe('+-++');
    rig.burst(0, '-');
    expect(rig.states).toBe('--++');
  });
});

describe('the comparison with the peers', () => {
  it.each([
    ['total failure', '55555', '-++'],
    ['fewer calls than callsMin', '5555', '+++'],
    ['half of the calls', '5+5+5+5+5+5+5+5+5+5+', '-++'],
    ['one in ten', '5+++++++++5+++++++++', '+++'],
  ])('%s, with good peers', (_name, endings, expected) => {
    const rig = new Rig(3, ONLY_COMPARISON);
    rig.play(1, '+'.repeat(40));
    rig.play(2, '+'.repeat(40));
    rig.play(0, endings);
    expect(rig.states).toBe(expected);
  });

  it('nobody is worse when all are as bad', () => {
    const rig = new Rig(3, ONLY_COMPARISON);
    for (let round = 0; round < 100; round++) rig.play(round % 3, '5+5');
    expect(rig.states).toBe('+++');
  });

  it('needs peers with calls', () => {
    const rig = new Rig(3, ONLY_COMPARISON);
    rig.play(0, '5'.repeat(50));
    expect(rig.states).toBe('+++');
  });

  it('old failures do not count', () => {
    const rig = new Rig(3, ONLY_COMPARISON);
    rig.play(1, '+'.repeat(40));
    rig.play(0, '5555');
    rig.advance(20_000);
    rig.play(1, '+'.repeat(40));
    rig.play(0, '5');
    expect(rig.states).toBe('+++');
  });

  it('0 switches it off', () => {
    const rig = new Rig(3, { ...ONLY_COMPARISON, windowMs: 0 });
    rig.play(1, '+'.repeat(40));
    rig.play(0, '5'.repeat(50));
    expect(rig.states).toBe('+++');
  });

  it.each([
    ['its own failures are not its peers', 2, '', '-+'],
    ['nor are those of one that is out', 3, '55555', '--+'],
  ])('%s', (_name, size, ofAnother, expected) => {
    const rig = new Rig(size, { ...ONLY_COMPARISON, maxEjectionPercent: 100 });
    rig.play(size - 1, '+'.repeat(10));
    if (ofAnother !== '') rig.play(1, ofAnother);
    rig.play(0, '++++555555');
    expect(rig.states).toBe(expected);
  });

  it('what the peers did long ago is no measure', () => {
    const rig = new Rig(3, ONLY_COMPARISON);
    rig.play(1, '+'.repeat(40));
    rig.advance(20_000);
    rig.play(0, '5'.repeat(20));
    expect(rig.states).toBe('+++');
  });

  it('seldom ejects at random: equal endpoints with 10 % errors', () => {
    const random = seededRandom(5);
    const rig = new Rig(10, ONLY_COMPARISON);
    // 10 endpoints at 5 calls a second for 20 minutes.
    for (let step = 0; step < 60_000; step++) {
      rig.nowMs += 20;
      rig.outlier.advance(rig.nowMs);
      const index = step % 10;
      if (rig.at(index).standing.state === 'probation') rig.probe(index, '+');
      rig.outlier.record(rig.at(index), rig.start(), rig.ending(random() < 0.1 ? '5' : '+'));
    }
    expect(rig.events.filter(({ type }) => type === 'endpointEjected').length).toBeLessThanOrEqual(5);
  });
});

describe('how many may be out', () => {
  it.each([
    [1, 50, '+'],
    [2, 50, '-+'],
    [3, 50, '-++'],
    [4, 50, '--++'],
    [10, 50, '-----+++++'],
    [10, 10, '-+++++++++'],
    [10, 5, '-+++++++++'],
    [3, 100, '--+'],
    [5, 0, '-++++'],
  ])('%i endpoints at %i percent', (size, maxEjectionPercent, expected) => {
    const rig = new Rig(size, { ...NO_COMPARISON, maxEjectionPercent });
    for (let index = 0; index < size; index++) rig.eject(index);
    expect(rig.states).toBe(expected);
  });

  it('those in probation are out', () => {
    const rig = new Rig(4, NO_COMPARISON);
    rig.eject(0);
    rig.eject(1);
    rig.advance(1_000);
    expect(rig.states).toBe('??++');
    rig.eject(2);
    expect(rig.states).toBe('??++');
  });

  it('one that the source has dropped is not ejected', () => {
    const rig = new Rig(3, NO_COMPARISON);
    const dropped = rig.at(2);
    rig.resize(2);
    for (let i = 0; i < 9; i++) rig.outlier.record(dropped, rig.start(), rig.ending('-'));
    expect(rig.events).toEqual([]);
  });
});

describe('how long', () => {
  it.each([
    ['without jitter', 0, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]],
    ['with all jitter', 1, [1_500, 3_000, 6_000, 12_000, 24_000, 48_000, 90_000, 90_000]],
  ])('doubles while probes fail, %s', (_name, chance, expected) => {
    const rig = new Rig(3, { ...NO_COMPARISON, maxEjectionMs: 60_000 }, () => chance);
    rig.eject(0);
    for (let probe = 1; probe < 8; probe++) {
      rig.advance(100_000);
      rig.probe(0, '-');
    }
    expect(rig.ejections).toEqual(expected);
  });

  it('the exponent stays on return, and shrinks with healthy time', () => {
    const rig = new Rig(3, NO_COMPARISON);
    const last = (): number => rig.at(0).standing.ejectedForMs;
    rig.eject(0);
    rig.advance(1_000);
    rig.probe(0, '-');
    rig.advance(2_000);
    rig.probe(0, '+');
    rig.advance(5_000);
    rig.eject(0);
    expect(last()).toBe(4_000);
    rig.advance(4_000);
    rig.probe(0, '+');
    rig.advance(20_100);
    rig.eject(0);
    expect(last()).toBe(2_000);
    rig.advance(2_000);
    rig.probe(0, '+');
    rig.advance(1e6);
    rig.eject(0);
    expect(last()).toBe(1_000);
  });
});

describe('the probe', () => {
  function inProbation(): Rig {
    const rig = new Rig(3, NO_COMPARISON);
    rig.eject(0);
    rig.advance(999);
    expect(rig.states).toBe('-++');
    rig.advance(1);
    expect(rig.states).toBe('?++');
    return rig;
  }

  it('one at a time; success returns the endpoint with its counters at zero', () => {
    const rig = inProbation();
    expect(rig.outlier.mayProbe(rig.at(0), true)).toBe(true);
    const call = rig.start();
    rig.outlier.beginProbe(rig.at(0), call);
    expect(rig.outlier.mayProbe(rig.at(0), true)).toBe(false);
    rig.outlier.record(rig.at(0), call, rig.ending('+'));
    expect(rig.states).toBe('+++');
    expect(rig.events.at(-1)).toEqual({ type: 'endpointReturned', service: 'reviews', endpoint: 'e0:1' });
    rig.play(0, '----');
    expect(rig.states).toBe('+++');
    rig.play(0, '-');
    expect(rig.states).toBe('-++');
  });

  it('failure ejects again', () => {
    const rig = inProbation();
    rig.probe(0, '-');
    expect(rig.states).toBe('-++');
    expect(rig.events.at(-1)).toMatchObject({ type: 'endpointEjected', rule: 'probe', reason: 'the probe failed', forMs: 2_000 });
  });

  it('an ignored or canceled one gives its permit back', () => {
    const rig = inProbation();
    rig.probe(0, '?');
    expect(rig.states).toBe('?++');
    expect(rig.outlier.mayProbe(rig.at(0), true)).toBe(true);
  });

  it('one that hangs does not keep the endpoint out: after the ejection time another may go', () => {
    const rig = inProbation();
    const hung = rig.start();
    rig.outlier.beginProbe(rig.at(0), hung);
    rig.advance(999);
    expect(rig.outlier.mayProbe(rig.at(0), true)).toBe(false);
    rig.advance(1);
    expect(rig.outlier.mayProbe(rig.at(0), true)).toBe(true);
    rig.probe(0, '+');
    expect(rig.states).toBe('+++');
    rig.outlier.record(rig.at(0), hung, rig.ending('-'));
    expect(rig.states).toBe('+++');
    expect(rig.at(0).standing.run).toBe(0);
  });

  it('results of calls that began before the ejection neither return nor eject', () => {
    const rig = new Rig(3, NO_COMPARISON);
    const early = Array.from({ length: 12 }, () => rig.start());
    rig.eject(0);
    rig.outlier.record(rig.at(0), early[0] as Call, rig.ending('+'));
    expect(rig.states).toBe('-++');
    rig.advance(1_000);
    rig.outlier.record(rig.at(0), early[1] as Call, rig.ending('+'));
    expect(rig.states).toBe('?++');
    rig.probe(0, '+');
    for (const call of early.slice(2)) rig.outlier.record(rig.at(0), call, rig.ending('x'));
    expect(rig.states).toBe('+++');
  });

  it('must be repeatable, unless no such call came for a whole ejection time', () => {
    const rig = inProbation();
    const { version } = rig.outlier;
    expect(rig.outlier.mayProbe(rig.at(0), false)).toBe(false);
    rig.advance(999);
    expect(rig.outlier.mayProbe(rig.at(0), false)).toBe(false);
    rig.advance(1);
    expect(rig.outlier.mayProbe(rig.at(0), false)).toBe(true);
    expect(rig.outlier.version).toBeGreaterThan(version);
  });
});

describe('once released', () => {
  it('everybody is in, and late results change nothing', () => {
    const rig = new Rig(3, NO_COMPARISON);
    rig.eject(0);
    rig.outlier.release(rig.nowMs);
    expect(rig.states).toBe('+++');
    expect(rig.events.at(-1)).toEqual({ type: 'endpointReturned', service: 'reviews', endpoint: 'e0:1' });
    rig.play(1, '-'.repeat(50));
    expect(rig.states).toBe('+++');
  });
});
