import { describe, expect, it } from 'vitest';
import { Report } from '../../src/model/report.ts';
import type { Level } from '../../src/model/resolve-levels.ts';
import { levelsOf, mergeLevels, mergeOptional } from '../../src/model/resolve-levels.ts';
import type { Modes } from '../../src/model/resolve-mode.ts';
import { chooseMode } from '../../src/model/resolve-mode.ts';

interface Policy {
  readonly mode?: 'a' | 'b';
  readonly x?: number;
  readonly y?: number;
  readonly inner?: boolean | { readonly p?: number; readonly q?: number };
}

const levels = (...values: (Policy | false | undefined)[]): Level<Policy | false>[] => values.map((value, i) => ({ value, path: [i] }));
const MODES: Modes<'a' | 'b'> = { policy: 'p', fallback: 'a', keys: { a: ['x', 'inner'], b: ['y', 'inner'] } };

describe('the mode', () => {
  it.each<[string, (Policy | false | undefined)[], string, Policy | null]>([
    ['is the default', [{}, undefined], 'a', {}],
    ['is that of the nearest level that names one', [{ mode: 'b', y: 1 }, { inner: true }], 'b', { mode: 'b', y: 1, inner: true }],
    ['drops the keys of another', [{ mode: 'b', y: 1, inner: true }, undefined, { mode: 'a', x: 1 }], 'a', { mode: 'a', x: 1 }],
    ['is the default again below false', [{ mode: 'b', y: 1 }, false, { x: 1 }], 'a', { x: 1 }],
    ['of what is off does not matter', [{ mode: 'b', y: 1 }, false], 'a', null],
  ])('%s', (_name, values, mode, merged) => {
    const report = new Report({});
    const chosen = chooseMode(levels(...values), MODES, report);
    expect([chosen.mode, mergeLevels(chosen.levels)?.value ?? null]).toEqual([mode, merged]);
    expect(report.issues).toEqual([]);
  });

  it('says whose a key is', () => {
    const report = new Report({});
    chooseMode(levels({ mode: 'b', x: 1 }, false, { y: 1 }), MODES, report);
    expect(report.issues.map(({ path, message }) => [...path, message])).toEqual([
      [0, 'x', 'p: x belongs to mode: a, but the mode is b ([0].mode); change the mode, or remove x'],
      [2, 'y', 'p: y belongs to mode: b, which is not set; add it, or remove y'],
    ]);
  });
});

describe('what is within a policy', () => {
  it.each<[string, (Policy | false | undefined)[], unknown]>([
    ['is off when nobody says anything', [{}, undefined], null],
    ['is merged key by key', [{ inner: { p: 1, q: 1 } }, { inner: { q: 2 } }], { p: 1, q: 2 }],
    ['stays under true', [{ inner: { p: 1 } }, { inner: true }], { p: 1 }],
    ['goes with its own false', [{ inner: { p: 1 } }, { inner: false }, { inner: { q: 1 } }], { q: 1 }],
    ['goes with the false of the policy', [{ inner: { p: 1 } }, false, { inner: { q: 1 } }], { q: 1 }],
    ['is off below it', [{ inner: true }, false, { x: 1 }], null],
  ])('%s', (_name, values, expected) => {
    expect(mergeOptional(levelsOf(levels(...values), 'inner'))?.value ?? null).toEqual(expected);
  });
});
