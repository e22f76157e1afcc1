// What `explain` says of every policy, in words and figures; and of rules that did not take a call.
import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/mesh/explain.ts';
import { explainConfig } from '../../src/mesh/explain-config.ts';
import type { MeshInput, RouteInput, ServiceInput } from '../../src/model/input.ts';
import { resolveConfig } from '../../src/model/resolve.ts';
import type { ServiceConfig } from '../../src/model/config.ts';

async function explained(input: MeshInput, url = 'http://a/x?q=1', headers = {}): Promise<Explanation> {
  const resolved = resolveConfig(input);
  if ('issues' in resolved) throw new Error(resolved.issues.map(({ message }) => message).join('\n'));
  return explainConfig(resolved.config, { url, headers }, undefined);
}

const ENDPOINTS = { endpoints: ['10.0.0.1:80'] };
const fieldOf = ({ fields }: Explanation, name: string): string | undefined => fields.find((field) => field.name === name)?.value;

describe('a policy of a service', () => {
  it.each<[keyof ServiceInput | 'endpoints', ServiceInput, string]>([
    ['retries', { retries: false }, 'off'],
    [
      'retries',
      { retries: { attempts: 1, perTryTimeout: 0, retryOn: [503], grpcStatuses: ['UNAVAILABLE'] } },
      '1, on 503, gRPC UNAVAILABLE, back-off 25 to 250 ms',
    ],
    ['retryBudget', { retryBudget: false }, 'none: nothing limits retries but their number'],
    ['retryBudget', { retryBudget: { mode: 'envoy' } }, "Envoy's: 20 % of the calls in flight, at least 3"],
    ['retryBudget', { retryBudget: { mode: 'linkerd' } }, "Linkerd's: ratio 0.2, +10/s, over 10s"],
    ['retryBudget', { retryBudget: { mode: 'gateway-api' } }, "Gateway API's: 20 % of the calls in 10s, at least 10 in 1s"],
    ['retryBudget', { retryBudget: { mode: 'grpc' } }, "gRPC's: 10 tokens, +0.1 per success, retries above half"],
    ['circuitBreaker', { circuitBreaker: false }, 'off'],
    ['circuitBreaker', { circuitBreaker: { failureRatio: 0.55 } }, '55 % of at least 10 calls in 5s, opens for up to 1s, doubling to 5s'],
    ['circuitBreaker', { circuitBreaker: { consecutive: 4 } }, '4 failures in a row, opens for up to 1s, doubling to 5s'],
    [
      'circuitBreaker',
      { circuitBreaker: { count: { failureRatio: 0.07, size: 9 } } },
      '7 % of the last 9 calls, opens for up to 1s, doubling to 5s',
    ],
    ['outlierDetection', { outlierDetection: false }, 'off'],
    ['outlierDetection', { outlierDetection: { mode: 'linkerd' } }, "Linkerd's: 7 failures in a row; out for 1s to 1m"],
    [
      'outlierDetection',
      { outlierDetection: { mode: 'linkerd', unified: true } },
      "Linkerd's: 7 failures in a row or success below 0.8; out for 1s to 1m",
    ],
    [
      'outlierDetection',
      { outlierDetection: { mode: 'envoy' } },
      "Envoy's: 5 × 5xx, 0 gateway errors in a row, swept every 10s; ejects 30s to 5m, at most 10 %",
    ],
    [
      'loadBalancer',
      { loadBalancer: { kind: 'maglev', hash: [{ header: 'x' }, { source: true }], locality: false, subsetSize: 3 } },
      'maglev, by header, source, 3 endpoints for this process',
    ],
    [
      'loadBalancer',
      { loadBalancer: { kind: 'roundRobin', slowStart: { window: '30s' }, locality: { mode: 'priority' } } },
      'roundRobin, localities by priority, slow start 30s',
    ],
    ['loadBalancer', { loadBalancer: { kind: 'random', locality: { mode: 'zone' } } }, 'random, own zone first'],
    ['limits', { limits: { maxRequests: 0 } }, 'none'],
    [
      'limits',
      { limits: { maxRequests: 9, maxRetries: 2, adaptive: true } },
      'maxRequests 9, maxRetries 2, adaptive 1 to 1000 an endpoint',
    ],
    ['tls', {}, 'disable'],
    [
      'tls',
      { tls: { mode: 'simple', ca: 'roots.pem', serverName: 'a.internal', subjectAltNames: ['b', 'c'] } },
      'simple, roots roots.pem, name a.internal, one of b, c',
    ],
    ['tls', { tls: { mode: 'simple', ca: '-----BEGIN CERTIFICATE-----\n' } }, 'simple, roots given'],
    ['endpoints', { endpoints: [] }, 'none'],
    ['endpoints', { endpoints: ['a:1', 'b:2'] }, 'a:1, b:2'],
    ['endpoints', { endpoints: [1, 2, 3, 4, 5, 6, 7].map((port) => `a:${port}`) }, 'a:1, a:2, a:3, a:4, a:5 and 2 more'],
    ['healthCheck', { healthCheck: { grpc: true, interval: '5s' } }, 'grpc every 5s'],
    ['throttle', { throttle: true }, 'more than 2 calls per accepted one, over 10s'],
    ['rateLimit', { rateLimit: { requests: 5, burst: 7 } }, '5 in 1s, bursts of 7'],
  ])('%s of %j', async (name, service, text) => {
    expect(fieldOf(await explained({ services: { a: { ...ENDPOINTS, ...service } } }), name)).toBe(text);
  });

  it.each<[ServiceInput, string]>([
    [{ endpointsFile: 'list.yaml' }, 'file list.yaml'],
    [{ dns: 'a.internal:8080' }, 'dns a.internal:8080'],
    [{ dns: { host: 'a.internal', record: 'SRV' } }, 'dns a.internal'],
  ])('endpoints of %j', async (service, text) => {
    expect(fieldOf(await explained({ services: { a: service } }), 'endpoints')).toContain(text);
  });

  it.each<[Partial<ServiceConfig>, string, string | undefined]>([
    [{ connections: {} }, 'connections', undefined],
    [
      { connections: { connectTimeoutMs: 500, idleTimeoutMs: 0, maxAgeMs: 60_000, tcpKeepalive: {} } },
      'connections',
      'connect within 500ms, idle for ever, at most 1m old, TCP keep-alive',
    ],
    [
      { connections: { idleTimeoutMs: 1_000, maxConcurrentStreams: 9, http2Ping: { intervalMs: 5_000, timeoutMs: 1_000 } } },
      'connections',
      'idle 1s, 9 streams, ping every 5s',
    ],
    [{ tls: { mode: 'simple', verify: 'none' } }, 'tls', 'simple, nothing verified'],
    [{ tls: { mode: 'mutual', verify: 'chain' } }, 'tls', 'mutual, any name'],
  ])('that only a mesh says: %j', async (own, name, text) => {
    const resolved = resolveConfig({ services: { a: ENDPOINTS } });
    if ('issues' in resolved) throw new Error('it is right');
    const a = { ...(resolved.config.services.a as ServiceConfig), ...own };
    const explanation = await explainConfig({ ...resolved.config, services: { a } }, { url: 'http://a/' }, undefined);
    expect(fieldOf(explanation, name)).toBe(text);
  });
});

describe('a policy of a route', () => {
  it.each<[string, RouteInput, string]>([
    ['fault', { fault: { delay: { fixedDelay: '1s', percentage: 5 } } }, 'delay 1s for 5 %, of each attempt'],
    ['fault', { fault: { abort: { httpStatus: 503, percentage: 1 }, position: 'call' } }, 'abort with 503 for 1 %, of each call'],
    ['fault', { fault: { abort: { grpcStatus: 'UNAVAILABLE', percentage: 1 } } }, 'abort with gRPC 14 for 1 %, of each attempt'],
    [
      'mirrors',
      {
        to: { v1: 1, v2: 1 },
        mirror: [
          { to: 'v2', percent: 5 },
          { to: 'b', of: 'v1' },
        ],
      },
      'a/v2 5 %, b 100 % of the calls to a/v1',
    ],
    ['rewrite', { rewrite: { authority: 'b:1' } }, 'b:1'],
    ['rewrite', { rewrite: { path: '/y', authority: 'b' } }, 'path full, b'],
    ['redirect', { redirect: { host: 'b' } }, '302 to its scheme://b'],
    ['redirect', { redirect: { scheme: 'https', status: 308 } }, '308 to https://its host'],
    ['directResponse', { directResponse: { status: 404, body: 'gone' } }, '404, 4 characters'],
    ['idempotent', { idempotent: true }, 'whatever the method'],
    ['hedge', { idempotent: { extraLoad: 0.07 } }, 'for 7 % of the calls'],
    ['cache', { cache: true }, '1000 answers, 16777216 bytes, stale for 10m on errors'],
    ['coalesce', { coalesce: { maxWaiters: 5 } }, 'up to 5 waiting'],
    ['fallback', { fallback: { body: '[]' } }, 'a fixed answer, 200'],
    ['fallback', { fallback: { respond: () => ({}) } }, 'a function'],
    ['criticality', { criticality: 'sheddable' }, 'sheddable'],
    ['timeout', { timeout: 0 }, 'none'],
    ['rateLimit', { rateLimit: { requests: 5, per: '1m' } }, '5 in 1m, bursts of 5'],
  ])('%s of %j', async (name, route, text) => {
    const endpoints = [
      { address: 'a:1', labels: { v: '1' } },
      { address: 'a:2', labels: { v: '2' } },
    ];
    const services = { a: { endpoints, subsets: { v1: { v: '1' }, v2: { v: '2' } }, routes: [route] }, b: ENDPOINTS };
    expect(fieldOf(await explained({ services }), name)).toBe(text);
  });

  it('that answers by itself reaches no endpoint', async () => {
    const { targets, pipeline, text } = await explained({
      services: { a: { ...ENDPOINTS, routes: [{ directResponse: { status: 204 } }] } },
    });
    expect(targets).toEqual([]);
    expect(text).toContain('targets   none: the mesh itself answers');
    expect(pipeline.filter(({ stack }) => stack === 'endpoint').every(({ active, detail }) => !active && detail === 'not reached')).toBe(
      true,
    );
  });
});

describe('a rule that did not take the call', () => {
  it.each<[RouteInput['match'], string]>([
    [{ method: 'POST' }, 'the method is "GET", wanted exact "POST"'],
    [{ port: 81 }, 'the host is "a", wanted port 81'],
    [{ scheme: 'https' }, 'the scheme is "http", wanted exact "https"'],
    [{ authority: { prefix: 'b' } }, 'the host is "a", wanted prefix "b"'],
    [{ path: { prefix: '/x', not: true } }, 'the path is "/x", wanted not prefix "/x"'],
    [{ headers: { 'x-a': 'b' } }, 'header x-a is missing, wanted exact "b"'],
    [{ headers: { 'x-b': { present: true, not: true } } }, 'header x-b is "there", wanted none'],
    [{ headers: { 'x-b': { regex: 'th.*', not: true } } }, 'header x-b is "there", wanted not regex "th.*"'],
    [{ queryParams: { q: '2' } }, 'query parameter q is "1", wanted exact "2"'],
    [{ queryParams: { r: { present: true } } }, 'query parameter r is missing, wanted any value'],
    [
      ['PUT', 'POST', 'HEAD', 'PATCH'].map((method) => ({ method })),
      'the method is "GET", wanted exact "PUT"; or the method is "GET", wanted exact "POST"; or the method is "GET", wanted exact "HEAD"; or 1 more',
    ],
  ])('%j', async (match, reason) => {
    const input = { services: { a: { ...ENDPOINTS, routes: [{ match }, {}] } } } as MeshInput;
    const { skipped, route } = await explained(input, undefined, { 'x-b': 'there' });
    expect([skipped.map((one) => one.reason), route?.reason]).toEqual([
      [reason],
      'rule 2, after 1 that did not match; it matches every call',
    ]);
  });

  it('is shown when it is near', async () => {
    const routes = Array.from({ length: 13 }, (_, i) => ({ match: { path: `/${i}` } }));
    const { text } = await explained({ services: { a: { ...ENDPOINTS, routes: [...routes, {}] } } });
    expect(text).toContain('before it … 3 more\n            route-4 (code): ');
    expect(text).not.toContain('route-3');
  });
});

describe('a host that no service names', () => {
  it.each<[MeshInput, string, string]>([
    [{}, 'http://b/', 'it goes on untouched (unknownHosts: pass)'],
    [{ unknownHosts: 'refuse' }, 'http://b/', 'it is refused (unknownHosts: refuse)'],
    [{ unknownHosts: 'refuse' }, 'ftp://b/', 'it is refused (unknownHosts: refuse)'],
    [{ unknownHosts: 'refuse' }, 'https://b:8443/', 'it is refused (unknownHosts: refuse)'],
  ])('%j: %s', async (input, url, text) => {
    const explanation = await explained({ ...input, services: { a: ENDPOINTS } }, url);
    expect(explanation).toMatchObject({ service: null, route: null, targets: [], pipeline: [] });
    expect(explanation.text).toBe(`GET ${url}\n  no service of the mesh names this host; ${text}\n`);
  });

  it('has its port told apart', async () => {
    const services = { a: ENDPOINTS };
    expect((await explained({ services }, 'https://a:8443/')).service).toBe('a');
    expect((await explained({ services }, 'http://a./')).service).toBe('a');
  });
});
