// Hosts that Istio is told of: ServiceEntry, WorkloadEntry, and what a Sidecar lets this process see of them.
import { describe, expect, it } from 'vitest';
import type { ServiceConfig } from '../../../src/model/config.ts';
import { type DocumentHead, document, documents, virtualService } from './documents.ts';
import { goodText, issuesOfText } from './load-text.ts';

const HTTP = 'ports: [ { number: 80, name: http, protocol: HTTP } ]';

function entry(spec: string, head: DocumentHead = {}): string {
  return document('ServiceEntry', spec, { name: 'entry', ...head });
}

function workload(spec: string, head: DocumentHead): string {
  return document('WorkloadEntry', spec, head);
}

async function services(...texts: readonly string[]): Promise<Readonly<Record<string, ServiceConfig>>> {
  return (await goodText(documents(...texts))).services;
}

function addresses({ endpoints }: ServiceConfig): unknown {
  return endpoints.kind === 'static' ? endpoints.endpoints.map(({ address }) => address) : endpoints;
}

describe('a ServiceEntry', () => {
  it('makes a service of each host and port', async () => {
    const found = await services(
      entry(
        'hosts: [a.example, b.example]\nports: [ { number: 80, name: http, protocol: HTTP }, { number: 443, name: tls, protocol: HTTPS }, { number: 50051, name: grpc, protocol: GRPC } ]\nresolution: DNS',
      ),
    );
    expect(Object.values(found).map(({ name, hosts, protocol }) => [name, hosts, protocol])).toEqual([
      ['a.example', ['a.example', 'a.example:80'], 'http1'],
      ['a.example:443', ['a.example:443'], 'http1'],
      ['a.example:50051', ['a.example:50051'], 'http2'],
      ['b.example', ['b.example', 'b.example:80'], 'http1'],
      ['b.example:443', ['b.example:443'], 'http1'],
      ['b.example:50051', ['b.example:50051'], 'http2'],
    ]);
  });

  it('has what Istio means by silence', async () => {
    const found = await services(entry(`hosts: [a.example]\n${HTTP}\nresolution: DNS`));
    expect(found['a.example']).toMatchObject({
      loadBalancer: { kind: 'leastRequest' },
      limits: { maxRequests: 0 },
      circuitBreaker: null,
      outlierDetection: null,
      retryBudget: { kind: 'none' },
      routes: [
        {
          name: 'default',
          dialect: 'istio',
          timeoutMs: 0,
          retries: { attempts: 2, semantics: { kind: 'envoy' } },
          targets: [{ service: 'a.example' }],
        },
      ],
      source: { line: 5, column: 11 },
    });
  });

  const ENDPOINTS =
    'endpoints: [ { address: 10.0.0.1, ports: { http: 8080 }, labels: { version: v1 }, locality: r/z, weight: 3 }, { address: "fd00::1" } ]';
  it.each([
    ['NONE', `${HTTP}`, { kind: 'dns', host: 'a.example', port: 80, record: 'any' }],
    ['STATIC', `${HTTP}\nresolution: STATIC\n${ENDPOINTS}`, ['10.0.0.1:8080', '[fd00::1]:80']],
    [
      'STATIC with a port behind',
      `ports: [ { number: 80, name: http, protocol: HTTP, targetPort: 81 } ]\nresolution: STATIC\nendpoints: [ { address: 10.0.0.1 } ]`,
      ['10.0.0.1:81'],
    ],
    ['STATIC without endpoints', `${HTTP}\nresolution: STATIC`, []],
    ['DNS', `${HTTP}\nresolution: DNS`, { kind: 'dns', host: 'a.example', port: 80, record: 'any' }],
    [
      'DNS of another name',
      `${HTTP}\nresolution: DNS\nendpoints: [ { address: b.example, ports: { http: 81 } } ]`,
      { kind: 'dns', host: 'b.example', port: 81, record: 'any' },
    ],
    [
      'DNS of several names',
      `${HTTP}\nresolution: DNS\nendpoints: [ { address: b.example }, { address: c.example } ]`,
      ['b.example:80', 'c.example:80'],
    ],
    ['DNS with an address', `${HTTP}\nresolution: DNS\nendpoints: [ { address: 10.0.0.1 } ]`, ['10.0.0.1:80']],
    ['DNS_ROUND_ROBIN', `${HTTP}\nresolution: DNS_ROUND_ROBIN`, ['a.example:80']],
  ])('has endpoints by resolution %s', async (_name, spec, expected) => {
    expect(addresses((await services(entry(`hosts: [a.example]\n${spec}`)))['a.example'] as ServiceConfig)).toEqual(expected);
  });

  it('keeps labels, locality and weight of endpoints', async () => {
    const found = await services(entry(`hosts: [a.example]\n${HTTP}\nresolution: STATIC\n${ENDPOINTS}`));
    expect(found['a.example']?.endpoints).toEqual({
      kind: 'static',
      endpoints: [
        { address: '10.0.0.1:8080', labels: { version: 'v1' }, locality: 'r/z', weight: 3 },
        { address: '[fd00::1]:80', labels: {}, locality: '', weight: 1 },
      ],
    });
  });

  it('is met by its own address', async () => {
    const found = await services(entry(`hosts: [a.example]\naddresses: [10.9.9.9, 10.8.0.0/16]\n${HTTP}\nresolution: STATIC`));
    expect(found['a.example']?.hosts).toEqual(['a.example', 'a.example:80', '10.9.9.9', '10.9.9.9:80']);
  });

  it.each([
    ['a wildcard', 'hosts: ["*.a.example"]\nports: [ { number: 443, name: tls, protocol: TLS } ]', ['*.a.example:443']],
    ['a wildcard that is looked up', `hosts: ["*.a.example"]\n${HTTP}\nresolution: DYNAMIC_DNS`, ['*.a.example:80']],
    ['a host without ports', 'hosts: [a.example]', ['a.example']],
  ])('lets calls pass that it says nothing about: %s', async (_name, spec, passHosts) => {
    const config = await goodText(documents('unknownHosts: refuse', entry(spec)));
    expect([config.passHosts, Object.keys(config.services)]).toEqual([passHosts, []]);
  });

  it('answers for a wildcard when it has endpoints', async () => {
    const found = await services(entry(`hosts: ["*.a.example"]\n${HTTP}\nresolution: STATIC\nendpoints: [ { address: 10.0.0.1 } ]`));
    expect([found['*.a.example']?.hosts, addresses(found['*.a.example'] as ServiceConfig)]).toEqual([
      ['*.a.example', '*.a.example:80'],
      ['10.0.0.1:80'],
    ]);
  });

  it('takes workloads by their labels', async () => {
    const found = await services(
      entry(`hosts: [a.example]\n${HTTP}\nresolution: STATIC\nworkloadSelector: { labels: { app: a } }`),
      workload('address: 10.0.0.1\nlabels: { app: a, version: v1 }\nserviceAccount: one', { name: 'one' }),
      workload('address: 10.0.0.2\nlabels: { app: a }\nports: { http: 8080 }', { name: 'two' }),
      workload('address: 10.0.0.3', { name: 'three', labels: '{ app: a }' }),
      workload('address: 10.0.0.4\nlabels: { app: b }', { name: 'four' }),
      workload('address: 10.0.0.5\nlabels: { app: a }', { name: 'five', namespace: 'other' }),
    );
    expect(addresses(found['a.example'] as ServiceConfig)).toEqual(['10.0.0.1:80', '10.0.0.2:8080', '10.0.0.3:80']);
  });

  it('says which names its endpoints show', async () => {
    const rule = document('DestinationRule', 'host: a.example\ntrafficPolicy: { tls: { mode: ISTIO_MUTUAL } }', { name: 'r' });
    const found = await services(
      'identity: { cert: c, key: k, ca: a }',
      entry(
        `hosts: [a.example]\n${HTTP}\nresolution: STATIC\nendpoints: [ { address: 10.0.0.1, serviceAccount: one } ]\nsubjectAltNames: [a.internal]`,
      ),
      rule,
    );
    expect(found['a.example']?.tls).toEqual({
      mode: 'mutual',
      subjectAltNames: ['a.internal', 'spiffe://cluster.local/ns/default/sa/one'],
    });
  });

  it('and another one for the same host put their endpoints together', async () => {
    const one = (address: string, name: string, protocol = 'HTTP'): string =>
      entry(
        `hosts: [a.example]\nports: [ { number: 80, name: http, protocol: ${protocol} } ]\nresolution: STATIC\nendpoints: [ { address: ${address} } ]`,
        { name },
      );
    expect(addresses((await services(one('10.0.0.1', 'a'), one('10.0.0.2', 'b')))['a.example'] as ServiceConfig)).toEqual([
      '10.0.0.1:80',
      '10.0.0.2:80',
    ]);
    expect(await issuesOfText(documents(one('10.0.0.1', 'a'), one('10.0.0.2', 'b', 'GRPC')))).toEqual([
      '16:12 warning IST0177 port 80 of a.example speaks HTTP in ServiceEntry default/a (mesh.yaml:3:19); the first counts',
    ]);
  });

  it('does not contradict the concise form about endpoints', async () => {
    const found = await services(
      'services: { a: { endpoints: ["127.0.0.1:1"], hosts: [a.example] } }',
      entry(`hosts: [a.example]\n${HTTP}\nresolution: DNS`),
    );
    expect([Object.keys(found), addresses(found.a as ServiceConfig), found.a?.loadBalancer.kind, found.a?.timeoutMs]).toEqual([
      ['a'],
      ['127.0.0.1:1'],
      'leastRequest',
      30_000,
    ]);
  });

  it.each([
    ['to others', 'exportTo: [other]'],
    ['to nobody', 'exportTo: ["~"]'],
  ])('is passed over when it is shown %s', async (_name, more) => {
    expect(await services(entry(`hosts: [a.example]\n${HTTP}\nresolution: DNS\n${more}`, { namespace: 'shop' }))).toEqual({});
  });

  it('cannot have endpoints on a Unix socket', async () => {
    const text = entry(`hosts: [a.example]\n${HTTP}\nresolution: STATIC\nendpoints: [ { address: "unix:///run/a.sock" } ]`);
    expect(await issuesOfText(text)).toEqual([
      '8:16 error INM0011 inmesh reaches endpoints over TCP, not over a Unix socket; give an address and a port',
    ]);
    expect(addresses((await goodText(text, { lenient: true })).services['a.example'] as ServiceConfig)).toEqual([]);
  });
});

describe('ports of a destination', () => {
  const PORTS = 'ports: [ { number: 80, name: http, protocol: HTTP }, { number: 8080, name: more, protocol: HTTP } ]\nresolution: DNS';
  const to = (destination: string): string =>
    virtualService(`[ { route: [ { destination: ${destination} } ] } ]`).replace('hosts: [reviews]', 'hosts: [a.example]');

  it('that are not named are that of the call, and one should say so', async () => {
    const text = documents(
      entry(`hosts: [a.example]\n${PORTS}`),
      entry(`hosts: [b.example]\n${PORTS}`, { name: 'b' }),
      to('{ host: b.example }'),
    );
    const { services: found } = await goodText(text);
    const target = (name: string): string | undefined => found[name]?.routes[0]?.targets[0]?.service;
    expect([target('a.example'), target('a.example:8080')]).toEqual(['b.example', 'b.example:8080']);
    expect((await issuesOfText(text)).map((issue) => issue.replace(/^\S+ /, ''))).toEqual([
      'warning IST0112 b.example has several ports (80, 8080) and no port is named, so the port of the call decides; add port.number',
    ]);
  });

  it('that are named must be there', async () => {
    const text = documents(entry(`hosts: [a.example]\n${PORTS}`), to('{ host: a.example, port: { number: 9 } }'));
    expect((await goodText(text)).services['a.example']?.routes[0]?.targets[0]?.fails?.reason).toBe('a.example has no port 9');
    const named = (await goodText(text.replace('number: 9 }', 'number: 8080 }'))).services;
    expect(named['a.example']?.routes[0]?.targets[0]?.service).toBe('a.example:8080');
  });

  it('of a host with one port is that', async () => {
    const one = entry(`hosts: [b.example]\nports: [ { number: 9000, name: http, protocol: HTTP } ]\nresolution: DNS`, { name: 'b' });
    const { services: found } = await goodText(documents(entry(`hosts: [a.example]\n${PORTS}`), one, to('{ host: b.example }')));
    expect(found['a.example']?.routes[0]?.targets[0]).toMatchObject({ service: 'b.example', weight: 1 });
  });
});

describe('a Sidecar', () => {
  const sidecar = (spec: string, head: DocumentHead = {}): string => document('Sidecar', spec, { name: 'sidecar', ...head });
  const shop = entry(`hosts: [a.example, b.example]\n${HTTP}\nresolution: DNS`, { name: 'shop', namespace: 'shop' });

  it.each([
    ['refuses unknown hosts', 'outboundTrafficPolicy: { mode: REGISTRY_ONLY }', 'refuse'],
    ['lets them pass', 'outboundTrafficPolicy: { mode: ALLOW_ANY }', 'pass'],
    ['says nothing', 'egress: [ { hosts: ["*/*"] } ]', 'pass'],
  ])('%s', async (_name, spec, unknownHosts) => {
    expect((await goodText(sidecar(spec))).unknownHosts).toBe(unknownHosts);
  });

  it('and the concise form cannot both say what becomes of unknown hosts', async () => {
    const text = documents('unknownHosts: pass', sidecar('outboundTrafficPolicy: { mode: REGISTRY_ONLY }'));
    expect(await issuesOfText(text)).toEqual(['7:26 error INM0012 unknownHosts is decided twice, first at mesh.yaml:1:1; keep one']);
  });

  it.each([
    ['all', '"*/*"', ['a.example', 'b.example']],
    ['a namespace', 'shop/*', ['a.example', 'b.example']],
    ['a host', 'shop/a.example', ['a.example']],
    ['a host of any namespace', '"*/b.example"', ['b.example']],
    ['another namespace', './*', []],
    ['all but one', '"*/*", ~shop/a.example', ['b.example']],
  ])('shows %s', async (_name, hosts, expected) => {
    expect(Object.keys(await services(shop, sidecar(`egress: [ { hosts: [${hosts}] } ]`)))).toEqual(expected);
  });

  it('hides a host from callers, not from the rules that it shows', async () => {
    const rules = document('VirtualService', 'hosts: [front.example]\nhttp: [ { route: [ { destination: { host: a.example } } ] } ]', {
      name: 'front',
    });
    const found = await services(shop, rules, sidecar('egress: [ { hosts: ["./*"] } ]'));
    expect(Object.values(found).map(({ name, hosts }) => [name, hosts])).toEqual([
      ['front.example', ['front.example']],
      ['a.example', []],
    ]);
    expect(Object.keys(await services(shop, rules, sidecar('egress: [ { hosts: ["shop/b.example"] } ]')))).toEqual(['b.example']);
  });

  it('for this workload goes before that of the namespace, and that before that of the mesh', async () => {
    const only = (host: string, head: DocumentHead, more = ''): string => sidecar(`egress: [ { hosts: [${host}] } ]\n${more}`, head);
    const mesh = only('shop/a.example', { name: 'mesh', namespace: 'istio-system' });
    const wide = only('shop/b.example', { name: 'wide' });
    const mine = only('"*/*"', { name: 'mine' }, 'workloadSelector: { labels: { app: me } }');
    expect(Object.keys(await services(shop, mesh))).toEqual(['a.example']);
    expect(Object.keys(await services(shop, mesh, wide))).toEqual(['b.example']);
    expect(Object.keys(await services('self: { labels: { app: me } }', shop, mesh, wide, mine))).toEqual(['a.example', 'b.example']);
    expect(Object.keys(await services('self: { labels: { app: you } }', shop, mesh, wide, mine))).toEqual(['b.example']);
    expect((await issuesOfText(documents(wide, only('"*/*"', { name: 'zzz' })))).map((issue) => issue.split(' (')[0])).toEqual([
      '11:19 error IST0111 Sidecar default/wide',
    ]);
  });

  it('keeps the limits of what comes in', async () => {
    const config = await goodText(sidecar('inboundConnectionPool: { tcp: { maxConnections: 9 }, http: { http2MaxRequests: 8 } }'));
    expect(config.inbound.limits).toEqual({ maxConnections: 9, maxRequests: 8 });
  });
});

describe('a Telemetry', () => {
  const telemetry = (spec: string, head: DocumentHead = {}): string => document('Telemetry', spec, head);

  it('of the workload is laid over that of the namespace and that of the mesh', async () => {
    const config = await goodText(
      documents(
        'self: { labels: { app: me } }',
        telemetry(
          'tracing: [ { randomSamplingPercentage: 1, customTags: { a: { literal: { value: x } } }, disableSpanReporting: true } ]',
          { name: 'mesh', namespace: 'istio-system' },
        ),
        telemetry(
          'tracing: [ { match: { mode: CLIENT }, randomSamplingPercentage: 50, customTags: { b: { header: { name: X-B, defaultValue: none } }, c: { environment: { name: C } } } } ]',
          { name: 'wide' },
        ),
        telemetry(
          'selector: { matchLabels: { app: me } }\ntracing: [ { disableSpanReporting: false } ]\naccessLogging: [ { match: { mode: SERVER }, filter: { expression: "response.code >= 400" } } ]',
          { name: 'mine' },
        ),
        telemetry('selector: { matchLabels: { app: you } }\ntracing: [ { randomSamplingPercentage: 99 } ]', { name: 'yours' }),
      ),
    );
    const { client, server, sources } = config.telemetry ?? {};
    expect(JSON.parse(JSON.stringify(client?.tracing))).toEqual({
      samplingPercent: 50,
      tags: { b: { kind: 'header', name: 'x-b', defaultValue: 'none' }, c: { kind: 'environment', name: 'C' } },
      report: true,
      propagate: true,
      byRequestId: true,
    });
    expect(JSON.parse(JSON.stringify(server?.tracing))).toMatchObject({ samplingPercent: 1, tags: { a: { kind: 'literal', value: 'x' } } });
    expect([client?.accessLog, server?.accessLog]).toEqual([null, { disabled: false, filter: 'response.code >= 400' }]);
    expect(sources?.map(({ line }) => line)).toEqual([5, 12, 19]);
  });

  it('says what it keeps and does not obey, and who decides it', async () => {
    const issues = await issuesOfText(
      telemetry(
        'tracing: [ { randomSamplingPercentage: 5, customTags: { a: { literal: { value: x } } } } ]\nmetrics: [ { overrides: [ { disabled: true } ] } ]\naccessLogging: [ { disabled: true } ]',
      ),
    );
    expect(issues.map((issue) => issue.replace(/^\d+:\d+ /, '').split(':')[0])).toEqual([
      'warning INM0020 randomSamplingPercentage is kept and not obeyed',
      'warning INM0020 customTags is kept and not obeyed',
      'warning INM0020 overrides is kept and not obeyed',
      'warning INM0020 disabled is kept and not obeyed',
    ]);
    expect(await issuesOfText(telemetry('tracing: [ {} ]'))).toEqual([]);
  });

  it('overrides metrics one by one', async () => {
    const override = (more: string): string => `metrics: [ { overrides: [ ${more} ] } ]`;
    const config = await goodText(
      documents(
        telemetry(
          override(
            '{ match: { metric: REQUEST_COUNT, mode: CLIENT }, tagOverrides: { a: { value: x }, b: { operation: REMOVE } } }, { disabled: true }',
          ),
          { name: 'mesh', namespace: 'istio-system' },
        ),
        telemetry(
          override(
            '{ match: { metric: REQUEST_COUNT }, tagOverrides: { a: { value: y } } }, { match: { customMetric: own, mode: SERVER }, disabled: true }',
          ),
          { name: 'wide' },
        ),
      ),
    );
    const { client, server } = config.telemetry ?? {};
    expect(JSON.parse(JSON.stringify(client?.metrics))).toEqual([
      { metric: 'REQUEST_COUNT', disabled: false, tags: { a: { value: 'y' }, b: { remove: true } } },
      { metric: 'ALL_METRICS', disabled: true, tags: {} },
    ]);
    expect(server?.metrics.map(({ metric, disabled }) => [metric, disabled])).toEqual([
      ['ALL_METRICS', true],
      ['REQUEST_COUNT', false],
      ['own', true],
    ]);
  });

  it('that is one of two for the same workloads is an error', async () => {
    const text = documents(telemetry('tracing: [ {} ]', { name: 'a' }), telemetry('tracing: [ {} ]', { name: 'b' }));
    expect(await issuesOfText(text)).toEqual([
      '10:19 error IST0160 Telemetry default/a (mesh.yaml:3:19) holds for the same workloads; keep one',
    ]);
  });
});
