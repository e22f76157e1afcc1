// What holds for any document: nothing throws, every finding has a place, and what is put together means what its parts mean.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { HeaderOperations } from '../../../src/model/route.ts';
import { isWithin, overlap } from '../../../src/yaml/istio/host-name.ts';
import { asOneList, inTurn, NO_OPERATIONS, type Operations } from '../../../src/yaml/istio/read-headers.ts';
import { documents, SERVICES, virtualService } from './documents.ts';
import { goodText, loadText } from './load-text.ts';

const GOLDEN = join(import.meta.dirname, '../../golden/istio');

/** Every document of the golden files, as plain values. */
const samples: readonly unknown[] = readdirSync(GOLDEN)
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) => {
    const input = /^## Input\n\n```yaml\n([\s\S]*?)```$/m.exec(readFileSync(join(GOLDEN, name), 'utf8'))?.[1] ?? '';
    return parseAllDocuments(input).map((one) => one.toJS() as unknown);
  })
  .filter((one) => typeof one === 'object' && one !== null && 'kind' in one);

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    0,
    -1,
    70_000,
    1.5,
    '',
    '*',
    'a b',
    '1s',
    '-1s',
    '(',
    '%',
    '${',
    'reviews',
    [],
    {},
    [null],
    { a: null },
    ['*'],
    [[]],
  ),
  fc.string(),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Paths of all pieces of a value. */
function pathsOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, one]) => pathsOf(one, [...path, Array.isArray(value) ? Number(key) : key]))];
}

const LEFT_OUT = Symbol('left out');

function replaced(value: unknown, path: readonly (string | number)[], by: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return by === LEFT_OUT ? {} : by;
  if (rest.length === 0 && by === LEFT_OUT) {
    if (Array.isArray(value)) return value.filter((_, i) => i !== step);
    return Object.fromEntries(Object.entries(value as object).filter(([key]) => key !== step));
  }
  if (Array.isArray(value)) return value.map((one: unknown, i) => (i === step ? replaced(one, rest, by) : one));
  return Object.fromEntries(
    Object.entries(value as object).map(([key, one]) => [key, key === step ? replaced(one, rest, by) : (one as unknown)]),
  );
}

describe('any document', () => {
  it('is taken, or refused with a place', async () => {
    const change = fc.nat().chain((at) => fc.tuple(fc.constant(at), fc.nat(), fc.option(odd, { freq: 2, nil: LEFT_OUT })));
    const changed = fc
      .tuple(fc.shuffledSubarray([...samples], { minLength: 1 }), fc.array(change, { minLength: 1, maxLength: 2 }))
      .map(([chosen, changes]) => {
        const values = [...chosen];
        for (const [at, which, by] of changes) {
          const i = at % values.length;
          const paths = pathsOf(values[i]);
          values[i] = replaced(values[i], paths[which % paths.length] ?? [], by);
        }
        return values;
      });
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(changed, fc.boolean(), async (values, lenient) => {
        const { config, issues } = await loadText(values.map((value) => JSON.stringify(value)).join('\n---\n'), { lenient });
        if (config !== null) taken++;
        expect(config === null).toBe(issues.some(({ severity }) => severity === 'error'));
        expect(issues.filter(({ position }) => position === undefined)).toEqual([]);
      }),
      { numRuns: 1_000, seed: 1 },
    );
    // Else the readers have seen nothing.
    expect(taken).toBeGreaterThan(100);
  }, 120_000);

  it('means the same in any order', async () => {
    const text = (name: string, created: string): string =>
      virtualService(`[ { name: ${name}, route: [ { destination: { host: ratings } } ] } ]`, {
        name,
        created: `2026-01-0${created}T00:00:00Z`,
      });
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(['1', '2', '3', '4'], { minLength: 4 }),
        fc.shuffledSubarray(['a', 'b', 'c', 'd'], { minLength: 4 }),
        async (ages, names) => {
          const config = await goodText(documents(SERVICES, ...names.map((name, i) => text(name, ages[i] as string))), { lenient: true });
          expect(config.services.reviews?.routes[0]?.name).toBe(names[ages.indexOf('1')]);
        },
      ),
      { numRuns: 50, seed: 1 },
    );
  });
});

type Headers = readonly (readonly [name: string, value: string])[];

/** Remove, set, add: how Envoy carries out what one level says. */
function carriedOut(headers: Headers, { remove, set, add }: Pick<Operations, 'remove' | 'set' | 'add'>): Headers {
  const dropped = new Set([...remove, ...Object.keys(set)]);
  return [...headers.filter(([name]) => !dropped.has(name)), ...Object.entries(set), ...Object.entries(add)];
}

function finished(headers: Headers, operations: HeaderOperations | undefined): Headers {
  if (operations === undefined) return headers;
  return [...carriedOut(headers, operations), ...(operations.append ?? [])];
}

/** By name, in the order in which they came. */
function sorted(headers: Headers): string[] {
  return headers
    .map(([name, value], i) => `${name} ${String(i).padStart(3, '0')} ${value}`)
    .sort()
    .map((line) => line.replace(/ \d{3} /, ' '));
}

const NAMES = ['a', 'b', 'c'];
const pairs: fc.Arbitrary<Record<string, string>> = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('1', '2', '3', '100%%'), {
  noNullPrototype: true,
});
const level: fc.Arbitrary<Operations> = fc
  .record({ set: pairs, add: pairs, remove: fc.subarray(NAMES) })
  .map((one) => ({ ...NO_OPERATIONS, ...one }));
const sent: fc.Arbitrary<Headers> = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom('x', 'y')), { maxLength: 4 });
const said = (headers: Headers): Headers => headers.map(([name, value]) => [name, value.replaceAll('%%', '%')]);

describe('header operations', () => {
  it('one after the other come to the same as one', () => {
    fc.assert(
      fc.property(sent, fc.array(level, { maxLength: 3 }), (headers, levels) => {
        const wanted = levels.reduce(carriedOut, headers);
        expect(sorted(finished(headers, inTurn(levels)))).toEqual(sorted(said(wanted)));
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('in one list begin with all that is removed', () => {
    fc.assert(
      fc.property(sent, level, level, (headers, first, second) => {
        const removed = carriedOut(headers, { remove: [...first.remove, ...second.remove], set: {}, add: {} });
        const wanted = [first, second].reduce((all, { set, add }) => carriedOut(all, { remove: [], set, add }), removed);
        expect(sorted(finished(headers, asOneList([first, second])))).toEqual(sorted(said(wanted)));
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});

describe('host names', () => {
  const host = fc
    .tuple(fc.constantFrom('', '*', '*.', 'a.', 'b.a.'), fc.constantFrom('x', 'x.y', 'z'))
    .map(([front, rest]) => front + rest);
  it('that lie within each other overlap, and overlapping goes both ways', () => {
    fc.assert(
      fc.property(host, host, (a, b) => {
        expect(overlap(a, b)).toBe(overlap(b, a));
        if (isWithin(a, b)) expect(overlap(a, b)).toBe(true);
        if (!a.startsWith('*') && overlap(a, b)) expect(isWithin(a, b)).toBe(true);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
