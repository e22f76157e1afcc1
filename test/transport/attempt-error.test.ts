// What the errors of undici, Node and OpenSSL mean, by how far the attempt was: the table behind every failed attempt.
import { describe, expect, it } from 'vitest';
import { Call } from '../../src/core/call.ts';
import { meshError } from '../../src/core/errors.ts';
import {
  attemptError,
  type AttemptProgress,
  isCertificateRefused,
  isIdentityError,
  isIdentityMissing,
} from '../../src/transport/failure.ts';

const call = new Call({ scheme: 'http', authority: 'a', method: 'GET', path: '/', headers: [], body: null }, 0);
const withCode = (code: string, message = 'it said so', more: object = {}): Error => Object.assign(new Error(message), { code, ...more });
const BEFORE: AttemptProgress = { isStarted: false, isHeadReceived: false, isReused: false, isMutual: false };
const SENT = { ...BEFORE, isStarted: true };
const BODY = { ...SENT, isHeadReceived: true };

describe('an error of an attempt', () => {
  it.each<[string, unknown, AttemptProgress, object]>([
    ['no connection', withCode('ECONNREFUSED'), BEFORE, { code: 'connect_failed', sent: 'none', retryable: true }],
    ['a text that was thrown', 'gone', BEFORE, { code: 'connect_failed', message: expect.stringContaining('no connection: gone') }],
    ['nothing that was thrown', null, BEFORE, { code: 'connect_failed', message: expect.stringContaining('no connection: null') }],
    [
      'a code that is no text',
      withCode(7 as never, 'seven'),
      BEFORE,
      { code: 'connect_failed', message: expect.stringContaining('no connection: seven') },
    ],
    ['a fresh connection that broke', withCode('ECONNRESET'), SENT, { code: 'connection_lost', sent: 'head', retryable: false }],
    [
      'a kept one that broke',
      withCode('ECONNRESET'),
      { ...SENT, isReused: true },
      { code: 'connection_lost', sent: 'head', retryable: true },
    ],
    [
      'a fresh one on which we showed a certificate',
      withCode('ECONNRESET'),
      { ...SENT, isMutual: true },
      { code: 'connection_lost', message: expect.stringContaining('perhaps the endpoint does not trust our certificate') },
    ],
    [
      'a kept one on which we showed a certificate',
      withCode('ECONNRESET'),
      { ...SENT, isMutual: true, isReused: true },
      { code: 'connection_lost', message: expect.not.stringContaining('perhaps') },
    ],
    ['an answer that broke off', withCode('UND_ERR_SOCKET'), BODY, { code: 'connection_lost', sent: 'body', retryable: false }],
    [
      'a stream that was refused',
      Object.assign(new Error('refused'), { http2ErrorCode: 7 }),
      SENT,
      { code: 'not_processed', sent: 'none', retryable: true },
    ],
    ['a stream on a connection that was going', withCode('ERR_HTTP2_GOAWAY_SESSION'), SENT, { code: 'not_processed' }],
    [
      'a GOAWAY, as undici says it',
      withCode('UND_ERR_INFO', 'HTTP/2: "GOAWAY" frame received with code 0'),
      SENT,
      { code: 'not_processed' },
    ],
    ['a GOAWAY with a fault', withCode('UND_ERR_INFO', 'HTTP/2: "GOAWAY" frame received with code 2'), SENT, { code: 'connection_lost' }],
    [
      'a GOAWAY inside',
      withCode('UND_ERR_SOCKET', 'closed', { cause: withCode('ERR_HTTP2_GOAWAY_SESSION') }),
      SENT,
      { code: 'not_processed' },
    ],
    ['another cause', withCode('UND_ERR_SOCKET', 'closed', { cause: withCode('EPIPE') }), SENT, { code: 'connection_lost' }],
    ['not HTTP', withCode('HPE_INVALID', 'Expected HTTP/', { name: 'HTTPParserError' }), SENT, { code: 'protocol_error', sent: 'head' }],
    ['too little', withCode('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'), BODY, { code: 'protocol_error', sent: 'body' }],
    ['what cannot be written', withCode('UND_ERR_INVALID_ARG'), BEFORE, { code: 'protocol_error', sent: 'none', retryable: false }],
    ['another peer', withCode('ERR_TLS_CERT_ALTNAME_INVALID'), BEFORE, { code: 'peer_untrusted', sent: 'none', retryable: false }],
    [
      'our certificate refused',
      withCode('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'),
      BEFORE,
      { code: 'certificate_refused', retryable: false },
    ],
    ['no certificate of ours', withCode('INMESH_IDENTITY_MISSING'), BEFORE, { code: 'identity_missing', retryable: false }],
  ])('%s', (_name, error, progress, expected) => {
    const made = attemptError(error, call, progress);
    expect(made).toMatchObject({ ...expected, cause: error });
  });

  it('that is ours stays', () => {
    const own = meshError({ code: 'canceled', message: 'enough' });
    expect(attemptError(own, call, BEFORE)).toBe(own);
  });

  it('says its code once', () => {
    expect(attemptError(withCode('EPIPE', 'write EPIPE'), call, BEFORE).message).not.toContain('(EPIPE)');
    expect(attemptError(withCode('EPIPE', 'write'), call, BEFORE).message).toContain('write (EPIPE)');
  });

  it.each([
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', [true, false, false]],
    ['INMESH_CERTIFICATE_REFUSED', [true, false, false]],
    ['INMESH_IDENTITY_MISSING', [false, true, false]],
    ['CERT_HAS_EXPIRED', [false, false, true]],
    ['ECONNRESET', [false, false, false]],
  ])('%s is of one kind', (code, expected) => {
    const error = withCode(code);
    expect([isCertificateRefused(error), isIdentityMissing(error), isIdentityError(error)]).toEqual(expected);
  });
});
