import { describe, expect, it } from 'vitest';
import { replaceGenerated, type ResilienceRow, resilienceFiles } from '../../.ci/lib/resilience-page.ts';
import { digits, summaries } from '../../.ci/lib/sim-summary.ts';
import { simulate } from '../../src/testing.ts';
import { atLeast, atMost, between, seen } from './scenarios/scenario.ts';

const row = (more: Partial<ResilienceRow>): ResilienceRow => ({
  scenario: 'S3',
  case: '20 clients',
  isControl: false,
  what: 'p99 / healthy',
  median: 1.04321,
  worst: 1.1,
  bar: '<= 1.15',
  kept: 'yes',
  ...more,
});

const REPORT = {
  seeds: [1, 2, 3],
  scenarios: [
    { id: 'S3', title: 'slow replica | one of ten', notes: ['ten of them'] },
    { id: 'S9', title: 'not run' },
  ],
  rows: [
    row({}),
    row({ what: 'recovery s', median: 12.345, worst: Number.POSITIVE_INFINITY, bar: '<= 12', kept: 'no', why: 'it is hard.' }),
    row({ what: 'seen', bar: '', kept: '' }),
    row({ what: 'share', kept: 'median' }),
    row({ case: 'round robin', isControl: true, what: 'p99 ms', median: 5_000.4, worst: Number.POSITIVE_INFINITY, bar: '>= 5000' }),
  ],
};

describe('the generated part of the resilience page', () => {
  it('has a summary, a table for each scenario that was run, and says why a bar is missed', () => {
    const { markdown, pictures } = resilienceFiles(REPORT, 'pictures');
    expect(pictures.size).toBe(0);
    expect(markdown).toBe(`3 seeds each. A bar is kept when every seed keeps it.

|  | scenario | bars kept | controls that fail as they must |
| --- | --- | --- | --- |
| S3 | slow replica \\| one of ten | **1 of 3** | 1 of 1 |

### S3: slow replica | one of ten

| case | figure | bar of the specification | median | worst | kept |
| --- | --- | --- | --- | --- | --- |
| 20 clients | p99 / healthy | &lt;= 1.15 | 1.043 | 1.1 | yes |
|  | recovery s | &lt;= 12 | 12.3 | never | **no** |
|  | seen |  | 1.043 | 1.1 |  |
|  | share | &lt;= 1.15 | 1.043 | 1.1 | **by the median** |
| _control:_ round robin | p99 ms | >= 5000 | 5000 | never | yes |

- ten of them
- Missed, recovery s: it is hard.
`);
  });

  it('has a picture where there is one', async () => {
    const result = await simulate({ load: 50, durationMs: 3_000 });
    const picture = { title: 'S3', runs: [{ name: 'inmesh', series: result.series() }] };
    const { markdown, pictures } = resilienceFiles({ ...REPORT, pictures: [{ scenario: 'S3', picture }] }, 'pictures');
    expect(markdown).toContain('![slow replica \\| one of ten](pictures/s3.svg)');
    expect([...pictures.keys()]).toEqual(['s3.svg']);
    expect(pictures.get('s3.svg')).toMatch(/^<svg /);
  });

  it('replaces what was generated before, and nothing else', () => {
    const page = (text: string): string =>
      `before\n\n<!-- generated: npm run sim -- --write-docs -->\n\n${text}\n\n<!-- end of what is generated -->\n\nafter\n`;
    expect(replaceGenerated(page('old\nolder'), 'new\n')).toBe(page('new'));
    expect(() => replaceGenerated('before', 'new')).toThrow('no lines');
  });
});

describe('the summary of runs', () => {
  const source = { scenario: 'S3', case: 'a', isControl: false };
  const summary = (...values: number[]): object | undefined =>
    summaries(
      source,
      values.map((value) => [atMost('x', value, 10)]),
    )[0];

  it.each([
    [[1, 9, 5], 5, 9, 'yes'],
    [[1, 11, 5], 5, 11, 'median'],
    [[12, 11, 5], 11, 12, 'no'],
    [[1, Number.POSITIVE_INFINITY, 5], 5, Number.POSITIVE_INFINITY, 'median'],
  ])('%j', (values, median, worst, kept) => {
    expect(summary(...values)).toMatchObject({ median, worst, kept, bar: '<= 10' });
  });

  it('knows which way is worse', () => {
    const [least, both, shown] = summaries(source, [
      [atLeast('x', 5, 1), between('y', 5, 0, 6), seen('z', 1)],
      [atLeast('x', 2, 1), between('y', 3, 0, 6), seen('z', 2)],
    ]);
    expect([least?.worst, both?.worst, both?.bar, shown?.worst, shown?.kept]).toEqual([2, 5, '0 to 6', 2, '']);
  });

  it('says why only where it is missed', () => {
    const figure = (value: number) => [{ ...atMost('x', value, 1), why: 'chance' }];
    expect(summaries(source, [figure(1)])[0]?.why).toBeUndefined();
    expect(summaries(source, [figure(1), figure(2)])[0]?.why).toBe('chance');
  });

  it.each([
    [0.12345, '0.123'],
    [12.345, '12.3'],
    [5_000.4, '5000'],
    [Number.POSITIVE_INFINITY, 'never'],
  ])('%d is %s', (value, text) => {
    expect(digits(value)).toBe(text);
  });
});
