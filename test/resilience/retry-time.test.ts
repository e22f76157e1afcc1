// What becomes of a call when its time is over between two attempts: ours keeps the last answer, a mesh times out. And the
// pauses of the Gateway API, which have a lower bound.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RETRY_DEFAULTS, type RetryPolicy, type RetrySemantics } from '../../src/model/destination.ts';
import { retryRules } from '../../src/resilience/retry-rules.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { testError } from '../support/fake-service.ts';
import { retryRig } from './retry-rig.ts';

const MESHES: readonly RetrySemantics[] = [
  { kind: 'gateway-api' },
  { kind: 'envoy', avoidTried: true, leavePriority: false, rateLimited: false },
  { kind: 'linkerd', pause: 'added', lastAttemptWithoutTimeout: false, grpcTrailers: false },
];
const slow = { baseMs: 1_000, maxMs: 10_000 };

describe('time that is over in a pause', () => {
  it.each(MESHES)('$kind: the call waits for it, and is a time-out', async (semantics) => {
    // Half of what a pause may be, so that Envoy's is one, too.
    const { clock, server, send, log } = retryRig({ semantics, backoff: slow }, { random: () => 0.5 });
    const { answer, ends } = send({ deadlineMs: clock.now() + 400 });
    (await server.next()).reply(503);
    await clock.run(399);
    expect([ends, log]).toEqual([[], ['retry 503']]);
    await clock.run(1);
    await expect(answer).rejects.toMatchObject({ code: 'deadline_exceeded', sent: 'head' });
    expect([ends, server.seen.length, clock.armed]).toEqual([['failure deadline_exceeded'], 1, 0]);
  });

  it.each(MESHES)('$kind: an attempt that is out of time is a time-out, whatever was answered before', async (semantics) => {
    const { clock, server, send } = retryRig({ semantics, backoff: { baseMs: 10, maxMs: 100 } });
    const { answer, ends } = send({ deadlineMs: clock.now() + 400 });
    (await server.next()).reply(503);
    await clock.run(20);
    (await server.next()).fail(testError('deadline_exceeded', { sent: 'head' }));
    await expect(answer).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(ends).toEqual(['failure deadline_exceeded']);
  });

  it('ours: the answer at hand, at once', async () => {
    const { clock, server, send, log } = retryRig({ backoff: slow });
    const { answer } = send({ deadlineMs: clock.now() + 400 });
    (await server.next()).reply(503);
    expect((await answer).status).toBe(503);
    expect(log).toEqual(['denied deadline']);
  });

  it('the abort of the caller ends the pause before that', async () => {
    const { clock, server, send } = retryRig({ semantics: { kind: 'gateway-api' }, backoff: slow });
    const { call, answer, ends } = send({ deadlineMs: clock.now() + 400 });
    (await server.next()).reply(503);
    await clock.run(100);
    call.cancel('gone');
    await expect(answer).rejects.toMatchObject({ code: 'canceled' });
    expect([ends, clock.armed]).toEqual([['ignored canceled'], 0]);
  });
});

describe('retries in the way of the Gateway API', () => {
  const policy: RetryPolicy = {
    ...RETRY_DEFAULTS,
    retryOn: [500, 'connect-failure', 'per-try-timeout'],
    semantics: { kind: 'gateway-api' },
  };
  const rules = retryRules(policy);

  it.each([
    [500, 500],
    [503, null],
    [200, null],
  ])('an answer of %i: %s', (status, expected) => {
    expect(rules.ofReply(status, {})).toBe(expected);
  });

  it('errors by their conditions, methods without regard, and nothing beside the attempts', () => {
    expect(rules.ofError(testError('connect_failed'))).toBe('connect-failure');
    expect(rules.ofError(testError('attempt_timeout', { sent: 'head' }))).toBe('per-try-timeout');
    expect(rules.ofError(testError('circuit_open'))).toBeNull();
    expect(rules).toMatchObject({ anyMethod: true, isTransparent: false, honorsRetryAfter: false, lastWithoutTimeout: false });
  });

  it('a pause is never less than the backoff, and never more than ten times', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer(),
      (baseMs, retry, seed) => {
        const { pauseMs } = retryRules({ ...policy, backoff: { baseMs, maxMs: 10 * baseMs } });
        const ms = pauseMs(retry, seededRandom(seed));
        expect(ms).toBeGreaterThanOrEqual(baseMs);
        expect(ms).toBeLessThanOrEqual(10 * baseMs);
      },
    );
    fc.assert(property, { seed: 1, numRuns: 1_000 });
  });
});
