// How samples become figures: the arithmetic of the bench, on samples made by hand.
import { describe, expect, it } from 'vitest';
import { type Budget, verdictOf } from '../../bench/budgets.ts';
import { BASELINE, CASES, FETCH } from '../../bench/cases.ts';
import { withTables } from '../../bench/docs-page.ts';
import { costOver } from '../../bench/isolated.ts';
import { readOptions, wantsSection } from '../../bench/options.ts';
import { medianOf, ratioOf, type Report } from '../../bench/report.ts';
import { chooseCases, type Sample, type SocketResult } from '../../bench/sockets.ts';
import { median, quantile, shuffled } from '../../bench/statistics.ts';
import { seededRandom } from '../support/seeded-random.ts';

function sample(name: string, roundKey: string, callsPerSecond: number): Sample {
  return { name, concurrency: 10, roundKey, callsPerSecond, cpuUs: 1, cpuAllUs: 1, p50Us: 1, p99Us: 1 };
}

function result(samples: readonly Sample[]): SocketResult {
  return { cases: CASES.slice(0, 1), samples, heapBytes: {}, notes: ['nginx is not installed here.'], foreignCores: 0 };
}

const REPORT: Report = {
  date: '2030-01-01',
  node: 'v24.0.0',
  platform: 'linux x64',
  cores: 2,
  cpuModel: 'test',
  isQuick: true,
  seconds: 1,
  sockets: result([sample(BASELINE, '1.1', 100)]),
  isolated: null,
  import: null,
  grpc: null,
};

describe('statistics', () => {
  it.each([
    [[3], 0.5, 3],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[1, 2, 3, 4, 5], 0.1, 1.4],
    [[5, 1], 1, 5],
  ])('quantile of %j at %d is %d', (samples, share, expected) => {
    expect(quantile(samples, share)).toBeCloseTo(expected);
  });

  it('is NaN for no samples', () => {
    expect(median([])).toBeNaN();
  });

  it('shuffles all items and loses none', () => {
    const items = [1, 2, 3, 4, 5, 6, 7, 8];
    const mixed = shuffled(items, seededRandom(7));
    expect(mixed).not.toEqual(items);
    expect(mixed.toSorted()).toEqual(items);
  });
});

describe('ratios', () => {
  it('are taken round by round: a slow round of the machine does not show', () => {
    const slowRound = result([
      sample(BASELINE, '1.1', 100),
      sample('a', '1.1', 50),
      sample(BASELINE, '1.2', 10),
      sample('a', '1.2', 10),
      sample('a', '1.3', 1),
      sample(BASELINE, '1.2', 30),
    ]);
    expect(ratioOf(slowRound, 'a', BASELINE, 10, 'callsPerSecond')).toBe(0.5);
    expect(medianOf(slowRound, BASELINE, 10, 'callsPerSecond')).toBe(30);
  });

  it('are NaN where one of the two was not run', () => {
    expect(ratioOf(result([sample(BASELINE, '1.1', 100)]), 'a', BASELINE, 10, 'cpuUs')).toBeNaN();
  });

  it('of costs are differences', () => {
    const bare = { nsMedian: 100, nsBest: 90, bytes: 1_000 };
    expect(costOver(bare, { nsMedian: 450, nsBest: 400, bytes: 2_500 })).toEqual({ nsMedian: 350, nsBest: 310, bytes: 1_500 });
  });
});

describe('verdicts', () => {
  const atMost: Budget = { item: '', atMost: 5, unit: 'µs', measured: () => 0 };
  const atLeast: Budget = { item: '', atLeast: 0.95, unit: '×', measured: () => 0 };
  it.each([
    [atMost, 5, false, 'kept'],
    [atMost, 5.01, false, 'missed'],
    [atLeast, 0.95, false, 'kept'],
    [atLeast, 0.9, false, 'missed'],
    [atMost, Number.NaN, false, 'not measured'],
    [atLeast, 0.9, true, 'run too short'],
  ] as const)('%j measured as %d, quickly: %j, is %s', (budget, measured, isQuick, expected) => {
    expect(verdictOf(budget, measured, isQuick)).toBe(expected);
  });
});

describe('options', () => {
  it('a part of a name asks for sockets, and keeps what every ratio needs', () => {
    const options = readOptions(['--only', 'mesh.fetch']);
    expect(options && [wantsSection(options, 'sockets'), wantsSection(options, 'isolated')]).toEqual([true, false]);
    const names = chooseCases(['mesh.fetch']).map(({ name }) => name);
    expect(names).toContain(BASELINE);
    expect(names).toContain(FETCH);
    expect(names).toContain('mesh.fetch');
    expect(names).not.toContain('fetch + opossum');
  });

  it('names are unique', () => {
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  });
});

describe('the docs page', () => {
  it('gets the tables between its markers, again and again', () => {
    const once = withTables('above\n<!-- bench:start -->\nold\n<!-- bench:end -->\nbelow\n', REPORT);
    expect(once).toMatch(/^above\n<!-- bench:start -->\n2030-01-01, Node v24.0.0/);
    expect(once).toMatch(/\n<!-- bench:end -->\nbelow\n$/);
    expect(once).toContain('nginx is not installed here.');
    expect(once).not.toContain('old');
    expect(withTables(once, REPORT)).toBe(once);
  });

  it('without markers is an error that says what to do', () => {
    expect(() => withTables('no markers', REPORT)).toThrow('Put them back');
  });
});
