// The schema of the policies: what may be written about one service, or about all under `defaults`. Mirrors input-policy.ts.
import { formatDuration } from './duration.ts';
import {
  ADAPTIVE_LIMIT_DEFAULTS,
  BALANCER_DEFAULTS,
  BREAKER_DEFAULTS,
  BUDGET_DEFAULTS,
  LIMITS_DEFAULTS,
  RETRY_DEFAULTS,
  THROTTLE_DEFAULTS,
} from './destination.ts';
import { TIMEOUT_MS_DEFAULT } from './config.ts';
import { ENVOY_BUDGET_DEFAULTS, GATEWAY_API_BUDGET_DEFAULTS, GRPC_BUDGET_DEFAULTS, LINKERD_BUDGET_DEFAULTS } from './retry-budget.ts';
import { GRPC_STATUSES } from './grpc-status.ts';
import { balancerKind, healthCheck, loadBalancer, outlierDetection } from './schema-balancing.ts';
import type { Schema } from './schema-scalar.ts';
import {
  anyOf,
  bodyLimit,
  boolean,
  described,
  duration,
  factor,
  field,
  integer,
  list,
  method,
  no,
  number,
  object,
  oneOf,
  percent,
  positive,
  status,
  statusWord,
  text,
  toggle,
} from './schema-scalar.ts';

/** Everything that may stand in `retryOn` besides statuses. Source: Envoy `x-envoy-retry-on` */
const RETRY_TOKENS: readonly string[] = Object.freeze([
  'connect-failure',
  'refused-stream',
  'reset',
  'reset-before-request',
  'reset-on-reused-connection',
  'per-try-timeout',
  'gateway-error',
  '5xx',
  'retriable-4xx',
]);

/** Fields of `PolicyInput`. `numbers`: whether a duration may be a number of ms, as in code. */
export function policyEntries(numbers: boolean): Record<string, Schema> {
  return {
    protocol: field(oneOf('http1', 'http2'), 'HTTP version spoken to the endpoints.', 'http1'),
    tls: field(anyOf(oneOf('disable', 'simple', 'mutual'), tls()), 'TLS to the endpoints: a mode, or the whole.', 'disable'),
    timeout: field(
      duration(numbers, true),
      'Total time of a call, retries and body included; 0: none.',
      formatDuration(TIMEOUT_MS_DEFAULT),
    ),
    retries: retries(numbers),
    retryBudget: field(anyOf(no, retryBudget(numbers)), 'What pays for retries and hedges; false: nothing limits them but attempts.'),
    circuitBreaker: field(
      anyOf(no, circuitBreaker(numbers)),
      'Refuses calls while the service fails. One rule: a ratio over time, consecutive, or count.',
    ),
    outlierDetection: field(anyOf(no, outlierDetection(numbers)), 'Leaves out endpoints that are worse than their peers.'),
    healthCheck: field(toggle(healthCheck(numbers)), 'Asks endpoints whether they live; true: GET / over HTTP.', false),
    loadBalancer: field(anyOf(balancerKind, loadBalancer(numbers)), 'Who is asked: a kind, or the whole.', BALANCER_DEFAULTS.kind),
    limits: field(limits(), 'Limits of this process alone; 0 means none.'),
    throttle: field(toggle(throttle(numbers)), 'Refuses a share of the calls here while the service refuses most of them.', false),
    rateLimit: field(anyOf(no, rateLimit(numbers)), 'Calls of this process to the service; what is beyond is refused.', false),
  };
}

export function retries(numbers: boolean): Schema {
  const d = RETRY_DEFAULTS;
  const ms = (zero: boolean): Schema => duration(numbers, zero);
  const backoff = object({
    base: field(ms(true), 'First step and lower bound.', formatDuration(d.backoff.baseMs)),
    max: field(ms(true), 'Upper bound.', formatDuration(d.backoff.maxMs)),
  });
  const whole = object({
    attempts: field(integer(0, 100), 'Repetitions after the first attempt.', d.attempts),
    perTryTimeout: field(ms(true), 'Time for one attempt until its response head; 0: none of its own.', formatDuration(d.perTryTimeoutMs)),
    retryOn: field(list(retryCondition), 'When to repeat: tokens of Envoy, and statuses from 400 to 599.', d.retryOn),
    grpcStatuses: field(list(grpcStatus), 'gRPC statuses that are repeated; replaces what follows from retryOn.'),
    backoff: field(backoff, 'Wait before a repetition: full jitter, doubling.'),
    retryAfterMax: field(ms(true), 'Longest Retry-After that is waited for.', formatDuration(d.retryAfterMaxMs)),
    methods: field(list(method), 'Methods that may be repeated although the server may have acted.', d.methods),
    acrossSubsets: field(boolean, 'Whether a retry may leave the subset that the route drew; false for sticky routes.', d.acrossSubsets),
    bodyLimit: field(bodyLimit, 'Bytes of a request body kept for replay, at most 1MiB.', '64KiB'),
  });
  return field(anyOf(no, whole), 'When and how often a call is repeated; false: never.');
}

const grpcStatus: Schema = anyOf(oneOf(...GRPC_STATUSES.slice(1)), integer(1, 16));

const retryCondition: Schema = anyOf(oneOf(...RETRY_TOKENS), statusWord, status);

/** The keys of all modes; which belong together is checked in resolve-budget.ts. */
function retryBudget(numbers: boolean): Schema {
  const [envoy, linkerd, gateway, grpc] = [
    ENVOY_BUDGET_DEFAULTS,
    LINKERD_BUDGET_DEFAULTS,
    GATEWAY_API_BUDGET_DEFAULTS,
    GRPC_BUDGET_DEFAULTS,
  ];
  const ms = (zero: boolean): Schema => duration(numbers, zero);
  const budget = object({
    percent: field(percent, 'Share of the calls of the interval.', gateway.percent),
    interval: field(ms(false), 'Window of the share.', formatDuration(gateway.intervalMs)),
  });
  const rate = object({
    count: field(integer(0), 'Retries in each interval.', gateway.rateMinCount),
    interval: field(ms(false), 'Interval of the count.', formatDuration(gateway.rateMinIntervalMs)),
  });
  return object({
    mode: field(oneOf('inmesh', 'envoy', 'linkerd', 'gateway-api', 'grpc'), 'Whose rule.', 'inmesh'),
    tokens: field(number(0), 'Capacity, and the balance at start. inmesh only.', BUDGET_DEFAULTS.tokensMax),
    perSuccess: field(number(0), 'Added by each success. inmesh only.', BUDGET_DEFAULTS.tokensPerSuccess),
    perSecond: field(number(0), 'Added each second. inmesh only.', BUDGET_DEFAULTS.tokensPerSecond),
    percent: field(percent, 'Retries in flight, as a share of the calls in flight. envoy only.', envoy.percent),
    minRetryConcurrency: field(integer(0), 'Retries in flight that are always allowed. envoy only.', envoy.concurrencyMin),
    budgetInterval: field(ms(true), 'Window of the calls that count; 0s: those in flight. envoy only.', formatDuration(envoy.intervalMs)),
    retryRatio: field(number(0, 1_000), 'Retries that a call pays for. linkerd only.', linkerd.ratio),
    minRetriesPerSecond: field(integer(0), 'Retries a second that are always allowed. linkerd only.', linkerd.retriesPerSecondMin),
    ttl: field(ms(false), 'How long a payment lasts, 1s to 1m. linkerd only.', formatDuration(linkerd.ttlMs)),
    budget: field(budget, 'Share of the calls that may be retries. gateway-api only.'),
    minRetryRate: field(rate, 'Retries that are always allowed. gateway-api only.'),
    maxTokens: field(integer(1, 1_000), 'Capacity; retries only above half. grpc only.', grpc.tokensMax),
    tokenRatio: field(positive(), 'Given back by a success. grpc only.', grpc.tokenRatio),
  });
}

function circuitBreaker(numbers: boolean): Schema {
  const d = BREAKER_DEFAULTS;
  return object({
    failureRatio: field(positive(1), 'Share of failures in the window that opens.', d.failureRatio),
    window: field(duration(numbers, false), 'Window of the ratio.', formatDuration(d.windowMs)),
    minCalls: field(integer(1), 'Calls in the window below which the circuit never opens.', d.callsMin),
    consecutive: field(integer(1), 'Opens after this many failures in a row; replaces the ratio rule.'),
    count: field(
      object({
        failureRatio: field(positive(1), 'Share of failures that opens.', d.failureRatio),
        size: described(integer(1, 100_000), 'Calls looked at.'),
        minCalls: field(integer(1), 'Calls below which the circuit never opens.', d.callsMin),
      }),
      'Opens on a ratio over the last calls; replaces the ratio rule.',
    ),
    openBase: field(duration(numbers, false), 'First open time; doubles.', formatDuration(d.openBaseMs)),
    openMax: field(duration(numbers, false), 'Longest open time.', formatDuration(d.openMaxMs)),
    successesToClose: field(integer(1), 'Successes in half-open that close the circuit.', d.successesToClose),
  });
}

function limits(): Schema {
  const d = LIMITS_DEFAULTS;
  return object({
    maxConnections: field(integer(0), 'Sockets to the whole service.', d.maxConnections),
    maxPendingRequests: field(integer(0), 'Calls that may wait for a socket.', d.maxPendingRequests),
    maxRequests: field(integer(0), 'Calls in flight.', d.maxRequests),
    maxRequestsPerConnection: field(integer(0), 'Requests that a socket carries before it is closed.', d.maxRequestsPerConnection),
    maxRetries: field(integer(0), 'Retries in flight.', d.maxRetries),
    adaptive: field(toggle(adaptive()), 'Attempts in flight to each endpoint, learnt from overload.', false),
  });
}

function adaptive(): Schema {
  const d = ADAPTIVE_LIMIT_DEFAULTS;
  return object({
    initial: field(integer(1), 'Limit at start.', d.initial),
    min: field(integer(1), 'The limit never falls below.', d.min),
    max: field(integer(1), 'The limit never rises above.', d.max),
    decrease: field(factor, 'Factor on overload.', d.decrease),
  });
}

function throttle(numbers: boolean): Schema {
  const d = THROTTLE_DEFAULTS;
  return object({
    k: field(number(1), 'Calls sent per accepted one.', d.k),
    window: field(duration(numbers, false), 'Window that is looked at.', formatDuration(d.windowMs)),
    minRps: field(number(0), 'Calls a second below which nothing is refused.', d.rpsMin),
    maxReject: field(positive(1), 'Most that is refused.', d.rejectMax),
  });
}

export function rateLimit(numbers: boolean): Schema {
  return object({
    requests: field(integer(1), 'Calls in each per. Required.'),
    per: field(duration(numbers, false), 'At least 50ms.', '1s'),
    burst: field(integer(1), 'Calls at once after a pause. Absent: as many as requests.'),
  });
}

function tls(): Schema {
  return object({
    mode: field(oneOf('disable', 'simple', 'mutual'), 'mutual when cert and key are given, else simple.'),
    cert: field(text('a path or PEM text'), 'Path or PEM text. Absent: that of identity.'),
    key: field(text('a path or PEM text'), 'Path or PEM text. Absent: that of identity.'),
    ca: field(text('a path or PEM text'), 'Path or PEM text of the roots.'),
    serverName: field(text('a host name'), 'Name sent as SNI and verified. Absent: the host of the call.'),
    subjectAltNames: field(list(text('a DNS name or URI')), 'Names of which the peer must show one; replaces the host check.'),
    minTls: field(oneOf('1.2', '1.3'), 'Oldest TLS that is spoken. Absent: 1.3 where both sides have an identity of the mesh, else 1.2.'),
  });
}
