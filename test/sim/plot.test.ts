// The parts of a picture: scales, panels, the whole.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawRuns, type Picture } from '../../src/sim/draw-runs.ts';
import { type Box, linePath } from '../../src/sim/plot-panel.ts';
import { type Axis, linearAxis, logAxis } from '../../src/sim/plot-scale.ts';
import type { Series } from '../../src/sim/series.ts';

const RUNS = { numRuns: 1_000, seed: 1 };
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const axes: readonly [string, (values: readonly number[]) => Axis][] = [
  ['linear', linearAxis],
  ['log', logAxis],
];

describe.each(axes)('a %s axis', (kind, axisOf) => {
  it('property: puts every finite number on the panel, and greater ones not lower', () => {
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 30 }), finite, finite, (values, a, b) => {
        const { place } = axisOf(values);
        for (const value of [...values, a, b]) {
          expect(place(value)).toBeGreaterThanOrEqual(0);
          expect(place(value)).toBeLessThanOrEqual(1);
        }
        expect(place(Math.min(a, b))).toBeLessThanOrEqual(place(Math.max(a, b)));
      }),
      RUNS,
    );
  });

  it('property: has ticks that cover all values, grow, and are few', () => {
    const usual = fc.double({ min: kind === 'log' ? 1e-9 : -1e12, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(fc.array(usual, { minLength: 1, maxLength: 30 }), (values) => {
        const { ticks, place } = axisOf(values);
        const [least, most] = [Math.min(...values), Math.max(...values)];
        const dirt = 1e-8 * Math.max(Math.abs(least), Math.abs(most), 1e-200);
        expect(ticks[0]).toBeLessThanOrEqual(least + dirt);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(most - dirt);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(12);
        for (let i = 1; i < ticks.length; i++) expect(ticks[i]).toBeGreaterThan(ticks[i - 1] as number);
        expect([place(ticks[0] as number), place(ticks.at(-1) as number)]).toEqual([0, 1]);
      }),
      RUNS,
    );
  });
});

describe('ticks', () => {
  it.each<[number[], number[]]>([
    [[], [0, 1]],
    [
      [0, 0],
      [0, 1],
    ],
    [[300], [0, 100, 200, 300]],
    [
      [1, 1.05],
      [0, 0.5, 1, 1.5],
    ],
    [[0.3], [0, 0.1, 0.2, 0.3]],
    [
      [-3, 7],
      [-5, -2.5, 0, 2.5, 5, 7.5],
    ],
  ])('of %j are %j', (values, ticks) => {
    expect(linearAxis(values).ticks).toEqual(ticks);
  });

  it.each<[number[], number[]]>([
    [[], [1, 2, 5, 10]],
    [[0], [1, 2, 5, 10]],
    [
      [70, 2_000],
      [50, 100, 200, 500, 1_000, 2_000],
    ],
    [
      [3, 90_000],
      [1, 10, 100, 1_000, 10_000, 100_000],
    ],
  ])('of %j on a log axis are %j', (values, ticks) => {
    expect(logAxis(values).ticks).toEqual(ticks);
  });
});

describe('a line', () => {
  const box: Box = { x: 50, y: 100, width: 400, height: 80 };

  it('property: stays within its panel, whatever the values', () => {
    const values = fc.array(fc.option(finite, { freq: 5 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(values, fc.boolean(), (line, isLog) => {
        const numbers = line.filter((value) => value !== null);
        const path = linePath(line, { box, axis: isLog ? logAxis(numbers) : linearAxis(numbers) });
        const points = [...path.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)];
        expect(points).toHaveLength(numbers.length);
        for (const [, x, y] of points) {
          expect(Number(x)).toBeGreaterThanOrEqual(box.x);
          expect(Number(x)).toBeLessThanOrEqual(box.x + box.width);
          expect(Number(y)).toBeGreaterThanOrEqual(box.y);
          expect(Number(y)).toBeLessThanOrEqual(box.y + box.height);
        }
        for (const [, x] of path.matchAll(/H(-?[\d.]+)/g)) expect(Number(x)).toBeLessThanOrEqual(box.x + box.width);
        expect(path).not.toMatch(/NaN|Infinity|e/);
      }),
      RUNS,
    );
  });

  it('is broken where there is no value', () => {
    const axis = linearAxis([4]);
    expect(linePath([4, 0, null, 2, null, null, 4, 4], { box, axis })).toBe('M75 100L125 180M200 140H250M375 100L425 100');
    expect(linePath([null], { box, axis })).toBe('');
  });
});

const series = (goodOf: (i: number) => number): Series => ({
  stepMs: 1_000,
  calls: Array.from({ length: 20 }, () => 100),
  good: Array.from({ length: 20 }, (_, i) => goodOf(i)),
  attempts: Array.from({ length: 20 }, (_, i) => 100 + i),
  p99Ms: Array.from({ length: 20 }, (_, i) => (i === 3 ? null : 50 * 2 ** i)),
});

const picture: Picture = {
  title: 'slow & "cold" <one>',
  subtitle: 'a line below',
  spanMs: [5_000, 10_000],
  runs: [
    { name: 'inmesh', series: series(() => 100) },
    { name: 'plain', series: series((i) => (i > 5 ? 20 : 100)) },
  ],
};

describe('a picture', () => {
  it('is the same, byte for byte, for the same runs', () => {
    expect(drawRuns(picture)).toBe(drawRuns(structuredClone(picture)));
    expect(drawRuns({ ...picture, runs: picture.runs.toReversed() })).not.toBe(drawRuns(picture));
  });

  it('has three panels, each with the trouble shaded and a line for each run', () => {
    const svg = drawRuns(picture);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="760" /);
    expect(svg.endsWith('</svg>\n')).toBe(true);
    // Another one of each is in the legend.
    expect(svg.match(/<path class="l r0" d="M[\d.]+ [\d.]+L/g)).toHaveLength(3);
    expect(svg.match(/<path class="l r1" d="M[\d.]+ [\d.]+L/g)).toHaveLength(3);
    expect(svg.match(/<rect class="s"/g)).toHaveLength(4);
    for (const text of ['inmesh', 'plain', 'calls made', 'attempts per call', '0 s', '20 s', 'a line below'])
      expect(svg).toContain(`>${text}</text>`);
    const { spanMs: _, ...calm } = picture;
    expect(drawRuns(calm)).not.toContain('class="s"');
  });

  it('escapes names, loads nothing, and suits light and dark ground', () => {
    const svg = drawRuns(picture);
    expect(svg).toContain('slow &amp; &quot;cold&quot; &lt;one&gt;');
    expect(svg).not.toMatch(/<one>|<image|<script|url\(|href|@import/);
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('puts several side by side, three in a row', () => {
    const svg = drawRuns([picture, picture, picture, { ...picture, title: 'x'.repeat(100) }]);
    const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
    expect([Number(width), Number(height) % 2]).toEqual([3 * 460, 0]);
    expect(svg).toMatch(/>x{40,60}…<\/text>/);
  });

  it.each([0, 5])('refuses %i runs', (count) => {
    const runs = Array.from({ length: count }, () => picture.runs[0] as Picture['runs'][number]);
    expect(() => drawRuns({ ...picture, runs })).toThrow(new RangeError(`a picture shows 1 to 4 runs, not ${count}`));
  });
});
