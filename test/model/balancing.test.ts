import { describe, expect, it } from 'vitest';
import {
  ENVOY_OUTLIER_DEFAULTS,
  HASH_DEFAULTS,
  HEALTH_CHECK_DEFAULTS,
  LINKERD_OUTLIER_DEFAULTS,
  LOCALITY_DEFAULTS,
} from '../../src/model/balancing.ts';
import type { ServiceConfig } from '../../src/model/config.ts';
import { BALANCER_DEFAULTS, OUTLIER_DEFAULTS } from '../../src/model/destination.ts';
import type { PolicyInput } from '../../src/model/input-policy.ts';
import type { MeshInput } from '../../src/model/input.ts';
import { saidOf, saidOfService, serviceOf } from './resolved.ts';

const SELF: MeshInput = { self: { locality: 'r/z', labels: { rack: '1' } } };
const balancer = (more: object): Partial<ServiceConfig> => ({
  loadBalancer: { ...BALANCER_DEFAULTS, locality: LOCALITY_DEFAULTS, ...more },
});
const locality = (more: object): Partial<ServiceConfig> => balancer({ locality: { ...LOCALITY_DEFAULTS, ...more } });

const rows: [name: string, input: PolicyInput, expected: Partial<ServiceConfig>][] = [
  ['the own zone, when it is known', {}, balancer({})],
  ['no locality', { loadBalancer: { locality: false } }, balancer({ locality: null })],
  ['locality by a word', { loadBalancer: { locality: 'priority' } }, locality({ mode: 'priority' })],
  [
    'locality with numbers',
    { loadBalancer: { locality: { overprovisioning: 2, maxLoad: 0.5, retriesLeave: false } } },
    locality({ overprovisioning: 2, loadMax: 0.5, retriesLeave: false }),
  ],
  [
    'shares, which are priorities',
    { loadBalancer: { locality: { distribute: [{ from: 'r/*', to: { 'r/z': 33.3, '*': 66.7 } }] } } },
    locality({ mode: 'priority', distribute: [{ from: 'r/*', to: { 'r/z': 33.3, '*': 66.7 } }] }),
  ],
  [
    'failover, with labels',
    {
      loadBalancer: { locality: { failover: [{ from: 'r', to: 's' }], failoverPriority: ['rack', 'a=b', 'topology.kubernetes.io/zone'] } },
    },
    locality({ mode: 'priority', failover: [{ from: 'r', to: 's' }], failoverPriority: ['rack', 'a=b', 'topology.kubernetes.io/zone'] }),
  ],
  [
    'a hash of one header',
    { loadBalancer: { kind: 'ringHash', hash: { header: 'X-User' } } },
    balancer({ kind: 'ringHash', hash: { ...HASH_DEFAULTS, keys: [{ header: 'x-user' }] } }),
  ],
  [
    'a hash of all there is',
    {
      loadBalancer: {
        kind: 'maglev',
        hash: [
          { cookie: 'sid' },
          { cookie: { name: 'made', path: '/x', ttl: '0s', attributes: { SameSite: 'Strict' } } },
          { query: 'Id' },
          { source: true },
        ],
        minimumRingSize: 10,
        maximumRingSize: 20,
        tableSize: 251,
      },
    },
    balancer({
      kind: 'maglev',
      hash: {
        keys: [
          { cookie: 'sid', path: '/', ttlMs: null, attributes: {} },
          { cookie: 'made', path: '/x', ttlMs: 0, attributes: { SameSite: 'Strict' } },
          { query: 'Id' },
          { source: true },
        ],
        ringSizeMin: 10,
        ringSizeMax: 20,
        maglevTableSize: 251,
      },
    }),
  ],
  [
    'a ring smaller than the default',
    { loadBalancer: { kind: 'ringHash', hash: { source: true }, maximumRingSize: 64 } },
    balancer({ kind: 'ringHash', hash: { ...HASH_DEFAULTS, keys: [{ source: true }], ringSizeMin: 64, ringSizeMax: 64 } }),
  ],
  [
    'slow start',
    { loadBalancer: { kind: 'roundRobin', slowStart: { window: '30s' } } },
    balancer({ kind: 'roundRobin', slowStart: { windowMs: 30_000, minPercent: 10, aggression: 1 } }),
  ],
  [
    'slow start with numbers',
    { loadBalancer: { kind: 'leastRequest', choices: 3, slowStart: { window: 1, minimumPercent: 5, aggression: 2 } } },
    balancer({ kind: 'leastRequest', choices: 3, slowStart: { windowMs: 1, minPercent: 5, aggression: 2 } }),
  ],
  ['no slow start', { loadBalancer: { kind: 'roundRobin', slowStart: false } }, balancer({ kind: 'roundRobin' })],
  ['panic and subsets', { loadBalancer: { panicThreshold: 50, subsetSize: 20 } }, balancer({ panicPercent: 50, subsetSize: 20 })],
  ['no health checks', { healthCheck: false }, { healthCheck: null }],
  ['health checks', { healthCheck: true }, { healthCheck: HEALTH_CHECK_DEFAULTS }],
  ['health checks of a path', { healthCheck: { http: '/healthz?x' } }, { healthCheck: { ...HEALTH_CHECK_DEFAULTS, path: '/healthz?x' } }],
  [
    'health checks with everything',
    {
      healthCheck: {
        http: { path: '/h', statuses: [200, '204', '300-399'], port: 9 },
        interval: '1s',
        timeout: '2s',
        unhealthyThreshold: 3,
        healthyThreshold: 4,
        always: true,
      },
    },
    {
      healthCheck: {
        kind: 'http',
        path: '/h',
        statuses: [
          [200, 200],
          [204, 204],
          [300, 399],
        ],
        service: '',
        port: 9,
        intervalMs: 1_000,
        timeoutMs: 2_000,
        unhealthyThreshold: 3,
        healthyThreshold: 4,
        always: true,
      },
    },
  ],
  ['health checks by TCP', { healthCheck: { tcp: true } }, { healthCheck: { ...HEALTH_CHECK_DEFAULTS, kind: 'tcp' } }],
  ['health checks of a port', { healthCheck: { tcp: { port: 9 } } }, { healthCheck: { ...HEALTH_CHECK_DEFAULTS, kind: 'tcp', port: 9 } }],
  ['health checks of a server', { healthCheck: { grpc: true } }, { healthCheck: { ...HEALTH_CHECK_DEFAULTS, kind: 'grpc' } }],
  ['health checks by name', { healthCheck: { grpc: 'a.B' } }, { healthCheck: { ...HEALTH_CHECK_DEFAULTS, kind: 'grpc', service: 'a.B' } }],
  [
    'health checks by name and port',
    { healthCheck: { grpc: { service: 'a.B', port: 9 } } },
    { healthCheck: { ...HEALTH_CHECK_DEFAULTS, kind: 'grpc', service: 'a.B', port: 9 } },
  ],
  ['our rule', { outlierDetection: { mode: 'inmesh' } }, { outlierDetection: OUTLIER_DEFAULTS }],
  [
    "Envoy's rule",
    { outlierDetection: { mode: 'envoy', maxEjectionPercent: 50 } },
    { outlierDetection: { ...ENVOY_OUTLIER_DEFAULTS, maxEjectionPercent: 50 } },
  ],
  [
    "Envoy's rule with everything",
    {
      outlierDetection: {
        mode: 'envoy',
        consecutive5xxErrors: 0,
        consecutiveGatewayErrors: 3,
        splitExternalLocalOriginErrors: true,
        consecutiveLocalOriginFailures: 2,
        outlierDetectionHttpErrorCodes: [429, '500-599'],
        interval: '1s',
        baseEjectionTime: '10m',
        maxEjectionTimeJitter: '2s',
        maxEjectionPercent: 100,
        alwaysEjectOneHost: true,
        capCheck: 'before',
        successRate: true,
        failurePercentage: { threshold: 50 },
      },
    },
    {
      outlierDetection: {
        kind: 'envoy',
        consecutive5xx: 0,
        consecutiveGatewayErrors: 3,
        consecutiveLocalOriginErrors: 2,
        splitLocalOrigin: true,
        errorStatuses: [
          [429, 429],
          [500, 599],
        ],
        intervalMs: 1_000,
        baseEjectionMs: 600_000,
        maxEjectionMs: 600_000,
        jitterMs: 2_000,
        maxEjectionPercent: 100,
        alwaysEjectOne: true,
        capCheck: 'before',
        successRate: { hostsMin: 5, callsMin: 100, factor: 1.9 },
        failurePercentage: { threshold: 50, hostsMin: 5, callsMin: 50 },
      },
    },
  ],
  ["Linkerd's rule", { outlierDetection: { mode: 'linkerd' } }, { outlierDetection: LINKERD_OUTLIER_DEFAULTS }],
  [
    "Linkerd's rule with everything",
    { outlierDetection: { mode: 'linkerd', maxFailures: 3, minPenalty: '2m', jitter: 1, unified: { successRate: 0.5 } } },
    {
      outlierDetection: {
        kind: 'linkerd',
        failuresMax: 3,
        penaltyMinMs: 120_000,
        penaltyMaxMs: 120_000,
        jitter: 1,
        successRate: { threshold: 0.5, windowMs: 10_000, callsMin: 5 },
      },
    },
  ],
];

describe('a service asks', () => {
  it.each(rows)('%s, said here or in defaults', (_name, input, expected) => {
    expect(serviceOf(input, {}, SELF)).toMatchObject(expected);
    expect(serviceOf({}, input, SELF)).toMatchObject(expected);
    expect(saidOfService(input, SELF)).toEqual([]);
  });

  it('anybody, when it is not known where this process is', () => {
    expect(serviceOf({}).loadBalancer).toEqual(BALANCER_DEFAULTS);
  });

  it('endpoints by priority', () => {
    const { endpoints } = serviceOf({ endpoints: [{ address: 'x:1', priority: 1 }, 'y:1'], subsets: {} });
    expect(endpoints).toMatchObject({ endpoints: [{ priority: 1 }, {}] });
  });
});

describe('the nearer level', () => {
  it('drops what belongs to another mode', () => {
    const envoy: PolicyInput = { outlierDetection: { mode: 'envoy', baseEjectionTime: '9s', maxEjectionPercent: 100 } };
    expect(serviceOf({ outlierDetection: { mode: 'linkerd' } }, envoy).outlierDetection).toEqual(LINKERD_OUTLIER_DEFAULTS);
    expect(serviceOf({ outlierDetection: { mode: 'inmesh' } }, envoy).outlierDetection).toEqual(OUTLIER_DEFAULTS);
    expect(serviceOf({ outlierDetection: { interval: '1s' } as never }, envoy).outlierDetection).toMatchObject({
      kind: 'envoy',
      intervalMs: 1_000,
      baseEjectionMs: 9_000,
    });
    expect(serviceOf({ outlierDetection: {} }, { outlierDetection: false }).outlierDetection).toEqual(OUTLIER_DEFAULTS);
    expect(serviceOf({ outlierDetection: false }, envoy).outlierDetection).toBeNull();
  });

  it('drops what belongs to another probe', () => {
    const http: PolicyInput = { healthCheck: { http: { path: '/h', port: 9 }, interval: '1s' } };
    const d = { ...HEALTH_CHECK_DEFAULTS, intervalMs: 1_000 };
    expect(serviceOf({ healthCheck: { tcp: true } }, http).healthCheck).toEqual({ ...d, kind: 'tcp' });
    expect(serviceOf({ healthCheck: { http: '/i' } }, http).healthCheck).toEqual({ ...d, path: '/i', port: 9 });
    expect(serviceOf({ healthCheck: true }, http).healthCheck).toEqual({ ...d, path: '/h', port: 9 });
    expect(serviceOf({ healthCheck: { always: true } }, { healthCheck: false }).healthCheck).toMatchObject({ kind: 'http', always: true });
    expect(serviceOf({ healthCheck: false }, http).healthCheck).toBeNull();
  });

  it('drops what excludes its own', () => {
    const failover: PolicyInput = { loadBalancer: { locality: { failover: [{ from: 'r', to: 's' }] } } };
    const distribute: PolicyInput = { loadBalancer: { locality: { distribute: [{ from: 'r', to: { r: 100 } }] } } };
    const of = (input: PolicyInput, defaults: PolicyInput): unknown => serviceOf(input, defaults, SELF).loadBalancer.locality;
    expect(of(distribute, failover)).toMatchObject({ mode: 'priority', distribute: [{ from: 'r' }], failover: [] });
    expect(of(failover, distribute)).toMatchObject({ mode: 'priority', distribute: [], failover: [{ from: 'r' }] });
    expect(of({ loadBalancer: { locality: 'zone' } }, failover)).toEqual(LOCALITY_DEFAULTS);
    expect(of({ loadBalancer: { locality: false } }, failover)).toBeNull();
    expect(of(failover, { loadBalancer: { locality: 'zone' } })).toMatchObject({ mode: 'priority', failover: [{ from: 'r' }] });
  });

  it('may take another kind of balancer without the hash and slow start of defaults', () => {
    const defaults: PolicyInput = { loadBalancer: { kind: 'maglev', hash: { source: true } } };
    expect(serviceOf({ loadBalancer: 'random' }, defaults).loadBalancer).toEqual({ ...BALANCER_DEFAULTS, kind: 'random' });
    expect(saidOf({ defaults, services: { a: { endpoints: ['x:1'], loadBalancer: 'random' } } })).toEqual([]);
    expect(serviceOf({ loadBalancer: 'ringHash' }, { loadBalancer: { hash: { source: true } } }).loadBalancer.kind).toBe('ringHash');
  });
});

describe('what is said of', () => {
  const idle = 'one of 2 endpoints is more than maxEjectionPercent';
  const said: [name: string, input: unknown, more: MeshInput, expected: readonly string[]][] = [
    [
      'a hash that is missing',
      { loadBalancer: 'maglev' },
      {},
      ['loadBalancer: error loadBalancer: maglev needs hash, what the key is taken from; add it, such as hash: { header: x-user }'],
    ],
    [
      'a hash that nobody asks for',
      { loadBalancer: { hash: { source: true } } },
      {},
      ['loadBalancer.hash: warning loadBalancer: hash is for ringHash and maglev, so peakEwma ignores it; change kind, or remove hash'],
    ],
    [
      'two keys in one',
      { loadBalancer: { kind: 'maglev', hash: [{ header: 'a', query: 'b' }] } },
      {},
      ['loadBalancer.hash[0].query: error loadBalancer.hash[0] has both header and query; keep one'],
    ],
    [
      'a cookie that is not made',
      { loadBalancer: { kind: 'maglev', hash: { cookie: { name: 'a', path: '/' } } } },
      {},
      [
        'loadBalancer.hash.cookie.path: warning loadBalancer.hash.cookie.path is that of the cookie that is made, and without ttl none is made; add ttl, such as 0s for the session',
      ],
    ],
    [
      'a table that is no prime',
      { loadBalancer: { kind: 'maglev', hash: { source: true }, tableSize: 65_536 } },
      {},
      ['loadBalancer.tableSize: error loadBalancer: tableSize must be a prime, which 65536 is not; 65537 is one'],
    ],
    [
      'a ring the wrong way round',
      { loadBalancer: { kind: 'ringHash', hash: { source: true }, minimumRingSize: 20, maximumRingSize: 10 } },
      {},
      [
        'loadBalancer.maximumRingSize: error loadBalancer: maximumRingSize is below minimumRingSize; raise maximumRingSize or lower minimumRingSize',
      ],
    ],
    [
      'slow start that nobody makes',
      { loadBalancer: { slowStart: { window: '1s' } } },
      {},
      [
        'loadBalancer.slowStart: warning loadBalancer: slowStart is for roundRobin and leastRequest, so peakEwma ignores it; change kind, or remove slowStart',
      ],
    ],
    [
      'slow start without a window',
      { loadBalancer: { kind: 'roundRobin', slowStart: {} } },
      {},
      ['loadBalancer.slowStart: error loadBalancer: slowStart needs window, how long an endpoint is new; add it, such as window: 30s'],
    ],
    [
      'a locality of nowhere',
      { loadBalancer: { locality: 'zone' } },
      {},
      [
        'loadBalancer.locality: warning locality: it is not known where this process is, so no endpoint is near; add self: { locality: region/zone } at the top',
      ],
    ],
    [
      'a label that nobody has',
      { loadBalancer: { locality: { failoverPriority: ['shelf'] } } },
      SELF,
      [
        'loadBalancer.locality.failoverPriority[0]: warning locality: self has no label "shelf", so every endpoint misses it; add it to self.labels, or write label=value',
      ],
    ],
    [
      'shares that are not a hundred',
      { loadBalancer: { locality: { distribute: [{ from: '*', to: { a: 50, b: 40 } }] } } },
      SELF,
      ['loadBalancer.locality.distribute[0].to: error locality: the shares of distribute sum to 90, not to 100'],
    ],
    [
      'a place with four parts',
      { loadBalancer: { locality: { distribute: [{ from: 'a/b/c/d', to: { 'a/*/c': 100 } }] } } },
      SELF,
      [
        'loadBalancer.locality.distribute[0].from: error loadBalancer.locality.distribute[0].from must be a locality such as region, region/zone or region/zone/subzone, with * for the rest, not "a/b/c/d"',
        'loadBalancer.locality.distribute[0].to["a/*/c"]: error the key "a/*/c" in loadBalancer.locality.distribute[0].to must be a locality such as region, region/zone or region/zone/subzone, with * for the rest',
      ],
    ],
    [
      'shares beside failover',
      {
        loadBalancer: {
          locality: { distribute: [{ from: '*', to: { a: 100 } }], failover: [{ from: 'a', to: 'b' }], failoverPriority: ['rack'] },
        },
      },
      SELF,
      [
        'loadBalancer.locality.failover: error locality: distribute and failover exclude each other; keep one',
        'loadBalancer.locality.failoverPriority: error locality: distribute and failoverPriority exclude each other; keep one',
      ],
    ],
    [
      'failover by zones',
      { loadBalancer: { locality: { mode: 'zone', failover: [{ from: 'a', to: 'b' }] } } },
      SELF,
      ['loadBalancer.locality.failover: error locality: failover belongs to mode: priority; change the mode, or remove failover'],
    ],
    [
      'failover to itself, twice',
      {
        loadBalancer: {
          locality: {
            failover: [
              { from: 'a', to: 'a' },
              { from: 'a', to: 'b' },
            ],
          },
        },
      },
      SELF,
      [
        'loadBalancer.locality.failover[0].to: error locality: failover from a region to itself; name another region',
        'loadBalancer.locality.failover[1].from: error locality: "a" stands twice, first at loadBalancer.locality.failover[0].from; keep one',
      ],
    ],
    ['two probes', { healthCheck: { http: '/', tcp: true } }, {}, ['healthCheck.tcp: error healthCheck has both http and tcp; keep one']],
    [
      "Envoy's rule for two endpoints",
      { outlierDetection: { mode: 'envoy' } },
      {},
      [
        `outlierDetection.mode: warning outlierDetection: ${idle} (10), so with mode: envoy none is ever ejected; raise it to 50 or more, or set alwaysEjectOneHost: true`,
      ],
    ],
    ["Envoy's rule for two endpoints, as gRPC counts", { outlierDetection: { mode: 'envoy', capCheck: 'before' } }, {}, []],
    ["Envoy's rule for two endpoints, one always", { outlierDetection: { mode: 'envoy', alwaysEjectOneHost: true } }, {}, []],
    ["Envoy's rule for just enough", { outlierDetection: { mode: 'envoy', maxEjectionPercent: 50 } }, {}, []],
    ["Envoy's rule for one endpoint", { endpoints: ['x:1'], subsets: {}, outlierDetection: { mode: 'envoy' } }, {}, []],
    [
      "Envoy's detectors that never fire",
      { outlierDetection: { mode: 'envoy', maxEjectionPercent: 50, consecutiveGatewayErrors: 5, consecutiveLocalOriginFailures: 3 } },
      {},
      [
        'outlierDetection.consecutiveGatewayErrors: warning outlierDetection: consecutiveGatewayErrors never takes effect, because these errors are 5xx too and consecutive5xxErrors comes first; lower it, or set consecutive5xxErrors: 0',
        'outlierDetection.consecutiveLocalOriginFailures: warning outlierDetection: consecutiveLocalOriginFailures takes effect only with splitExternalLocalOriginErrors: true; add it, or remove this',
      ],
    ],
    [
      'a factor that is not in thousandths',
      { outlierDetection: { mode: 'envoy', maxEjectionPercent: 50, successRate: { stdevFactor: 1.9 } } },
      {},
      ['outlierDetection.successRate.stdevFactor: error outlierDetection.successRate.stdevFactor must be a whole number from 1, not 1.9'],
    ],
    [
      'penalties the wrong way round',
      { outlierDetection: { mode: 'linkerd', minPenalty: '2s', maxPenalty: '1s' } },
      {},
      ['outlierDetection.maxPenalty: error outlierDetection: maxPenalty is below minPenalty; raise maxPenalty or lower minPenalty'],
    ],
    [
      'a key of another mode',
      { outlierDetection: { mode: 'linkerd', window: '1s' } },
      {},
      [
        'outlierDetection.window: error outlierDetection: window belongs to mode: inmesh, but the mode is linkerd (outlierDetection.mode); change the mode, or remove window',
      ],
    ],
    [
      'a key of a mode that nobody chose',
      { outlierDetection: { jitter: 0, interval: '1s' } },
      {},
      ['outlierDetection.interval: error outlierDetection: interval belongs to mode: envoy, which is not set; add it, or remove interval'],
    ],
  ];
  it.each(said)('%s', (_name, input, more, expected) => {
    expect(saidOfService(input, more)).toEqual(expected);
  });

  it("Envoy's rule in defaults, once for each number of endpoints", () => {
    const services = {
      a: { endpoints: ['x:1', 'x:2'] },
      b: { endpoints: ['x:1', 'x:2'] },
      c: { endpoints: ['x:1', 'x:2', 'x:3'] },
      d: { dns: 'd:1' },
    };
    expect(saidOf({ defaults: { outlierDetection: { mode: 'envoy' } }, services }).map((text) => text.slice(0, 65))).toEqual([
      'defaults.outlierDetection.mode: warning outlierDetection: one of ',
      'defaults.outlierDetection.mode: warning outlierDetection: one of ',
    ]);
  });
});
