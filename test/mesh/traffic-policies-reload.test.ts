// A file that changes keeps what was learnt and spent: each policy through a reload of the assembled mesh, with a change
// that has nothing to do with it, and with one that has.
import { describe, expect, it } from 'vitest';
import { settle } from '../support/virtual-clock.ts';
import { A, B, C, trafficWorld, type TrafficWorld } from './traffic-rig.ts';

/** `timeout` is what changes between two versions of a file. */
const file =
  (rest: string, endpoints: string = `'${A}'`) =>
  (timeout: string): string =>
    `
services:
  reviews:
    endpoints: [${endpoints}]
    timeout: ${timeout}
${rest}`;

const rule = (fields: string, more = ''): ((timeout: string) => string) => file(`${more}    routes: [{ name: all, ${fields} }]\n`);

const tokensOf = (world: TrafficWorld): number | null | undefined => world.mesh.snapshot().services.reviews?.retryBudget.tokens;

describe('a reload keeps', () => {
  it.each([
    ['of the service', file('    rateLimit: { requests: 2, per: 1m }\n')],
    ['of a route', rule('rateLimit: { requests: 2, per: 1m }')],
    ['of a route that is called as mesh.call is', file('    routes: [{ name: call, rateLimit: { requests: 2, per: 1m } }]\n')],
  ])('the tokens of a rate limit %s', async (_, yaml) => {
    const world = await trafficWorld(yaml('5s'));
    await world.get();
    await world.get();
    await world.reload(yaml('6s'));
    expect((await world.get()).code).toBe('rate_limited');
    await world.clock.run(60_000);
    expect((await world.get()).status).toBe(200);
  });

  it.each([
    ['all', ''],
    ['call', ', the name that mesh.call goes by'],
  ])('the answers of a cache, in a route named %s%s', async (name) => {
    const yaml = file(`    routes: [{ name: ${name}, cache: true }]\n`);
    const world = await trafficWorld(yaml('5s'));
    world.play[A] = () => ({ headers: { 'cache-control': 'max-age=60' }, body: 'kept' });
    await world.get();
    await world.reload(yaml('6s'));
    expect((await world.get()).headers.get('x-inmesh-cache')).toBe('hit');
    await world.reload(yaml('6s').replace('cache: true', 'cache: { entries: 5, jitter: 0 }'));
    expect((await world.get()).headers.get('x-inmesh-cache')).toBe('hit');
    await world.reload(yaml('6s').replace('cache: true', 'to: reviews'));
    expect((await world.get()).headers.get('x-inmesh-cache')).toBe(null);
  });

  it('what a hedge has learnt: its purse, its delay', async () => {
    const yaml = rule('idempotent: { extraLoad: 0.5, initialDelay: 100ms }');
    const world = await trafficWorld(yaml('5s'));
    for (let i = 0; i < 10; i++) await world.get();
    world.play[A] = ({ attempt }) => ({ afterMs: attempt === 1 ? 1_000 : 1 });
    await world.reload(yaml('6s'));
    const got = await world.get();
    expect(got.tookMs).toBeLessThan(100);
    expect(got.tookMs).toBeGreaterThan(80);
    expect(world.actions()).toMatchObject({ 'hedge.won': 1 });
  });

  it('calls that wait for one another: new ones join those under way', async () => {
    const yaml = rule('coalesce: true');
    const world = await trafficWorld(yaml('5s'));
    world.play[A] = () => ({ afterMs: 100, body: 'shared' });
    const before = world.start();
    await settle();
    await world.reload(yaml('6s'));
    const after = world.start();
    await world.clock.run(100);
    expect([(await before).text, (await after).text, world.attempts.length]).toEqual(['shared', 'shared', 1]);
  });

  it('faults under way, and puts new percentages in force at once', async () => {
    const yaml = (timeout: string, percentage: number): string =>
      rule(`fault: { position: call, delay: { fixedDelay: 1s, percentage: ${percentage} }, maxActive: 1 }`)(timeout);
    const world = await trafficWorld(yaml('5s', 100));
    const slow = world.start();
    await settle();
    await world.reload(yaml('6s', 100));
    // One is under way, and no more than one may be.
    expect((await world.start()).tookMs).toBe(0);
    await world.reload(yaml('6s', 0));
    await world.clock.run(1_000);
    expect((await slow).tookMs).toBe(1_000);
    expect((await world.start()).tookMs).toBe(0);
  });

  it('copies under way', async () => {
    const yaml = file(
      '    subsets: { v1: { v: a }, v2: { v: b } }\n    routes: [{ to: v1, mirror: v2 }]\n',
      `{ address: '${A}', labels: { v: a } }, { address: '${B}', labels: { v: b } }`,
    );
    const world = await trafficWorld(yaml('5s'));
    world.play[B] = () => 'hang';
    for (let i = 0; i < 100; i++) await world.start();
    await world.reload(yaml('6s'));
    // A hundred hang, so the next is not copied.
    await world.start();
    expect(world.actions()).toEqual({ 'mirror.sent': 100, 'mirror.dropped': 1 });
    await world.clock.run(6_000);
    await world.start();
    expect(world.actions()).toEqual({ 'mirror.sent': 101, 'mirror.dropped': 1 });
  });

  it('what a throttle has counted, unless its window changes', async () => {
    const yaml = file('    retries: false\n    circuitBreaker: false\n    outlierDetection: false\n    throttle: { minRps: 1 }\n');
    const world = await trafficWorld(yaml('5s'));
    world.play[A] = () => 503;
    for (let i = 0; i < 50; i++) await world.get();
    const refused = async (): Promise<number> => {
      let count = 0;
      for (let i = 0; i < 20; i++) if ((await world.get()).code === 'throttled') count++;
      return count;
    };
    await world.reload(yaml('6s'));
    expect(await refused()).toBeGreaterThan(10);
    await world.reload(yaml('6s').replace('minRps: 1', 'minRps: 1, window: 20s'));
    expect((await world.get()).status).toBe(503);
    await world.reload(yaml('6s').replace('{ minRps: 1 }', 'false'));
    expect(await refused()).toBe(0);
  });

  it.each([
    ['{ tokens: 10, perSecond: 0 }', '{ tokens: 8, perSecond: 0 }'],
    ['{ mode: grpc, maxTokens: 10 }', '{ mode: grpc, maxTokens: 12 }'],
    ['{ mode: linkerd, minRetriesPerSecond: 1 }', '{ mode: linkerd, minRetriesPerSecond: 1, retryRatio: 0.3 }'],
  ])('what is spent of a budget %s, and starts anew with another rule', async (budget, changed) => {
    const yaml = file(`    circuitBreaker: false\n    retryBudget: ${budget}\n`, `'${A}', '${B}', '${C}'`);
    const world = await trafficWorld(yaml('5s'));
    const full = tokensOf(world) ?? 0;
    for (const address of [A, B, C]) world.play[address] = () => 503;
    for (let i = 0; i < 10; i++) await world.get();
    const spent = tokensOf(world) ?? 0;
    expect(spent).toBeLessThan(full);
    await world.reload(yaml('6s'));
    expect(tokensOf(world)).toBe(spent);
    await world.reload(yaml('6s').replace(budget, changed));
    expect(tokensOf(world)).toBeLessThan(full);
    await world.reload(yaml('6s').replace(budget, 'false'));
    expect(tokensOf(world)).toBeNull();
  });

  it("who is ejected by Envoy's rule, until when", async () => {
    const yaml = file(
      `    retries: false
    loadBalancer: roundRobin
    outlierDetection: { mode: envoy, consecutive5xxErrors: 2, baseEjectionTime: 30s, maxEjectionPercent: 50 }
`,
      `'${A}', '${B}'`,
    );
    const world = await trafficWorld(yaml('5s'));
    world.play[A] = () => 500;
    for (let i = 0; i < 6; i++) await world.get();
    const standing = (): string | undefined => world.mesh.snapshot().services.reviews?.endpoints[0]?.standing;
    await world.reload(yaml('6s'));
    expect(standing()).toBe('ejected');
    await world.clock.run(41_000);
    world.play[A] = () => 200;
    await world.get();
    expect(standing()).toBe('in');
  });

  it('what adaptive limits have learnt, within new bounds', async () => {
    const yaml = file(
      '    retries: false\n    circuitBreaker: false\n    outlierDetection: false\n    limits: { adaptive: { initial: 10 } }\n',
    );
    const world = await trafficWorld(yaml('5s'));
    world.play[A] = () => 503;
    for (let i = 0; i < 5; i++) {
      await world.get();
      await world.clock.run(10);
    }
    const limit = (): number | null | undefined => world.mesh.snapshot().services.reviews?.endpoints[0]?.limit;
    const learnt = limit();
    expect(learnt).toBeLessThan(8);
    await world.reload(yaml('6s'));
    await world.get();
    expect(limit()).toBeLessThanOrEqual(learnt ?? 0);
    await world.reload(yaml('6s').replace('initial: 10', 'initial: 3, max: 3'));
    await world.get();
    expect(limit()).toBeLessThanOrEqual(3);
  });

  it('where a key leads', async () => {
    const yaml = file('    loadBalancer: { kind: maglev, hash: { header: x-user } }\n', `'${A}', '${B}', '${C}'`);
    const world = await trafficWorld(yaml('5s'));
    const homes = async (): Promise<string[]> => {
      const from = world.attempts.length;
      for (let i = 0; i < 30; i++) await world.get('/', { headers: { 'x-user': `u${i}` } });
      return world.log().slice(from);
    };
    const before = await homes();
    await world.reload(yaml('6s'));
    expect(await homes()).toEqual(before);
    await world.reload(yaml('6s').replace('header: x-user }', 'header: x-user }, tableSize: 251'));
    expect(await homes()).not.toEqual(before);
    await world.reload(yaml('6s'));
    expect(await homes()).toEqual(before);
  });

  it('that retries are stopped by hand', async () => {
    const yaml = file('', `'${A}', '${B}'`);
    const world = await trafficWorld(yaml('5s'));
    for (const address of [A, B]) world.play[address] = () => 503;
    const resume = world.mesh.pauseRetries('reviews');
    await world.reload(yaml('6s'));
    await world.get();
    expect(world.attempts).toHaveLength(1);
    resume();
    await world.get();
    expect(world.attempts.length).toBeGreaterThan(2);
  });
});

describe('a reload forgets', () => {
  it('the tokens and answers of a route that has gone, or has another name', async () => {
    const yaml = rule('rateLimit: { requests: 1, per: 1m }');
    const world = await trafficWorld(yaml('5s'));
    await world.get();
    expect((await world.get()).code).toBe('rate_limited');
    await world.reload(yaml('5s').replace('name: all', 'name: other'));
    expect((await world.get()).status).toBe(200);
    await world.reload(yaml('5s'));
    expect((await world.get()).status).toBe(200);
  });

  it('nothing when the new file is refused', async () => {
    const yaml = rule('rateLimit: { requests: 1, per: 1m }, cache: true');
    const world = await trafficWorld(yaml('5s'));
    await world.get();
    await expect(world.reload(yaml('5s').replace('requests: 1', 'requests: many'))).rejects.toThrow(/config_invalid/);
    expect((await world.get()).code).toBe('rate_limited');
    expect(world.events.map(({ type }) => type)).toEqual(['configRejected']);
  });
});
