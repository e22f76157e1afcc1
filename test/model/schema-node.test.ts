// Our checks, held against those of valibot: the same values are right, and of a single value the same thing is said.
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { toValibot } from '../../.ci/lib/valibot-schema.ts';
import { faultOf, type Schema } from '../../src/model/schema-node.ts';
import * as words from '../../src/model/schema-scalar.ts';

const MADE: Readonly<Record<string, Schema>> = {
  text: words.text(),
  list: words.list(words.text()),
  listOrNothing: words.listOrNothing(words.integer(1)),
  names: words.names(words.text(), words.plainName, 2),
  oneOf: words.oneOf('a', 'b'),
  anyOf: words.anyOf(words.text(), words.integer(0, 9)),
  numberOf: words.numberOf(301, 302),
  integer: words.integer(1, 10),
  number: words.number(-1, 1.5),
  positive: words.positive(5),
  duration: words.duration(true, true),
  'duration above 0, in words': words.duration(false, false),
  bytes: words.bytes('1MiB', ', because'),
  instant: words.instant(true),
  'instant in words': words.instant(false),
  statusRange: words.statusRange(400),
  toggle: words.toggle(words.object({ a: words.integer(0) })),
  object: words.object({ a: words.text(), b: words.field(words.boolean, 'whether', true) }),
  described: words.described(words.described(words.port, 'one'), 'two'),
};
const PLAIN = Object.entries(words).filter((pair): pair is [string, Schema] => typeof pair[1] === 'object');
const SINGLE = new Set(['string', 'number', 'boolean', 'function', 'unknown', 'picklist', 'literal']);

const TEXTS = [
  '',
  'a',
  'b',
  'A-b_c.9',
  'a/b',
  '/a?b',
  '/a b',
  '[::1]',
  '[::1]:80',
  '10.0.0.1:80',
  'a.b:0',
  'a\nb',
  '500-599',
  '399',
  '1s',
  '0s',
  '400d',
];
const OTHERS = [
  '503',
  '64KiB',
  '2MiB',
  '2026-12-01T00:00:00Z',
  '2026-13-01T00:00:00Z',
  'r/*',
  'é',
  'GET',
  'get',
  '*'.repeat(300),
  '('.repeat(2_000),
];
const NUMBERS = [0, -0, -1, 1, 1.5, 5, 5.1, 10, 80, 302, 400, 599, 600, 65_536, 2 ** 21, 1e300, Number.NaN, Number.POSITIVE_INFINITY];
const THINGS = [
  undefined,
  null,
  true,
  false,
  () => {},
  [],
  [''],
  ['a', 1],
  {},
  { a: 'a' },
  { a: 1 },
  { a: 'a', b: 1 },
  { a: 'a', c: 1 },
  { a: '1', b: '2', c: '3' },
];
const VALUES: readonly unknown[] = [...TEXTS, ...OTHERS, ...NUMBERS, ...THINGS];

describe('a schema says of a value what valibot says', () => {
  it.each([...PLAIN, ...Object.entries(MADE)])('%s', (_name, schema) => {
    const theirs = toValibot(schema);
    const says = (value: unknown): void => {
      // Valibot takes a list for a mapping; ours must not.
      if (Array.isArray(value) && !SINGLE.has(schema.type) && schema.type !== 'array') return;
      const result = v.safeParse(theirs, value);
      const expected = result.success ? null : result.issues[0].message;
      const fault = faultOf(schema, value);
      expect([value, SINGLE.has(schema.type) ? fault : fault === null]).toEqual([
        value,
        SINGLE.has(schema.type) ? expected : expected === null,
      ]);
    };
    VALUES.forEach(says);
    fc.assert(fc.property(fc.oneof(fc.string(), fc.double(), fc.integer(), fc.anything()), says), { numRuns: 200, seed: 1 });
  });
});
