// Policies and routes that make sense, for property tests: what belongs together is drawn together.
import fc from 'fast-check';
import type { HashKeyInput, LoadBalancerInput, OutlierDetectionInput } from '../../src/model/input-balancing.ts';
import type { PolicyInput, RetryBudgetInput } from '../../src/model/input-policy.ts';
import type { FaultInput, MirrorInput } from '../../src/model/input-traffic.ts';
import type { RouteInput } from '../../src/model/input.ts';
import { CRITICALITIES } from '../../src/model/traffic.ts';

const some = { requiredKeys: [] };
const percent = fc.integer({ min: 0, max: 100 });
const ratio = fc.double({ min: 0, max: 1, noNaN: true });
const count = fc.integer({ min: 1, max: 1_000 });
const duration = fc.oneof(fc.constantFrom('1ms', '250ms', '1.5s', '1m30s', '2h'), fc.integer({ min: 1, max: 100_000 }));
const statuses = fc.subarray([404, '429', 500, '502-504', '500-599'] as const, { minLength: 1 });
/** Least and most, as ms. */
const times = fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 5_000, max: 100_000 }));

export const budgets: Readonly<Record<NonNullable<RetryBudgetInput['mode']>, fc.Arbitrary<RetryBudgetInput>>> = {
  inmesh: fc.record(
    { mode: fc.constant('inmesh' as const), tokens: count, perSuccess: ratio, perSecond: ratio },
    { requiredKeys: ['mode'] },
  ),
  envoy: fc.record(
    { mode: fc.constant('envoy' as const), percent, minRetryConcurrency: count, budgetInterval: duration },
    { requiredKeys: ['mode'] },
  ),
  linkerd: fc.record(
    { mode: fc.constant('linkerd' as const), retryRatio: ratio, minRetriesPerSecond: count, ttl: fc.integer({ min: 1_000, max: 60_000 }) },
    { requiredKeys: ['mode'] },
  ),
  'gateway-api': fc.record(
    {
      mode: fc.constant('gateway-api' as const),
      budget: fc.record({ percent, interval: duration }, some),
      minRetryRate: fc.record({ count, interval: duration }, some),
    },
    { requiredKeys: ['mode'] },
  ),
  grpc: fc.record(
    { mode: fc.constant('grpc' as const), maxTokens: count, tokenRatio: fc.double({ min: 0.001, max: 10, noNaN: true }) },
    { requiredKeys: ['mode'] },
  ),
};

export const outliers: Readonly<Record<NonNullable<OutlierDetectionInput['mode']>, fc.Arbitrary<OutlierDetectionInput>>> = {
  inmesh: fc
    .record(
      { mode: fc.constant('inmesh' as const), consecutiveErrors: count, window: duration, margin: ratio, times },
      { requiredKeys: ['mode'] },
    )
    .map(({ times: pair, ...rest }) => ({
      ...rest,
      ...(pair === undefined ? {} : { baseEjectionTime: pair[0], maxEjectionTime: pair[1] }),
    })),
  envoy: fc.record(
    {
      mode: fc.constant('envoy' as const),
      consecutive5xxErrors: count,
      interval: duration,
      baseEjectionTime: fc.integer({ min: 1, max: 1_000_000 }),
      maxEjectionPercent: percent,
      outlierDetectionHttpErrorCodes: statuses,
      successRate: fc.oneof(fc.boolean(), fc.record({ minimumHosts: count, requestVolume: count, stdevFactor: count }, some)),
      failurePercentage: fc.oneof(fc.boolean(), fc.record({ threshold: fc.integer({ min: 1, max: 100 }), minimumHosts: count }, some)),
    },
    { requiredKeys: ['mode'] },
  ),
  linkerd: fc.record(
    {
      mode: fc.constant('linkerd' as const),
      maxFailures: count,
      minPenalty: duration,
      jitter: ratio,
      unified: fc.oneof(fc.boolean(), fc.record({ successRate: ratio, window: duration, minCalls: count }, some)),
    },
    { requiredKeys: ['mode'] },
  ),
};

const hashKey: fc.Arbitrary<HashKeyInput> = fc.oneof(
  fc.record({ header: fc.constantFrom('X-User', 'a') }),
  fc.record({ cookie: fc.oneof(fc.constant('sid'), fc.record({ name: fc.constant('sid'), ttl: duration })) }),
  fc.record({ query: fc.constantFrom('id', 'q') }),
  fc.constant({ source: true as const }),
);

const shares = fc.integer({ min: 0, max: 100 }).map((share) => [{ from: 'r/*', to: { 'r/z': share, '*': 100 - share } }]);

const locality: fc.Arbitrary<LoadBalancerInput['locality'] & {}> = fc.oneof(
  fc.constantFrom(false as const, 'zone' as const, 'priority' as const),
  fc.record({ mode: fc.constantFrom('zone' as const, 'priority' as const), maxLoad: fc.constant(0.5), retriesLeave: fc.boolean() }, some),
  fc.record({ distribute: shares }),
  fc.record({ failover: fc.constant([{ from: 'r', to: 's' }]), failoverPriority: fc.constant(['app=a']) }, some),
);

const balancer: fc.Arbitrary<PolicyInput['loadBalancer'] & {}> = fc.oneof(
  fc.constantFrom('peakEwma' as const, 'roundRobin' as const, 'random' as const, 'leastRequest' as const),
  fc.record({ tau: duration, seedFactor: count, fullScanMax: count, locality, panicThreshold: percent, subsetSize: count }, some),
  fc.record(
    {
      kind: fc.constantFrom('ringHash' as const, 'maglev' as const),
      hash: fc.array(hashKey, { minLength: 1, maxLength: 3 }),
      minimumRingSize: count,
      tableSize: fc.constantFrom(251, 65_537),
    },
    { requiredKeys: ['kind', 'hash'] },
  ),
  fc.record({
    kind: fc.constantFrom('roundRobin' as const, 'leastRequest' as const),
    slowStart: fc.record({ window: duration, minimumPercent: percent }, { requiredKeys: ['window'] }),
  }),
);

const port = fc.integer({ min: 1, max: 65_535 });
const healthCheck: fc.Arbitrary<PolicyInput['healthCheck'] & {}> = fc.oneof(
  fc.boolean(),
  fc.record(
    { http: fc.oneof(fc.constant('/healthz'), fc.record({ path: fc.constant('/h'), statuses, port }, some)), interval: duration },
    some,
  ),
  fc.record({ tcp: fc.oneof(fc.constant(true as const), fc.record({ port }, some)), timeout: duration }, some),
  fc.record({ grpc: fc.oneof(fc.constant(true as const), fc.constant('a.B'), fc.record({ port }, some)), always: fc.boolean() }, some),
);

const rateLimit = fc.tuple(count, fc.integer({ min: 0, max: 100 }), fc.integer({ min: 50, max: 10_000 })).map(([requests, more, per]) => ({
  requests,
  burst: requests + more,
  per,
}));

const adaptive = fc.array(count, { minLength: 3, maxLength: 3 }).map((numbers) => {
  const [min = 1, initial = 1, max = 1] = numbers.toSorted((a, b) => a - b);
  return { min, initial, max, decrease: 0.5 };
});

/** Of a service, or of all. */
export const policies: fc.Arbitrary<PolicyInput> = fc.record(
  {
    timeout: duration,
    retries: fc.oneof(
      fc.constant(false as const),
      fc.record({ attempts: percent, perTryTimeout: duration, acrossSubsets: fc.boolean() }, some),
    ),
    retryBudget: fc.oneof(fc.constant(false as const), ...Object.values(budgets)),
    circuitBreaker: fc.oneof(
      fc.constant(false as const),
      fc.record({ consecutive: count }),
      fc.record({ window: duration, minCalls: count }, some),
    ),
    outlierDetection: fc.oneof(fc.constant(false as const), ...Object.values(outliers)),
    healthCheck,
    loadBalancer: balancer,
    limits: fc.record({ maxRequests: count, adaptive: fc.oneof(fc.boolean(), adaptive) }, some),
    throttle: fc.oneof(fc.boolean(), fc.record({ k: fc.constantFrom(1, 2.5), window: duration, maxReject: fc.constant(0.5) }, some)),
    rateLimit: fc.oneof(fc.constant(false as const), rateLimit),
  },
  some,
);

const headers = fc.constantFrom({ 'X-A': 'b' }, { 'x-a': { present: true as const } }, {});
const delay = fc.record({ fixedDelay: duration, percentage: fc.oneof(percent, fc.record({ value: percent })) });
const abort = fc.oneof(
  fc.record({ httpStatus: fc.integer({ min: 200, max: 599 }), percentage: percent }),
  fc.record({ grpcStatus: fc.constantFrom('UNAVAILABLE', 14, 'CANCELLED'), percentage: percent }),
);
const fault: fc.Arbitrary<FaultInput> = fc
  .record(
    {
      delay,
      position: fc.constantFrom('call' as const, 'attempt' as const),
      headers,
      blastRadius: percent,
      until: fc.constantFrom('2026-12-01T00:00:00Z', 5),
    },
    { requiredKeys: ['delay'] },
  )
  .chain((one) =>
    fc.constantFrom(0, 1).chain((other) => (other === 0 ? fc.constant(one) : abort.map((answer) => ({ ...one, abort: answer })))),
  );

const mirror: fc.Arbitrary<string | MirrorInput> = fc.oneof(
  fc.constantFrom('v1', 'b', 'a/v2'),
  fc.record(
    { to: fc.constant('v2'), percent, strip: fc.constantFrom([], ['X-A']), bodyLimit: fc.constantFrom('1KiB', 5) },
    { requiredKeys: ['to'] },
  ),
);

const path = fc.constantFrom('/', '/a', '/a/b', '/b');
export const match: fc.Arbitrary<RouteInput['match'] & object> = fc.oneof(
  fc.record({ path: fc.record({ pathPrefix: path }), method: fc.constantFrom('GET', 'POST') }, { requiredKeys: ['path'] }),
  fc.record({ path: fc.record({ prefix: path }), method: fc.constantFrom('GET', 'POST') }, { requiredKeys: ['path'] }),
) as fc.Arbitrary<RouteInput['match'] & object>;

const sending: fc.Arbitrary<RouteInput> = fc.record(
  {
    to: fc.constantFrom('v1', 'b', { v1: 1, v2: 2 }),
    rewrite: fc.oneof(fc.record({ prefix: path }), fc.record({ path, authority: fc.constantFrom('b', 'b:1', '[::1]:1') })),
    fault,
    mirror: fc.oneof(mirror, fc.array(mirror, { minLength: 1, maxLength: 3 })),
    rateLimit,
    idempotent: fc.oneof(
      fc.boolean(),
      fc.record({ extraLoad: fc.constantFrom(0.01, 0.5), minDelay: duration }, { requiredKeys: ['extraLoad'] }),
    ),
    cache: fc.oneof(fc.boolean(), fc.record({ entries: count, bodyLimit: fc.constantFrom('32MiB', 1), staleIfError: duration }, some)),
    coalesce: fc.oneof(fc.boolean(), fc.record({ maxWaiters: count, headers: fc.constantFrom([], ['Accept']) }, some)),
    fallback: fc.oneof(
      fc.record({ body: fc.string(), on: statuses }, { requiredKeys: ['body'] }),
      fc.record({ respond: fc.constant(() => ({})) }),
    ),
    criticality: fc.constantFrom(...CRITICALITIES),
    retries: fc.oneof(fc.constant(false as const), fc.record({ attempts: percent }, some)),
  },
  some,
);

const answering: fc.Arbitrary<RouteInput> = fc.oneof(
  fc.record({
    redirect: fc.record(
      { scheme: fc.constant('https' as const), prefix: path, status: fc.constantFrom(301 as const, 308 as const) },
      { requiredKeys: ['scheme'] },
    ),
  }),
  fc.record({
    directResponse: fc.record({ status: fc.integer({ min: 400, max: 599 }), body: fc.string() }, { requiredKeys: ['status'] }),
    rateLimit,
  }),
);

/** Of service `a` with the subsets v1 and v2, beside service `b`. */
export const route: fc.Arbitrary<RouteInput> = fc
  .tuple(fc.oneof(match, fc.array(match, { minLength: 1, maxLength: 4 })), fc.oneof(sending, answering))
  .map(([which, what]) => ({ ...what, match: which }) as RouteInput);
