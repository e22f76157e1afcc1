// Linkerd's two ways of retries, and what holds where nothing is written, in whole configurations.
import { describe, expect, it } from 'vitest';
import type { ServiceConfig } from '../../../src/model/config.ts';
import { goodText, issuesOfText } from '../istio/load-text.ts';

function service(annotations: string, name = 'a'): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name}, annotations: { ${annotations} } }
spec: { ports: [{ port: 80 }] }
`;
}

function profile(spec: string, namespace = 'default'): string {
  return `
apiVersion: linkerd.io/v1alpha2
kind: ServiceProfile
metadata: { name: a.default.svc.cluster.local, namespace: ${namespace} }
spec: ${spec}
`;
}

async function configOf(...documents: readonly string[]): Promise<ServiceConfig> {
  const { services } = await goodText(documents.join('---'), { lenient: true });
  const found = Object.values(services).find(({ hosts }) =>
    hosts.some((host) => host === 'a.default.svc.cluster.local:80' || host === 'a:80'),
  );
  if (found === undefined) throw new Error(`no service: ${Object.keys(services).join()}`);
  return found;
}

describe('annotations of a Service', () => {
  it('one of them brings a limit of 1, pauses, any method, 64 KiB, and no budget', async () => {
    const { retries, retryBudget, timeoutMs, loadBalancer, circuitBreaker } = await configOf(service('retry.linkerd.io/http: 5xx'));
    expect(retries).toMatchObject({
      attempts: 1,
      perTryTimeoutMs: 0,
      backoff: { baseMs: 25, maxMs: 250 },
      methods: ['*'],
      bodyBytesMax: 65_536,
      semantics: { kind: 'linkerd', pause: 'added', lastAttemptWithoutTimeout: true, grpcTrailers: true },
    });
    expect(retries.retryOn).toEqual(['refused-stream', 'per-try-timeout', ...Array.from({ length: 100 }, (_, i) => 500 + i)]);
    expect([retryBudget, timeoutMs, circuitBreaker]).toEqual([{ kind: 'none' }, 0, null]);
    expect(loadBalancer).toMatchObject({ kind: 'peakEwma', seedMs: 30, tauMs: 10_000, failurePenaltyMs: 0, fullScanMax: 2 });
  });

  it.each([
    ['retry.linkerd.io/limit: "0"', 0, 0],
    ['retry.linkerd.io/limit: "3", retry.linkerd.io/timeout: 300ms', 3, 300],
    ['retry.linkerd.io/timeout: 0s', 0, 0],
    ['timeout.linkerd.io/request: 1s', 0, 0],
  ])('%s: %d retries', async (annotations, attempts, perTryTimeoutMs) => {
    const { retries } = await configOf(service(annotations));
    expect([retries.attempts, retries.perTryTimeoutMs]).toEqual([attempts, perTryTimeoutMs]);
  });

  it.each([
    ['timeout.linkerd.io/request: 1s', 1_000],
    ['timeout.linkerd.io/response: 2s', 2_000],
    ['timeout.linkerd.io/request: 1s, timeout.linkerd.io/response: 2s', 1_000],
    ['timeout.linkerd.io/response: 2s, retry.linkerd.io/http: 5xx', 0],
    ['timeout.linkerd.io/idle: 2s', 0],
  ])('%s: %d ms', async (annotations, timeoutMs) => {
    expect((await configOf(service(annotations))).timeoutMs).toBe(timeoutMs);
  });

  it.each([
    [
      'balancer.linkerd.io/failure-accrual: consecutive',
      { failuresMax: 7, penaltyMinMs: 1_000, penaltyMaxMs: 60_000, jitter: 0.5, successRate: null },
    ],
    [
      'balancer.linkerd.io/failure-accrual: consecutive, balancer.linkerd.io/failure-accrual-consecutive-max-failures: "3"',
      { failuresMax: 3 },
    ],
    ['balancer.linkerd.io/failure-accrual: unified', { failuresMax: 7, successRate: { threshold: 0.8, windowMs: 10_000, callsMin: 5 } }],
    [
      'balancer.linkerd.io/failure-accrual: unified, balancer.alpha.linkerd.io/failure-accrual-success-rate-threshold: "0"',
      { successRate: null },
    ],
  ])('%s', async (annotations, policy) => {
    expect((await configOf(service(annotations))).outlierDetection).toMatchObject({ kind: 'linkerd', ...policy });
  });

  it('of which Linkerd knows nothing are mistakes', async () => {
    expect(await issuesOfText(service('retry.linkerd.io/limits: "3"'))).toEqual([
      expect.stringMatching(/^4:\d+ error - Linkerd knows no annotation retry.linkerd.io\/limits; did you mean "retry.linkerd.io\/limit"/),
    ]);
  });
});

describe('annotations of a route', () => {
  const route = (kind: string, annotations: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: { name: r, annotations: { ${annotations} } }
spec: { parentRefs: [{ group: "", kind: Service, name: a, port: 80 }], rules: [{ backendRefs: [{ name: a, port: 80 }] }] }
`;

  it.each([
    ['HTTPRoute', 'retry.linkerd.io/grpc: internal', 'on an HTTPRoute it does nothing; it is for a GRPCRoute, or on its Service'],
    ['GRPCRoute', 'retry.linkerd.io/http: 5xx', 'on a GRPCRoute it does nothing; it is for a Service or an HTTPRoute'],
    ['HTTPRoute', 'balancer.linkerd.io/failure-accrual: consecutive', 'on an HTTPRoute it does nothing; it is for a Service'],
  ])('%s %s: %s', async (kind, annotations, message) => {
    const issues = await issuesOfText(`${service('')}---${route(kind, annotations)}`);
    expect(issues).toEqual([expect.stringContaining(message) as string]);
  });

  it('take the place of those of the Service, each group by itself', async () => {
    const annotated = service('retry.linkerd.io/limit: "3", retry.linkerd.io/http: 5xx, timeout.linkerd.io/request: 1s');
    const { routes } = await configOf(annotated, route('HTTPRoute', 'retry.linkerd.io/limit: "5"'));
    const [first] = routes;
    expect([first?.retries?.attempts, first?.retries?.retryOn, first?.timeoutMs]).toEqual([
      5,
      ['refused-stream', 'per-try-timeout'],
      1_000,
    ]);
  });

  it('hold for gRPC on a GRPCRoute', async () => {
    const { routes } = await configOf(
      service('retry.linkerd.io/http: 5xx'),
      route('GRPCRoute', 'retry.linkerd.io/grpc: "internal,cancelled"'),
    );
    expect(routes[0]?.retries).toMatchObject({ grpcStatuses: [1, 13], retryOn: ['refused-stream', 'per-try-timeout'] });
  });
});

describe('a ServiceProfile', () => {
  const ROUTES = '{ routes: [{ name: r, condition: { pathRegex: /r }, isRetryable: true, timeout: 300ms }] }';

  it('retries what failed at once while the budget pays, on its retryable routes alone', async () => {
    const { routes, retryBudget, retries } = await configOf(service(''), profile(ROUTES));
    const [first, last] = routes;
    expect(routes.map(({ name, dialect }) => [name, dialect])).toEqual([
      ['r', 'linkerd'],
      ['default', 'linkerd'],
    ]);
    expect(first?.timeoutMs).toBe(300);
    expect(first?.retries).toMatchObject({
      attempts: 100,
      backoff: { baseMs: 0, maxMs: 0 },
      grpcStatuses: [2, 4, 7, 13, 14, 15],
      semantics: { kind: 'linkerd', pause: 'none', lastAttemptWithoutTimeout: false, grpcTrailers: true },
    });
    expect(first?.retries?.retryOn).toEqual(Array.from({ length: 100 }, (_, i) => 500 + i));
    expect([last?.retries?.attempts, last?.timeoutMs, retries.attempts]).toEqual([0, 0, 0]);
    expect(retryBudget).toEqual({ kind: 'linkerd', ratio: 0.2, retriesPerSecondMin: 10, ttlMs: 10_000 });
  });

  it('has its own budget', async () => {
    const budget = 'retryBudget: { retryRatio: 0.5, minRetriesPerSecond: 1, ttl: 5s }';
    const { retryBudget } = await configOf(
      service(''),
      profile(`{ ${budget}, routes: [] , dstOverrides: [{ authority: 'a.default:80', weight: 1 }] }`),
    );
    expect(retryBudget).toEqual({ kind: 'linkerd', ratio: 0.5, retriesPerSecondMin: 1, ttlMs: 5_000 });
  });

  it('of the namespace of the caller goes before that of the service', async () => {
    const self = 'self: { namespace: shop }\n';
    const other = '{ routes: [{ name: mine, condition: { method: GET } }] }';
    for (const documents of [
      [profile(other, 'shop'), profile(ROUTES)],
      [profile(ROUTES), profile(other, 'shop')],
    ]) {
      const { routes } = await configOf(self, service(''), ...documents);
      expect(routes.map(({ name }) => name)).toEqual(['mine', 'default']);
    }
  });

  it('of any other namespace is about nobody', async () => {
    const { routes } = await configOf(service(''), profile(ROUTES, 'elsewhere'));
    expect(routes.map(({ dialect }) => dialect)).toEqual(['inmesh']);
  });

  it('makes Linkerd forget the annotations of the Service', async () => {
    const annotated = service('retry.linkerd.io/limit: "3", balancer.linkerd.io/failure-accrual: consecutive');
    const { retries, outlierDetection } = await configOf(annotated, profile(ROUTES));
    expect([retries.attempts, outlierDetection]).toEqual([0, null]);
    expect(await issuesOfText(`${annotated}---${profile(ROUTES)}`)).toEqual([
      expect.stringContaining('is about this Service, so Linkerd looks at none of its annotations') as string,
    ]);
  });
});
