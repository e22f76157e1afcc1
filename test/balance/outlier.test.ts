import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { wilsonUpperBound } from '../../src/balance/outlier.ts';
import type { Call } from '../../src/core/call.ts';
import { OUTLIER_DEFAULTS, type OutlierPolicy } from '../../src/model/destination.ts';
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
    const rig = new Rig(3, NO_COMPARISON, () => chance);
    rig.eject(0);
    for (let probe = 1; probe < 8; probe++) {
      rig.advance(100_000);
      rig.probe(0, '-');
    }
    expect(rig.events.map((event) => (event.type === 'endpointEjected' ? event.forMs : 0))).toEqual(expected);
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

describe('whatever happens', () => {
  const step = fc.record({
    act: fc.constantFrom('good', 'bad', 'bad', 'bad', 'lost', 'ignored', 'start', 'end', 'wait', 'resize', 'policy'),
    index: fc.nat(7),
    sign: fc.constantFrom('+', '-', 'x', '5', '?'),
  });

  it('ejects within the limit, never the last, probes one at a time, and nobody stays out for ever', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 0, max: 100 }), fc.nat(), (steps, maxEjectionPercent, seed) => {
        const rig = new Rig(6, { maxEjectionPercent }, seededRandom(seed));
        const flights: { endpoint: LiveEndpoint; call: Call; isProbe: boolean }[] = [];
        for (const { act, index, sign } of steps) {
          rig.advance(0.25);
          const endpoint = rig.at(index % rig.set.all.length);
          const ejectedBefore = rig.set.all.filter(({ standing }) => standing.state !== 'in').length;
          const eventsBefore = rig.events.length;
          if (act === 'wait') rig.advance(index * 700);
          else if (act === 'resize') rig.resize(index + 1);
          else if (act === 'policy') rig.outlier.update({ ...OUTLIER_DEFAULTS, maxEjectionPercent, consecutiveErrors: index });
          else if (act === 'start') {
            const call = rig.start();
            const isProbe = rig.outlier.mayProbe(endpoint, true);
            if (isProbe) rig.outlier.beginProbe(endpoint, call);
            flights.push({ endpoint, call, isProbe });
          } else if (act === 'end') {
            const [flight] = flights.splice(index % Math.max(1, flights.length), 1);
            if (flight !== undefined) rig.outlier.record(flight.endpoint, flight.call, rig.ending(sign));
          } else rig.outlier.record(endpoint, rig.start(), rig.ending({ good: '+', bad: '-', lost: 'x', ignored: '?' }[act] as string));
          const { all } = rig.set;
          const out = all.filter(({ standing }) => standing.state !== 'in').length;
          if (act !== 'resize' && out > ejectedBefore) {
            expect(out).toBeLessThanOrEqual(Math.max(1, Math.floor((all.length * maxEjectionPercent) / 100)));
            expect(out).toBeLessThan(all.length);
            expect(rig.events.length).toBeGreaterThan(eventsBefore);
          }
          for (const one of all) {
            const probes = flights.filter((flight) => flight.endpoint === one && flight.call.startedAtMs === one.standing.probeAtMs);
            expect(probes.length).toBeLessThanOrEqual(1);
          }
        }
        // Calls in flight never end; good probes bring everybody back.
        for (let round = 0; round < 3; round++) {
          rig.advance(200_000);
          for (const [index, { standing }] of rig.set.all.entries()) {
            if (standing.state === 'in') continue;
            expect(rig.outlier.mayProbe(rig.at(index), false) || round === 0).toBe(true);
            if (rig.outlier.mayProbe(rig.at(index), true)) rig.probe(index, '+');
          }
        }
        expect(rig.states).toBe('+'.repeat(rig.set.all.length));
      }),
      { numRuns: 200 },
    );
  });
});
