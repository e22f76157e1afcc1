// Expectations of `inmesh simulate`, and its table: figures that hold, that do not, and that there are none of.
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { foundText, judge, parseExpectation } from '../../src/cli/expectation.ts';
import { siteText, trialTable } from '../../src/cli/trial-table.ts';
import { lossText } from '../../src/cli/loss-text.ts';
import type { Trial, TrialRun } from '../../src/sim/trial.ts';
import type { Loss } from '../../src/yaml/losses.ts';

const RUN: TrialRun = {
  goodRps: 99.6,
  goodput: 0.99996,
  p50Ms: 12,
  p99Ms: 1_250,
  p999Ms: 30_000,
  amplification: 1.25,
  recoveryMs: Number.POSITIVE_INFINITY,
  worstShare: null,
  verdict: 'hurt',
  series: { stepMs: 1_000, calls: Array(15).fill(4), good: [...Array(8).fill(4), ...Array(7).fill(0)], attempts: [], p99Ms: [] },
} as unknown as TrialRun;
const TRIAL = {
  pathology: 'sinkhole',
  title: 't',
  service: 'a',
  inmesh: RUN,
  plain: { ...RUN, goodput: 0, worstShare: 0.5, recoveryMs: 1_500 },
  comparedWithPlain: 'better',
} as unknown as Trial;

describe('an expectation', () => {
  it.each([
    ['goodput>=99.99%', true, '1'],
    ['goodput>0.99996', false, '1'],
    ['p50<=12ms', true, '12ms'],
    ['p50<12ms', false, '12ms'],
    ['p99<2s', true, '1.25s'],
    ['p99.9>=30s', true, '30s'],
    ['attempts<=1.25', true, '1.25'],
    ['recovery<=1m', false, 'never'],
    [' sinkhole: p50 > 1ms ', true, '12ms'],
  ])('%s', (text, isMet, found) => {
    const judgment = judge(parseExpectation(text), TRIAL);
    expect(judgment).toMatchObject({ isMet, service: 'a', scenario: 'sinkhole', text: text.trim() });
    if (judgment !== null) expect(foundText(judgment)).toBe(found);
  });

  it.each(['worst<=0.5', 'overload:p50<1s'])('%s says nothing of this run', (text) => {
    expect(judge(parseExpectation(text), TRIAL)).toBeNull();
  });

  it.each([
    ['', 'is not like'],
    ['goodput', 'is not like'],
    ['mean>1', 'no figure "mean"; there are goodput, '],
    ['sinkhle:p50<1s', 'did you mean "sinkhole"?'],
    ['xyzzy:p50<1s', 'there are healthy, '],
    ['p50<9', '9 is no duration such as 200ms'],
    ['goodput>=much', 'much is no number'],
  ])('%j is wrong use', (text, message) => {
    expect(() => parseExpectation(text)).toThrow(message);
  });
});

describe('the table', () => {
  it('has a place for what there is not', () => {
    const lines = stripVTControlCharacters(trialTable([TRIAL], [{ scenario: 'zone-loss', why: 'no zones' }])).split('\n');
    expect(lines[1]?.split(/ {2,}/)).toEqual([
      'sinkhole',
      '100',
      '99.99 %',
      '12 ms',
      '1.3 s',
      '30.0 s',
      '1.25',
      'never',
      '–',
      'hurt',
      'better',
      '█'.repeat(8) + '▁'.repeat(7),
    ]);
    expect(lines[2]).toMatch(/^ {2}plain .* 0 % .* 1\.5 s +50\.00 % /);
    expect(lines[3]).toBe('zone-loss  left out: no zones');
  });

  it('speaks of one as of one', () => {
    const site = {
      service: 'a',
      endpoints: ['x'],
      model: { workers: 1 },
      clients: 1,
      rps: 1,
      capacityRps: 10,
      fromMs: 0,
      untilMs: 1_000,
      durationMs: 2_000,
      seed: 3,
    };
    expect(stripVTControlCharacters(siteText(site as never))).toContain(
      'a: 1 endpoint of 1 worker, 1 client, 1 call a second (10 % of what',
    );
  });
});

describe('losses', () => {
  const loss = (i: number, more: Partial<Loss> = {}): Loss =>
    ({ verdict: 'lost', field: `services.a.routes[r${i}].cache`, from: '1', to: '', why: 'no word', ...more }) as Loss;
  const text = (losses: readonly Loss[]): string => stripVTControlCharacters(lossText(losses));

  it('are none', () => expect(text([])).toBe('Status: √ 0 lost, 0 approximated, 0 kept\n'));

  it('are said once for many rules', () => {
    const position = { file: 'm.yaml', line: 3, column: 1 };
    expect(text([0, 1, 2, 3, 4, 5].map((i) => loss(i, i === 1 ? { position } : {})))).toBe(
      '× services.a.routes[r0].cache: 1\n    no word\n    also services.a.routes[r1].cache (m.yaml:3:1), services.a.routes[r2].cache, services.a.routes[r3].cache, services.a.routes[r4].cache and 1 more\n\nStatus: × 6 lost, 0 approximated, 0 kept\n',
    );
  });

  it('have their place, what took it, and defaults by number', () => {
    const position = { file: 'm.yaml', line: 3, column: 1 };
    const losses = [loss(0, { verdict: 'approximated', to: 'x', why: '', position }), loss(1, { verdict: 'kept', to: 'y' })];
    expect(text(losses)).toBe(
      '‼ m.yaml:3:1 services.a.routes[r0].cache: 1 → x\n\nStatus: ‼ 0 lost, 1 approximated, 0 kept, 1 default left to the mesh, which --json names\n',
    );
  });
});
