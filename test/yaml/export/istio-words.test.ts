// What the writer for Istio makes of single policies, those that only other meshes can say included; and what it says is lost.
import { describe, expect, it } from 'vitest';
import type { RouteConfig, ServiceConfig } from '../../../src/model/config.ts';
import type { FaultPolicy, MirrorPolicy } from '../../../src/model/traffic.ts';
import { onePolicy } from './one-policy.ts';

const RETRIES = {
  attempts: 2,
  perTryTimeoutMs: 0,
  retryOn: [503],
  backoff: { baseMs: 25, maxMs: 250 },
  retryAfterMaxMs: 0,
  methods: ['*'],
  acrossSubsets: true,
  bodyBytesMax: 1,
} as unknown as ServiceConfig['retries'];

describe('a policy of a service, for Istio', () => {
  it.each<[string, Partial<ServiceConfig>, object, RegExp | null]>([
    [
      'connections',
      { connections: { connectTimeoutMs: 500, idleTimeoutMs: 60_000, maxAgeMs: 1_000, tcpKeepalive: {}, maxConcurrentStreams: 7 } },
      {
        connectionPool: {
          tcp: { connectTimeout: '500ms', maxConnectionDuration: '1s', tcpKeepalive: {} },
          http: { idleTimeout: '1m', maxConcurrentStreams: 7 },
        },
      },
      null,
    ],
    [
      'connections as Istio has them',
      {
        connections: { connectTimeoutMs: 10_000, idleTimeoutMs: 3_600_000, tcpKeepalive: { probes: 3, timeMs: 7_000, intervalMs: 2_000 } },
      },
      { connectionPool: { tcp: { tcpKeepalive: { probes: 3, time: '7s', interval: '2s' } } } },
      null,
    ],
    [
      'pings',
      { protocol: 'http2', connections: { idleTimeoutMs: 0, http2Ping: { intervalMs: 5_000, timeoutMs: 1_000 } } },
      { connectionPool: { http: { http2KeepAlive: { interval: '5s', timeout: '1s' } } } },
      null,
    ],
    [
      'the certificate of the mesh',
      { tls: { mode: 'mutual', ca: '/ca.pem' } },
      { tls: { mode: 'ISTIO_MUTUAL' } },
      /^approximated tls\.ca: with the certificates of the mesh come its roots$/,
    ],
    [
      'nothing verified',
      { tls: { mode: 'simple', verify: 'none', serverName: 'b' } },
      { tls: { mode: 'SIMPLE', insecureSkipVerify: true, sni: 'b' } },
      null,
    ],
    [
      'certificates as text',
      { tls: { mode: 'mutual', cert: '-----BEGIN CERTIFICATE-----', key: '/k', crl: '/crl' } },
      { tls: { mode: 'MUTUAL', privateKey: '/k', caCrl: '/crl' } },
      / tls: .*Istio takes paths of files/,
    ],
    [
      'a budget that Istio has no word for',
      { retryBudget: { kind: 'grpc', tokensMax: 10, tokenRatio: 0.1 } },
      { retryBudget: expect.anything() },
      /^approximated retryBudget: /,
    ],
  ])('%s', async (_name, service, expected, loss) => {
    const { specs, losses } = await onePolicy('istio', { service });
    const policy = specs('DestinationRule')[0]?.trafficPolicy;
    expect(policy).toMatchObject(expected);
    if (loss !== null) expect(losses).toContainEqual(expect.stringMatching(loss));
  });

  it('limits of retries beside a budget are said not to count', async () => {
    const { losses } = await onePolicy('istio', { service: { limits: { maxRetries: 3 } as ServiceConfig['limits'] } });
    expect(losses).toContain('approximated limits.maxRetries: a retry budget takes its place');
  });
});

const FAULT: FaultPolicy = {
  position: 'call',
  headers: {},
  by: 'random',
  activeMax: 0,
  blastPercent: 100,
  untilWallMs: Number.POSITIVE_INFINITY,
};
const target = { service: 'a', weight: 1 };
const MIRROR: MirrorPolicy = { target, percent: 100, hostSuffix: '-shadow', stripHeaders: [], bodyBytesMax: 1_048_576 };
const segment = (value: string): RouteConfig['rewrite'] => ({ path: { kind: 'prefix', prefix: '/x', value, by: 'segment' } });
const text = (value: string): NonNullable<RouteConfig['rewrite']>['path'] => ({ kind: 'prefix', prefix: '/x', value, by: 'text' });
const ignoring = [
  { path: { kind: 'prefix', value: '/X', invert: false, ignoreCase: true }, headers: {}, queryParams: {} },
] as RouteConfig['matches'];
const exact = [{ path: { kind: 'exact', value: '/x', invert: false }, headers: {}, queryParams: {} }] as RouteConfig['matches'];
const CHANGE = /redirect: .*Istio has no word for this change of the path; the rule is left out/;

describe('a policy of a rule, for Istio', () => {
  it.each<[string, Partial<RouteConfig>, object | undefined, RegExp | null]>([
    [
      'a delay and an abort',
      { fault: { ...FAULT, delay: { fixedMs: 1_000, percent: 5 }, abort: { status: 503, percent: 1 } } },
      { fault: { delay: { fixedDelay: '1s', percentage: { value: 5 } }, abort: { httpStatus: 503, percentage: { value: 1 } } } },
      null,
    ],
    [
      'an abort of gRPC, drawn by trace, of attempts',
      { fault: { ...FAULT, by: 'trace', position: 'attempt', abort: { status: 200, grpcStatus: 14, percent: 1 } } },
      { fault: { abort: { grpcStatus: 'UNAVAILABLE' } } },
      /^approximated fault\.(by|position): /,
    ],
    ['a copy as Istio makes it', { mirrors: [MIRROR] }, { mirrors: [{ destination: { host: 'a' } }] }, null],
    [
      'a copy of calls to the only target',
      { mirrors: [{ ...MIRROR, of: { service: 'a' }, percent: 30 }] },
      { mirrors: [{ percentage: { value: 30 } }] },
      /^approximated mirror: drawn from all calls/,
    ],
    [
      'a prefix, segment by segment',
      { rewrite: segment('/y') as never },
      { rewrite: { uriRegexRewrite: { match: expect.any(String) } } },
      null,
    ],
    ['a prefix as text', { rewrite: { path: text('/y') as never } }, { rewrite: { uri: '/y' } }, null],
    [
      'a prefix as text, whatever the case',
      { rewrite: { path: text('/y\\') as never }, matches: ignoring },
      { rewrite: { uriRegexRewrite: { match: '(?i)^/x', rewrite: '/y\\\\' } } },
      null,
    ],
    ['a whole path', { rewrite: { path: { kind: 'full', value: '/y' } }, matches: exact }, { rewrite: { uri: '/y' } }, null],
    ['a host alone', { rewrite: { authority: 'b:1' } }, { rewrite: { authority: 'b:1' } }, null],
    [
      'a redirect by prefix as text',
      { redirect: { path: text('/y') as never, status: 301, port: 'scheme' } as never },
      { redirect: { prefixRewrite: '/y', derivePort: 'FROM_PROTOCOL_DEFAULT', redirectCode: 301 } },
      /^approximated redirect: only an Istio that knows prefixRewrite/,
    ],
    [
      'a redirect to an address',
      { redirect: { host: 'fd00::1', status: 302, port: 8_443 } as never },
      { redirect: { authority: '[fd00::1]', port: 8_443 } },
      null,
    ],
    [
      'a redirect by pattern',
      { redirect: { path: { kind: 'regex', pattern: 'a', substitution: 'b' }, status: 302, port: 'keep' } as never },
      undefined,
      CHANGE,
    ],
    ['a redirect to nothing', { redirect: { path: { kind: 'full', value: '' }, status: 302, port: 'keep' } as never }, undefined, CHANGE],
    [
      'a redirect by a prefix that the match does not name',
      { redirect: { path: { ...(text('/y') as object), prefix: '/z' }, status: 302, port: 'keep' } as never },
      undefined,
      CHANGE,
    ],
    [
      'shares that are no whole numbers',
      {
        targets: [
          { service: 'a', weight: Math.PI },
          { service: 'b', weight: 1e-9 },
        ],
      },
      { route: [{ weight: 1_000_000 }, { weight: 1 }] },
      /^approximated to: weights are whole numbers$/,
    ],
    [
      'a redirect of a share',
      { targets: [{ ...target, redirect: { status: 302, port: 'keep' } as never }] },
      { route: [{ destination: { host: 'a' } }] },
      / to\[a\]\.redirect: .*a destination of Istio has none of its own$/,
    ],
    [
      'as many retries as the budget pays for',
      { retries: { ...RETRIES, attempts: Number.POSITIVE_INFINITY, perTryTimeoutMs: 0.5 } },
      { retries: { attempts: 100, perTryTimeout: '1ms' } },
      /^approximated retries\.attempts: /,
    ],
  ])('%s', async (_name, route, expected, loss) => {
    const { specs, losses } = await onePolicy('istio', { route });
    const rule = (specs('VirtualService')[0]?.http as readonly { name?: string }[] | undefined)?.find(({ name }) => name === 'r');
    if (expected === undefined) expect(rule).toBeUndefined();
    else expect(rule).toMatchObject(expected);
    if (loss !== null) expect(losses).toContainEqual(expect.stringMatching(loss));
  });
});
