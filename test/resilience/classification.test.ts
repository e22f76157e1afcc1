// Every row of the classification that breaker, balancer and retry rely on: what an ending means, and on which ground
// it may be repeated.
import { describe, expect, it } from 'vitest';
import {
  conditionOfError,
  conditionOfStatus,
  isGatewayOrLocal,
  isIdempotent,
  isUnprocessed,
  kindOfError,
  kindOfStatus,
  retryAfterMs,
} from '../../src/core/classify.ts';
import { ERROR_CODES, type MeshErrorCode } from '../../src/core/errors.ts';
import { RETRY_DEFAULTS, type RetryCondition } from '../../src/model/destination.ts';
import { testCall, testError } from '../support/fake-service.ts';

const DEFAULT_ON = RETRY_DEFAULTS.retryOn;

describe('what a status means', () => {
  it.each([
    [200, 'success'],
    [204, 'success'],
    [304, 'success'],
    [400, 'success'],
    [404, 'success'],
    [408, 'success'],
    [429, 'success'],
    [499, 'success'],
    [500, 'failure'],
    [501, 'failure'],
    [502, 'failure'],
    [503, 'failure'],
    [504, 'failure'],
  ])('%i counts as %s', (status, kind) => {
    expect(kindOfStatus(status)).toBe(kind);
  });
});

describe('what an error means', () => {
  const kinds: Record<MeshErrorCode, 'failure' | 'ignored'> = {
    unknown_host: 'ignored',
    no_endpoint: 'ignored',
    circuit_open: 'ignored',
    overloaded: 'ignored',
    rate_limited: 'ignored',
    throttled: 'ignored',
    closed: 'ignored',
    connect_failed: 'failure',
    not_processed: 'failure',
    connection_lost: 'failure',
    peer_untrusted: 'ignored',
    certificate_refused: 'ignored',
    identity_missing: 'ignored',
    protocol_error: 'failure',
    call_failed: 'failure',
    attempt_timeout: 'failure',
    deadline_exceeded: 'failure',
    canceled: 'ignored',
    config_invalid: 'failure',
  };
  it.each(Object.entries(kinds) as [MeshErrorCode, string][])('%s counts as %s', (code, kind) => {
    expect(kindOfError(testError(code, { sent: 'head' }))).toBe(kind);
  });

  it('a request that could not be written counts for nobody', () => {
    expect(kindOfError(testError('protocol_error', { sent: 'none' }))).toBe('ignored');
  });

  it('leaves out no code', () => {
    expect(Object.keys(kinds).sort()).toEqual(Object.keys(ERROR_CODES).sort());
  });
});

describe('on which ground an answer may be repeated', () => {
  it.each<[number, readonly RetryCondition[], RetryCondition | null]>([
    [200, DEFAULT_ON, null],
    [302, DEFAULT_ON, null],
    [400, DEFAULT_ON, null],
    [404, DEFAULT_ON, null],
    [408, DEFAULT_ON, 408],
    [409, DEFAULT_ON, null],
    [429, DEFAULT_ON, 429],
    [500, DEFAULT_ON, null],
    [502, DEFAULT_ON, 502],
    [503, DEFAULT_ON, 503],
    [504, DEFAULT_ON, 504],
    [200, [200], null],
    [409, ['retriable-4xx'], 'retriable-4xx'],
    [408, ['retriable-4xx'], null],
    [500, ['5xx'], '5xx'],
    [503, ['5xx'], '5xx'],
    [599, ['5xx'], '5xx'],
    [499, ['5xx'], null],
    [500, ['gateway-error'], null],
    [501, ['gateway-error'], null],
    [502, ['gateway-error'], 'gateway-error'],
    [503, ['gateway-error'], 'gateway-error'],
    [504, ['gateway-error'], 'gateway-error'],
    [503, ['reset', 'connect-failure', 'refused-stream'], null],
    [503, [], null],
  ])('%i under %j: %s', (status, on, condition) => {
    expect(conditionOfStatus(status, on)).toBe(condition);
  });
});

describe('on which ground a failure may be repeated', () => {
  it.each<[string, ReturnType<typeof testError>, readonly RetryCondition[], RetryCondition | null]>([
    ['connect, default', testError('connect_failed'), DEFAULT_ON, 'connect-failure'],
    ['connect, by 5xx', testError('connect_failed'), ['5xx'], '5xx'],
    ['connect, by gateway-error', testError('connect_failed'), ['gateway-error'], 'gateway-error'],
    ['connect, by reset', testError('connect_failed'), ['reset'], null],
    ['refused stream, default', testError('not_processed'), DEFAULT_ON, 'refused-stream'],
    ['refused stream, by reset', testError('not_processed'), ['reset'], 'reset'],
    ['refused stream, not asked for', testError('not_processed'), ['connect-failure'], null],
    ['lost before sending, default', testError('connection_lost', { sent: 'none' }), DEFAULT_ON, null],
    ['lost before sending, by its name', testError('connection_lost', { sent: 'none' }), ['reset-before-request'], 'reset-before-request'],
    ['lost after the head, by that name', testError('connection_lost', { sent: 'head' }), ['reset-before-request'], null],
    ['lost after the head, by reset', testError('connection_lost', { sent: 'head' }), ['reset'], 'reset'],
    [
      'lost on a reused connection, default',
      testError('connection_lost', { sent: 'head', retryable: true }),
      DEFAULT_ON,
      'reset-on-reused-connection',
    ],
    ['lost on a fresh connection, default', testError('connection_lost', { sent: 'head' }), DEFAULT_ON, null],
    [
      'lost within the answer, by all',
      testError('connection_lost', { sent: 'body', retryable: true }),
      ['reset', '5xx', 'gateway-error', 'reset-on-reused-connection'],
      null,
    ],
    ['attempt timeout, default', testError('attempt_timeout'), DEFAULT_ON, 'per-try-timeout'],
    ['attempt timeout, by 5xx', testError('attempt_timeout'), ['5xx'], '5xx'],
    ['attempt timeout, not asked for', testError('attempt_timeout'), ['connect-failure'], null],
    ['a function that threw, default', testError('call_failed'), DEFAULT_ON, null],
    ['a function that threw, by reset', testError('call_failed'), ['reset'], null],
    ['a function that may run again, default', testError('call_failed', { retryable: true }), DEFAULT_ON, 'reset'],
    ['a function that may run again, by 5xx', testError('call_failed', { retryable: true }), ['5xx'], '5xx'],
    ['deadline', testError('deadline_exceeded'), [...DEFAULT_ON, '5xx', 'reset'], null],
    ['canceled', testError('canceled'), [...DEFAULT_ON, '5xx', 'reset'], null],
    ['untrusted peer', testError('peer_untrusted'), [...DEFAULT_ON, '5xx', 'reset'], null],
    ['protocol error', testError('protocol_error'), [...DEFAULT_ON, '5xx', 'reset'], null],
    ['circuit open', testError('circuit_open'), [...DEFAULT_ON, '5xx', 'reset'], null],
    ['overloaded', testError('overloaded'), [...DEFAULT_ON, '5xx', 'reset'], null],
    ['no endpoint', testError('no_endpoint'), [...DEFAULT_ON, '5xx', 'reset'], null],
    ['closed', testError('closed'), [...DEFAULT_ON, '5xx', 'reset'], null],
  ])('%s', (_name, error, on, condition) => {
    expect(conditionOfError(error, on)).toBe(condition);
  });
});

describe('whether the far side can have acted', () => {
  it.each([
    ['connect_failed', 'none', true],
    ['not_processed', 'none', true],
    ['not_processed', 'head', false],
    ['connection_lost', 'none', false],
    ['attempt_timeout', 'none', true],
    ['attempt_timeout', 'head', false],
    ['deadline_exceeded', 'none', false],
  ] as const)('%s, sent %s: unprocessed %s', (code, sent, expected) => {
    expect(isUnprocessed(testError(code, { sent }))).toBe(expected);
  });
});

describe('whether the call may reach the application twice', () => {
  it.each([
    ['GET', [], false, true],
    ['HEAD', [], false, true],
    ['OPTIONS', [], false, true],
    ['TRACE', [], false, true],
    ['PUT', [], false, true],
    ['DELETE', [], false, true],
    ['POST', [], false, false],
    ['PATCH', [], false, false],
    ['POST', ['Idempotency-Key', 'k1'], false, true],
    ['POST', [], true, true],
  ])('%s %j, option %s: %s', (method, headers, idempotent, expected) => {
    expect(isIdempotent(testCall({ method, headers, idempotent }), RETRY_DEFAULTS)).toBe(expected);
  });
});

describe('what counts for the run that ejects', () => {
  it.each([
    [200, null, false],
    [404, null, false],
    [500, null, false],
    [502, null, true],
    [503, null, true],
    [504, null, true],
    [0, 'connect_failed', true],
    [0, 'connection_lost', true],
    [0, 'attempt_timeout', true],
    [0, 'canceled', false],
    [0, 'peer_untrusted', false],
    [0, 'overloaded', false],
  ] as const)('status %i, error %s: %s', (status, code, expected) => {
    const error = code === null ? null : testError(code);
    const kind = error === null ? kindOfStatus(status) : kindOfError(error);
    expect(isGatewayOrLocal({ kind, status, error, endedAtMs: 0 })).toBe(expected);
  });
});

describe('Retry-After', () => {
  const wallMs = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');
  it.each([
    [undefined, 0],
    ['', 0],
    ['0', 0],
    ['3', 3_000],
    [' 120 ', 120_000],
    ['-1', 0],
    ['1.5', 0],
    ['soon', 0],
    ['Wed, 21 Oct 2026 07:28:05 GMT', 5_000],
    ['Wed, 21 Oct 2026 07:27:00 GMT', 0],
    ['Wednesday, 21-Oct-26 07:28:05 GMT', 5_000],
    ['Wed Oct 21 07:28:05 2026', 5_000],
    // Texts that only Date takes for one.
    ["2305'", 0],
    ['9999999999', 0],
    ['try 2099', 0],
    ['2099-01-01T00:00:00Z', 0],
    ['Wed, 99 Oct 2026 07:28:05 GMT', 0],
  ])('%j is %i ms', (value, expected) => {
    expect(retryAfterMs(value, wallMs)).toBe(expected);
  });
});
