import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResponseClassSpec, ResponseMatchSpec } from '../../../src/yaml/linkerd/profile-spec.ts';
import { failingStatuses, isWhole } from '../../../src/yaml/linkerd/response-classes.ts';

const bound = fc.constantFrom(100, 200, 300, 404, 429, 500, 503, 599);

/** Whole conditions: both ends of every range. */
const { condition } = fc.letrec<{ condition: ResponseMatchSpec }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(bound, bound).map(([a, b]) => ({ status: { min: Math.min(a, b), max: Math.max(a, b) } })),
    fc.record({ not: tie('condition') }),
    fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
  ),
}));

function holds({ status, all, any: some, not }: ResponseMatchSpec, code: number): boolean {
  if (status !== undefined) return code >= (status.min ?? 0) && code <= (status.max ?? 0);
  if (not !== undefined) return !holds(not, code);
  return all === undefined ? (some ?? []).some((one) => holds(one, code)) : all.every((one) => holds(one, code));
}

describe('response classes', () => {
  it('the first that fits decides, else 5xx is a failure', () => {
    const classes = fc.array(fc.record({ condition, isFailure: fc.boolean() }), { maxLength: 4 });
    fc.assert(
      fc.property(classes, (specs) => {
        const expected: number[] = [];
        for (let code = 100; code <= 599; code++) {
          const first = specs.find((one) => holds(one.condition, code));
          if (first?.isFailure ?? code >= 500) expected.push(code);
        }
        expect(failingStatuses(specs)).toEqual(expected);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const failing = (status: ResponseMatchSpec['status']): ResponseClassSpec => ({ condition: { status: status ?? {} }, isFailure: true });

  it.each<[string, readonly ResponseClassSpec[], number[]]>([
    ['none', [], range(500, 599)],
    ['a range with one end is dropped', [failing({ min: 400 })], range(500, 599)],
    ['and so is its negation', [{ condition: { not: { status: { max: 499 } } }, isFailure: true }], range(500, 599)],
    [
      'one of several is dropped alone',
      [{ condition: { all: [{ status: { min: 400 } }, { status: { min: 404, max: 404 } }] }, isFailure: true }],
      [404, ...range(500, 599)],
    ],
    ['isFailure is false when it is not written', [{ condition: { status: { min: 500, max: 503 } } }], range(504, 599)],
    ['429 as well', [failing({ min: 429, max: 429 })], [429, ...range(500, 599)]],
  ])('%s', (_, classes, statuses) => {
    expect(failingStatuses(classes)).toEqual(statuses);
  });

  it.each<[ResponseMatchSpec, boolean]>([
    [{ status: { min: 500, max: 599 } }, true],
    [{ status: { min: 500 } }, false],
    [{ not: { any: [{ status: { max: 500 } }] } }, false],
  ])('%j is whole: %s', (spec, whole) => {
    expect(isWhole(spec)).toBe(whole);
  });
});
