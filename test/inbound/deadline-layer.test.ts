import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEADLINE_HEADER } from '../../src/core/headers.ts';
import { ExpiredCalls, inboundDeadlineLayer } from '../../src/inbound/deadline-layer.ts';
import { FakeReply } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { inboundCall } from './fake-inbound.ts';

describe('a call whose time is over', () => {
  const clock = new VirtualClock();
  const expired = new ExpiredCalls();
  const served: string[] = [];
  const service = inboundDeadlineLayer(
    expired,
    clock,
  )((call) => {
    served.push(call.path);
    return Promise.resolve(new FakeReply(200));
  });
  const come = (late: boolean): Promise<unknown> =>
    service(inboundCall(clock, { headers: [DEADLINE_HEADER, '50'], startedAtMs: clock.now() - (late ? 50 : 49) }));

  it('is served while it is the first: it may be the clock that is wrong', async () => {
    await come(true);
    expect([served.length, expired.shed]).toEqual([1, 0]);
  });

  it('is refused when it is one of few', async () => {
    for (let i = 0; i < 4; i++) await come(false);
    await expect(come(true)).rejects.toMatchObject({ code: 'deadline_exceeded', sent: 'none' });
    expect([served.length, expired.shed]).toEqual([5, 1]);
  });

  it('is served again when more than a fifth are late', async () => {
    await come(true);
    expect([served.length, expired.shed]).toEqual([6, 1]);
  });

  it('is no concern of a call that has no deadline', async () => {
    for (let i = 0; i < 100; i++) await service(inboundCall(clock));
    await come(true);
    expect(expired.shed).toBe(1);
  });
});

describe('shedding', () => {
  it('never takes more than a fifth of the calls of ten seconds', () => {
    const step = fc.record({ late: fc.boolean(), ms: fc.integer({ min: 0, max: 3_000 }), times: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const expired = new ExpiredCalls();
        const log: { readonly atMs: number; readonly shed: boolean }[] = [];
        let nowMs = 0;
        for (const { late, ms, times } of steps) {
          nowMs += ms;
          for (let i = 0; i < times; i++) {
            const shed = late && expired.mayShed(nowMs);
            if (!late) expired.served(nowMs);
            log.push({ atMs: nowMs, shed });
            // The window moves in steps of a second.
            const fromMs = (Math.floor(nowMs / 1_000) - 9) * 1_000;
            const recent = log.filter(({ atMs }) => atMs >= fromMs);
            if (shed) expect(recent.filter((one) => one.shed).length).toBeLessThanOrEqual(recent.length * 0.2);
          }
        }
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
