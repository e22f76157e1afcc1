import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DRAWS, drawsOf, NO_TRACE, traceDraw, traceHash } from '../../src/route/trace-draw.ts';
import { seededRandom } from '../support/seeded-random.ts';

const ID = '0af7651916cd43dd8448eb211c80319c';
const parent = (id: string, span = 'b7ad6b7169203331', flags = '01', version = '00') => `${version}-${id}-${span}-${flags}`;

/** `count` trace ids, as a generator of random ids makes them. */
function traceIds(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join(''));
}

const drawOf = (id: string, salt = 1, attempt = 0): number => traceDraw(traceHash(['traceparent', parent(id)]), salt, attempt);

describe('drawsOf', () => {
  // Source: Istio and Envoy: one part in a million.
  it.each([
    [0, 0],
    [0.0001, 1],
    [0.00004, 0],
    [12.3456, 123_456],
    [50, 500_000],
    [100, DRAWS],
  ])('%d percent are %i draws', (percent, draws) => {
    expect(drawsOf(percent)).toBe(draws);
  });
});

describe('traceHash', () => {
  it('looks at the trace id alone', () => {
    const hash = traceHash(['a', 'b', 'Traceparent', parent(ID)]);
    expect(traceHash(['traceparent', parent(ID, 'ffffffffffffffff', '00')])).toBe(hash);
    expect(traceHash(['traceparent', `${parent(ID, undefined, undefined, 'cc')}-what-comes-later`])).toBe(hash);
    expect(traceHash(['traceparent', parent(ID.replace('9c', '9d'))])).not.toBe(hash);
    expect(Number.isInteger(hash)).toBe(true);
  });

  it.each([
    ['no header', []],
    ['another header', ['tracestate', 'a=b']],
    ['the zero id', ['traceparent', parent('0'.repeat(32))]],
    ['a short one', ['traceparent', '00-abc-def-01']],
    ['nothing', ['traceparent', '']],
    ['an id that is too long', ['traceparent', parent(`${ID}0`)]],
  ])('finds none in %s', (_name, headers) => {
    expect(traceHash(headers)).toBe(NO_TRACE);
  });
});

describe('traceDraw', () => {
  const ids = traceIds(20_000, 5);

  it('hits the share that is asked for, even one in a thousand', () => {
    const draws = ids.map((id) => drawOf(id));
    for (const percent of [0.1, 1, 10, 50, 90]) {
      const share = percent / 100;
      const hits = draws.filter((draw) => draw < drawsOf(percent)).length;
      expect(Math.abs(hits - share * ids.length)).toBeLessThan(4 * Math.sqrt(ids.length * share * (1 - share)));
    }
  });

  it.each([
    ['salts', (id: string) => drawOf(id, 2)],
    ['attempts', (id: string) => drawOf(id, 1, 1)],
  ])('other %s draw independently', (_name, other) => {
    const both = ids.filter((id) => drawOf(id) < DRAWS / 2 && other(id) < DRAWS / 2).length;
    expect(Math.abs(both - ids.length / 4)).toBeLessThan(4 * Math.sqrt((ids.length * 3) / 16));
  });

  it('property: is a number of the million, equal for equal questions', () => {
    const id = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(id, fc.integer(), fc.integer({ min: 0, max: 5 }), (one, salt, attempt) => {
        fc.pre(!/^0+$/.test(one));
        const draw = drawOf(one, salt, attempt);
        expect(Number.isInteger(draw) && draw >= 0 && draw < DRAWS).toBe(true);
        expect(drawOf(one, salt, attempt)).toBe(draw);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
