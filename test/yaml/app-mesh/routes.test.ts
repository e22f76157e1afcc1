// Which route of a router takes a call, and what it does with it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RouteConfig } from '../../../src/model/config.ts';
import { readGrpcMatch, readHttpMatch } from '../../../src/yaml/app-mesh/read-match.ts';
import { goodText, issuesOfText } from '../istio/load-text.ts';
import { type Asked, takes } from '../takes.ts';

const NODE = `
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata: { name: n }
spec: { listeners: [{ portMapping: { port: 80, protocol: http } }], serviceDiscovery: { dns: { hostname: n.local } } }
`;
const SERVICE = `
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualService
metadata: { name: a }
spec: { provider: { virtualRouter: { virtualRouterRef: { name: r } } } }
`;
const ACTION = 'action: { weightedTargets: [{ virtualNodeRef: { name: n }, weight: 1 }] }';

function router(routes: readonly string[]): string {
  return `
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualRouter
metadata: { name: r }
spec: { routes: [${routes.join(', ')}] }
`;
}

async function routesOf(...routes: readonly string[]): Promise<readonly RouteConfig[]> {
  const { services } = await goodText([NODE, SERVICE, router(routes)].join('---'));
  const found = Object.values(services).find(({ hosts }) => hosts.includes('a.default.svc.cluster.local'));
  return found?.routes ?? [];
}

type Row = readonly [match: Parameters<typeof readHttpMatch>[0], yes: readonly Asked[], no: readonly Asked[]];

const rows: readonly Row[] = [
  [{ prefix: '/' }, [{ path: '/' }, { path: '/a' }], []],
  [{ prefix: '/a' }, [{ path: '/a' }, { path: '/ab' }], [{ path: '/b' }]],
  [{ path: { exact: '/a' } }, [{ path: '/a?x=1' }], [{ path: '/a/' }]],
  [{ path: { regex: '/a+' } }, [{ path: '/aa' }], [{ path: '/aab' }]],
  [{ method: 'GET', scheme: 'https' }, [{ scheme: 'https' }], [{}, { scheme: 'https', method: 'PUT' }]],
  [{ headers: [{ name: 'X-A' }] }, [{ headers: ['x-a', ''] }], [{}]],
  [{ headers: [{ name: 'x', invert: true }] }, [{}], [{ headers: ['x', 'a'] }]],
  [{ headers: [{ name: 'x', match: { exact: 'a' } }] }, [{ headers: ['x', 'a'] }], [{}, { headers: ['x', 'ab'] }]],
  // What is missing is nothing to a comparison, inverted or not.
  [{ headers: [{ name: 'x', match: { exact: 'a' }, invert: true }] }, [{ headers: ['x', 'b'] }], [{}, { headers: ['x', 'a'] }]],
  [
    { headers: [{ name: 'x', match: { suffix: '.b' } }] },
    [{ headers: ['x', 'a.b'] }],
    [{ headers: ['x', 'a.bc'] }, { headers: ['x', 'axb'] }],
  ],
  [{ headers: [{ name: 'x', match: { range: { start: 1, end: 5 } } }] }, [{ headers: ['x', '4'] }], [{ headers: ['x', '5'] }, {}]],
  [
    { headers: [{ name: 'x', match: { range: { start: 1, end: 5 } }, invert: true }] },
    [{ headers: ['x', '5'] }, { headers: ['x', 'a'] }],
    [{ headers: ['x', '4'] }, {}],
  ],
  [
    {
      headers: [
        { name: 'x', match: { prefix: 'a' } },
        { name: 'X', match: { suffix: 'b' } },
      ],
    },
    [{ headers: ['x', 'ab'] }],
    [{ headers: ['x', 'a'] }, { headers: ['x', 'b'] }],
  ],
  [{ queryParameters: [{ name: 'q' }] }, [{ path: '/?q' }, { path: '/?q=1' }], [{ path: '/?p' }]],
  [{ queryParameters: [{ name: 'q', match: { exact: '1' } }] }, [{ path: '/?q=1' }], [{ path: '/?q=2' }, {}]],
  [{ port: 81 }, [{ authority: 'a:81' }], [{ authority: 'a:80' }]],
];

describe('matches of HTTP', () => {
  it.each(rows)('%j', (match, yes, no) => {
    for (const asked of yes) expect([asked, takes([readHttpMatch(match)], asked)]).toEqual([asked, true]);
    for (const asked of no) expect([asked, takes([readHttpMatch(match)], asked)]).toEqual([asked, false]);
  });
});

describe('matches of gRPC', () => {
  const grpc = ['content-type', 'application/grpc+proto'];
  it.each<[Parameters<typeof readGrpcMatch>[0], readonly Asked[], readonly Asked[]]>([
    [{}, [{ headers: grpc }], [{ headers: ['content-type', 'application/json'] }, {}]],
    [{ serviceName: 'p.S' }, [{ path: '/p.S/M', headers: grpc }], [{ path: '/p.St/M', headers: grpc }, { path: '/p.S/M' }]],
    [{ serviceName: 'p.S', methodName: 'M' }, [{ path: '/p.S/M', headers: grpc }], [{ path: '/p.S/Ma', headers: grpc }]],
    [{ metadata: [{ name: 'x', match: { exact: 'a' } }] }, [{ headers: [...grpc, 'x', 'a'] }], [{ headers: grpc }]],
  ])('%j', (match, yes, no) => {
    for (const asked of yes) expect([asked, takes([readGrpcMatch(match)], asked)]).toEqual([asked, true]);
    for (const asked of no) expect([asked, takes([readGrpcMatch(match)], asked)]).toEqual([asked, false]);
  });
});

describe('the order of routes', () => {
  it('is that of their priorities, then of how exact their paths are, then that in which they are written', async () => {
    const matches = ['path: { exact: /abc }', 'prefix: /ab', 'prefix: /a', 'prefix: /', 'path: { regex: /a.* }'];
    const route = fc.record({ priority: fc.option(fc.nat(2), { nil: undefined }), rank: fc.nat(4) });
    await fc.assert(
      fc.asyncProperty(fc.array(route, { minLength: 1, maxLength: 6 }), async (specs) => {
        const texts = specs.map(({ priority, rank }, i) => {
          const first = priority === undefined ? '' : `priority: ${priority}, `;
          return `{ name: r${i}, ${first}httpRoute: { match: { ${matches[rank]} }, ${ACTION} } }`;
        });
        const keys = specs.map(({ priority = 1_001, rank }, i) => [priority, rank, i] as const);
        const expected = [...keys].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]).map(([, , i]) => `r${i}`);
        // Behind them stands the answer of 404.
        const names = (await routesOf(...texts)).map(({ name }) => name).filter((name) => /^r\d$/.test(name));
        expect(names).toEqual(expected.slice(0, names.length));
        expect(names.length).toBeGreaterThan(0);
      }),
      { numRuns: 1000, seed: 1 },
    );
  }, 30_000);
});

describe('what a route does', () => {
  it('has the retries and the time that App Mesh gives', async () => {
    const [route] = await routesOf(`{ name: r, httpRoute: { match: { prefix: / }, ${ACTION} } }`);
    expect(route).toMatchObject({
      dialect: 'app-mesh',
      timeoutMs: 15_000,
      retries: { attempts: 2, retryOn: ['connect-failure', 'refused-stream', 503], grpcStatuses: [14], methods: ['*'] },
    });
  });

  it.each([
    ['timeout: { perRequest: { unit: s, value: 2 } }', { timeoutMs: 2_000 }],
    ['timeout: { perRequest: { unit: ms, value: 0 } }', { timeoutMs: 0 }],
    [
      'retryPolicy: { maxRetries: 3, perRetryTimeout: { unit: ms, value: 100 }, httpRetryEvents: [gateway-error, client-error], tcpRetryEvents: [connection-error] }',
      { retries: { attempts: 3, perTryTimeoutMs: 100, retryOn: ['connect-failure', 502, 503, 504, 'reset', 409] } },
    ],
    [
      'retryPolicy: { maxRetries: 0, perRetryTimeout: { unit: s, value: 1 }, httpRetryEvents: [stream-error] }',
      { retries: { attempts: 0, retryOn: ['refused-stream'] } },
    ],
  ])('%s', async (fields, expected) => {
    const [route] = await routesOf(`{ name: r, httpRoute: { match: { prefix: / }, ${ACTION}, ${fields} } }`);
    expect(route).toMatchObject(expected);
  });

  it('retries by statuses of gRPC', async () => {
    const policy = 'retryPolicy: { maxRetries: 1, perRetryTimeout: { unit: s, value: 1 }, grpcRetryEvents: [unavailable, cancelled] }';
    const [route] = await routesOf(`{ name: r, grpcRoute: { match: {}, ${ACTION}, ${policy} } }`);
    expect(route?.retries).toMatchObject({ retryOn: [], grpcStatuses: [1, 14] });
  });
});

describe('what leads nowhere', () => {
  const ROUTE = `{ name: r, httpRoute: { match: { prefix: / }, ${ACTION} } }`;

  it('a router without a virtual service is said', async () => {
    expect(await issuesOfText([NODE, router([ROUTE])].join('---'))).toEqual([
      expect.stringContaining('no virtual service leads to the virtual router r_default, so its routes take no calls') as string,
    ]);
  });

  it('a route that the CLI has printed, too', async () => {
    const printed =
      '{ "meshName": "m", "virtualRouterName": "other", "routeName": "x", "spec": { "httpRoute": { "match": { "prefix": "/" }, "action": { "weightedTargets": [{ "virtualNode": "n", "weight": 1 }] } } } }';
    expect(await issuesOfText(printed)).toEqual([
      expect.stringContaining('no virtual service leads to the virtual router other, so this route takes no calls') as string,
    ]);
    const service =
      '{ "virtualService": { "meshName": "m", "virtualServiceName": "a.b", "spec": { "provider": { "virtualRouter": { "virtualRouterName": "other" } } } } }';
    const issues = await issuesOfText(`${printed}\n---\n${service}`);
    expect(issues.filter((issue) => issue.includes('takes no calls'))).toEqual([]);
  });
});

describe('a match that cannot be kept', () => {
  const header = (match: string): string => `headers: [{ name: x, match: { ${match} } }]`;
  it.each([
    [header('range: { start: 5, end: 5 }'), 'end is not part of a range, so it is above start'],
    [header('range: { start: -8877777122111123, end: 8756335224286432 }'), 'this match cannot be kept: the pattern has'],
    [header(`suffix: ${'a'.repeat(1_100)}`), 'this match cannot be kept: the pattern has'],
    ['path: { regex: "(" }', '"(" is no regular expression'],
  ])('%s', async (match, message) => {
    const route = `{ name: r, httpRoute: { match: { ${match} }, ${ACTION} } }`;
    expect((await issuesOfText([NODE, SERVICE, router([route])].join('---'))).join('\n')).toContain(message);
  });
});
