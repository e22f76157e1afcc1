import { describe, expect, it } from 'vitest';
import { balancer } from '../../src/balance/balancer.ts';
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { EndpointSet } from '../../src/balance/endpoint-set.ts';
import { HealthChecks } from '../../src/balance/health-checks.ts';
import { makePicker } from '../../src/balance/make-picker.ts';
import { adaptiveRoom, outcomeListener } from '../../src/balance/outcome-listener.ts';
import type { Service } from '../../src/core/service.ts';
import { HEALTH_CHECK_DEFAULTS } from '../../src/model/balancing.ts';
import { type AdaptiveLimitPolicy, BALANCER_DEFAULTS } from '../../src/model/destination.ts';
import { type FakeServer, pair, testCall } from '../support/fake-service.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

interface World {
  readonly clock: VirtualClock;
  readonly set: EndpointSet;
  readonly servers: Map<string, FakeServer>;
  readonly call: Service;
  /** Sends a call; resolves to the address that took it, or to the code of the refusal. */
  send(): Promise<string>;
}

function world(size: number, adaptive: AdaptiveLimitPolicy | null, isChecked: boolean): World {
  const clock = new VirtualClock();
  const servers = new Map<string, FakeServer>();
  const policy = { ...BALANCER_DEFAULTS, kind: 'roundRobin' as const };
  const set = new EndpointSet(policy, {
    leaf: ({ address }) => {
      const [service, server] = pair({ clock });
      servers.set(address, server);
      return service;
    },
  });
  set.update(
    Array.from({ length: size }, (_, index) => ({ address: `e${index}:1`, labels: {}, locality: '', weight: 1 })),
    clock.now(),
  );
  const call = balancer({
    set,
    labels: null,
    spillTo: [],
    picker: makePicker(policy, () => 0),
    outlier: null,
    clock,
    destinationName: 'reviews',
    room: adaptiveRoom(adaptive),
    onOutcome: outcomeListener(adaptive, isChecked),
  });
  const send = (): Promise<string> => {
    const attempt = testCall({ startedAtMs: clock.now() });
    call(attempt).catch(() => {});
    return Promise.resolve(attempt.endpoint?.address ?? attempt.outcome?.error?.code ?? '');
  };
  return { clock, set, servers, call, send };
}

const end = (server: FakeServer | undefined, status: number): void => {
  for (const one of server?.seen ?? []) {
    if (one.call.outcome !== null) continue;
    one.reply(status);
    one.end();
  }
};

describe('room by the adaptive limit, through the balancer', () => {
  const POLICY: AdaptiveLimitPolicy = { initial: 2, min: 1, max: 3, decrease: 0.5 };

  it('a full endpoint is passed over; when all are full the call is refused', async () => {
    const { send } = world(2, POLICY, false);
    const taken = await Promise.all([send(), send(), send(), send(), send()]);
    expect(taken.toSorted()).toEqual(['e0:1', 'e0:1', 'e1:1', 'e1:1', 'overloaded']);
  });

  it.each([
    ['alone', false],
    ['beside health checks', true],
  ])('answers of 503 make room for fewer, successes for more: %s', async (_, isChecked) => {
    const { send, servers, clock, set } = world(1, POLICY, isChecked);
    const limit = (): number | undefined => (set.all[0] as LiveEndpoint).standing.limit?.limit;
    await send();
    await send();
    clock.advance(1);
    end(servers.get('e0:1'), 503);
    expect(limit()).toBe(1);
    for (let i = 0; i < 1 + 2; i++) {
      clock.advance(1);
      await send();
      end(servers.get('e0:1'), 200);
    }
    expect(limit()).toBe(3);
  });

  it('without the policy there is neither room to ask for nor anybody to tell', () => {
    expect([adaptiveRoom(null), outcomeListener(null, false)]).toEqual([null, null]);
  });
});

describe('health checks, through the balancer', () => {
  it.each([
    ['beside an adaptive limit', { initial: 2, min: 1, max: 3, decrease: 0.5 }],
    ['alone', null],
  ])('%s: the used are not asked, the unhealthy get no calls', async (_, adaptive) => {
    const { clock, set, servers, send } = world(2, adaptive, true);
    const asked: string[] = [];
    const checks = new HealthChecks(
      { ...HEALTH_CHECK_DEFAULTS, unhealthyThreshold: 1 },
      {
        service: 'reviews',
        set,
        clock,
        random: () => 0.5,
        emit: () => {},
        outlier: () => null,
        probe: ({ address }) => {
          asked.push(address);
          return Promise.resolve({ ok: false, reason: 'played by the test' });
        },
      },
    );
    await clock.run(5_000);
    const used = await send();
    end(servers.get(used), 200);
    await clock.run(5_000);
    await settle();
    const idle = used === 'e0:1' ? 'e1:1' : 'e0:1';
    expect(asked).toEqual([idle]);
    for (let i = 0; i < 4; i++) {
      expect(await send()).toBe(used);
      end(servers.get(used), 200);
    }
    checks.release();
    expect(new Set([await send(), await send()])).toEqual(new Set([used, idle]));
  });
});
