// How other meshes decide on retries, where that differs from us: one table each for answers, errors and pauses.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReplyHeaders } from '../../src/core/call.ts';
import { type EnvoyRetrySemantics, type LinkerdRetrySemantics, RETRY_DEFAULTS, type RetryPolicy } from '../../src/model/destination.ts';
import { Budget } from '../../src/resilience/budget.ts';
import { decideRetry } from '../../src/resilience/retry-decision.ts';
import { retryRules } from '../../src/resilience/retry-rules.ts';
import { testCall, testError } from '../support/fake-service.ts';

const ENVOY: EnvoyRetrySemantics = { kind: 'envoy', avoidTried: true, leavePriority: false, rateLimited: false };
const LINKERD: LinkerdRetrySemantics = { kind: 'linkerd', pause: 'added', lastAttemptWithoutTimeout: true, grpcTrailers: false };
/** Istio's, when a VirtualService says nothing. */
const ISTIO: RetryPolicy = {
  ...RETRY_DEFAULTS,
  retryOn: ['connect-failure', 'refused-stream'],
  grpcStatuses: [14, 1],
  semantics: ENVOY,
};
const with5xx: RetryPolicy = { ...ISTIO, retryOn: ['5xx'] };

describe('answers in the way of Envoy', () => {
  it.each<[RetryPolicy, number, ReplyHeaders, unknown]>([
    [ISTIO, 503, {}, null],
    [with5xx, 503, {}, '5xx'],
    [with5xx, 503, { 'x-envoy-overloaded': 'true' }, null],
    [with5xx, 503, { 'x-envoy-ratelimited': 'true' }, null],
    [{ ...with5xx, semantics: { ...ENVOY, rateLimited: true } }, 429, { 'x-envoy-ratelimited': 'true' }, 429],
    [ISTIO, 200, { 'grpc-status': '14' }, 14],
    [ISTIO, 200, { 'grpc-status': '13' }, null],
    [ISTIO, 200, {}, null],
  ])('%#: %o', (policy, status, headers, expected) => {
    expect(retryRules(policy).ofReply(status, headers)).toBe(expected);
  });
});

describe('errors in the way of Envoy', () => {
  it.each<[RetryPolicy['retryOn'], Parameters<typeof testError>[0], unknown]>([
    [['connect-failure'], 'connect_failed', 'connect-failure'],
    [['reset'], 'connect_failed', 'reset'],
    [['5xx'], 'connect_failed', '5xx'],
    [['refused-stream'], 'connect_failed', null],
    [['refused-stream'], 'not_processed', 'refused-stream'],
    [['connect-failure', 'refused-stream'], 'attempt_timeout', null],
    [['per-try-timeout'], 'attempt_timeout', null],
    [['gateway-error'], 'attempt_timeout', 'gateway-error'],
    [['5xx'], 'circuit_open', null],
    [['5xx'], 'no_endpoint', null],
  ])('%j, %s: %s', (retryOn, code, expected) => {
    expect(retryRules({ ...ISTIO, retryOn }).ofError(testError(code, { sent: 'head' }))).toBe(expected);
  });
});

describe('answers in the way of Linkerd', () => {
  const policy: RetryPolicy = { ...RETRY_DEFAULTS, retryOn: [304, 503], grpcStatuses: [8], semantics: LINKERD };
  it.each<[number, ReplyHeaders, unknown]>([
    [304, {}, 304],
    [503, { 'x-envoy-overloaded': 'true' }, 503],
    [502, {}, null],
    [200, { 'grpc-status': '8' }, 8],
  ])('%i %o: %s', (status, headers, expected) => {
    expect(retryRules(policy).ofReply(status, headers)).toBe(expected);
  });
});

describe('pauses', () => {
  const backoff = { baseMs: 25, maxMs: 250 };
  it('of Envoy lie in [0, min(250, (2ⁿ - 1) · 25))', () => {
    const rules = retryRules({ ...ISTIO, backoff });
    const bounds = [25, 75, 175, 250, 250];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (retry, drawn) => {
        const pauseMs = rules.pauseMs(retry, () => drawn);
        expect(pauseMs).toBeCloseTo(drawn * (bounds[retry - 1] as number), 6);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it.each([
    [1, 0, 25],
    [1, 1, 50],
    [2, 0, 50],
    [3, 0.5, 150],
    [4, 0, 200],
    [4, 1, 250],
    [9, 0, 250],
  ])('of Linkerd before retry %i, drawn %d: %d ms', (retry, drawn, expected) => {
    expect(retryRules({ ...RETRY_DEFAULTS, backoff, semantics: LINKERD }).pauseMs(retry, () => drawn)).toBe(expected);
  });

  it('of a ServiceProfile are none', () => {
    const policy = { ...RETRY_DEFAULTS, semantics: { ...LINKERD, pause: 'none' as const } };
    expect(retryRules(policy).pauseMs(3, () => 1)).toBe(0);
  });
});

describe('decisions', () => {
  const budget = new Budget({ kind: 'successes', tokensMax: 1_000, tokensPerSuccess: 0, tokensPerSecond: 0 }, 0);
  const decide = (policy: RetryPolicy, question: { status?: number; retryAfterMs?: number; unprocessed?: boolean }) =>
    decideRetry(
      {
        call: testCall({ method: 'POST', deadlineMs: 60_000 }),
        status: question.status ?? 0,
        headers: {},
        error: question.unprocessed === true ? testError('connect_failed', { sent: 'none' }) : null,
        retryAfterMs: question.retryAfterMs ?? 0,
        retries: 0,
        freeRetries: 0,
        nowMs: 1_000,
      },
      policy,
      { random: () => 0.5, budget, fastestMs: () => 0 },
    );

  it('of Envoy repeat a POST, pay for what never arrived, and do not look at Retry-After', () => {
    expect(decide(with5xx, { status: 503, retryAfterMs: 9_000 })).toMatchObject({ retry: true, isFree: false, delayMs: 12.5 });
    expect(decide(ISTIO, { unprocessed: true })).toMatchObject({ retry: true, isFree: false });
  });

  it('of ours do none of the three', () => {
    expect(decide({ ...RETRY_DEFAULTS, retryOn: ['5xx'] }, { status: 503 })).toEqual({ retry: false, denied: 'method' });
    expect(decide(RETRY_DEFAULTS, { unprocessed: true })).toMatchObject({ retry: true, isFree: true });
  });
});
