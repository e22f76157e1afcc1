import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HealthRecord } from '../../src/balance/health-record.ts';
import { HEALTH_CHECK_DEFAULTS } from '../../src/model/balancing.ts';

/** `+` and `-` are results; gives H or u after each. */
function play(results: string, unhealthyThreshold: number, healthyThreshold: number): string {
  const record = new HealthRecord();
  const policy = { ...HEALTH_CHECK_DEFAULTS, unhealthyThreshold, healthyThreshold };
  return [...results]
    .map((result) => {
      const before = record.isHealthy;
      expect(record.record(result === '+', policy)).toBe(record.isHealthy !== before);
      return record.isHealthy ? 'H' : 'u';
    })
    .join('');
}

describe('the record of health checks', () => {
  it.each([
    ['two failures, two passes', '--++', 2, 2, 'HuuH'],
    ['a pass in between', '-+--', 2, 2, 'HHHu'],
    ['a failure in between', '--+-++', 2, 2, 'HuuuuH'],
    ['one of each is enough', '-+-+', 1, 1, 'uHuH'],
    ['0 is as 1', '-+', 0, 0, 'uH'],
    ['three and one', '---+', 3, 1, 'HHuH'],
    ['only passes', '+++++', 2, 2, 'HHHHH'],
  ])('%s', (_, results, unhealthyThreshold, healthyThreshold, expected) => {
    expect(play(results, unhealthyThreshold, healthyThreshold)).toBe(expected);
  });

  it('starts to count anew when told to', () => {
    const record = new HealthRecord();
    record.record(false, HEALTH_CHECK_DEFAULTS);
    record.startOver();
    record.record(false, HEALTH_CHECK_DEFAULTS);
    expect(record.isHealthy).toBe(true);
  });

  it('never flips before so many results in a row, and always with the last of them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 200 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        (results, unhealthyThreshold, healthyThreshold) => {
          const states = play(results.map((ok) => (ok ? '+' : '-')).join(''), unhealthyThreshold, healthyThreshold);
          let before = 'H';
          results.forEach((ok, index) => {
            const needed = before === 'H' ? unhealthyThreshold : healthyThreshold;
            const last = results.slice(Math.max(0, index + 1 - needed), index + 1);
            const isAgainst = last.length === needed && last.every((one) => one === (before !== 'H'));
            expect(states[index] !== before).toBe(isAgainst);
            expect(ok || states[index] === 'u' || before === 'H').toBe(true);
            before = states[index] as string;
          });
        },
      ),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
