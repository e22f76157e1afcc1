// The layer and its places: who is refused how, what callers are told, and that no place is lost.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ATTEMPT_HEADER, CRITICALITY_HEADER, LOAD_HEADER } from '../../src/core/headers.ts';
import type { Service } from '../../src/core/service.ts';
import { inboundAdmissionLayer } from '../../src/inbound/admission-layer.ts';
import type { InboundCall } from '../../src/inbound/inbound-call.ts';
import { type PlaceLimit, Places } from '../../src/inbound/places.ts';
import { FakeReply } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { end, FakeLoop, type FakeInit, inboundCall } from './fake-inbound.ts';

/** So many at once, and a log of what it is told. */
class CountingLimit implements PlaceLimit {
  readonly entered: string[] = [];
  readonly left: string[] = [];
  readonly delays: number[] = [];
  inFlight = 0;
  readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  get utilization(): number {
    return Math.min(1, this.inFlight / this.max);
  }

  tryEnter(criticality: number, isRetry: boolean, nowMs: number): boolean {
    this.entered.push(`${criticality}${isRetry ? ' retry' : ''} at ${nowMs}`);
    if (this.inFlight >= this.max) return false;
    this.inFlight++;
    return true;
  }

  leave(startedMs: number, nowMs: number, ok: boolean): void {
    this.inFlight--;
    this.left.push(`${startedMs} to ${nowMs} ${ok ? 'ok' : 'failed'}`);
  }

  observeLoopDelay(p99Ms: number): void {
    this.delays.push(p99Ms);
  }
}

function world(max = 2): {
  readonly clock: VirtualClock;
  readonly loop: FakeLoop;
  readonly limit: CountingLimit;
  readonly served: InboundCall[];
  come(init?: FakeInit): Promise<InboundCall>;
} {
  const clock = new VirtualClock();
  const loop = new FakeLoop();
  const limit = new CountingLimit(max);
  const served: InboundCall[] = [];
  const leaf: Service = (call) => {
    served.push(call as InboundCall);
    return Promise.resolve(new FakeReply(200));
  };
  const service = inboundAdmissionLayer(new Places(limit, loop), 1_500)(leaf);
  return {
    clock,
    loop,
    limit,
    served,
    async come(init = {}) {
      const call = inboundCall(clock, { turn: loop.turn, ...init });
      await service(call);
      return call;
    },
  };
}

describe('admission', () => {
  it('asks with what the caller says', async () => {
    const { come, limit } = world(9);
    await come();
    await come({ headers: [CRITICALITY_HEADER, 'sheddable'] });
    await come({ headers: [CRITICALITY_HEADER, 'criticalPlus', ATTEMPT_HEADER, '2'] });
    await come({ headers: [ATTEMPT_HEADER, '1'] });
    expect(limit.entered).toEqual(['2 at 1000', '0 at 1000', '3 retry at 1000', '2 at 1000']);
  });

  it('tells callers how full it is', async () => {
    const { come } = world(3);
    const loads = [await come(), await come(), await come()].map(({ response }) => response.getHeader(LOAD_HEADER));
    expect(loads).toEqual(['0.33', '0.67', '1.00']);
  });

  it('refuses without a place, and names the wait', async () => {
    const { come, served, limit } = world();
    await come();
    await come();
    await expect(come()).rejects.toMatchObject({ code: 'overloaded', family: 'refused', retryAfterMs: 1_500 });
    expect([served.length, limit.inFlight]).toEqual([2, 2]);
  });

  it.each(['kube-probe/1.34', 'Envoy/HC', 'GoogleHC/1.0', 'ELB-HealthChecker/2.0'])(
    'lets %s in all the same, without a place',
    async (agent) => {
      const { come, served, limit } = world(1);
      await come();
      const probe = await come({ headers: ['User-Agent', agent] });
      end(probe);
      expect([served.length, limit.inFlight]).toEqual([2, 1]);
    },
  );

  it.each(['node', 'not kube-probe/1.34'])('but not %s', async (agent) => {
    const { come } = world(1);
    await come();
    await expect(come({ headers: ['user-agent', agent] })).rejects.toMatchObject({ code: 'overloaded' });
  });
});

describe('a place', () => {
  it('is free when the response is over', async () => {
    const { come, limit, loop, clock } = world();
    const call = await come();
    loop.turn = 1;
    clock.advance(30);
    end(call, 'failure');
    expect(limit.left).toEqual(['1000 to 1030 failed']);
  });

  it('of a call that took one turn of the event loop is free in the next', async () => {
    const { come, limit, loop, clock } = world();
    for (let i = 0; i < 2; i++) {
      const call = await come();
      clock.advance(5);
      end(call);
    }
    await expect(come()).rejects.toMatchObject({ code: 'overloaded' });
    expect(limit.left).toEqual([]);
    loop.turn = 1;
    await come();
    expect(limit.left).toEqual(['1000 to 1005 ok', '1005 to 1010 ok']);
    expect(limit.inFlight).toBe(1);
  });

  it('of an earlier turn is free at once, though another is kept', async () => {
    const { come, limit, loop } = world();
    const slow = await come();
    loop.turn = 1;
    end(await come());
    end(slow);
    expect(limit.inFlight).toBe(1);
  });

  it('is conserved in any order of calls, ends and turns', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('come' as const) },
      { weight: 3, arbitrary: fc.constant('end' as const) },
      { weight: 2, arbitrary: fc.constant('turn' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.infiniteStream(fc.nat(1_000)), async (steps, which) => {
        const { come, limit, loop, served } = world(5);
        const open = (): InboundCall[] => served.filter(({ outcome }) => outcome === null);
        for (const one of steps) {
          if (one === 'come') await come().catch(() => {});
          else if (one === 'turn') loop.turn++;
          else {
            const calls = open();
            if (calls.length > 0) end(calls[(which.next().value as number) % calls.length] as InboundCall);
          }
          expect(limit.inFlight).toBeLessThanOrEqual(5);
          expect(limit.inFlight).toBeGreaterThanOrEqual(open().length);
        }
        for (const call of open()) end(call);
        loop.turn++;
        end(await come());
        loop.turn++;
        await come();
        expect(limit.inFlight).toBe(1);
        expect(limit.left.length).toBe(served.length - 1);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});

describe('the event loop', () => {
  it('is looked at when calls come, ten times a second at most', async () => {
    const { come, limit, loop, clock } = world(99);
    loop.lateMs = 70;
    for (let i = 0; i < 25; i++) {
      await come();
      clock.advance(10);
    }
    expect(limit.delays).toEqual([70, 70, 70]);
    clock.advance(60_000);
    expect(loop.looks).toBe(3);
  });
});
