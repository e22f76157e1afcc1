import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULT_DEFAULTS, type FaultPolicy } from '../../src/model/traffic.ts';
import { ABORT, DELAY, Fault } from '../../src/route/fault.ts';
import { loadRegex } from '../../src/route/regex.ts';
import { testCall } from '../support/fake-service.ts';
import { scriptedRandom, seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const { compile } = await loadRegex();
const BOTH = DELAY + ABORT;

const delay = (percent: number, fixedMs = 100) => ({ delay: { fixedMs, percent } });
const abort = (percent: number) => ({ abort: { status: 503, percent } });
const policyOf = (init: Partial<FaultPolicy>): FaultPolicy => ({ ...FAULT_DEFAULTS, headers: {}, by: 'random', ...init });

function faultOf(init: Partial<FaultPolicy>, random = seededRandom(1), clock = new VirtualClock()) {
  return { fault: new Fault(policyOf(init), { clock, random, regex: compile }), clock };
}

const traced = (id: string, attempt = 0) => {
  const call = testCall({ headers: ['traceparent', `00-${id}-b7ad6b7169203331-01`] });
  call.attempt = attempt;
  return call;
};
const idOf = (n: number): string => (n + 1).toString(16).padStart(32, '5');

describe('Fault: what is drawn', () => {
  // Source: mesh-semantics §2.5: delay first, then abort, independent; 0 % is never, 100 % always.
  it.each<[string, Partial<FaultPolicy>, number[], number]>([
    ['nothing to draw', {}, [], 0],
    ['delay of 0 %', delay(0), [0], 0],
    ['abort of 0 %', abort(0), [0], 0],
    ['delay of 100 %', delay(100), [0.999999], DELAY],
    ['abort of 100 %', abort(100), [0.999999], ABORT],
    ['both hit', { ...delay(50), ...abort(50) }, [0.49, 0.49], BOTH],
    ['the delay is drawn first', { ...delay(50), ...abort(50) }, [0.49, 0.5], DELAY],
    ['then the abort', { ...delay(50), ...abort(50) }, [0.5, 0.49], ABORT],
    ['neither', { ...delay(50), ...abort(50) }, [0.5, 0.5], 0],
    ['one part in a million', abort(0.0001), [0.00000099], ABORT],
    ['beyond one part in a million', abort(0.0001), [0.000001], 0],
    ['a delay of no time is none', { ...delay(100, 0), ...abort(100) }, [0.5], ABORT],
  ])('%s', (_name, init, chances, expected) => {
    expect(faultOf(init, scriptedRandom(...chances)).fault.draw(testCall())).toBe(expected);
  });

  it.each<[FaultPolicy['headers'], string[], boolean]>([
    [{ 'x-chaos': { kind: 'exact', value: 'yes', invert: false } }, ['X-Chaos', 'yes'], true],
    [{ 'x-chaos': { kind: 'exact', value: 'yes', invert: false } }, ['x-chaos', 'no'], false],
    [{ 'x-chaos': { kind: 'present', invert: false } }, [], false],
    [{ 'x-chaos': { kind: 'regex', value: 'a[0-9]', invert: false } }, ['x-chaos', 'a7'], true],
    [{ a: { kind: 'present', invert: false }, b: { kind: 'prefix', value: 'x', invert: true } }, ['a', '1', 'b', 'xy'], false],
    [{ a: { kind: 'present', invert: false }, b: { kind: 'prefix', value: 'x', invert: true } }, ['a', '1', 'b', 'y'], true],
  ])('headers %j, call %j: %j', (headers, given, expected) => {
    const { fault } = faultOf({ ...abort(100), headers });
    expect(fault.draw(testCall({ headers: given }))).toBe(expected ? ABORT : 0);
    expect(fault.spared).toBe(0);
  });

  it('by trace: equal traces meet equal faults, by chance the others', () => {
    const policy = { ...abort(50), by: 'trace' } as const;
    const one = faultOf(policy, seededRandom(1)).fault;
    const other = faultOf(policy, seededRandom(2)).fault;
    const hits = Array.from({ length: 400 }, (_, i) => one.draw(traced(idOf(i))));
    expect(Array.from({ length: 400 }, (_, i) => other.draw(traced(idOf(i))))).toEqual(hits);
    const plain = Array.from({ length: 400 }, () => one.draw(testCall()));
    expect(Array.from({ length: 400 }, () => other.draw(testCall()))).not.toEqual(plain);
    for (const drawn of [hits, plain]) expect(Math.abs(drawn.filter((hit) => hit === ABORT).length - 200)).toBeLessThan(45);
  });

  it('by trace: the second attempt of a call does not share the luck of the first', () => {
    const { fault } = faultOf({ ...abort(50), by: 'trace' });
    const first = Array.from({ length: 400 }, (_, i) => fault.draw(traced(idOf(i), 1)));
    const second = Array.from({ length: 400 }, (_, i) => fault.draw(traced(idOf(i), 2)));
    const both = first.filter((hit, i) => hit === ABORT && second[i] === ABORT).length;
    expect(Math.abs(both - 100)).toBeLessThan(40);
  });

  it('by chance: traces do not matter', () => {
    const { fault } = faultOf({ ...abort(50), by: 'random' }, scriptedRandom(0.4, 0.6));
    expect([fault.draw(traced(idOf(1))), fault.draw(traced(idOf(1)))]).toEqual([ABORT, 0]);
  });

  it('property: the share is near the percentage, delay and abort are independent, and who is hit at a low one is hit at a higher one', () => {
    const percents = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(
        percents,
        percents,
        percents,
        fc.constantFrom('trace' as const, 'random' as const),
        fc.nat(),
        (one, two, more, by, seed) => {
          const runs = 500;
          const { fault } = faultOf({ ...delay(one), ...abort(two), by }, seededRandom(seed));
          const draws = Array.from({ length: runs }, (_, i) => fault.draw(traced(idOf(seed + i))));
          const near = (count: number, share: number): void =>
            expect(Math.abs(count - share * runs)).toBeLessThan(6 * Math.sqrt(runs * share * (1 - share)) + 1);
          near(draws.filter((drawn) => (drawn & DELAY) > 0).length, one / 100);
          near(draws.filter((drawn) => (drawn & ABORT) > 0).length, two / 100);
          near(draws.filter((drawn) => drawn === BOTH).length, (one * two) / 10_000);
          if (by === 'random' || more < two) return;
          fault.update(policyOf({ ...delay(one), ...abort(more), by }), compile);
          draws.forEach((drawn, i) => {
            if ((drawn & ABORT) > 0) expect(fault.draw(traced(idOf(seed + i))) & ABORT).toBe(ABORT);
          });
        },
      ),
      { numRuns: 1000, seed: 1 },
    );
  });
});

describe('Fault: the rails', () => {
  it('activeMax: so many calls at once, until they end', () => {
    const { fault } = faultOf({ ...abort(100), activeMax: 2 });
    expect([1, 2, 3].map(() => fault.draw(testCall()))).toEqual([ABORT, ABORT, 0]);
    expect([fault.active, fault.spared]).toEqual([2, 1]);
    fault.release();
    expect([fault.draw(testCall()), fault.draw(testCall()), fault.active]).toEqual([ABORT, 0, 2]);
  });

  it('untilWallMs: nothing from that moment on', () => {
    const clock = new VirtualClock(0, 1_700_000_000_000);
    const { fault } = faultOf({ ...abort(100), untilWallMs: 1_700_000_001_000 }, undefined, clock);
    clock.advance(999);
    expect(fault.draw(testCall())).toBe(ABORT);
    clock.advance(1);
    expect([fault.draw(testCall()), fault.spared]).toEqual([0, 1]);
  });

  it('blastPercent: a share of all calls, those out of scope included', () => {
    const headers = { 'x-chaos': { kind: 'present', invert: false } } as const;
    const { fault } = faultOf({ ...abort(100), blastPercent: 10, headers });
    const hits = Array.from({ length: 100 }, (_, i) => fault.draw(testCall({ headers: i % 2 === 0 ? ['x-chaos', '1'] : [] })));
    expect(hits.findIndex((hit) => hit === ABORT)).toBe(10);
    expect(hits.filter((hit) => hit === ABORT)).toHaveLength(9);
    expect(fault.spared).toBe(41);
  });

  it('blastPercent of 0 spares everybody, of 100 counts nothing', () => {
    expect(faultOf({ ...abort(100), blastPercent: 0 }).fault.draw(testCall())).toBe(0);
    expect(faultOf({ ...abort(100), blastPercent: 100 }).fault.draw(testCall())).toBe(ABORT);
  });

  it('property: of the calls of the last 10 s never more than the blast radius is hit', () => {
    const calls = fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 20, maxLength: 80 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99 }), calls, fc.nat(), (blastPercent, pauses, seed) => {
        const clock = new VirtualClock(0);
        const { fault } = faultOf({ ...abort(80), blastPercent }, seededRandom(seed), clock);
        const seen: { atMs: number; isHit: boolean }[] = [];
        for (const pauseMs of pauses) {
          clock.advance(pauseMs);
          const isHit = fault.draw(testCall()) !== 0;
          seen.push({ atMs: clock.now(), isHit });
          // The window moves in steps of a second.
          const fromMs = (Math.floor(clock.now() / 1_000) - 9) * 1_000;
          const last = seen.filter(({ atMs }) => atMs >= fromMs);
          if (isHit) expect(last.filter((one) => one.isHit).length * 100).toBeLessThanOrEqual(blastPercent * last.length);
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});

describe('Fault: counting and reloads', () => {
  it('counts, and tells who listens', () => {
    const told: string[] = [];
    const deps = { clock: new VirtualClock(), random: seededRandom(1), regex: compile, onAction: (action: string) => told.push(action) };
    const fault = new Fault(policyOf(abort(100)), deps);
    fault.delayed();
    fault.aborted();
    fault.aborted();
    expect([fault.delays, fault.aborts, told]).toEqual([1, 2, ['fault.delay', 'fault.abort', 'fault.abort']]);
  });

  it('a new policy holds at once, and keeps what is under way and the calls of the window', () => {
    const { fault } = faultOf({ ...abort(100), blastPercent: 50 });
    for (let i = 0; i < 10; i++) fault.draw(testCall());
    expect(fault.active).toBe(5);
    fault.update(policyOf({ ...abort(100), blastPercent: 99, activeMax: 6, headers: { a: { kind: 'present', invert: false } } }), compile);
    expect([fault.draw(testCall()), fault.draw(testCall({ headers: ['a', ''] })), fault.draw(testCall({ headers: ['a', ''] }))]).toEqual([
      0,
      ABORT,
      0,
    ]);
    fault.update(policyOf({ ...abort(100), blastPercent: 40 }), compile);
    expect(fault.draw(testCall())).toBe(0);
    fault.update(policyOf({ ...abort(100) }), compile);
    expect(fault.draw(testCall())).toBe(ABORT);
  });
});
