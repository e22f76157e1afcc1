// The short form of `npm run replay`: one case with real processes, held against the simulation, and against simulations
// that are wrong on purpose.
import { describe, expect, it } from 'vitest';
import type { ReplayCase } from '../../.ci/lib/replay-case.ts';
import { REPLAYED, SHORT } from '../../.ci/lib/replay-cases.ts';
import { real } from '../../.ci/lib/replay-real.ts';
import { asMarkdown, asText, isAlike, type ReplayRow, rowsOf } from '../../.ci/lib/replay-report.ts';
import { simulated } from '../../.ci/lib/replay-simulated.ts';

/** The machine may be busy with other things. */
const FACTOR = 3;
const SEEDS = [1, 2, 3];

async function unlike(model: ReplayCase, figures: ReturnType<ReplayCase['figures']>): Promise<string[]> {
  const runs = await Promise.all(SEEDS.map(async (seed) => model.figures(await simulated(model, seed))));
  return rowsOf(model, runs, figures, FACTOR).flatMap(({ what, kept, real: value, bar }) =>
    kept === 'yes' ? [] : [`${what}: ${value}, not ${bar}`],
  );
}

/** Of this process, its handle closed or not. */
const childProcesses = (): number => process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length;

describe('real processes', () => {
  it('do what the simulation says, and not what a wrong one says', { timeout: 60_000 }, async () => {
    const before = childProcesses();
    const { result } = await real(SHORT, 1);
    await expect.poll(childProcesses).toBe(before);
    const figures = SHORT.figures(result);
    expect(result.stats().calls).toBeGreaterThan(1_000);
    expect(await unlike(SHORT, figures)).toEqual([]);
    const { faults: _, ...healthy } = SHORT;
    const wrong: Record<string, ReplayCase> = {
      'no server is slow': healthy,
      'a worker less': { ...SHORT, servers: { ...SHORT.servers, workers: 1 } },
      'all work takes four times as long': { ...SHORT, servers: { ...SHORT.servers, serviceMs: 160 } },
      'round robin': { ...SHORT, policies: { loadBalancer: 'roundRobin' } },
    };
    for (const [name, model] of Object.entries(wrong)) expect.soft(await unlike(model, figures), name).not.toEqual([]);
  });

  it('are all ended when one fails', async () => {
    const before = childProcesses();
    await expect(real({ ...SHORT, name: 'nobody knows it' }, 1)).rejects.toThrow('no case nobody knows it of short');
    await expect.poll(childProcesses).toBe(before);
  });
});

describe('the bar', () => {
  it.each([
    [10, 20, 0, true],
    [10, 5, 0, true],
    [10, 20.1, 0, false],
    [10, 4.9, 0, false],
    [0.1, 0.5, 0.5, true],
    [0, 0.6, 0.5, false],
    [0, 0, 0, true],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, true],
    [Number.POSITIVE_INFINITY, 10, 100, false],
    [10, Number.POSITIVE_INFINITY, 100, false],
    [10, Number.NaN, 100, false],
  ])('simulated %d, real %d, floor %d: %s', (simulation, value, floor, expected) => {
    expect(isAlike(simulation, value, floor)).toBe(expected);
  });

  const figures = (p99: number, recovery: number): { what: string; value: number; floor: number }[] => [
    { what: 'p99 ms', value: p99, floor: 15 },
    { what: 'recovery s', value: recovery, floor: 1 },
  ];
  const never = Number.POSITIVE_INFINITY;
  const rows: ReplayRow[] = rowsOf(
    { scenario: 'S1', name: 'a | b', isControl: true },
    [figures(90, never), figures(110, 4), figures(100, never)],
    figures(210, never),
  );

  it('is that of the median of the seeds', () => {
    expect(rows).toMatchObject([
      { simulated: 100, simulatedLeast: 90, simulatedMost: 110, real: 210, kept: 'no', bar: '50 to 200' },
      { simulated: never, simulatedLeast: 4, real: never, kept: 'yes', bar: 'never' },
    ]);
  });

  it('is shown', () => {
    expect(asMarkdown(rows).split('\n').slice(2)).toEqual([
      '| S1 _control:_ a \\| b | p99 ms | 100 | 90–110 | **210** | 2.1 | 50 to 200 |',
      '|  | recovery s | never | 4–never | never | 1 | never |',
    ]);
    const machine = { lateP99Ms: 2, lateMaxMs: 10.4 };
    const text = asText({ rows, callers: machine, servers: machine, calls: 5, seconds: 9.6 }, (isKept) => (isKept ? '+' : '-'));
    expect(text.split('\n').map((line) => line.trim().split(/\s\s+/))).toEqual([
      ['(control) a | b', '5 calls in 10 s; late at p99: calls by 2 ms (most 10), work by 2 ms (most 10)'],
      ['- p99 ms', '100', '90–110', '210', '2.1', '50 to 200'],
      ['+ recovery s', 'never', '4–never', 'never', '1', 'never'],
    ]);
  });
});

describe('what is replayed', () => {
  const cases = REPLAYED.flatMap((scenario) => scenario.cases);

  it('are the scenarios of the specification, each with a control', () => {
    expect(REPLAYED.map(({ id }) => id)).toEqual(['S1', 'S3', 'S4', 'S8', 'S9']);
    for (const { id, cases: own } of REPLAYED) {
      expect(own.every(({ scenario }) => scenario === id)).toBe(true);
      expect(own.some(({ isControl }) => isControl === true)).toBe(true);
    }
  });

  it('is bounded: a minute for a scenario, under five for all', () => {
    const secondsOf = (own: readonly ReplayCase[]): number => own.reduce((sum, { durationMs }) => sum + durationMs / 1_000, 0);
    for (const { cases: own } of REPLAYED) expect(secondsOf(own)).toBeLessThanOrEqual(60);
    expect(secondsOf(cases)).toBeLessThanOrEqual(230);
  });
});
