// Wanted paths against every reading of a path. The answer is a set of readings, as bits: two for each, first the text as
// it stands, then as routers that are not strict read it. What is so in all of them is all bits; what is so in one is not 0.
import type { ValueMatch } from '../model/security.ts';
import { alike, laxOf, type Reading } from './path-readings.ts';

/** Whether a reading is as wanted, strictly and laxly. */
interface PathTest {
  /** Whether `lax` says the same for a reading that is its own lax form. */
  readonly isLax: boolean;
  strict(reading: Reading): boolean;
  /** True wherever `strict` is. */
  lax(reading: Reading): boolean;
}

export interface PathCondition {
  /** Where its answer for a path is kept. */
  readonly index: number;
  readonly hasValues: boolean;
  /** A set of readings. */
  readonly bits: (readings: readonly Reading[]) => number;
}

export function allBits(readings: readonly Reading[]): number {
  return 2 ** (2 * readings.length) - 1;
}

export function pathCondition({ values, notValues }: ValueMatch, index: number): PathCondition {
  const wanted = values.map(pathTest);
  const unwanted = notValues.map(pathTest);
  const isLax = [...wanted, ...unwanted].every((one) => one.isLax);
  const bits = (readings: readonly Reading[]): number => {
    let found = 0;
    for (let i = 0; i < readings.length; i++) {
      const reading = readings[i] as Reading;
      const isStrict = (wanted.length === 0 || anyStrict(wanted, reading)) && !anyStrict(unwanted, reading);
      if (isStrict) found |= 1 << (2 * i);
      // Nearly all paths, and nearly all that is wanted, are in lower case.
      const isSo =
        isLax && reading.lax === reading.text ? isStrict : (wanted.length === 0 || anyLax(wanted, reading)) && !anyLax(unwanted, reading);
      if (isSo) found |= 2 << (2 * i);
    }
    return found;
  };
  return { index, hasValues: values.length > 0, bits };
}

function anyStrict(tests: readonly PathTest[], reading: Reading): boolean {
  for (let i = 0; i < tests.length; i++) if ((tests[i] as PathTest).strict(reading)) return true;
  return false;
}

function anyLax(tests: readonly PathTest[], reading: Reading): boolean {
  for (let i = 0; i < tests.length; i++) if ((tests[i] as PathTest).lax(reading)) return true;
  return false;
}

function pathTest(value: string): PathTest {
  if (value === '*') return { isLax: true, strict: ({ text }) => text !== '', lax: ({ text }) => text !== '' };
  if (value.includes('{*}') || value.includes('{**}')) return template(value);
  if (value.startsWith('*')) {
    return literal(value.slice(1), (text, suffix) => text.endsWith(suffix), true);
  }
  if (value.endsWith('*')) {
    return literal(value.slice(0, -1), (text, prefix) => text.startsWith(prefix), false);
  }
  return literal(value, (text, whole) => text === whole, true);
}

/** `isWhole`: it goes to the end of the path, where a slash means nothing to routers that are not strict. */
function literal(wanted: string, compare: (text: string, wanted: string) => boolean, isWhole: boolean): PathTest {
  const folded = isWhole ? laxOf(wanted.toLowerCase()) : wanted.toLowerCase();
  const isPlain = alike(wanted, ~0) === wanted;
  const strict = ({ text, steps }: Reading): boolean => compare(text, wanted) || (!isPlain && compare(text, alike(wanted, steps)));
  return {
    isLax: isPlain && folded === wanted,
    strict,
    lax: (reading) => {
      const { folded: own, lax, steps } = reading;
      if (compare(lax, folded) || compare(own, folded)) return true;
      if (isPlain) return false;
      const moved = alike(wanted, steps).toLowerCase();
      return compare(lax, isWhole ? laxOf(moved) : moved) || compare(own, moved);
    },
  };
}

/** `{*}` is one segment with something in it, `{**}` whatever follows. Source: Envoy, URI template. */
function template(value: string): PathTest {
  const source = value
    .split(/(\{\*\*\}|\{\*\})/)
    .map((piece) => (piece === '{**}' ? '.*' : piece === '{*}' ? '[^/]+' : piece.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')))
    .join('');
  const strict = new RegExp(`^${source}$`, 's');
  const lax = new RegExp(`^${source}$`, 'is');
  return {
    isLax: false,
    strict: ({ text }) => strict.test(text),
    lax: ({ text, lax: own }) => lax.test(text) || lax.test(own),
  };
}
