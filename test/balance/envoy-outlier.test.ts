import { describe, expect, it } from 'vitest';
import { EnvoyOutlier, successRateThreshold } from '../../src/balance/envoy-outlier.ts';
import { ENVOY_OUTLIER_DEFAULTS, type EnvoyOutlierPolicy } from '../../src/model/balancing.ts';
import { DetectorRig } from './outlier-rig.ts';

/** Sweeps at 11 s, 21 s, 31 s, …: the detector is made at 1 s. All may be out unless the policy says otherwise. */
function rigOf(size: number, policy: Partial<EnvoyOutlierPolicy> = {}, random: () => number = () => 0): DetectorRig<EnvoyOutlier> {
  const whole = { ...ENVOY_OUTLIER_DEFAULTS, maxEjectionPercent: 100, ...policy };
  return new DetectorRig(size, (deps, nowMs) => new EnvoyOutlier(whole, deps, nowMs), { random });
}

const toSweep = (rig: DetectorRig<EnvoyOutlier>, count = 1): void => {
  for (let i = 0; i < count; i++) rig.advance(10_000 - ((rig.nowMs - 1_000) % 10_000));
};

describe('a run of 5xx', () => {
  it.each([
    ['four', '----', '+++'],
    ['five of any kind', '5-272', '-++'],
    ['with an answer of the service in between', '----+-', '+++'],
    ['with a 404 in between', '----4-', '+++'],
    ['with a 429 in between', '----9-', '+++'],
    ['of connections and times that count as 503, 504 and 500', 'cxtdf', '-++'],
    ['of refused streams and broken protocol', 'rprpr', '-++'],
    ['with a canceled call in between', '----?-', '-++'],
    ['with an untrusted peer in between, which counts for nobody', '----u-', '-++'],
  ])('%s', (_, endings, expected) => {
    const rig = rigOf(3);
    rig.play(0, endings);
    expect(rig.states).toBe(expected);
  });

  it('0 switches it off', () => {
    const rig = rigOf(3, { consecutive5xx: 0 });
    rig.play(0, '-'.repeat(50));
    expect(rig.states).toBe('+++');
  });

  it('tells what happened', () => {
    const rig = rigOf(3);
    rig.play(1, '-----');
    expect(rig.events).toEqual([
      {
        type: 'endpointEjected',
        service: 'reviews',
        endpoint: 'e1:1',
        rule: 'consecutive',
        reason: '5 answers of 5xx in a row',
        forMs: 30_000,
      },
    ]);
  });
});

describe('a run of gateway errors', () => {
  const ONLY_GATEWAY: Partial<EnvoyOutlierPolicy> = { consecutive5xx: 0, consecutiveGatewayErrors: 3 };

  it.each([
    ['502, 503 and 504', '2-7', '-++'],
    ['a 500 in between ends it', '--5-', '+++'],
    ['an answer in between ends it', '--+-', '+++'],
    ['a failed connection counts as 503', 'ccc', '-++'],
    ['a broken one too', 'xxx', '-++'],
    ['a time that ran out counts as 504', 'tdt', '-++'],
    ['any other failure counts as 500', '--f-', '+++'],
  ])('%s', (_, endings, expected) => {
    const rig = rigOf(3, ONLY_GATEWAY);
    rig.play(0, endings);
    expect(rig.states).toBe(expected);
  });

  it.each([
    ['of equal lengths: the gateway rule is first', 5, '-----', ['gateway']],
    ['a 500 in between leaves the run of 5xx', 4, '--5--', ['consecutive']],
    ['longer than that of 5xx it never acts', 6, '-'.repeat(20), ['consecutive']],
  ])('beside that of 5xx, %s', (_, consecutiveGatewayErrors, endings, expected) => {
    const rig = rigOf(3, { consecutiveGatewayErrors });
    rig.play(0, endings);
    expect(rig.rules).toEqual(expected);
  });
});

describe('a head counts when it comes', () => {
  it.each([
    ['a body that breaks off counts after its head: 200 ends the run, 503 begins one', '+', 'x', 5, '+++'],
    ['two failures in one', '-', 'x', 3, '-++'],
    ['a time that runs out during the body is nobody’s failure', '-', 'd', 4, '+++'],
    ['a caller who leaves during the body', '-', '?', 5, '-++'],
  ])('%s', (_, head, then, times, expected) => {
    const rig = rigOf(3);
    for (let i = 0; i < times; i++) rig.outlier.record(rig.at(0), rig.start(), rig.ending(head, then));
    expect(rig.states).toBe(expected);
  });
});

describe('local errors apart', () => {
  it.each([
    ['five failed connections', 'ccccc', ['local-origin']],
    ['with an answer in between', 'cccc+c', []],
    ['with a 503 in between: there was a connection', 'cccc-c', []],
    ['the fifth by a time that ran out before there was a connection', 'ccccw', ['local-origin']],
    ['times that run out on a connection: each connection ends the run', 'ttttt', []],
    ['connections that break: each was made', 'xxxxx', []],
    ['a run of 5xx goes on over a failed connection', '----c-', ['consecutive']],
    ['what is neither an answer nor a connection counts as 503', 'fffff', ['consecutive']],
  ])('%s', (_, endings, expected) => {
    const rig = rigOf(3, { splitLocalOrigin: true });
    rig.play(0, endings);
    expect(rig.rules).toEqual(expected);
  });

  it('0 switches it off', () => {
    const rig = rigOf(3, { splitLocalOrigin: true, consecutiveLocalOriginErrors: 0 });
    rig.play(0, 'c'.repeat(50));
    expect(rig.states).toBe('+++');
  });

  it('without the split the number means nothing', () => {
    const rig = rigOf(3, { consecutive5xx: 0, consecutiveLocalOriginErrors: 1 });
    rig.play(0, 'c'.repeat(50));
    expect(rig.states).toBe('+++');
  });
});

describe('a set of error statuses of our own', () => {
  it.each<[string, Partial<EnvoyOutlierPolicy>, string, string]>([
    ['counts what is in it', { errorStatuses: [[429, 429]] }, '99999', '-++'],
    ['takes the rest for good', { errorStatuses: [[429, 429]] }, '-----', '+++'],
    ['counts a status below 500 as a 500', { errorStatuses: [[429, 599]], consecutive5xx: 0, consecutiveGatewayErrors: 3 }, '--9-', '+++'],
    ['leaves a 503 a gateway error', { errorStatuses: [[429, 599]], consecutive5xx: 0, consecutiveGatewayErrors: 3 }, '---', '-++'],
    ['says nothing of connections', { errorStatuses: [[429, 429]] }, 'ccccc', '-++'],
  ])('%s', (_, policy, endings, expected) => {
    const rig = rigOf(3, policy);
    rig.play(0, endings);
    expect(rig.states).toBe(expected);
  });
});

describe('how many may be out', () => {
  // after: 100 · (out + 1) / hosts <= percent. before: nobody is out yet, or 100 · out / hosts < percent.
  it.each<[number, number, Partial<EnvoyOutlierPolicy>, number]>([
    [10, 10, {}, 1],
    [9, 10, {}, 0],
    [3, 33, {}, 0],
    [3, 34, {}, 1],
    [4, 50, {}, 2],
    [5, 100, {}, 5],
    [5, 250, {}, 5],
    [10, 0, {}, 0],
    [3, 10, { alwaysEjectOne: true }, 1],
    [3, 0, { alwaysEjectOne: true }, 1],
    [4, 50, { alwaysEjectOne: true }, 2],
    [10, 10, { capCheck: 'before' }, 1],
    [10, 15, { capCheck: 'before' }, 2],
    [3, 10, { capCheck: 'before' }, 1],
    [3, 34, { capCheck: 'before' }, 2],
    [3, 0, { capCheck: 'before' }, 1],
    [2, 100, { capCheck: 'before' }, 2],
  ])('of %i at %i %% with %j: %i', (size, maxEjectionPercent, more, expected) => {
    const rig = rigOf(size, { maxEjectionPercent, ...more });
    for (let index = 0; index < size; index++) rig.eject(index);
    expect(rig.states).toBe('-'.repeat(expected).padEnd(size, '+'));
  });

  it('a refused ejection starts the run anew', () => {
    const rig = rigOf(9, { maxEjectionPercent: 10 });
    rig.eject(0);
    rig.resize(10);
    rig.play(0, '----');
    expect(rig.states).toBe('+'.repeat(10));
    rig.play(0, '-');
    expect(rig.states).toBe('-'.padEnd(10, '+'));
  });
});

describe('how long', () => {
  it.each([
    ['30 s from 1.005 s on are over at 41 s, the first sweep after 31.005 s', {}, 40_999, 41_000],
    ['with a sweep every 7 s at 36 s', { intervalMs: 7_000 }, 35_999, 36_000],
    ['a jitter of 1000 of at most 1000 makes it 41 s too', { jitterMs: 1_000 }, 40_999, 41_000],
    ['a jitter of 10 s makes it 51 s', { jitterMs: 10_000 }, 50_999, 51_000],
  ])('%s', (_, policy, stillOutMs, backMs) => {
    const rig = rigOf(3, policy, () => 0.9999);
    rig.play(0, '-----');
    rig.advance(stillOutMs - rig.nowMs);
    expect(rig.states).toBe('-++');
    rig.advance(backMs - rig.nowMs);
    expect(rig.states).toBe('+++');
    expect(rig.at(0).standing.sinceMs).toBe(backMs);
  });

  it.each([
    ['multiplied by the number of ejections, up to the longest', {}, [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300], 11],
    ['a longest below the base is the base', { baseEjectionMs: 400_000 }, [400, 400, 400], 2],
    ['a longest of its own', { maxEjectionMs: 70_000 }, [30, 60, 70, 70], 4],
  ])('%s', (_, policy, expected, multiplier) => {
    const rig = rigOf(3, policy);
    for (let i = 0; i < expected.length; i++) {
      rig.eject(0);
      // As long as it takes, and not a sweep more: the multiplier does not fall.
      while (rig.states !== '+++') toSweep(rig);
    }
    expect(rig.ejections.map((ms) => ms / 1_000)).toEqual(expected);
    expect(rig.at(0).standing.envoy?.multiplier).toBe(multiplier);
  });

  it.each([
    ['at once', 0, 120],
    ['before one interval is over', 0.9, 120],
    ['after one healthy sweep', 1, 90],
    ['after two', 2, 60],
    ['after three', 3, 30],
    ['after many', 30, 30],
  ])('after three in a row, the fourth %s: the multiplier falls with each healthy sweep', (_, intervals, expected) => {
    const rig = rigOf(3);
    for (let i = 0; i < 3; i++) {
      rig.eject(0);
      while (rig.states !== '+++') toSweep(rig);
    }
    rig.advance(intervals * 10_000);
    rig.eject(0);
    expect(rig.ejections.at(-1)).toBe(expected * 1_000);
  });

  it('what was counted while it was out is forgotten on return', () => {
    const rig = rigOf(3);
    rig.eject(0);
    rig.play(0, '---');
    toSweep(rig, 4);
    expect(rig.states).toBe('+++');
    rig.play(0, '----');
    expect(rig.states).toBe('+++');
    rig.play(0, '-');
    expect(rig.states).toBe('-++');
  });

  it('a health check that passes brings it back before', () => {
    const rig = rigOf(3);
    rig.eject(0);
    rig.outlier.checked(rig.at(0), false, rig.nowMs);
    expect(rig.states).toBe('-++');
    rig.outlier.checked(rig.at(0), true, rig.nowMs);
    expect(rig.states).toBe('+++');
    rig.play(0, '----');
    expect(rig.states).toBe('+++');
  });

  it('knows no probes', () => {
    const rig = rigOf(3);
    rig.eject(0);
    expect(rig.outlier.mayProbe()).toBe(false);
    const { version } = rig.outlier;
    toSweep(rig, 4);
    expect(rig.outlier.version).toBeGreaterThan(version);
  });
});

describe('the success rate', () => {
  const RATE: Partial<EnvoyOutlierPolicy> = { consecutive5xx: 0, successRate: { hostsMin: 5, callsMin: 100, factor: 1.9 } };

  // Mean 90, population variance (1600 + 4 · 100) / 5 = 400, standard deviation 20: 90 - 1.9 · 20 = 52.
  it.each([
    [[50, 100, 100, 100, 100], 1.9, 52],
    [[50, 100, 100, 100, 100], 2, 50],
    // Mean 70, deviations 20, 10, 0, -10, -20: variance 200.
    [[90, 80, 70, 60, 50], 1, 55.858],
    [[80, 80, 80], 3, 80],
  ])('of %j less %d deviations is %d', (rates, factor, expected) => {
    expect(successRateThreshold(rates, factor)).toBeCloseTo(expected, 3);
  });

  function played(size: number, policy: Partial<EnvoyOutlierPolicy>, goodOf: readonly number[], calls = 100): DetectorRig<EnvoyOutlier> {
    const rig = rigOf(size, policy);
    goodOf.forEach((good, index) => rig.burst(index, '+'.repeat(good).padEnd(calls, '5')));
    toSweep(rig);
    return rig;
  }

  it.each<[string, number[], Partial<EnvoyOutlierPolicy>, string]>([
    ['50 is below 52', [50, 100, 100, 100, 100], {}, '-++++'],
    ['50 is not below 50', [50, 100, 100, 100, 100], { successRate: { hostsMin: 5, callsMin: 100, factor: 2 } }, '+++++'],
    ['all alike', [50, 50, 50, 50, 50], {}, '+++++'],
    ['four hosts are too few', [50, 100, 100, 100], {}, '++++'],
    ['the limit holds', [0, 0, 100, 100, 100, 100, 100, 100, 100, 100], { maxEjectionPercent: 10 }, '-+++++++++'],
  ])('%s', (_, goodOf, policy, expected) => {
    const rig = played(goodOf.length, { ...RATE, ...policy }, goodOf);
    expect(rig.states).toBe(expected);
  });

  it('acts at sweeps alone', () => {
    const rig = rigOf(5, RATE);
    [50, 100, 100, 100, 100].forEach((good, index) => rig.burst(index, '+'.repeat(good).padEnd(100, '5')));
    rig.advance(9_999);
    expect(rig.states).toBe('+++++');
    rig.advance(1);
    expect(rig.states).toBe('-++++');
    expect(rig.events[0]).toMatchObject({
      rule: 'success-rate',
      reason: '50.0 % of its calls succeeded, below 52.0 %',
      forMs: 30_000,
    });
  });

  it('99 calls are too few to count as a host', () => {
    const rig = rigOf(5, RATE);
    [50, 100, 100, 100].forEach((good, index) => rig.burst(index, '+'.repeat(good).padEnd(100, '5')));
    rig.burst(4, '+'.repeat(99));
    toSweep(rig);
    expect(rig.states).toBe('+++++');
  });

  it('counts one interval, not what came before', () => {
    const rig = rigOf(5, RATE);
    for (const part of [0, 1]) {
      for (let index = 0; index < 5; index++) rig.burst(index, (index === 0 ? '5' : '+').repeat(50 + part * 40));
      toSweep(rig);
    }
    expect(rig.states).toBe('+++++');
  });

  it('with local errors apart looks at connections by themselves', () => {
    const rig = rigOf(5, { ...RATE, splitLocalOrigin: true, consecutiveLocalOriginErrors: 0 });
    for (let index = 0; index < 5; index++) rig.burst(index, (index === 0 ? 'c' : '+').repeat(100));
    toSweep(rig);
    expect(rig.states).toBe('-++++');
    expect(rig.rules).toEqual(['success-rate']);
  });
});

describe('the failure percentage', () => {
  const PERCENT: Partial<EnvoyOutlierPolicy> = { consecutive5xx: 0, failurePercentage: { threshold: 85, hostsMin: 5, callsMin: 50 } };

  it.each<[string, number, number, number, Partial<EnvoyOutlierPolicy>, string]>([
    ['85 of 100', 5, 85, 100, {}, '-++++'],
    ['84 of 100', 5, 84, 100, {}, '+++++'],
    ['all of 50', 5, 50, 50, {}, '-++++'],
    ['all of 49: too few', 5, 49, 49, {}, '+++++'],
    ['all of 100, but of four hosts', 4, 100, 100, {}, '++++'],
    ['all of 100, but none may go', 5, 100, 100, { maxEjectionPercent: 10 }, '+++++'],
  ])('%s', (_, size, failed, calls, policy, expected) => {
    const rig = rigOf(size, { ...PERCENT, ...policy });
    for (let index = 0; index < size; index++) rig.burst(index, '5'.repeat(index === 0 ? failed : 0).padEnd(calls, '+'));
    toSweep(rig);
    expect(rig.states).toBe(expected);
    if (expected.startsWith('-')) expect(rig.rules).toEqual(['failure-percentage']);
  });

  it('does not eject again whom the success rate has ejected in the same sweep', () => {
    const rig = rigOf(5, { ...PERCENT, successRate: { hostsMin: 5, callsMin: 50, factor: 1.9 } });
    for (let index = 0; index < 5; index++) rig.burst(index, (index === 0 ? '5' : '+').repeat(100));
    toSweep(rig);
    expect(rig.rules).toEqual(['success-rate']);
  });
});

describe('a reload', () => {
  it('keeps who is out, and counts the next sweep from the last', () => {
    const rig = rigOf(3);
    rig.eject(0);
    toSweep(rig);
    rig.advance(1_000);
    rig.outlier.update({ ...ENVOY_OUTLIER_DEFAULTS, intervalMs: 2_000, baseEjectionMs: 11_000 });
    expect(rig.states).toBe('-++');
    rig.advance(999);
    expect(rig.states).toBe('-++');
    rig.advance(1);
    expect(rig.states).toBe('+++');
  });

  it('that releases it brings everybody back, and late results change nothing', () => {
    const rig = rigOf(3);
    rig.eject(0);
    rig.outlier.release(rig.nowMs);
    expect(rig.states).toBe('+++');
    expect(rig.at(0).standing.envoy).toBeNull();
    rig.play(1, '-'.repeat(9));
    toSweep(rig);
    expect(rig.states).toBe('+++');
  });
});
