// The policy of a service in undici's words.
import { describe, expect, it } from 'vitest';
import { LIMITS_DEFAULTS } from '../../src/model/destination.ts';
import { connectionOptions, poolOptions, type TransportPolicy } from '../../src/transport/pool-options.ts';

const policy = (own: Partial<TransportPolicy> = {}): TransportPolicy => ({
  service: 'a',
  protocol: 'http1',
  tls: { mode: 'disable' },
  limits: LIMITS_DEFAULTS,
  endpoints: 1,
  ...own,
});
const H1 = { headersTimeout: 0, bodyTimeout: 0, pipelining: 1, allowH2: false, useH2c: false, connections: null };
const H2 = { ...H1, pipelining: 100, allowH2: true, useH2c: true };

describe('options of a pool', () => {
  it.each<[string, Partial<TransportPolicy>, object]>([
    ['nothing said', {}, H1],
    ['HTTP/2', { protocol: 'http2' }, H2],
    ['requests of a socket', { limits: { ...LIMITS_DEFAULTS, maxRequestsPerConnection: 7 } }, { ...H1, maxRequestsPerClient: 7 }],
    ['sockets of all endpoints', { limits: { ...LIMITS_DEFAULTS, maxConnections: 7 }, endpoints: 3 }, { ...H1, connections: 2 }],
    ['never less than one socket', { limits: { ...LIMITS_DEFAULTS, maxConnections: 2 }, endpoints: 3 }, { ...H1, connections: 1 }],
    ['before there are endpoints', { limits: { ...LIMITS_DEFAULTS, maxConnections: 2 }, endpoints: 0 }, { ...H1, connections: 2 }],
    ['nothing of connections', { connections: {} }, H1],
    [
      'an idle time and an age',
      { connections: { idleTimeoutMs: 5_000, maxAgeMs: 9_000 } },
      { ...H1, keepAliveTimeout: 5_000, keepAliveMaxTimeout: 5_000, clientTtl: 9_000 },
    ],
    [
      'idle for ever',
      { connections: { idleTimeoutMs: 0 } },
      { ...H1, keepAliveTimeout: 2_147_483_647, keepAliveMaxTimeout: 2_147_483_647 },
    ],
    [
      'streams and pings',
      { protocol: 'http2', connections: { maxConcurrentStreams: 5, http2Ping: { intervalMs: 3_000, timeoutMs: 1_000 } } },
      { ...H2, pipelining: 5, h2Options: { pingInterval: 3_000 } },
    ],
    ['streams and pings of HTTP/1.1', { connections: { maxConcurrentStreams: 5, http2Ping: { intervalMs: 3_000, timeoutMs: 1_000 } } }, H1],
  ])('%s', (_name, own, expected) => expect(poolOptions(policy(own), true)).toEqual(expected));

  it('HTTP/2 over TLS is agreed on there', () => expect(poolOptions(policy({ protocol: 'http2' }), false).useH2c).toBe(false));

  it.each<[TransportPolicy['connections'], object]>([
    [undefined, { timeout: 5_000 }],
    [{ connectTimeoutMs: 300 }, { timeout: 300 }],
    [{ tcpKeepalive: {} }, { timeout: 5_000, keepAlive: true }],
    [{ tcpKeepalive: { timeMs: 7_000, probes: 3 } }, { timeout: 5_000, keepAlive: true, keepAliveInitialDelay: 7_000 }],
  ])('a connection of %j', (connections, expected) => expect(connectionOptions(policy({ connections }))).toEqual(expected));
});
