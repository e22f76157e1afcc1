// The schema of who is asked and who is left out: load balancing, health checks, outlier detection. Mirrors
// input-balancing.ts; a policy with several modes has the keys of all of them, and its resolver says which belong together.
import { ENVOY_OUTLIER_DEFAULTS, HASH_DEFAULTS, HEALTH_CHECK_DEFAULTS, LINKERD_OUTLIER_DEFAULTS, LOCALITY_DEFAULTS } from './balancing.ts';
import { BALANCER_DEFAULTS, OUTLIER_DEFAULTS } from './destination.ts';
import { formatDuration } from './duration.ts';
import type { Schema } from './schema-scalar.ts';
import {
  anyOf,
  boolean,
  described,
  duration,
  field,
  fieldValue,
  integer,
  list,
  localityPattern,
  names,
  no,
  number,
  object,
  oneOf,
  percent,
  port,
  positive,
  probePath,
  region,
  statusRange,
  text,
  toggle,
  token,
  yes,
} from './schema-scalar.ts';

const KINDS = ['peakEwma', 'roundRobin', 'random', 'leastRequest', 'ringHash', 'maglev'] as const;
export const balancerKind: Schema = oneOf(...KINDS);

export function loadBalancer(numbers: boolean): Schema {
  const d = BALANCER_DEFAULTS;
  const key = hashKey(numbers);
  return object({
    kind: field(balancerKind, 'How an endpoint is chosen.', d.kind),
    tau: field(duration(numbers, false), 'Time constant of the moving average. peakEwma only.', formatDuration(d.tauMs)),
    failurePenalty: field(duration(numbers, true), 'Latency that a failure counts as. peakEwma only.', formatDuration(d.failurePenaltyMs)),
    seedFactor: field(
      number(0, Number.MAX_SAFE_INTEGER),
      'A new endpoint starts at this multiple of the median of its peers; 0: at seed. peakEwma only.',
      d.seedFactor,
    ),
    seed: field(duration(numbers, false), 'Latency assumed of the first endpoint. peakEwma only.', formatDuration(d.seedMs)),
    fullScanMax: field(integer(1), 'Up to this many endpoints all are compared; beyond, two random ones.', d.fullScanMax),
    choices: field(integer(2, 100), 'Endpoints compared. leastRequest only.', d.choices),
    hash: field(anyOf(key, list(key)), 'What the key is taken from: the first that the call has. ringHash and maglev only.'),
    minimumRingSize: field(integer(1, 8_388_608), 'Least entries of the ring. ringHash only.', HASH_DEFAULTS.ringSizeMin),
    maximumRingSize: field(integer(1, 8_388_608), 'Most entries of the ring. ringHash only.', HASH_DEFAULTS.ringSizeMax),
    tableSize: field(integer(2, 5_000_010), 'A prime. maglev only.', HASH_DEFAULTS.maglevTableSize),
    slowStart: field(
      anyOf(no, slowStart(numbers)),
      'New endpoints take their share little by little. roundRobin and leastRequest only.',
      false,
    ),
    locality: field(
      anyOf(no, oneOf('zone', 'priority'), locality()),
      'Near endpoints first. Absent: zone when self.locality is known, else false.',
    ),
    panicThreshold: field(percent, 'Below this share of healthy endpoints all are used; 0: only when none is healthy.', d.panicPercent),
    subsetSize: field(integer(0), 'Each process uses only so many endpoints; 0: all.', d.subsetSize),
  });
}

function hashKey(numbers: boolean): Schema {
  const cookie = object({
    name: described(token, 'Name of the cookie.'),
    path: field(probePath, 'Path of the cookie that is made.', '/'),
    ttl: field(
      duration(numbers, true),
      'Makes a cookie of this lifetime for a call without one; 0s: for the session. Absent: none is made.',
    ),
    attributes: field(names(fieldValue, token), 'More attributes of the cookie that is made, such as SameSite.'),
  });
  const key = object({
    header: field(token, 'Name of a header.'),
    cookie: field(anyOf(token, cookie), 'A cookie: its name, or the whole.'),
    query: field(text('the name of a parameter'), 'Name of a parameter of the query.'),
    source: field(yes, 'Address of the caller whose call is being served, else of this process.'),
  });
  const oneOfFour = ['header', 'cookie', 'query', 'source'].map((name) => ({ required: [name] }));
  return described(key, 'Exactly one of the four.', { oneOf: oneOfFour });
}

function slowStart(numbers: boolean): Schema {
  return object({
    window: field(duration(numbers, false), 'How long an endpoint is new. Required.'),
    minimumPercent: field(percent, 'Share at the start.', 10),
    aggression: field(positive(), 'How the share grows: above 1 fast at first.', 1),
  });
}

function locality(): Schema {
  const d = LOCALITY_DEFAULTS;
  const shares = object({
    from: described(localityPattern, 'Where the caller is.'),
    to: described(names(percent, localityPattern), 'Shares in percent that sum to 100.'),
  });
  const regions = object({
    from: described(region, 'Region of the caller.'),
    to: described(region, 'Region that comes next.'),
  });
  return object({
    mode: field(oneOf('zone', 'priority'), 'zone: the own zone, then all others. priority: sub-zone, zone, region, the rest.', d.mode),
    distribute: field(list(shares), 'Shares by locality. Not with failover or failoverPriority. priority only.'),
    failover: field(list(regions), 'Which region comes next. priority only.'),
    failoverPriority: field(list(text('a label, or label=value')), 'Labels in order: who has more of them is nearer. priority only.'),
    overprovisioning: field(number(1), 'Health times this is what a locality can take.', d.overprovisioning),
    maxLoad: field(positive(1), 'Reported load of the own zone above which calls spill. zone only.', d.loadMax),
    retriesLeave: field(boolean, 'Whether a retry goes to another zone when there is one.', d.retriesLeave),
  });
}

export function healthCheck(numbers: boolean): Schema {
  const d = HEALTH_CHECK_DEFAULTS;
  const probe = (entries: Record<string, Schema>): Schema => object({ ...entries, port: field(port, 'Absent: that of the endpoint.') });
  const http = probe({
    path: field(probePath, 'Path that is asked for.', d.path),
    statuses: field(list(statusRange(100)), 'Statuses of an endpoint that is well.', ['200-299']),
  });
  const grpc = probe({ service: field(text('the name of a service'), 'Name that is asked for. Absent: the server as a whole.') });
  return object({
    http: field(anyOf(probePath, http), 'The path, or the whole. The probe when none is named.'),
    tcp: field(anyOf(yes, probe({})), 'Whether a connection can be made.'),
    grpc: field(
      anyOf(text('the name of a service'), yes, grpc),
      'By grpc.health.v1: the name, true for the server as a whole, or the whole.',
    ),
    interval: field(duration(numbers, false), 'Time between probes, half of it to one and a half.', formatDuration(d.intervalMs)),
    timeout: field(duration(numbers, false), 'Time for one probe.', formatDuration(d.timeoutMs)),
    unhealthyThreshold: field(integer(1), 'Failures in a row that take an endpoint out.', d.unhealthyThreshold),
    healthyThreshold: field(integer(1), 'Successes in a row that bring it back.', d.healthyThreshold),
    always: field(boolean, 'Whether endpoints that have traffic are asked too.', d.always),
  });
}

export function outlierDetection(numbers: boolean): Schema {
  const d = OUTLIER_DEFAULTS;
  return object({
    mode: field(oneOf('inmesh', 'envoy', 'linkerd'), 'Whose rule.', 'inmesh'),
    consecutiveErrors: field(integer(0), 'Run of 502, 503, 504 or local errors that ejects; 0 switches the rule off.', d.consecutiveErrors),
    consecutive5xxErrors: field(integer(0), "inmesh: Istio's name for consecutiveErrors. envoy: run of 5xx that ejects."),
    consecutiveGatewayErrors: field(integer(0), "inmesh: Istio's name for consecutiveErrors. envoy: run of 502, 503, 504 that ejects."),
    window: field(duration(numbers, true), 'Window of the comparison; 0s switches the rule off.', formatDuration(d.windowMs)),
    minCalls: field(integer(1), 'Calls below which an endpoint is not compared.', d.callsMin),
    margin: field(number(0, 1), 'How far below its peers an endpoint must be.', d.margin),
    baseEjectionTime: field(
      duration(numbers, false),
      `First ejection. ${ofModes(d.baseEjectionMs, ENVOY_OUTLIER_DEFAULTS.baseEjectionMs)}.`,
    ),
    maxEjectionTime: field(
      duration(numbers, false),
      `Longest ejection. ${ofModes(d.maxEjectionMs, ENVOY_OUTLIER_DEFAULTS.maxEjectionMs)}.`,
    ),
    maxEjectionPercent: field(
      percent,
      `Most endpoints out at once. inmesh: ${d.maxEjectionPercent}, the last never is; envoy: ${ENVOY_OUTLIER_DEFAULTS.maxEjectionPercent}.`,
    ),
    jitter: field(number(0, 1), 'Added at random to each ejection, as a share of it. inmesh and linkerd.', d.jitter),
    ...envoyOutlier(numbers),
    ...linkerdOutlier(numbers),
  });
}

function ofModes(inmeshMs: number, envoyMs: number): string {
  return `inmesh: ${formatDuration(inmeshMs)}; envoy: ${formatDuration(envoyMs)}`;
}

function envoyOutlier(numbers: boolean): Record<string, Schema> {
  const d = ENVOY_OUTLIER_DEFAULTS;
  const successRate = object({
    minimumHosts: field(integer(1), 'Endpoints with enough calls below which nobody is compared.', 5),
    requestVolume: field(integer(1), 'Calls in the interval from which an endpoint is compared.', 100),
    stdevFactor: field(integer(1), 'Standard deviations below the mean, in thousandths.', 1_900),
  });
  const failurePercentage = object({
    threshold: field(positive(100), 'Percent of failures from which an endpoint is ejected.', 85),
    minimumHosts: field(integer(1), 'Endpoints with enough calls below which nobody is looked at.', 5),
    requestVolume: field(integer(1), 'Calls in the interval from which an endpoint is looked at.', 50),
  });
  return {
    splitExternalLocalOriginErrors: field(boolean, 'Whether failures without an answer have a count of their own. envoy only.', false),
    consecutiveLocalOriginFailures: field(integer(0), 'That count. envoy only.', d.consecutiveLocalOriginErrors),
    outlierDetectionHttpErrorCodes: field(list(statusRange(100)), 'Statuses that count as errors instead of 5xx. envoy only.'),
    interval: field(
      duration(numbers, false),
      'Time between sweeps; an ejection ends at a sweep. envoy only.',
      formatDuration(d.intervalMs),
    ),
    maxEjectionTimeJitter: field(duration(numbers, true), 'Added at random to each ejection. envoy only.', formatDuration(d.jitterMs)),
    alwaysEjectOneHost: field(boolean, 'Whether one may be ejected whatever the percentage. envoy only.', d.alwaysEjectOne),
    capCheck: field(
      oneOf('after', 'before'),
      'after: one more must still fit (Envoy); before: what is out must (gRPC). envoy only.',
      d.capCheck,
    ),
    successRate: field(toggle(successRate), 'Ejects what is far below the mean. envoy only.', false),
    failurePercentage: field(toggle(failurePercentage), 'Ejects what fails more than a fixed share. envoy only.', false),
  };
}

function linkerdOutlier(numbers: boolean): Record<string, Schema> {
  const d = LINKERD_OUTLIER_DEFAULTS;
  const unified = object({
    successRate: field(number(0, 1), 'Below this an endpoint is left out.', 0.8),
    window: field(duration(numbers, false), 'Window of the rate.', '10s'),
    minCalls: field(integer(1), 'Calls in the window from which the rate counts.', 5),
  });
  return {
    maxFailures: field(integer(1), 'Failures in a row that leave an endpoint out. linkerd only.', d.failuresMax),
    minPenalty: field(duration(numbers, false), 'First time out; doubles. linkerd only.', formatDuration(d.penaltyMinMs)),
    maxPenalty: field(duration(numbers, false), 'Longest time out. linkerd only.', formatDuration(d.penaltyMaxMs)),
    unified: field(toggle(unified), 'Also by success rate. linkerd only.', false),
  };
}
