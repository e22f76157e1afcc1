import { describe, expect, it } from 'vitest';
import { LinkerdOutlier } from '../../src/balance/linkerd-outlier.ts';
import { LINKERD_OUTLIER_DEFAULTS, type LinkerdOutlierPolicy } from '../../src/model/balancing.ts';
import { DetectorRig } from './outlier-rig.ts';

function rigOf(size: number, policy: Partial<LinkerdOutlierPolicy> = {}, random: () => number = () => 0): DetectorRig<LinkerdOutlier> {
  return new DetectorRig(size, (deps) => new LinkerdOutlier({ ...LINKERD_OUTLIER_DEFAULTS, ...policy }, deps), { random });
}

const UNIFIED: Partial<LinkerdOutlierPolicy> = { successRate: { threshold: 0.8, windowMs: 10_000, callsMin: 5 } };
/** The success rate alone. */
const RATE: Partial<LinkerdOutlierPolicy> = { ...UNIFIED, failuresMax: 0 };

describe('the run', () => {
  it.each([
    ['six failures', '------', '++'],
    ['seven', '-------', '-+'],
    ['any 5xx, and what gave no answer', '5x-c2t5', '-+'],
    ['an answer in between', '------+-', '++'],
    ['a 429 in between', '------9-', '++'],
    ['429 and nothing else', '999999999', '++'],
    ['a canceled call in between', '------?-', '-+'],
  ])('%s', (_, endings, expected) => {
    const rig = rigOf(2);
    rig.play(0, endings);
    expect(rig.states).toBe(expected);
  });

  it('0 switches it off', () => {
    const rig = rigOf(2, { failuresMax: 0 });
    rig.play(0, '-'.repeat(50));
    expect(rig.states).toBe('++');
  });

  it('knows no limit: all may be out, and nobody panics', () => {
    const rig = rigOf(2);
    rig.play(0, '-------');
    rig.play(1, '-------');
    expect(rig.states).toBe('--');
    expect(rig.outlier.neverPanics).toBe(true);
  });
});

describe('the success rate', () => {
  it.each([
    ['4 of 5 is not below 0.8', '++++-', '++'],
    ['3 of 5 is', '++--+', '-+'],
    ['four calls are too few', '----', '++'],
    ['429 counts', '+++99', '-+'],
    ['a canceled call does not', '+++-???', '++'],
    ['7 of 9', '+++++++--', '-+'],
    ['8 of 10', '++++++++--', '++'],
  ])('%s', (_, endings, expected) => {
    const rig = rigOf(2, RATE);
    rig.play(0, endings);
    expect(rig.states).toBe(expected);
  });

  it('looks back over the window alone', () => {
    const rig = rigOf(2, RATE);
    rig.play(0, '----');
    rig.advance(11_000);
    rig.play(0, '-+++');
    expect(rig.states).toBe('++');
  });

  it('is charged second: who crosses both lines has a run', () => {
    const rig = rigOf(2, { ...UNIFIED, failuresMax: 5 });
    rig.play(0, '-----');
    expect(rig.rules).toEqual(['consecutive']);
    rig.play(1, '+--+-');
    expect(rig.rules).toEqual(['consecutive', 'success-rate']);
    expect(rig.events.at(-1)).toMatchObject({ reason: '2 of its last 5 calls succeeded' });
  });

  it('starts cold after a return', () => {
    const rig = rigOf(2, RATE);
    rig.play(0, '-----');
    rig.advance(1_000);
    rig.probe(0, '+');
    rig.play(0, '----');
    expect(rig.states).toBe('++');
    rig.play(0, '-');
    expect(rig.states).toBe('-+');
  });
});

describe('the penalty', () => {
  it.each([
    ['without jitter', 0, [1, 2, 4, 8, 16, 32, 60, 60]],
    // base · (1 + 0.5 · 0.5), never above the longest.
    ['with half of the jitter', 0.5, [1.25, 2.5, 5, 10, 20, 40, 60, 60]],
  ])('doubles while probes fail, %s', (_, chance, expected) => {
    const rig = rigOf(2, {}, () => chance);
    rig.play(0, '-------');
    for (let probe = 1; probe < 8; probe++) {
      rig.advance(60_000);
      rig.probe(0, '-');
    }
    expect(rig.ejections.map((ms) => ms / 1_000)).toEqual(expected);
  });

  it('starts anew after a return', () => {
    const rig = rigOf(2);
    rig.play(0, '-------');
    rig.advance(1_000);
    rig.probe(0, '-');
    rig.advance(2_000);
    rig.probe(0, '+');
    rig.play(0, '-------');
    expect(rig.ejections).toEqual([1_000, 2_000, 1_000]);
  });
});

describe('the probe', () => {
  function onProbation(policy: Partial<LinkerdOutlierPolicy> = {}): DetectorRig<LinkerdOutlier> {
    const rig = rigOf(2, policy);
    rig.burst(0, '-------');
    rig.advance(999);
    expect(rig.states).toBe('-+');
    rig.advance(1);
    expect(rig.states).toBe('?+');
    return rig;
  }

  it('is one call, of any kind', () => {
    const rig = onProbation();
    expect(rig.outlier.mayProbe(rig.at(0), false)).toBe(true);
    rig.outlier.beginProbe(rig.at(0), rig.start());
    expect(rig.outlier.mayProbe(rig.at(0), true)).toBe(false);
  });

  it.each<[string, Partial<LinkerdOutlierPolicy>, string, string]>([
    ['a good one', {}, '+', '++'],
    ['a 404', {}, '4', '++'],
    ['a 500', {}, '5', '-+'],
    ['no connection', {}, 'c', '-+'],
    ['one that was canceled: another may go', {}, '?', '?+'],
    ['a 429 where only runs count', {}, '9', '++'],
    ['a 429 in unified mode', UNIFIED, '9', '-+'],
    ['a good one in unified mode', UNIFIED, '+', '++'],
  ])('%s', (_, policy, sign, expected) => {
    const rig = onProbation(policy);
    rig.probe(0, sign);
    expect(rig.states).toBe(expected);
  });

  it('that hangs is followed by another', () => {
    const rig = onProbation();
    rig.outlier.beginProbe(rig.at(0), rig.start());
    rig.advance(1_000);
    expect(rig.outlier.mayProbe(rig.at(0), false)).toBe(true);
  });
});

describe('Retry-After', () => {
  it.each<[string, Partial<LinkerdOutlierPolicy>, number[], number]>([
    ['is the floor of the penalty', UNIFIED, [20_000], 20_000],
    ['does not shorten it', UNIFIED, [200], 1_000],
    ['is honoured up to 300 s', UNIFIED, [9_000_000], 300_000],
    ['means nothing where only runs count', {}, [20_000], 1_000],
    ['counts as it was said last', UNIFIED, [90_000, 5_000], 5_000],
  ])('%s', (_, policy, hints, expected) => {
    const rig = rigOf(2, { failuresMax: 1, ...policy });
    for (const forMs of hints) rig.outlier.pushBack(rig.at(0), forMs, rig.nowMs);
    rig.burst(0, '-');
    expect(rig.ejections).toEqual([expected]);
    rig.advance(expected - 1);
    expect(rig.states).toBe('-+');
    rig.advance(1);
    expect(rig.states).toBe('?+');
  });

  it('counts from when it was said', () => {
    const rig = rigOf(2, { ...UNIFIED, failuresMax: 1 });
    rig.outlier.pushBack(rig.at(0), 20_000, rig.nowMs);
    rig.advance(15_000);
    rig.burst(0, '-');
    expect(rig.ejections).toEqual([5_000]);
  });

  it('is heeded though its answer was recorded first', () => {
    const rig = rigOf(2, { ...UNIFIED, failuresMax: 1 });
    rig.burst(0, '-');
    rig.outlier.pushBack(rig.at(0), 20_000, rig.nowMs);
    rig.advance(19_999);
    expect(rig.states).toBe('-+');
    rig.advance(1);
    expect(rig.states).toBe('?+');
  });

  it('of a failed probe is a floor too', () => {
    const rig = rigOf(2, { ...UNIFIED, failuresMax: 1 });
    rig.burst(0, '-');
    rig.advance(1_000);
    rig.outlier.pushBack(rig.at(0), 20_000, rig.nowMs);
    rig.probe(0, '9');
    expect(rig.ejections).toEqual([1_000, 19_999]);
  });
});

describe('a reload', () => {
  it('keeps who is out', () => {
    const rig = rigOf(2);
    rig.play(0, '-------');
    rig.outlier.update({ ...LINKERD_OUTLIER_DEFAULTS, failuresMax: 2 });
    expect(rig.states).toBe('-+');
    rig.play(1, '--');
    expect(rig.states).toBe('--');
  });

  it('that releases it brings everybody back, and late results change nothing', () => {
    const rig = rigOf(2);
    rig.play(0, '-------');
    rig.outlier.release(rig.nowMs);
    rig.play(1, '-------');
    rig.outlier.pushBack(rig.at(1), 1_000, rig.nowMs);
    expect(rig.states).toBe('++');
  });

  it('one that the source has dropped is not shut', () => {
    const rig = rigOf(2);
    const dropped = rig.at(1);
    rig.resize(1);
    for (let i = 0; i < 9; i++) rig.outlier.record(dropped, rig.start(), rig.ending('-'));
    expect(rig.events).toEqual([]);
  });
});
