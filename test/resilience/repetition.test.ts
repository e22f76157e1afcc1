import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import { testError } from '../support/fake-service.ts';
import { retryRig } from './retry-rig.ts';

const ENDPOINT = { address: 'a' } as unknown as Endpoint;

describe('what a repeated call pays into the budget', () => {
  // The budget of the rig holds 20, and a success pays a fifth.
  it.each([
    ['a second answer that is good', 200, 19.2],
    ['a second answer that blames the caller', 404, 19.2],
    ['a second answer that is a failure, though not one to repeat', 500, 19],
    ['a second answer that is another failure', 501, 19],
  ])('%s', async (_name, status, expected) => {
    const one = retryRig({ retryOn: [503] });
    const { answer } = one.send();
    (await one.server.next()).reply(503);
    await one.clock.run(300);
    (await one.server.next()).reply(status);
    await answer;
    expect(one.budget.balance(one.clock.now())).toBeCloseTo(expected, 9);
  });

  it('an error pays nothing', async () => {
    const one = retryRig({ retryOn: [503] });
    const { answer } = one.send();
    (await one.server.next()).reply(503);
    await one.clock.run(300);
    (await one.server.next()).fail(testError('protocol_error'));
    await answer;
    expect(one.budget.balance(one.clock.now())).toBe(19);
  });
});

describe('how long a repeated call waits', () => {
  it('an error that says how long is obeyed, and whoever sent it is told on', async () => {
    const asked: unknown[] = [];
    const one = retryRig({}, { onRetryAfter: (endpoint, forMs) => asked.push([endpoint.address, forMs]) });
    one.send();
    const seen = await one.server.next();
    seen.call.endpoint = ENDPOINT;
    seen.fail(testError('connect_failed', { retryAfterMs: 700 }));
    await one.clock.run(699);
    expect(one.server.waiting).toBe(0);
    await one.clock.run(1);
    expect(one.server.waiting).toBe(1);
    expect(asked).toEqual([['a', 700]]);
  });

  it('nobody is told on who asked for nothing, and nobody when it is not known who', async () => {
    const asked: unknown[] = [];
    const one = retryRig({ attempts: 2 }, { onRetryAfter: (endpoint) => asked.push(endpoint) });
    one.send();
    const first = await one.server.next();
    first.call.endpoint = ENDPOINT;
    first.reply(503);
    await one.clock.run(300);
    (await one.server.next()).reply(503, { 'retry-after': '1' });
    await one.clock.run(1_000);
    expect(one.server.seen).toHaveLength(3);
    expect(asked).toEqual([]);
  });

  it('of several Retry-After the first counts', async () => {
    const one = retryRig();
    one.send();
    (await one.server.next()).reply(503, { 'retry-after': ['1', '2'] });
    await one.clock.run(999);
    expect(one.server.waiting).toBe(0);
    await one.clock.run(1);
    expect(one.server.waiting).toBe(1);
  });

  it('the pause, and nothing but the pause, keeps the process', async () => {
    const one = retryRig();
    const holding: boolean[] = [];
    const arm = one.clock.arm.bind(one.clock);
    one.clock.arm = (timer, dueMs) => {
      holding.push(timer.holdsProcess);
      arm(timer, dueMs);
    };
    one.send();
    (await one.server.next()).reply(503, { 'retry-after': '1' });
    await one.clock.run(1);
    expect(holding).toEqual([false, false, true]);
  });
});

describe('where a repeated call goes', () => {
  it('an attempt without an endpoint is not noted', async () => {
    const one = retryRig();
    const { call } = one.send();
    (await one.server.next()).fail(testError('connect_failed'));
    await one.clock.run(300);
    await one.server.next();
    expect(call.tried).toBeNull();
  });
});

describe('the last attempt, by the semantics of Linkerd', () => {
  const linkerd = (lastAttemptWithoutTimeout: boolean): Parameters<typeof retryRig>[0] => ({
    attempts: 1,
    perTryTimeoutMs: 100,
    semantics: { kind: 'linkerd', pause: 'none', grpcTrailers: false, lastAttemptWithoutTimeout },
  });

  it.each([
    [true, [1_100, 31_000]],
    [false, [1_100, 1_110]],
  ])('without a time of its own: %s', async (isWithout, expected) => {
    const one = retryRig(linkerd(isWithout));
    one.send();
    const first = await one.server.next();
    await one.clock.run(10);
    first.reply(503);
    await one.clock.run(0);
    const second = await one.server.next();
    expect([first.call.attemptDeadlineMs, second.call.attemptDeadlineMs]).toEqual(expected);
  });
});
