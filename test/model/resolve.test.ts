import { describe, expect, it } from 'vitest';
import type { MeshConfig, RouteConfig, ServiceConfig } from '../../src/model/config.ts';
import {
  BALANCER_DEFAULTS,
  BREAKER_DEFAULTS,
  BUDGET_DEFAULTS,
  LIMITS_DEFAULTS,
  OUTLIER_DEFAULTS,
  RETRY_DEFAULTS,
} from '../../src/model/destination.ts';
import { ADMISSION_DEFAULTS } from '../../src/model/inbound.ts';
import type { PolicyInput } from '../../src/model/input-policy.ts';
import type { MeshInput, RouteInput, ServiceInput } from '../../src/model/input.ts';
import { resolveConfig } from '../../src/model/resolve.ts';

const ENDPOINTS = ['10.0.0.1:80'];

function good(input: MeshInput): MeshConfig {
  const result = resolveConfig(input);
  if ('issues' in result) throw new Error(JSON.stringify(result.issues, null, 1));
  return result.config;
}

function service(input: Omit<ServiceInput, 'endpoints'>, defaults: PolicyInput = {}): ServiceConfig {
  return good({ defaults, services: { a: { endpoints: ENDPOINTS, ...input } } }).services.a as ServiceConfig;
}

function routes(...inputs: RouteInput[]): readonly RouteConfig[] {
  const endpoints = [
    { address: '10.0.0.1:80', labels: { v: '1' } },
    { address: '10.0.0.2:80', labels: { v: '2' } },
  ];
  const config = good({ services: { a: { endpoints, subsets: { v1: { v: '1' }, v2: { v: '2' } }, routes: inputs }, b: { dns: 'b:80' } } });
  return (config.services.a as ServiceConfig).routes;
}

function messages(input: unknown): string[] {
  const result = resolveConfig(input as MeshInput);
  return 'issues' in result ? result.issues.map(({ message }) => message) : [];
}

describe('the mesh', () => {
  it('is complete when nothing is said', () => {
    expect(good({})).toEqual({
      self: { service: '', namespace: 'default', serviceAccount: 'default', labels: {}, locality: '' },
      identity: null,
      unknownHosts: 'pass',
      failures: 'throw',
      services: {},
      unnamed: expect.objectContaining({ name: '', endpoints: { kind: 'static', endpoints: [] }, timeoutMs: 30_000 }) as unknown,
      inbound: { mtls: 'disable', admission: ADMISSION_DEFAULTS },
    });
  });

  it('gives names without an entry the defaults', () => {
    expect(good({ defaults: { timeout: '3s' } }).unnamed.timeoutMs).toBe(3_000);
  });

  it('takes what is said', () => {
    const identity = { cert: 'c', key: 'k', ca: 'r' };
    const input: MeshInput = {
      self: { service: 's', namespace: 'n', serviceAccount: 'sa', labels: { app: 's' }, locality: 'r/z' },
      identity,
      unknownHosts: 'refuse',
      failures: 'respond',
    };
    expect(good(input)).toMatchObject({ ...input, inbound: { mtls: 'permissive' } });
    expect(good({ identity, inbound: { mtls: 'strict' } }).inbound.mtls).toBe('strict');
  });

  it('ignores keys whose value is undefined', () => {
    const input = { self: { service: undefined }, services: { a: { endpoints: ENDPOINTS, timeout: undefined } } } as unknown as MeshInput;
    expect(good(input)).toMatchObject({ self: { service: '' }, services: { a: { timeoutMs: 30_000 } } });
  });
});

describe('a service', () => {
  it('has every default', () => {
    expect(service({})).toEqual({
      name: 'a',
      hosts: ['a'],
      endpoints: { kind: 'static', endpoints: [{ address: '10.0.0.1:80', labels: {}, locality: '', weight: 1 }] },
      protocol: 'http1',
      tls: { mode: 'disable' },
      timeoutMs: 30_000,
      retries: RETRY_DEFAULTS,
      retryBudget: BUDGET_DEFAULTS,
      circuitBreaker: BREAKER_DEFAULTS,
      outlierDetection: OUTLIER_DEFAULTS,
      loadBalancer: BALANCER_DEFAULTS,
      limits: LIMITS_DEFAULTS,
      throttle: null,
      healthCheck: null,
      subsets: {},
      routes: [{ name: 'default', dialect: 'inmesh', matches: [], targets: [{ service: 'a', weight: 1 }], mirrors: [], idempotent: false }],
    });
  });

  const policies: [name: string, input: PolicyInput, expected: Partial<ServiceConfig>][] = [
    ['protocol', { protocol: 'http2' }, { protocol: 'http2' }],
    ['timeout', { timeout: '1m30s' }, { timeoutMs: 90_000 }],
    ['timeout in ms', { timeout: 250 }, { timeoutMs: 250 }],
    ['tls simple', { tls: 'simple' }, { tls: { mode: 'simple' } }],
    [
      'tls',
      { tls: { mode: 'simple', ca: 'ca', serverName: 's', subjectAltNames: ['spiffe://x/y'] } },
      { tls: { mode: 'simple', ca: 'ca', serverName: 's', subjectAltNames: ['spiffe://x/y'] } },
    ],
    ['tls mutual by its certificate', { tls: { cert: 'c', key: 'k', ca: 'r' } }, { tls: { mode: 'mutual', cert: 'c', key: 'k', ca: 'r' } }],
    ['tls without certificate', { tls: { serverName: 's' } }, { tls: { mode: 'simple', serverName: 's' } }],
    ['no retries', { retries: false }, { retries: { ...RETRY_DEFAULTS, attempts: 0 } }],
    [
      'retries',
      {
        retries: {
          attempts: 3,
          perTryTimeout: '500ms',
          retryOn: ['reset', '503', 502, '503'],
          backoff: { base: '10ms', max: '1s' },
          retryAfterMax: '0s',
          methods: ['GET', 'POST'],
          acrossSubsets: false,
          bodyLimit: '128KiB',
        },
      },
      {
        retries: {
          attempts: 3,
          perTryTimeoutMs: 500,
          retryOn: ['reset', 503, 502],
          backoff: { baseMs: 10, maxMs: 1_000 },
          retryAfterMaxMs: 0,
          methods: ['GET', 'POST'],
          acrossSubsets: false,
          bodyBytesMax: 131_072,
        },
      },
    ],
    ['body limit in bytes', { retries: { bodyLimit: 100 } }, { retries: { ...RETRY_DEFAULTS, bodyBytesMax: 100 } }],
    [
      'budget',
      { retryBudget: { tokens: 5, perSuccess: 0.5, perSecond: 1 } },
      { retryBudget: { kind: 'successes', tokensMax: 5, tokensPerSuccess: 0.5, tokensPerSecond: 1 } },
    ],
    ['no breaker', { circuitBreaker: false }, { circuitBreaker: null }],
    [
      'ratio breaker',
      { circuitBreaker: { failureRatio: 0.5, window: '1s', minCalls: 3, openBase: '2s', openMax: '4s', successesToClose: 1 } },
      {
        circuitBreaker: {
          kind: 'ratio',
          failureRatio: 0.5,
          windowMs: 1_000,
          callsMin: 3,
          openBaseMs: 2_000,
          openMaxMs: 4_000,
          successesToClose: 1,
        },
      },
    ],
    [
      'consecutive breaker',
      { circuitBreaker: { consecutive: 7 } },
      { circuitBreaker: { kind: 'consecutive', failures: 7, openBaseMs: 1_000, openMaxMs: 5_000, successesToClose: 3 } },
    ],
    [
      'count breaker',
      { circuitBreaker: { count: { size: 5 }, openBase: '10s' } },
      {
        circuitBreaker: {
          kind: 'count',
          failureRatio: 0.7,
          size: 5,
          callsMin: 5,
          openBaseMs: 10_000,
          openMaxMs: 10_000,
          successesToClose: 3,
        },
      },
    ],
    ['no ejection', { outlierDetection: false }, { outlierDetection: null }],
    [
      'outlier detection',
      {
        outlierDetection: {
          consecutiveGatewayErrors: 3,
          window: '0s',
          minCalls: 9,
          margin: 0.2,
          baseEjectionTime: '2m',
          maxEjectionPercent: 10,
          jitter: 0,
        },
      },
      {
        outlierDetection: {
          kind: 'inmesh',
          consecutiveErrors: 3,
          windowMs: 0,
          callsMin: 9,
          margin: 0.2,
          z: 2.33,
          baseEjectionMs: 120_000,
          maxEjectionMs: 120_000,
          jitter: 0,
          maxEjectionPercent: 10,
        },
      },
    ],
    ['Istio name', { outlierDetection: { consecutive5xxErrors: 0 } }, { outlierDetection: { ...OUTLIER_DEFAULTS, consecutiveErrors: 0 } }],
    ['balancer kind', { loadBalancer: 'random' }, { loadBalancer: { ...BALANCER_DEFAULTS, kind: 'random' } }],
    [
      'balancer',
      { loadBalancer: { kind: 'peakEwma', tau: '5s', failurePenalty: '2s', seedFactor: 2, seed: '10ms', fullScanMax: 4 } },
      {
        loadBalancer: {
          ...BALANCER_DEFAULTS,
          kind: 'peakEwma',
          tauMs: 5_000,
          failurePenaltyMs: 2_000,
          seedFactor: 2,
          seedMs: 10,
          fullScanMax: 4,
        },
      },
    ],
    [
      'limits',
      { limits: { maxConnections: 1, maxPendingRequests: 2, maxRequests: 3, maxRequestsPerConnection: 4, maxRetries: 5 } },
      { limits: { maxConnections: 1, maxPendingRequests: 2, maxRequests: 3, maxRequestsPerConnection: 4, maxRetries: 5, adaptive: null } },
    ],
  ];
  it.each(policies)('%s, in the service and in defaults', (_name, input, expected) => {
    expect(service(input)).toMatchObject(expected);
    expect(service({}, input)).toMatchObject(expected);
  });

  it.each<[string, Partial<ServiceInput>, unknown]>([
    ['a plain address', { endpoints: ['X:80'] }, { kind: 'static', endpoints: [{ address: 'x:80', labels: {}, locality: '', weight: 1 }] }],
    [
      'an endpoint',
      { endpoints: [{ address: '[::1]:80', labels: { v: '1' }, locality: 'r/z', weight: 2 }] },
      { kind: 'static', endpoints: [{ address: '[::1]:80', labels: { v: '1' }, locality: 'r/z', weight: 2 }] },
    ],
    ['none, for mesh.call', { endpoints: [] }, { kind: 'static', endpoints: [] }],
    ['a file', { endpointsFile: 'e.yaml' }, { kind: 'file', path: 'e.yaml' }],
    ['a name', { dns: 'X.internal:80' }, { kind: 'dns', host: 'x.internal', port: 80, record: 'any' }],
    ['a name with a record', { dns: { host: 'x', port: 80, record: 'A' } }, { kind: 'dns', host: 'x', port: 80, record: 'A' }],
    ['a service record', { dns: { host: '_http._tcp.x', record: 'SRV' } }, { kind: 'dns', host: '_http._tcp.x', port: 0, record: 'SRV' }],
  ])('finds its endpoints: %s', (_name, input, expected) => {
    expect(good({ services: { a: input } }).services.a?.endpoints).toEqual(expected);
  });

  it('goes by its names in lower case', () => {
    const config = good({ services: { Reviews: { endpoints: ENDPOINTS, hosts: ['Reviews.Example.', 'reviews', '10.0.0.9', '[::1]'] } } });
    expect(config.services.Reviews?.hosts).toEqual(['reviews', 'reviews.example', '10.0.0.9', '[::1]']);
  });

  it('has no name that it was not given', () => {
    const { services } = good({ services: { a: { endpoints: ENDPOINTS } } });
    expect(services.toString).toBeUndefined();
    expect(services.a?.subsets.constructor).toBeUndefined();
  });
});

describe('levels', () => {
  it('merges key by key, nearest first', () => {
    const { retries } = service(
      { retries: { attempts: 5, backoff: { max: '1s' } } },
      { retries: { perTryTimeout: '1s', attempts: 1, backoff: { base: '5ms' } } },
    );
    expect(retries).toEqual({ ...RETRY_DEFAULTS, attempts: 5, perTryTimeoutMs: 1_000, backoff: { baseMs: 5, maxMs: 1_000 } });
  });

  it('starts anew below false', () => {
    expect(service({ retries: { perTryTimeout: '1s' } }, { retries: false }).retries).toEqual({
      ...RETRY_DEFAULTS,
      perTryTimeoutMs: 1_000,
    });
    expect(service({ circuitBreaker: {} }, { circuitBreaker: false }).circuitBreaker).toEqual(BREAKER_DEFAULTS);
    expect(service({ retries: false }, { retries: { attempts: 4 } }).retries.attempts).toBe(0);
  });

  it('drops the rule of another kind of breaker, and keeps the rest', () => {
    const { circuitBreaker } = service(
      { circuitBreaker: { consecutive: 3 } },
      { circuitBreaker: { failureRatio: 0.5, window: '1s', openBase: '2s' } },
    );
    expect(circuitBreaker).toEqual({ kind: 'consecutive', failures: 3, openBaseMs: 2_000, openMaxMs: 5_000, successesToClose: 3 });
  });

  it('keeps certificates of defaults under another mode only where they are sent', () => {
    const defaults: PolicyInput = { tls: { mode: 'mutual', cert: 'c', key: 'k', ca: 'r' } };
    expect(service({ tls: 'simple' }, defaults).tls).toEqual({ mode: 'simple', ca: 'r' });
    expect(service({ tls: 'disable' }, defaults).tls).toEqual({ mode: 'disable' });
    expect(service({ tls: { serverName: 's' } }, defaults).tls).toEqual({ mode: 'mutual', cert: 'c', key: 'k', ca: 'r', serverName: 's' });
  });

  it('gives a route the retries of its service under its own', () => {
    const {
      routes: [route],
    } = service({ retries: { perTryTimeout: '1s' }, routes: [{ retries: { attempts: 1 } }] }, { retries: { methods: ['GET'] } });
    expect(route?.retries).toEqual({ ...RETRY_DEFAULTS, attempts: 1, perTryTimeoutMs: 1_000, methods: ['GET'] });
  });

  it.each<[string, MeshInput, boolean]>([
    ['beside a shorter timeout', { services: { a: { endpoints: [], timeout: 500, retries: { perTryTimeout: '1s' } } } }, true],
    ['below a shorter timeout', { defaults: { timeout: 500 }, services: { a: { endpoints: [], retries: { perTryTimeout: '1s' } } } }, true],
    [
      'above a shorter timeout',
      { defaults: { retries: { perTryTimeout: '1s' } }, services: { a: { endpoints: [], timeout: 500 } } },
      false,
    ],
    ['of a route', { services: { a: { endpoints: [], timeout: 500, routes: [{ retries: { perTryTimeout: '1s' } }] } } }, true],
    [
      'above the timeout of a route',
      { services: { a: { endpoints: [], retries: { perTryTimeout: '1s' }, routes: [{ timeout: 500 }] } } },
      false,
    ],
    [
      'above the timeout of a route with retries',
      { services: { a: { endpoints: [], retries: { perTryTimeout: '1s' }, routes: [{ timeout: 500, retries: { attempts: 1 } }] } } },
      false,
    ],
    ['longer than the default', { services: { a: { endpoints: [], retries: { perTryTimeout: '31s' } } } }, true],
    ['not written', { services: { a: { endpoints: [], timeout: 500 } } }, false],
  ])('warns of a perTryTimeout %s', (_name, input, warned) => {
    const result = resolveConfig(input);
    expect('warnings' in result && result.warnings.length).toBe(warned ? 1 : 0);
  });
});

describe('routes', () => {
  it('end with one that matches everything', () => {
    expect(routes({ match: { path: '/a' }, to: 'v1' })).toEqual([
      {
        name: 'route-1',
        dialect: 'inmesh',
        matches: [{ path: { kind: 'exact', value: '/a', invert: false }, headers: {}, queryParams: {} }],
        targets: [{ service: 'a', subset: 'v1', weight: 1 }],
        mirrors: [],
        idempotent: false,
      },
      { name: 'default', dialect: 'inmesh', matches: [], targets: [{ service: 'a', weight: 1 }], mirrors: [], idempotent: false },
    ]);
    expect(routes({ name: 'default', match: { path: '/a' } }).map(({ name }) => name)).toEqual(['default', 'default-2']);
  });

  it.each<[string, RouteInput['match']]>([
    ['nothing', undefined],
    ['an empty match', {}],
    ['one of several', [{ path: '/a' }, {}]],
    ['the prefix /', { path: { prefix: '/' } }],
    ['the path prefix /', { path: { pathPrefix: '/' } }],
  ])('need no other after one that matches everything: %s', (_name, match) => {
    const input: RouteInput = match === undefined ? { to: 'v1' } : { match, to: 'v1' };
    expect(routes(input)).toEqual([
      {
        name: 'route-1',
        dialect: 'inmesh',
        matches: [],
        targets: [{ service: 'a', subset: 'v1', weight: 1 }],
        mirrors: [],
        idempotent: false,
      },
    ]);
  });

  it.each<[string, RouteInput['to'], unknown]>([
    ['the whole service', undefined, [{ service: 'a', weight: 1 }]],
    ['a subset', 'v2', [{ service: 'a', subset: 'v2', weight: 1 }]],
    ['another service', 'b', [{ service: 'b', weight: 1 }]],
    [
      'weights',
      { v1: 80, 'a/v2': 20, b: 0 },
      [
        { service: 'a', subset: 'v1', weight: 80 },
        { service: 'a', subset: 'v2', weight: 20 },
        { service: 'b', weight: 0 },
      ],
    ],
  ])('go to %s', (_name, to, targets) => {
    expect(routes(to === undefined ? {} : { to })[0]?.targets).toEqual(targets);
  });

  it('reads every way to match', () => {
    const [route] = routes({
      match: [
        {
          path: { regex: '/a+', not: true },
          method: 'GET',
          headers: { 'X-A': 'one', b: { prefix: 'p' }, c: { present: true, not: true } },
          queryParams: { Q: { regex: 'r' } },
        },
        { path: { pathPrefix: '/b' }, method: { exact: 'PUT', not: true } },
      ],
    });
    expect(route?.matches).toEqual([
      {
        path: { kind: 'regex', value: '/a+', invert: true },
        method: { kind: 'exact', value: 'GET', invert: false },
        headers: {
          'x-a': { kind: 'exact', value: 'one', invert: false },
          b: { kind: 'prefix', value: 'p', invert: false },
          c: { kind: 'present', invert: true },
        },
        queryParams: { Q: { kind: 'regex', value: 'r', invert: false } },
      },
      {
        path: { kind: 'pathPrefix', value: '/b', invert: false },
        method: { kind: 'exact', value: 'PUT', invert: true },
        headers: {},
        queryParams: {},
      },
    ]);
  });

  it('changes headers, in lower case', () => {
    const [route] = routes({
      headers: { request: { set: { 'X-A': '1' }, add: { B: '2' }, remove: ['C'] }, response: { remove: ['Server'] } },
    });
    expect(route?.requestHeaders).toEqual({ set: { 'x-a': '1' }, add: { b: '2' }, remove: ['c'] });
    expect(route?.responseHeaders).toEqual({ set: {}, add: {}, remove: ['server'] });
  });

  it('stay in their subset for retries when sticky, unless the route says otherwise', () => {
    const [header] = routes({ sticky: { header: 'X-User' } });
    expect(header).toMatchObject({ sticky: { header: 'x-user' }, retries: { ...RETRY_DEFAULTS, acrossSubsets: false } });
    expect(routes({ sticky: { cookie: 'Sid' } })[0]).toMatchObject({ sticky: { cookie: 'Sid' } });
    expect(routes({ sticky: { cookie: 'Sid' }, retries: { acrossSubsets: true } })[0]?.retries?.acrossSubsets).toBe(true);
    expect(routes({ timeout: '1s' })[0]).toMatchObject({ timeoutMs: 1_000 });
  });

  it('asks about patterns', () => {
    const input: MeshInput = { services: { a: { endpoints: ENDPOINTS, routes: [{ match: { path: { regex: '(' } } }] } } };
    const result = resolveConfig(input, { checkRegex: (pattern) => `no ${pattern}` });
    expect('issues' in result && result.issues[0]).toEqual({
      severity: 'error',
      path: ['services', 'a', 'routes', 0, 'match', 'path', 'regex'],
      message: '"(" is not a regular expression in RE2 syntax: no (',
    });
  });
});

describe('an object from code', () => {
  it('may hold anything', () => {
    for (const input of [
      null,
      undefined,
      1,
      'a',
      [],
      [{}],
      { services: [] },
      { services: { a: null } },
      { services: { a: { endpoints: [null] } } },
    ]) {
      expect(messages(input).length).toBeGreaterThan(0);
    }
  });

  it('cannot reach a prototype', () => {
    const input: unknown = JSON.parse(
      '{"services":{"__proto__":{"endpoints":["x:1"]}},"self":{"labels":{"constructor":"x"}},"__proto__":{"polluted":true}}',
    );
    expect(messages(input).sort()).toEqual([
      'the key "__proto__" in services must be another name',
      'the key "constructor" in self.labels must be another name',
      'unknown key "__proto__" in the configuration',
    ]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('says durations in ms are for code only', () => {
    const input: MeshInput = { services: { a: { endpoints: ENDPOINTS, timeout: 5 } } };
    expect('config' in resolveConfig(input)).toBe(true);
    expect('config' in resolveConfig(input, { numericDurations: false })).toBe(false);
    expect(messages({ services: { a: { endpoints: ENDPOINTS, timeout: Number.NaN } } })).toEqual([
      'services.a.timeout must be a duration, such as 500ms or 1m30s, or a number of ms, not NaN',
    ]);
  });

  it.each([false, true])('reads 0 as none, for a service and for a route; numbers in code: %s', (isNumber) => {
    const none = isNumber ? 0 : '0s';
    const perTry: Omit<ServiceInput, 'endpoints'> = { timeout: none, retries: { perTryTimeout: '2m' } };
    const { timeoutMs, retries, routes: own } = service({ ...perTry, routes: [{ timeout: none, retries: { perTryTimeout: none } }] });
    expect([timeoutMs, retries.perTryTimeoutMs]).toEqual([0, 120_000]);
    expect([own[0]?.timeoutMs, own[0]?.retries?.perTryTimeoutMs]).toEqual([0, 0]);
    // Nothing is longer than for ever.
    expect(resolveConfig({ services: { a: { endpoints: ENDPOINTS, ...perTry } } })).toMatchObject({ warnings: [] });
  });

  it('is told once about a fault in defaults', () => {
    const services = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, { endpoints: ENDPOINTS }]));
    expect(messages({ defaults: { retries: { backoff: { base: '1s' } } }, services })).toEqual([
      'backoff: max is below base; raise max or lower base',
    ]);
  });
});
