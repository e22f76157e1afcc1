import { describe, expect, it } from 'vitest';
import { ActiveCalls } from '../../src/inbound/active-calls.ts';
import type { InboundCall } from '../../src/inbound/inbound-call.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { inboundCall } from './fake-inbound.ts';

const clock = new VirtualClock();

describe('the calls under way', () => {
  it('are what came and has not gone, in whatever order', () => {
    const random = seededRandom(1);
    const active = new ActiveCalls();
    const expected = new Set<InboundCall>();
    for (let i = 0; i < 2_000; i++) {
      const known = [...expected];
      if (random() < 0.5 || known.length === 0) {
        const call = inboundCall(clock);
        active.add(call);
        expected.add(call);
      } else {
        const call = known[Math.floor(random() * known.length)] as InboundCall;
        active.delete(call);
        expected.delete(call);
      }
      expect(active.size).toBe(expected.size);
      expect([...active].every((call) => expected.has(call))).toBe(true);
    }
  });

  it('are left once', () => {
    const active = new ActiveCalls();
    const [first, second, third] = [inboundCall(clock), inboundCall(clock), inboundCall(clock)];
    for (const call of [first, second, third]) active.add(call);
    for (const call of [second, second, inboundCall(clock), third, third]) active.delete(call);
    expect([active.size, ...active]).toEqual([1, first]);
  });

  it('that have gone hold none that have not', () => {
    const active = new ActiveCalls();
    const [first, second, third] = [inboundCall(clock), inboundCall(clock), inboundCall(clock)];
    for (const call of [first, second, third]) active.add(call);
    active.delete(second);
    expect([second.older, second.newer]).toEqual([null, null]);
  });
});
