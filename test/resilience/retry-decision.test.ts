// The decision table: one row per situation, the answer in short form: `retry`, `free` (does not count), `no` (nothing
// that the policy repeats), or the reason of the denial.
import { describe, expect, it } from 'vitest';
import type { Body } from '../../src/core/call.ts';
import { RETRY_DEFAULTS, type RetryPolicy } from '../../src/model/destination.ts';
import { Budget } from '../../src/resilience/budget.ts';
import { decideRetry, FREE_RETRIES_MAX, type RetryQuestion } from '../../src/resilience/retry-decision.ts';
import { type TestCallInit, testCall, testError } from '../support/fake-service.ts';

const NOW = 1_000;
const NONE = testError('connect_failed');
const UNSENT = testError('not_processed');
const LOST = testError('connection_lost', { sent: 'head' });
const REUSED = testError('connection_lost', { sent: 'head', retryable: true });
const SLOW = testError('attempt_timeout', { sent: 'head' });
const QUEUED = testError('attempt_timeout', { sent: 'none' });

function body(replayable: boolean): Body {
  return { length: 3, replayable, failure: undefined, open: () => null, release() {} };
}

interface Row {
  readonly call?: TestCallInit;
  readonly status?: number;
  readonly error?: RetryQuestion['error'];
  readonly after?: number;
  readonly made?: number;
  readonly free?: number;
  readonly policy?: Partial<RetryPolicy>;
  readonly tokens?: number;
  readonly mayRetry?: boolean;
  readonly isPaused?: boolean;
  readonly fastestMs?: number;
  readonly upgrade?: string;
}

function decide(row: Row): { answer: string; delayMs: number; condition: unknown; spent: number } {
  const tokensMax = row.tokens ?? 20;
  const budget = new Budget({ kind: 'successes', tokensMax, tokensPerSecond: 0, tokensPerSuccess: 0 }, NOW);
  const call = testCall({ deadlineMs: 31_000, ...row.call });
  if (row.upgrade !== undefined) call.upgrade = row.upgrade;
  const decision = decideRetry(
    {
      call,
      status: row.status ?? 0,
      error: row.error ?? null,
      retryAfterMs: row.after ?? 0,
      retries: row.made ?? 0,
      freeRetries: row.free ?? 0,
      nowMs: NOW,
    },
    { ...RETRY_DEFAULTS, ...row.policy },
    {
      random: () => 0,
      budget,
      fastestMs: () => row.fastestMs ?? 0,
      ...(row.isPaused === undefined ? {} : { gate: { isPaused: row.isPaused } }),
      ...(row.mayRetry === undefined ? {} : { mayRetry: () => row.mayRetry as boolean }),
    },
  );
  const spent = tokensMax - budget.balance(NOW);
  if (!decision.retry) return { answer: decision.denied ?? 'no', delayMs: -1, condition: null, spent };
  return { answer: decision.isFree ? 'free' : 'retry', delayMs: decision.delayMs, condition: decision.condition, spent };
}

const post = { method: 'POST' };

describe('decideRetry', () => {
  it.each<[string, Row, string]>([
    ['GET, 200', { status: 200 }, 'no'],
    ['GET, 404', { status: 404 }, 'no'],
    ['GET, 408', { status: 408 }, 'retry'],
    ['GET, 429', { status: 429 }, 'retry'],
    ['GET, 500', { status: 500 }, 'no'],
    ['GET, 500 under 5xx', { status: 500, policy: { retryOn: ['5xx'] } }, 'retry'],
    ['GET, 502', { status: 502 }, 'retry'],
    ['GET, 503', { status: 503 }, 'retry'],
    ['GET, 504', { status: 504 }, 'retry'],
    ['HEAD, 503', { status: 503, call: { method: 'HEAD' } }, 'retry'],
    ['PUT, 503', { status: 503, call: { method: 'PUT' } }, 'retry'],
    ['DELETE, 503', { status: 503, call: { method: 'DELETE' } }, 'retry'],
    ['POST, 503', { status: 503, call: post }, 'method'],
    ['POST, 429', { status: 429, call: post }, 'method'],
    ['PATCH, 503', { status: 503, call: { method: 'PATCH' } }, 'method'],
    ['POST with a key, 503', { status: 503, call: { method: 'POST', headers: ['idempotency-key', 'a'] } }, 'retry'],
    ['POST by option, 503', { status: 503, call: { method: 'POST', idempotent: true } }, 'retry'],
    ['POST in methods, 503', { status: 503, call: post, policy: { methods: ['POST'] } }, 'retry'],
    ['GET not in methods, 503', { status: 503, policy: { methods: ['POST'] } }, 'method'],
    ['GET, no connection', { error: NONE }, 'free'],
    ['POST, no connection', { error: NONE, call: post }, 'free'],
    ['POST, refused stream', { error: UNSENT, call: post }, 'free'],
    ['GET, lost on a fresh connection', { error: LOST }, 'no'],
    ['GET, lost under reset', { error: LOST, policy: { retryOn: ['reset'] } }, 'retry'],
    ['GET, lost on a reused connection', { error: REUSED }, 'retry'],
    ['POST, lost on a reused connection', { error: REUSED, call: post }, 'method'],
    ['GET, attempt timeout', { error: SLOW }, 'retry'],
    ['POST, attempt timeout', { error: SLOW, call: post }, 'method'],
    ['GET, timed out before a socket took it', { error: QUEUED }, 'free'],
    ['POST, timed out before a socket took it', { error: QUEUED, call: post }, 'free'],
    ['POST, timed out so again and again', { error: QUEUED, call: post, free: FREE_RETRIES_MAX }, 'retry'],
    ['POST, timed out before a socket took it, not asked for', { error: QUEUED, call: post, policy: { retryOn: [503] } }, 'no'],
    ['GET, deadline', { error: testError('deadline_exceeded') }, 'no'],
    ['GET, canceled', { error: testError('canceled') }, 'no'],
    ['GET, circuit open', { error: testError('circuit_open') }, 'no'],
    ['GET, overloaded', { error: testError('overloaded') }, 'no'],
    ['GET, no endpoint', { error: testError('no_endpoint') }, 'no'],
    ['GET, untrusted peer', { error: testError('peer_untrusted') }, 'no'],
    ['GET, protocol error', { error: testError('protocol_error') }, 'no'],
    ['an upgrade has one attempt', { status: 503, upgrade: 'websocket' }, 'no'],
    ['retries off', { status: 503, policy: { attempts: 0 } }, 'no'],
    ['retries off, no connection', { error: NONE, policy: { attempts: 0 } }, 'no'],
    ['the condition is not asked for', { status: 503, policy: { retryOn: ['connect-failure'] } }, 'no'],
    ['no connection is not asked for', { error: NONE, policy: { retryOn: [503] } }, 'no'],
    ['last retry', { status: 503, made: 1 }, 'retry'],
    ['no retry left', { status: 503, made: 2 }, 'attempts'],
    ['no retry left, but nothing was processed', { error: NONE, made: 2 }, 'free'],
    ['third free one', { error: NONE, free: FREE_RETRIES_MAX - 1 }, 'free'],
    ['free ones used up, an ordinary one left', { error: NONE, free: FREE_RETRIES_MAX }, 'retry'],
    ['free ones used up, any method still', { error: NONE, free: FREE_RETRIES_MAX, call: post }, 'retry'],
    ['all used up', { error: NONE, free: FREE_RETRIES_MAX, made: 2 }, 'attempts'],
    ['body that can be sent again', { status: 503, call: { method: 'PUT', body: body(true) } }, 'retry'],
    ['body that cannot', { status: 503, call: { method: 'PUT', body: body(false) } }, 'body'],
    ['body that cannot, nothing processed', { error: NONE, call: { method: 'PUT', body: body(false) } }, 'body'],
    ['paused', { status: 503, isPaused: true }, 'paused'],
    ['paused, free one', { error: NONE, isPaused: true }, 'paused'],
    ['paused, but never to be repeated', { status: 503, call: post, isPaused: true }, 'method'],
    ['paused, and nothing to repeat', { status: 200, isPaused: true }, 'no'],
    ['not paused', { status: 503, isPaused: false }, 'retry'],
    ['paused before limit', { status: 503, isPaused: true, mayRetry: false }, 'paused'],
    ['maxRetries free', { status: 503, mayRetry: true }, 'retry'],
    ['maxRetries reached', { status: 503, mayRetry: false }, 'limit'],
    ['maxRetries reached, free one', { error: NONE, mayRetry: false }, 'limit'],
    ['one token', { status: 503, tokens: 1 }, 'retry'],
    ['no token', { status: 503, tokens: 0.9 }, 'budget'],
    ['no token, free one', { error: NONE, tokens: 0 }, 'free'],
    ['no token, free ones used up', { error: NONE, tokens: 0, free: FREE_RETRIES_MAX }, 'budget'],
    ['Retry-After at the maximum', { status: 503, after: 5_000 }, 'retry'],
    ['Retry-After beyond the maximum', { status: 503, after: 5_001 }, 'retry-after'],
    ['Retry-After beyond the deadline', { status: 503, after: 4_000, call: { deadlineMs: 5_000 } }, 'deadline'],
    ['the pause ends just before the deadline', { status: 503, call: { deadlineMs: 1_025.5 } }, 'retry'],
    ['the pause ends at the deadline', { status: 503, call: { deadlineMs: 1_025 } }, 'deadline'],
    ['no time for the fastest attempt', { status: 503, fastestMs: 80, call: { deadlineMs: 1_100 } }, 'deadline'],
    ['just time for the fastest attempt', { status: 503, fastestMs: 74, call: { deadlineMs: 1_100 } }, 'retry'],
    ['no deadline', { status: 503, fastestMs: 1e9, call: { deadlineMs: Number.POSITIVE_INFINITY } }, 'retry'],
    ['a free one in the last millisecond', { error: NONE, call: { deadlineMs: 1_000.5 } }, 'free'],
    ['attempts before method', { status: 503, made: 2, call: post }, 'attempts'],
    ['method before body', { status: 503, call: { method: 'POST', body: body(false) } }, 'method'],
    ['deadline before budget', { status: 503, tokens: 0, call: { deadlineMs: 1_001 } }, 'deadline'],
  ])('%s', (_name, row, expected) => {
    const { answer, spent } = decide(row);
    expect(answer).toBe(expected);
    expect(spent).toBe(expected === 'retry' ? 1 : 0);
  });

  it.each<[string, Row, number]>([
    ['the first, with the least chance', { status: 503 }, 25],
    ['the first after nothing was processed: at once', { error: NONE }, 0],
    ['the second after nothing was processed', { error: NONE, free: 1 }, 25],
    ['a longer Retry-After', { status: 503, after: 700 }, 700],
    ['a shorter Retry-After', { status: 503, after: 7 }, 25],
    ['a Retry-After beside nothing processed', { error: NONE, after: 300 }, 300],
  ])('waits: %s', (_name, row, expected) => {
    expect(decide(row).delayMs).toBe(expected);
  });

  it.each<[string, Row, unknown]>([
    ['a status', { status: 503 }, 503],
    ['a family', { status: 503, policy: { retryOn: ['gateway-error'] } }, 'gateway-error'],
    ['a failure', { error: NONE }, 'connect-failure'],
  ])('names the ground: %s', (_name, row, expected) => {
    expect(decide(row).condition).toBe(expected);
  });
});
