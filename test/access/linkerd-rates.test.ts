import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadAccess } from '../../src/access/load.ts';
import type { AccessRequest } from '../../src/access/request.ts';
import type { LinkerdRateLimitPolicy, LinkerdServerPolicy, SecurityPolicy } from '../../src/model/security.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { peer, request, SELF } from './cases.ts';

const HEAD = { dialect: 'linkerd', namespace: 'default', createdAtMs: 0, source: { file: 'a.yaml', line: 1, column: 1 } } as const;
const PORT = 9_080;
const ALICE = peer('cluster.local/ns/default/sa/alice');
const BOB = peer('cluster.local/ns/default/sa/bob');
const CAROL = peer('cluster.local/ns/default/sa/carol');

function server(more: Partial<LinkerdServerPolicy> = {}): LinkerdServerPolicy {
  return {
    ...HEAD,
    kind: 'linkerd-server',
    name: 'web',
    scope: { namespace: 'default', labels: {}, expressions: [] },
    port: PORT,
    protocol: 'HTTP/1',
    access: 'all-unauthenticated',
    routes: [],
    labels: {},
    ...more,
  };
}

function limit(more: Partial<LinkerdRateLimitPolicy> = {}): LinkerdRateLimitPolicy {
  return { ...HEAD, kind: 'linkerd-rate-limit', name: 'rate', server: 'web', overrides: [], ...more };
}

interface World {
  readonly clock: VirtualClock;
  /** Statuses of calls, 0 for those that were let in. */
  readonly calls: (count: number, more?: Partial<AccessRequest>) => Promise<number[]>;
  readonly check: (more?: Partial<AccessRequest>) => Promise<string>;
}

async function world(...policies: SecurityPolicy[]): Promise<World> {
  const clock = new VirtualClock();
  const { check } = await loadAccess({ mtls: 'disable', admission: null, policies }, SELF, { clock });
  const ask = async (more: Partial<AccessRequest> = {}) => check?.check(request({ localPort: PORT, ...more }));
  return {
    clock,
    calls: async (count, more) => {
      const statuses: number[] = [];
      for (let i = 0; i < count; i++) statuses.push((await ask(more))?.status ?? -1);
      return statuses;
    },
    check: async (more) => {
      const verdict = await ask(more);
      const { reason, condition, policy } = verdict?.decision ?? {};
      return [verdict?.status, reason, condition, policy?.name, verdict?.body].join(' ');
    },
  };
}

const account = (name: string) => ({ kind: 'service-account', namespace: 'default', name }) as const;

describe('rates of a Server', () => {
  it('a burst of one second, then one after the other', async () => {
    const { clock, calls, check } = await world(server(), limit({ totalPerSecond: 4 }));
    expect(await calls(5)).toEqual([0, 0, 0, 0, 429]);
    expect(await check()).toBe('429 rate total rate rate limit exceeded');
    clock.advance(249);
    expect(await calls(1)).toEqual([429]);
    clock.advance(1);
    expect(await calls(2)).toEqual([0, 429]);
    clock.advance(60_000);
    expect(await calls(5)).toEqual([0, 0, 0, 0, 429]);
  });

  it('of each caller; who has no identity is one with all who have none', async () => {
    const { calls, check } = await world(server(), limit({ identityPerSecond: 1 }));
    expect(await calls(2, { peer: ALICE })).toEqual([0, 429]);
    expect(await calls(2, { peer: BOB })).toEqual([0, 429]);
    expect(await calls(1, { peerAddress: '10.0.0.1' })).toEqual([0]);
    expect(await calls(1, { peerAddress: '10.0.0.2' })).toEqual([429]);
    expect(await check({ peer: BOB })).toBe('429 rate identity rate rate limit exceeded');
  });

  it('of a caller with a DNS name alone', async () => {
    const { calls } = await world(server(), limit({ identityPerSecond: 1 }));
    const named = (dns: readonly string[]) => ({ peer: { ...ALICE, spiffeId: '', dns } });
    expect(await calls(2, named(['a.test']))).toEqual([0, 429]);
    expect(await calls(1, named(['b.test']))).toEqual([0]);
    expect(await calls(2, named([]))).toEqual([0, 429]);
  });

  it('of some callers in place of that, shared by them', async () => {
    const overrides = [
      { perSecond: 9, clients: [account('bob')] },
      { perSecond: 3, clients: [account('alice'), account('bob')] },
      { perSecond: 0, clients: [account('alice')] },
    ];
    const { calls, check } = await world(server(), limit({ identityPerSecond: 1, overrides }));
    expect(await calls(2, { peer: ALICE })).toEqual([0, 0]);
    expect(await calls(2, { peer: BOB })).toEqual([0, 429]);
    expect(await calls(2, { peer: CAROL })).toEqual([0, 429]);
    expect(await check({ peer: ALICE })).toBe('429 rate overrides rate rate limit exceeded');
  });

  it('are spent of the total first, also by who has none of his own left', async () => {
    const { calls } = await world(server(), limit({ totalPerSecond: 3, identityPerSecond: 1 }));
    expect(await calls(3, { peer: ALICE })).toEqual([0, 429, 429]);
    expect(await calls(1, { peer: BOB })).toEqual([429]);
  });

  it('are of the port of the Server, and of nobody who is denied', async () => {
    const { calls } = await world(server({ access: 'all-authenticated' }), limit({ totalPerSecond: 1 }));
    expect(await calls(2, { localPort: 1, peer: ALICE })).toEqual([0, 0]);
    expect(await calls(2)).toEqual([403, 403]);
    expect(await calls(2, { peer: ALICE })).toEqual([0, 429]);
  });

  it('without a number are none, and of several the oldest counts', async () => {
    const none = await world(server(), limit());
    expect(await none.calls(3)).toEqual([0, 0, 0]);
    const later = limit({ name: 'a', createdAtMs: 2, totalPerSecond: 1 });
    const several = [limit({ name: 'c', createdAtMs: 1, totalPerSecond: 3 }), limit({ name: 'b', createdAtMs: 1, totalPerSecond: 2 })];
    for (const limits of [several, several.toReversed()]) {
      const { calls } = await world(server(), later, ...limits);
      expect(await calls(3)).toEqual([0, 0, 429]);
    }
    const other = await world(server({ name: 'other', port: 1 }), server(), limit({ server: 'other', totalPerSecond: 1 }));
    expect(await other.calls(2)).toEqual([0, 0]);
  });

  it('come after tokens and functions, too', async () => {
    const clock = new VirtualClock();
    const policies = [server(), limit({ totalPerSecond: 1 })];
    const { check } = await loadAccess({ mtls: 'disable', admission: null, policies }, SELF, {
      clock,
      functions: [({ method }) => method === 'GET'],
    });
    const status = async (method: string) => (await check?.check(request({ localPort: PORT, method })))?.status;
    expect([await status('PUT'), await status('GET'), await status('GET'), await status('PUT')]).toEqual([403, 0, 429, 403]);
  });

  it('forget callers that have spent nothing', async () => {
    const { clock, calls } = await world(server(), limit({ identityPerSecond: 1 }));
    const caller = (i: number) => ({ peer: peer(`cluster.local/ns/default/sa/c${i}`) });
    for (let i = 0; i < 1_024; i++) await calls(1, caller(i));
    expect(await calls(1, caller(0))).toEqual([429]);
    await calls(1, caller(2_000));
    expect(await calls(1, caller(0))).toEqual([429]);
    clock.advance(1_000);
    await calls(1, caller(2_001));
    expect(await calls(2, caller(0))).toEqual([0, 429]);
  });

  it('let in no more than a burst of one second and the rate', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 60 }),
        async (perSecond, gapsMs) => {
          const { clock, calls } = await world(server(), limit({ totalPerSecond: perSecond }));
          const admittedAtMs: number[] = [];
          for (const gapMs of gapsMs) {
            clock.advance(gapMs);
            if ((await calls(1))[0] === 0) admittedAtMs.push(clock.now());
          }
          for (const fromMs of admittedAtMs) {
            const within = admittedAtMs.filter((atMs) => atMs >= fromMs && atMs < fromMs + 1_000).length;
            expect(within).toBeLessThan(2 * perSecond + 1);
          }
          const spanMs = gapsMs.slice(1).reduce((sum, gapMs) => sum + gapMs, 0);
          expect(admittedAtMs.length).toBeLessThanOrEqual(perSecond + Math.floor((spanMs * perSecond) / 1_000 + 1e-6));
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });
});
