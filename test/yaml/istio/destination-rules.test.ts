// What DestinationRules make of services: blocks, inheritance, and which of several rules holds.
import { describe, expect, it } from 'vitest';
import type { ServiceConfig } from '../../../src/model/config.ts';
import { ENVOY_OUTLIER_DEFAULTS } from '../../../src/model/balancing.ts';
import { type DocumentHead, document, documents, SERVICES, virtualService } from './documents.ts';
import { goodText, issuesOfText } from './load-text.ts';

function destinationRule(spec: string, head: DocumentHead = {}): string {
  return document('DestinationRule', spec, { name: 'rule', ...head });
}

async function reviews(policy: string, options: { services?: string; lenient?: boolean } = {}): Promise<ServiceConfig> {
  const { services: concise = SERVICES, lenient = false } = options;
  const config = await goodText(documents(concise, destinationRule(`host: reviews\ntrafficPolicy: ${policy}`)), { lenient });
  return config.services.reviews as ServiceConfig;
}

describe('blocks of a traffic policy', () => {
  it('that are not there mean the defaults of Istio', async () => {
    expect(await reviews('{ connectionPool: { tcp: { maxConnections: 7 } } }')).toMatchObject({
      loadBalancer: { kind: 'leastRequest', choices: 2, locality: null, panicPercent: 50, hash: null, slowStart: null },
      limits: { maxConnections: 7, maxPendingRequests: 0, maxRequests: 0, maxRequestsPerConnection: 0, maxRetries: 0, adaptive: null },
      connections: { connectTimeoutMs: 10_000, idleTimeoutMs: 3_600_000 },
      outlierDetection: null,
      circuitBreaker: null,
      retryBudget: { kind: 'none' },
      tls: { mode: 'disable' },
      // What no block is about stays.
      timeoutMs: 30_000,
      retries: { attempts: 2, perTryTimeoutMs: 10_000 },
    });
  });

  it('that are not there leave alone what the concise form says', async () => {
    const services = `${SERVICES}defaults: { circuitBreaker: {}, loadBalancer: { kind: random } }\n`
      .replace("endpoints: ['10.0.1.1:80'] }", "endpoints: ['10.0.1.1:80'] }")
      .replace('  reviews:\n', '  reviews:\n    outlierDetection: {}\n');
    expect(await reviews('{ connectionPool: { tcp: { maxConnections: 7 } } }', { services })).toMatchObject({
      loadBalancer: { kind: 'random' },
      circuitBreaker: { kind: 'ratio' },
      outlierDetection: { kind: 'inmesh' },
      limits: { maxConnections: 7 },
    });
  });

  it('that both say are an error with both places; with lenient the first is used', async () => {
    const services = SERVICES.replace('  reviews:\n', '  reviews:\n    limits: { maxRequests: 3 }\n');
    const text = documents(services, destinationRule('host: reviews\ntrafficPolicy: { connectionPool: { tcp: { maxConnections: 7 } } }'));
    expect(await issuesOfText(text)).toEqual(['15:36 error INM0012 limits of reviews is decided twice, first at mesh.yaml:3:5; keep one']);
    expect((await goodText(text, { lenient: true })).services.reviews?.limits).toMatchObject({ maxRequests: 3, maxConnections: 0 });
  });

  it.each([
    ['nothing', '{}', { kind: 'leastRequest' }],
    ['round robin', '{ simple: ROUND_ROBIN }', { kind: 'roundRobin' }],
    ['random', '{ simple: RANDOM }', { kind: 'random' }],
    ['the old word', '{ simple: LEAST_CONN }', { kind: 'leastRequest' }],
    [
      'a header',
      '{ consistentHash: { httpHeaderName: X-User } }',
      { kind: 'ringHash', hash: { keys: [{ header: 'x-user' }], ringSizeMin: 1_024 } },
    ],
    [
      'a cookie',
      '{ consistentHash: { httpCookie: { name: u, path: /, ttl: 0s, attributes: [ { name: SameSite, value: Lax } ] } } }',
      { hash: { keys: [{ cookie: 'u', path: '/', ttlMs: 0, attributes: { SameSite: 'Lax' } }] } },
    ],
    [
      'a cookie that is never made',
      '{ consistentHash: { httpCookie: { name: u } } }',
      { hash: { keys: [{ cookie: 'u', path: '', ttlMs: null, attributes: {} }] } },
    ],
    [
      'a parameter, Maglev',
      '{ consistentHash: { httpQueryParameterName: u, maglev: { tableSize: 101 } } }',
      { kind: 'maglev', hash: { keys: [{ query: 'u' }], maglevTableSize: 101 } },
    ],
    [
      'the caller',
      '{ consistentHash: { useSourceIp: true, ringHash: { minimumRingSize: 7 } } }',
      { hash: { keys: [{ source: true }], ringSizeMin: 7 } },
    ],
    ['the old ring size', '{ consistentHash: { httpHeaderName: u, minimumRingSize: 9 } }', { hash: { ringSizeMin: 9 } }],
    ['warm-up', '{ warmup: { duration: 30s } }', { slowStart: { windowMs: 30_000, minPercent: 10, aggression: 1 } }],
    [
      'all of warm-up',
      '{ simple: ROUND_ROBIN, warmup: { duration: 1m, minimumPercent: 5, aggression: 2 } }',
      { slowStart: { windowMs: 60_000, minPercent: 5, aggression: 2 } },
    ],
    ['the old warm-up', '{ warmupDurationSecs: 30s }', { slowStart: { windowMs: 30_000, minPercent: 10, aggression: 1 } }],
    ['warm-up that a random choice has no use for', '{ simple: RANDOM, warmup: { duration: 30s } }', { slowStart: null }],
    ['localities without outlier detection', '{ localityLbSetting: { failover: [ { from: a, to: b } ] } }', { locality: null }],
    [
      'shares of localities',
      '{ localityLbSetting: { distribute: [ { from: a/*, to: { a/z: 80, b/*: 20 } } ] } }',
      { locality: { mode: 'priority', retriesLeave: false, distribute: [{ from: 'a/*', to: { 'a/z': 80, 'b/*': 20 } }] } },
    ],
  ])('loadBalancer: %s', async (_name, loadBalancer, policy) => {
    expect((await reviews(`{ loadBalancer: ${loadBalancer} }`)).loadBalancer).toMatchObject(policy);
  });

  it.each([
    ['by itself prefers near endpoints', '{}', '{}', { mode: 'priority', failover: [], failoverPriority: [] }, 0],
    [
      'with failover',
      '{ localityLbSetting: { failover: [ { from: a, to: b } ] } }',
      '{ minHealthPercent: 30 }',
      { failover: [{ from: 'a', to: 'b' }] },
      30,
    ],
    [
      'with labels',
      '{ localityLbSetting: { failoverPriority: [version, "zone=a"] } }',
      '{}',
      { failoverPriority: ['version', 'zone=a'] },
      0,
    ],
    ['with localities switched off', '{ localityLbSetting: { enabled: false } }', '{}', null, 0],
  ])('outlier detection %s', async (_name, loadBalancer, outlier, locality, panicPercent) => {
    const own = (await reviews(`{ loadBalancer: ${loadBalancer}, outlierDetection: ${outlier} }`)).loadBalancer;
    if (locality === null) expect(own.locality).toBe(null);
    else expect(own.locality).toMatchObject(locality);
    expect(own.panicPercent).toBe(panicPercent);
  });

  it.each([
    ['nothing', '{}', ENVOY_OUTLIER_DEFAULTS],
    ['consecutive5xxErrors off', '{ consecutive5xxErrors: 0 }', { ...ENVOY_OUTLIER_DEFAULTS, consecutive5xx: 0 }],
    [
      'all',
      '{ consecutive5xxErrors: 7, consecutiveGatewayErrors: 3, interval: 5s, baseEjectionTime: 10m, maxEjectionPercent: 50, splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 2, outlierDetectionHttpErrorCodes: [500, 429] }',
      {
        ...ENVOY_OUTLIER_DEFAULTS,
        consecutive5xx: 7,
        consecutiveGatewayErrors: 3,
        intervalMs: 5_000,
        baseEjectionMs: 600_000,
        maxEjectionMs: 600_000,
        maxEjectionPercent: 50,
        splitLocalOrigin: true,
        consecutiveLocalOriginErrors: 2,
        errorStatuses: [
          [500, 500],
          [429, 429],
        ],
      },
    ],
    ['zeros that mean nothing', '{ maxEjectionPercent: 0, consecutiveErrors: 3 }', ENVOY_OUTLIER_DEFAULTS],
  ])('outlierDetection: %s', async (_name, outlier, policy) => {
    expect((await reviews(`{ outlierDetection: ${outlier} }`)).outlierDetection).toEqual(policy);
  });

  it('say when nobody could be ejected', async () => {
    const text = documents(SERVICES, destinationRule('host: reviews\ntrafficPolicy: { outlierDetection: {} }'));
    expect(await issuesOfText(text)).toEqual([
      '14:20 warning INM0105 outlierDetection can eject nobody: one of the 2 endpoints of reviews.default.svc.cluster.local is more than maxEjectionPercent 10; set it to 50 or more',
    ]);
    expect(await issuesOfText(text.replace('{ outlierDetection: {} }', '{ outlierDetection: { maxEjectionPercent: 50 } }'))).toEqual([]);
  });

  it('of connections', async () => {
    const own = await reviews(
      '{ connectionPool: { tcp: { maxConnections: 1, connectTimeout: 30ms, idleTimeout: 0s, maxConnectionDuration: 1h, tcpKeepalive: { probes: 3, time: 7200s, interval: 75s } }, http: { http1MaxPendingRequests: 2, http2MaxRequests: 3, maxRequestsPerConnection: 4, maxRetries: 5, h2UpgradePolicy: UPGRADE, maxConcurrentStreams: 6, http2KeepAlive: { interval: 15s, timeout: 5s } } } }',
    );
    expect(own.limits).toEqual({
      maxConnections: 1,
      maxPendingRequests: 2,
      maxRequests: 3,
      maxRequestsPerConnection: 4,
      maxRetries: 5,
      adaptive: null,
    });
    expect(own.connections).toEqual({
      connectTimeoutMs: 30,
      idleTimeoutMs: 0,
      maxAgeMs: 3_600_000,
      tcpKeepalive: { probes: 3, timeMs: 7_200_000, intervalMs: 75_000 },
      maxConcurrentStreams: 6,
      http2Ping: { intervalMs: 15_000, timeoutMs: 5_000 },
    });
    expect(own.protocol).toBe('http2');
  });

  it('of a retry budget, which takes the place of a number', async () => {
    const own = await reviews('{ connectionPool: { http: { maxRetries: 5 } }, retryBudget: { percent: 30 } }');
    expect([own.retryBudget, own.limits.maxRetries]).toEqual([{ kind: 'envoy', percent: 30, concurrencyMin: 3, intervalMs: 0 }, 0]);
    const all = await reviews('{ retryBudget: { minRetryConcurrency: 10, budgetInterval: 2s } }');
    expect(all.retryBudget).toEqual({ kind: 'envoy', percent: 20, concurrencyMin: 10, intervalMs: 2_000 });
  });

  const IDENTITY = `identity: { cert: c.pem, key: k.pem, ca: a.pem }\n${SERVICES}`;
  it.each([
    ['off', '{ mode: DISABLE }', { mode: 'disable' }],
    ['one-sided, roots of the web', '{ mode: SIMPLE }', { mode: 'simple' }],
    [
      'one-sided',
      '{ mode: SIMPLE, caCertificates: /ca.pem, sni: a.example, subjectAltNames: [b.example], caCrl: crl.pem }',
      { mode: 'simple', serverName: 'a.example', subjectAltNames: ['b.example'], ca: '/ca.pem', crl: '/app/crl.pem' },
    ],
    ['nothing verified', '{ mode: SIMPLE, insecureSkipVerify: true }', { mode: 'simple', verify: 'none' }],
    [
      'mutual',
      '{ mode: MUTUAL, clientCertificate: c.pem, privateKey: k.pem, caCertificates: ca.pem }',
      { mode: 'mutual', cert: '/app/c.pem', key: '/app/k.pem', ca: '/app/ca.pem' },
    ],
    [
      'mutual, roots of the web',
      '{ mode: MUTUAL, clientCertificate: c.pem, privateKey: k.pem }',
      { mode: 'mutual', cert: '/app/c.pem', key: '/app/k.pem', webRoots: true },
    ],
    ['by identity', '{ mode: ISTIO_MUTUAL }', { mode: 'mutual', verify: 'chain' }],
    [
      'by identity, names known',
      '{ mode: ISTIO_MUTUAL, subjectAltNames: ["spiffe://cluster.local/ns/default/sa/reviews"] }',
      { mode: 'mutual', subjectAltNames: ['spiffe://cluster.local/ns/default/sa/reviews'] },
    ],
  ])('tls: %s', async (_name, tls, policy) => {
    expect((await reviews(`{ tls: ${tls} }`, { services: IDENTITY })).tls).toEqual(policy);
  });

  it.each([
    [
      'by identity that is not there',
      'tls: { mode: ISTIO_MUTUAL }',
      'error INM0302 ISTIO_MUTUAL needs a certificate of this process; add identity at the top of the configuration',
    ],
    [
      'by a secret',
      'tls: { mode: SIMPLE, credentialName: s }',
      'error INM0011 credentialName names a secret of the cluster, which inmesh cannot read; give caCertificates',
    ],
    [
      'through a tunnel',
      'tunnel: { targetHost: a.example, targetPort: 80 }',
      'error INM0011 tunnel: calls are not carried through CONNECT by inmesh; remove it',
    ],
    [
      'to where the caller has connected',
      'loadBalancer: { simple: PASSTHROUGH }',
      'error INM0011 PASSTHROUGH calls the address that the caller has connected to, and inside a process nobody has connected yet',
    ],
  ])('cannot be obeyed: %s', async (_name, policy, message) => {
    const issues = await issuesOfText(documents(SERVICES, destinationRule(`host: reviews\ntrafficPolicy: { ${policy} }`)));
    expect(issues.map((issue) => issue.replace(/^\S+ /, ''))).toContain(message);
  });
});

describe('inheritance', () => {
  const rule = `host: reviews
trafficPolicy:
  connectionPool: { tcp: { maxConnections: 1 } }
  outlierDetection: { consecutive5xxErrors: 1, maxEjectionPercent: 100 }
  retryBudget: { percent: 1 }
  portLevelSettings:
    - { port: { number: 8080 }, loadBalancer: { simple: RANDOM } }
subsets:
  - { name: plain, labels: { version: v1 } }
  - { name: own, labels: { version: v1 }, trafficPolicy: { connectionPool: { tcp: { maxConnections: 2 } } } }
  - name: ported
    labels: { version: v2 }
    trafficPolicy:
      connectionPool: { tcp: { maxConnections: 3 } }
      portLevelSettings: [ { port: { number: 8080 }, connectionPool: { tcp: { maxConnections: 4 } } } ]`;
  const shape = ({ loadBalancer, limits, outlierDetection, retryBudget }: ServiceConfig): unknown[] => [
    loadBalancer.kind,
    limits.maxConnections,
    outlierDetection?.kind ?? null,
    retryBudget.kind,
  ];
  const to = (subset: string, port = ''): string =>
    `{ match: [ { uri: { exact: /${subset}${port} } } ], route: [ { destination: { host: reviews, subset: ${subset}${port === '' ? '' : `, port: { number: ${port} }`} } } ] }`;

  it('goes block by block for a subset, and not at all for a port', async () => {
    const http = `[ ${['plain', 'own', 'ported'].flatMap((subset) => [to(subset), to(subset, '8080')]).join(', ')} ]`;
    const { services } = await goodText(documents(SERVICES, destinationRule(rule), virtualService(http)));
    expect(
      Object.fromEntries(
        Object.values(services)
          .filter(({ name }) => name.startsWith('reviews'))
          .map((service) => [service.name, shape(service)]),
      ),
    ).toEqual({
      reviews: ['leastRequest', 1, 'envoy', 'envoy'],
      'reviews:8080': ['random', 0, null, 'none'],
      'reviews/own': ['leastRequest', 2, 'envoy', 'envoy'],
      'reviews/ported': ['leastRequest', 3, 'envoy', 'envoy'],
      'reviews:8080/own': ['random', 2, null, 'none'],
      'reviews:8080/ported': ['leastRequest', 4, null, 'none'],
    });
    const targets = (services.reviews?.routes ?? []).flatMap(({ targets: own }) =>
      own.map(({ service, subset }) => `${service} ${subset ?? '-'}`),
    );
    expect(targets.slice(0, 6)).toEqual([
      'reviews plain',
      'reviews:8080 plain',
      'reviews/own ',
      'reviews:8080/own ',
      'reviews/ported ',
      'reviews:8080/ported ',
    ]);
    expect(services['reviews/own']?.subsets).toEqual({ '': { version: 'v1' } });
    expect(services['reviews:8080']?.hosts).toContain('reviews:8080');
    expect(services['reviews:8080']?.routes.map(({ dialect }) => dialect)).toContain('istio');
  });

  it('makes no service of a subset that no rule leads to', async () => {
    const { services } = await goodText(documents(SERVICES, destinationRule(rule)));
    expect(Object.keys(services)).toEqual(['reviews', 'ratings', 'reviews:8080']);
    expect(services.reviews?.subsets).toEqual({ plain: { version: 'v1' }, own: { version: 'v1' }, ported: { version: 'v2' } });
  });
});

describe('the rule that holds', () => {
  const pool = (host: string, size: number, more = ''): string =>
    `host: ${host}\ntrafficPolicy: { connectionPool: { tcp: { maxConnections: ${size} } } }\n${more}`;
  const size = async (...rules: readonly string[]): Promise<number | undefined> => {
    const entry = document(
      'ServiceEntry',
      'hosts: [svc.shop.svc.cluster.local]\nports: [ { number: 80, name: http, protocol: HTTP } ]\nresolution: DNS',
      { name: 'svc', namespace: 'shop' },
    );
    const config = await goodText(documents('self: { labels: { app: me } }', entry, ...rules), { lenient: true });
    return config.services['svc.shop']?.limits.maxConnections;
  };
  const HOST = 'svc.shop.svc.cluster.local';

  it.each([
    [
      'of the caller before that of the host',
      [
        [pool(HOST, 1), 'default'],
        [pool('svc', 2), 'shop'],
        [pool(HOST, 3), 'istio-system'],
      ],
      1,
    ],
    [
      'of the host before that of the mesh',
      [
        [pool('svc', 2), 'shop'],
        [pool(HOST, 3), 'istio-system'],
      ],
      2,
    ],
    [
      'of the mesh',
      [
        [pool(HOST, 3), 'istio-system'],
        [pool(HOST, 4), 'elsewhere'],
      ],
      3,
    ],
    ['of nobody', [[pool(HOST, 4), 'elsewhere']], 0],
    [
      'exact before wildcard',
      [
        [pool('"*.shop.svc.cluster.local"', 1), 'default'],
        [pool(HOST, 2), 'default'],
      ],
      2,
    ],
    [
      'the longer wildcard',
      [
        [pool('"*.local"', 1), 'default'],
        [pool('"*.shop.svc.cluster.local"', 2), 'default'],
      ],
      2,
    ],
    [
      'a wildcard at home before an exact one elsewhere',
      [
        [pool('"*.local"', 1), 'default'],
        [pool('svc', 2), 'shop'],
      ],
      1,
    ],
    [
      'not one that stays at home',
      [
        [pool('svc', 2, 'exportTo: ["."]'), 'shop'],
        [pool(HOST, 3), 'istio-system'],
      ],
      3,
    ],
    [
      'not one that is for others, nor a less exact one beside it',
      [
        [pool('svc', 2, 'exportTo: [other]'), 'shop'],
        [pool('"*.local"', 4), 'shop'],
        [pool(HOST, 3), 'istio-system'],
      ],
      3,
    ],
    [
      'for this workload',
      [
        [pool(HOST, 1), 'default'],
        [pool(HOST, 2, 'workloadSelector: { matchLabels: { app: me } }'), 'default'],
      ],
      2,
    ],
    [
      'not for another workload',
      [
        [pool(HOST, 1), 'default'],
        [pool(HOST, 2, 'workloadSelector: { matchLabels: { app: other } }'), 'default'],
      ],
      1,
    ],
  ])('is that %s', async (_name, rules, expected) => {
    expect(
      await size(...rules.map(([spec, namespace], i) => destinationRule(String(spec), { name: `r${i}`, namespace: String(namespace) }))),
    ).toBe(expected === 0 ? 0 : expected);
  });

  it('of several for one host is their sum; what stands twice is an error', async () => {
    const first = destinationRule(`${pool('reviews', 1)}subsets: [ { name: v1, labels: { version: v1 } } ]`, { name: 'a' });
    const more = destinationRule('host: reviews\nsubsets: [ { name: v2, labels: { version: v2 } } ]', { name: 'b' });
    const { services } = await goodText(documents(SERVICES, first, more));
    expect(services.reviews).toMatchObject({ limits: { maxConnections: 1 }, subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } } });
    const again = destinationRule(`${pool('reviews', 2)}subsets: [ { name: v1, labels: { version: v2 } } ]`, { name: 'b' });
    const text = documents(SERVICES, first, again);
    expect((await issuesOfText(text)).map((issue) => issue.split(' for reviews')[0])).toEqual([
      '23:18 error INM0012 DestinationRule default/a (mesh.yaml:11:19) has a traffic policy',
      '24:14 error INM0012 DestinationRule default/a (mesh.yaml:11:19) has subset v1',
    ]);
    expect((await goodText(text, { lenient: true })).services.reviews).toMatchObject({
      limits: { maxConnections: 1 },
      subsets: { v1: { version: 'v1' } },
    });
  });

  it('for nobody is said, and so is a subset of nobody', async () => {
    const text = documents(
      SERVICES,
      destinationRule(pool('nobody', 1), { name: 'a' }),
      destinationRule('host: reviews\nsubsets: [ { name: v9, labels: { version: v9 } } ]', { name: 'b' }),
    );
    expect(await issuesOfText(text)).toEqual([
      '13:9 warning IST0174 no service has the host nobody.default.svc.cluster.local, so this rule does nothing',
      '23:12 warning IST0173 subset v9 selects none of the endpoints of reviews; check its labels against those of the endpoints',
    ]);
  });
});
