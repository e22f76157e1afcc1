// The schema of the policies: what may be written about one service, or about all under `defaults`. Mirrors input-policy.ts.
import { formatDuration } from './duration.ts';
import { BALANCER_DEFAULTS, BREAKER_DEFAULTS, BUDGET_DEFAULTS, LIMITS_DEFAULTS, OUTLIER_DEFAULTS, RETRY_DEFAULTS } from './destination.ts';
import { TIMEOUT_MS_DEFAULT } from './config.ts';
import type { Schema } from './schema-scalar.ts';
import {
  anyOf,
  bodyLimit,
  boolean,
  described,
  duration,
  field,
  integer,
  list,
  method,
  no,
  number,
  object,
  oneOf,
  positive,
  status,
  statusWord,
  text,
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
    timeout: field(duration(numbers, false), 'Total time of a call, retries and body included.', formatDuration(TIMEOUT_MS_DEFAULT)),
    retries: retries(numbers),
    retryBudget: field(retryBudget(), 'One bucket for the retries of the service in this process.'),
    circuitBreaker: field(
      anyOf(no, circuitBreaker(numbers)),
      'Refuses calls while the service fails. One rule: a ratio over time, consecutive, or count.',
    ),
    outlierDetection: field(anyOf(no, outlierDetection(numbers)), 'Leaves out endpoints that are worse than their peers.'),
    loadBalancer: field(anyOf(balancerKind, loadBalancer(numbers)), 'Who is asked: a kind, or the whole.', BALANCER_DEFAULTS.kind),
    limits: field(limits(), 'Limits of this process alone; 0 means none.'),
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
    perTryTimeout: field(ms(false), 'Time for one attempt until its response head.', formatDuration(d.perTryTimeoutMs)),
    retryOn: field(list(retryCondition), 'When to repeat: tokens of Envoy, and statuses from 400 to 599.', d.retryOn),
    backoff: field(backoff, 'Wait before a repetition: full jitter, doubling.'),
    retryAfterMax: field(ms(true), 'Longest Retry-After that is waited for.', formatDuration(d.retryAfterMaxMs)),
    methods: field(list(method), 'Methods that may be repeated although the server may have acted.', d.methods),
    acrossSubsets: field(boolean, 'Whether a retry may leave the subset that the route drew; false for sticky routes.', d.acrossSubsets),
    bodyLimit: field(bodyLimit, 'Bytes of a request body kept for replay, at most 1MiB.', '64KiB'),
  });
  return field(anyOf(no, whole), 'When and how often a call is repeated; false: never.');
}

const retryCondition: Schema = anyOf(oneOf(...RETRY_TOKENS), statusWord, status);

function retryBudget(): Schema {
  return object({
    tokens: field(number(0), 'Capacity, and the balance at start.', BUDGET_DEFAULTS.tokensMax),
    perSuccess: field(number(0), 'Added by each success.', BUDGET_DEFAULTS.tokensPerSuccess),
    perSecond: field(number(0), 'Added each second.', BUDGET_DEFAULTS.tokensPerSecond),
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

function outlierDetection(numbers: boolean): Schema {
  const d = OUTLIER_DEFAULTS;
  return object({
    consecutiveErrors: field(integer(0), 'Run of 502, 503, 504 or local errors that ejects; 0 switches the rule off.', d.consecutiveErrors),
    consecutive5xxErrors: field(integer(0), "Istio's name for consecutiveErrors."),
    consecutiveGatewayErrors: field(integer(0), "Istio's name for consecutiveErrors."),
    window: field(duration(numbers, true), 'Window of the comparison; 0s switches the rule off.', formatDuration(d.windowMs)),
    minCalls: field(integer(1), 'Calls below which an endpoint is not compared.', d.callsMin),
    margin: field(number(0, 1), 'How far below its peers an endpoint must be.', d.margin),
    baseEjectionTime: field(duration(numbers, false), 'First ejection; doubles.', formatDuration(d.baseEjectionMs)),
    maxEjectionTime: field(duration(numbers, false), 'Longest ejection.', formatDuration(d.maxEjectionMs)),
    maxEjectionPercent: field(number(0, 100), 'Most endpoints out at once; the last never is.', d.maxEjectionPercent),
    jitter: field(number(0, 1), 'Added at random to each ejection, as a share of it.', d.jitter),
  });
}

const balancerKind: Schema = oneOf('peakEwma', 'roundRobin', 'random', 'leastRequest');

function loadBalancer(numbers: boolean): Schema {
  const d = BALANCER_DEFAULTS;
  return object({
    kind: field(balancerKind, 'How an endpoint is chosen.', d.kind),
    tau: field(duration(numbers, false), 'Time constant of the moving average. peakEwma only.', formatDuration(d.tauMs)),
    failurePenalty: field(duration(numbers, true), 'Latency that a failure counts as. peakEwma only.', formatDuration(d.failurePenaltyMs)),
    seedFactor: field(positive(), 'A new endpoint starts at this multiple of the median of its peers. peakEwma only.', d.seedFactor),
    seed: field(duration(numbers, false), 'Latency assumed of the first endpoint. peakEwma only.', formatDuration(d.seedMs)),
    fullScanMax: field(integer(1), 'Up to this many endpoints all are compared; beyond, two random ones.', d.fullScanMax),
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
  });
}
