// Every metric of a mesh: name, unit, kind and labels. The docs page is generated from this table, the instruments too.
// Labels come from the configuration or from fixed lists, never from paths, hosts or headers of a call.
import * as name from './semconv.ts';

export type HistogramName = 'http.client.request.duration' | 'inmesh.call.duration';

export type CounterName =
  | 'inmesh.retries'
  | 'inmesh.retries.denied'
  | 'inmesh.route.actions'
  | 'inmesh.circuit.transitions'
  | 'inmesh.ejections'
  | 'inmesh.config.loads'
  | 'inmesh.discovery.failures'
  | 'inmesh.peers.untrusted'
  | 'inmesh.event_loop.stalls'
  | 'inmesh.event_loop.stalled';

/** Values of this moment, read when somebody collects. */
export type GaugeName =
  | 'inmesh.active_calls'
  | 'inmesh.active_attempts'
  | 'inmesh.retry.budget.tokens'
  | 'inmesh.retry.margin'
  | 'inmesh.throttle.probability'
  | 'inmesh.circuit.state'
  | 'inmesh.endpoints'
  | 'inmesh.limit.used'
  | 'inmesh.limit.max';

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
}

const { MESH_SERVICE: service, MESH_ROUTE: route, MESH_DESTINATION: destination } = name;

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
