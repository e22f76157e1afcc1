// Every metric of a mesh: name, unit, kind and labels. The docs page is generated from this table, the instruments too.
// Labels come from the configuration or from fixed lists, never from paths, hosts or headers of a call.
import * as name from './semconv.ts';
import { type Buckets, countBuckets, durationBuckets } from './series.ts';

export type HistogramName =
  | 'rpc.client.call.duration'
  | 'rpc.server.call.duration'
  | 'grpc.client.attempt.duration'
  | 'grpc.client.call.duration'
  | 'grpc.client.call.retries'
  | 'grpc.client.call.transparent_retries'
  | 'grpc.client.call.hedges'
  | 'grpc.client.call.retry_delay'
  | 'grpc.server.call.duration'
  | 'http.client.request.duration'
  | 'http.server.request.duration'
  | 'inmesh.call.duration';

export type CounterName =
  | 'grpc.client.attempt.started'
  | 'grpc.server.call.started'
  | 'inmesh.retries'
  | 'inmesh.retries.denied'
  | 'inmesh.route.actions'
  | 'inmesh.circuit.transitions'
  | 'inmesh.ejections'
  | 'inmesh.config.loads'
  | 'inmesh.discovery.failures'
  | 'inmesh.peers.untrusted'
  | 'inmesh.certificates.refused'
  | 'inmesh.inbound.denied'
  | 'inmesh.inbound.refused'
  | 'inmesh.identity.rotations'
  | 'inmesh.identity.failures'
  | 'inmesh.event_loop.stalls'
  | 'inmesh.event_loop.stalled';

/** Values of this moment, read when somebody collects. */
export type GaugeName =
  | 'inmesh.active_calls'
  | 'inmesh.active_attempts'
  | 'http.server.active_requests'
  | 'inmesh.retry.budget.tokens'
  | 'inmesh.retry.margin'
  | 'inmesh.throttle.probability'
  | 'inmesh.circuit.state'
  | 'inmesh.endpoints'
  | 'inmesh.limit.used'
  | 'inmesh.limit.max'
  | 'inmesh.identity.expiry';

export type MetricName = HistogramName | CounterName | GaugeName;

/** `upDown` may be added up over processes, `gauge` may not. */
export type MetricKind = 'histogram' | 'counter' | 'upDown' | 'gauge';

export interface MetricDefinition {
  readonly name: MetricName;
  /** UCUM, as OpenTelemetry has it. */
  readonly unit: string;
  readonly kind: MetricKind;
  readonly description: string;
  readonly attributes: readonly string[];
  /** Of a histogram. @default those of durations in the semantic conventions */
  readonly buckets?: Buckets;
}

/** Source: gRFC A66, latency buckets. */
const GRPC_DURATIONS = durationBuckets([
  0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.013, 0.016, 0.02, 0.025,
  0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 2, 5, 10, 20, 50, 100,
]);
/** Source: gRFC A96. */
const REPETITIONS = countBuckets([1, 2, 3, 4, 5]);
const TRANSPARENT_RETRIES = countBuckets([1, 2, 3, 4, 5, 10]);

const { MESH_SERVICE: service, MESH_ROUTE: route, MESH_DESTINATION: destination } = name;

const GRPC_CLIENT: readonly string[] = [name.GRPC_METHOD, name.GRPC_TARGET];

export const METRICS: readonly MetricDefinition[] = Object.freeze([
  {
    name: 'http.client.request.duration',
    unit: 's',
    kind: 'histogram',
    description: 'Duration of HTTP client requests: one attempt, until the last byte of its answer.',
    attributes: [
      name.HTTP_REQUEST_METHOD,
      name.SERVER_ADDRESS,
      name.HTTP_RESPONSE_STATUS_CODE,
      name.ERROR_TYPE,
      service,
      route,
      destination,
    ],
  },
  {
    name: 'http.server.request.duration',
    unit: 's',
    kind: 'histogram',
    description: 'Duration of HTTP server requests: from the head to the last byte of the answer.',
    attributes: [
      name.HTTP_REQUEST_METHOD,
      name.URL_SCHEME,
      name.HTTP_RESPONSE_STATUS_CODE,
      name.ERROR_TYPE,
      name.HTTP_ROUTE,
      name.NETWORK_PROTOCOL_VERSION,
    ],
  },
  {
    name: 'http.server.active_requests',
    unit: '{request}',
    kind: 'upDown',
    description: 'Calls being served.',
    attributes: [],
  },
  {
    name: 'rpc.client.call.duration',
    unit: 's',
    kind: 'histogram',
    description: 'Duration of a gRPC call as the caller sees it: retries, waits and all messages included.',
    attributes: [name.RPC_SYSTEM_NAME, name.RPC_METHOD, name.RPC_STATUS_CODE, name.SERVER_ADDRESS, name.ERROR_TYPE],
  },
  {
    name: 'rpc.server.call.duration',
    unit: 's',
    kind: 'histogram',
    description: 'Duration of a gRPC call that is served: from its metadata to its status.',
    attributes: [name.RPC_SYSTEM_NAME, name.RPC_METHOD, name.RPC_STATUS_CODE, name.ERROR_TYPE],
  },
  {
    name: 'grpc.client.attempt.started',
    unit: '{attempt}',
    kind: 'counter',
    description: 'Attempts of gRPC calls that were begun. As all that begins with grpc: only with telemetry.grpcMetrics.',
    attributes: GRPC_CLIENT,
  },
  {
    name: 'grpc.client.attempt.duration',
    unit: 's',
    kind: 'histogram',
    description: 'Duration of one attempt of a gRPC call, until its status.',
    attributes: [...GRPC_CLIENT, name.GRPC_STATUS],
    buckets: GRPC_DURATIONS,
  },
  {
    name: 'grpc.client.call.duration',
    unit: 's',
    kind: 'histogram',
    description: 'Duration of a gRPC call as the caller sees it.',
    attributes: [...GRPC_CLIENT, name.GRPC_STATUS],
    buckets: GRPC_DURATIONS,
  },
  {
    name: 'grpc.client.call.retries',
    unit: '{retry}',
    kind: 'histogram',
    description: 'Retries of a gRPC call that had any.',
    attributes: GRPC_CLIENT,
    buckets: REPETITIONS,
  },
  {
    name: 'grpc.client.call.transparent_retries',
    unit: '{transparent_retry}',
    kind: 'histogram',
    description: 'Repetitions of what had reached nobody, of a gRPC call that had any.',
    attributes: GRPC_CLIENT,
    buckets: TRANSPARENT_RETRIES,
  },
  {
    name: 'grpc.client.call.hedges',
    unit: '{hedge}',
    kind: 'histogram',
    description: 'Hedges of a gRPC call that had any.',
    attributes: GRPC_CLIENT,
    buckets: REPETITIONS,
  },
  {
    name: 'grpc.client.call.retry_delay',
    unit: 's',
    kind: 'histogram',
    description: 'Time of a gRPC call during which no attempt was under way, where there was any.',
    attributes: GRPC_CLIENT,
    buckets: GRPC_DURATIONS,
  },
  {
    name: 'grpc.server.call.started',
    unit: '{call}',
    kind: 'counter',
    description: 'Calls of gRPC that came in.',
    attributes: [name.GRPC_METHOD],
  },
  {
    name: 'grpc.server.call.duration',
    unit: 's',
    kind: 'histogram',
    description: 'Duration of a gRPC call that is served.',
    attributes: [name.GRPC_METHOD, name.GRPC_STATUS],
    buckets: GRPC_DURATIONS,
  },
  {
    name: 'inmesh.call.duration',
    unit: 's',
    kind: 'histogram',
    description: 'Duration of a call as the caller sees it: retries, waits and body included.',
    attributes: [service, route, name.MESH_STATUS_CLASS, name.ERROR_TYPE],
  },
  {
    name: 'inmesh.active_calls',
    unit: '{call}',
    kind: 'upDown',
    description: 'Calls in flight.',
    attributes: [service],
  },
  {
    name: 'inmesh.active_attempts',
    unit: '{attempt}',
    kind: 'upDown',
    description: 'Attempts in flight.',
    attributes: [service, route, destination],
  },
  {
    name: 'inmesh.retries',
    unit: '{retry}',
    kind: 'counter',
    description: 'Retries made, by the condition that allowed them.',
    attributes: [service, route, destination, name.MESH_RETRY_REASON],
  },
  {
    name: 'inmesh.retries.denied',
    unit: '{retry}',
    kind: 'counter',
    description: 'Retries that the policy wants, but were not made, by the reason.',
    attributes: [service, route, destination, name.MESH_RETRY_DENIED],
  },
  {
    name: 'inmesh.route.actions',
    unit: '{action}',
    kind: 'counter',
    description:
      'What routes did beside sending calls on: faults, mirrored calls, hedges, answers from the cache, coalesced calls, fallbacks.',
    attributes: [service, route, name.MESH_ACTION],
  },
  {
    name: 'inmesh.retry.budget.tokens',
    unit: '{token}',
    kind: 'gauge',
    description: 'Balance of the retry budget; no retry is made below 1.',
    attributes: [service],
  },
  {
    name: 'inmesh.retry.margin',
    unit: '1',
    kind: 'gauge',
    description:
      'Load of the service × attempts per call under total failure: above 1 an outage feeds itself. Only while endpoints report their load.',
    attributes: [service],
  },
  {
    name: 'inmesh.throttle.probability',
    unit: '1',
    kind: 'gauge',
    description: 'Share of the calls that are refused here because the service refuses most of them.',
    attributes: [service],
  },
  {
    name: 'inmesh.circuit.state',
    unit: '1',
    kind: 'gauge',
    description: 'State of the circuit: 0 closed, 1 half-open, 2 open, 3 isolated by hand.',
    attributes: [service],
  },
  {
    name: 'inmesh.circuit.transitions',
    unit: '{transition}',
    kind: 'counter',
    description: 'Changes of the circuit, by the state it went to.',
    attributes: [service, name.MESH_STATE],
  },
  {
    name: 'inmesh.endpoints',
    unit: '{endpoint}',
    kind: 'upDown',
    description: 'Known endpoints, by state.',
    attributes: [service, name.MESH_STATE],
  },
  {
    name: 'inmesh.ejections',
    unit: '{ejection}',
    kind: 'counter',
    description: 'Endpoints that outlier detection took out, by the rule that did.',
    attributes: [service, name.MESH_REASON],
  },
  {
    name: 'inmesh.limit.used',
    unit: '1',
    kind: 'gauge',
    description: 'How much of a limit is in use.',
    attributes: [service, name.MESH_LIMIT],
  },
  {
    name: 'inmesh.limit.max',
    unit: '1',
    kind: 'gauge',
    description: 'The limit; 0 means none.',
    attributes: [service, name.MESH_LIMIT],
  },
  {
    name: 'inmesh.config.loads',
    unit: '{load}',
    kind: 'counter',
    description: 'Configurations read: accepted, or rejected in favour of the one in force.',
    attributes: [name.MESH_STATE],
  },
  {
    name: 'inmesh.discovery.failures',
    unit: '{failure}',
    kind: 'counter',
    description: 'Look-ups of endpoints that failed; the last known stay in use.',
    attributes: [service],
  },
  {
    name: 'inmesh.peers.untrusted',
    unit: '{connection}',
    kind: 'counter',
    description: 'Connections dropped because the peer did not prove its identity.',
    attributes: [service],
  },
  {
    name: 'inmesh.certificates.refused',
    unit: '{connection}',
    kind: 'counter',
    description: 'Connections that an endpoint refused for the certificate of this process.',
    attributes: [service],
  },
  {
    name: 'inmesh.inbound.denied',
    unit: '{call}',
    kind: 'counter',
    description: 'Calls that came in and were refused by authorization, by the policy (empty when none decided) and the reason.',
    attributes: [name.MESH_POLICY, name.MESH_REASON],
  },
  {
    name: 'inmesh.inbound.refused',
    unit: '{connection}',
    kind: 'counter',
    description: 'Connections that came in and were not taken, by the code of the reason.',
    attributes: [name.MESH_REASON],
  },
  {
    name: 'inmesh.identity.rotations',
    unit: '{rotation}',
    kind: 'counter',
    description: 'Certificates of this process, the first included.',
    attributes: [],
  },
  {
    name: 'inmesh.identity.failures',
    unit: '{failure}',
    kind: 'counter',
    description:
      'New certificates that did not come or cannot be used; the last good one stays. Without a service: the identity of the mesh.',
    attributes: [service],
  },
  {
    name: 'inmesh.identity.expiry',
    unit: 's',
    kind: 'gauge',
    description: 'When the certificate of this process expires, seconds since the epoch.',
    attributes: [],
  },
  {
    name: 'inmesh.event_loop.stalls',
    unit: '{stall}',
    kind: 'counter',
    description: 'Pauses of this process during which no call could make progress.',
    attributes: [],
  },
  {
    name: 'inmesh.event_loop.stalled',
    unit: 's',
    kind: 'counter',
    description: 'Time lost in such pauses.',
    attributes: [],
  },
] as const);
