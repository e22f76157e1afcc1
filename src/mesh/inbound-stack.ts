// The way of a call that comes in, outermost entry first: from the server's socket to the handler. The same two types and
// the same rules as the stacks of stack.ts.
import type { Clock } from '../core/clock.ts';
import type { Layer } from '../core/service.ts';
import { inboundAdmissionLayer } from '../inbound/admission-layer.ts';
import { type AuthorizeDeps, authorizeLayer } from '../inbound/authorize-layer.ts';
import { type ExpiredCalls, inboundDeadlineLayer } from '../inbound/deadline-layer.ts';
import type { InboundRpc } from '../inbound/grpc/inbound-rpc.ts';
import type { InboundCall } from '../inbound/inbound-call.ts';
import type { Places } from '../inbound/places.ts';
import { requestLimitLayer, type ServedCalls } from '../inbound/request-limit-layer.ts';
import { routeTemplateOf } from '../inbound/route-template.ts';
import type { ServerView } from '../telemetry/server-metric-layer.ts';
import type { SelfConfig } from '../model/config.ts';
import type { InboundConfig } from '../model/inbound.ts';
import type { ServerLimits } from '../model/server-limits.ts';

/** What is told of calls that come in. null: nothing. */
export interface ServerTelemetry {
  serverSpan(view: ServerView): Layer | null;
  serverMetrics(view: ServerView, grpcMetrics?: boolean): Layer | null;
}

/** What spans and metrics want to know of a call that only its request and response tell. */
const VIEW: ServerView = {
  routeOf: (call) => routeTemplateOf((call as InboundCall).request),
  isHttp2: (call) => (call as InboundCall).request.httpVersionMajor === 2,
  methodPathOf: (call) => ((call as InboundRpc).isUnknown ? '' : call.path),
  clientAddress: (call) => (call as InboundCall).request.socket.remoteAddress ?? '',
  statusOf: (call) => (call as InboundCall).response.statusCode,
};

export interface InboundDeps {
  readonly config: InboundConfig;
  readonly self: SelfConfig;
  readonly limits: ServerLimits;
  readonly served: ServedCalls;
  readonly telemetry: ServerTelemetry | null;
  /** Whether gRPC's own metrics are counted, too. */
  readonly grpcMetrics: boolean;
  /** null: everybody may call. */
  readonly authorize: AuthorizeDeps | null;
  readonly clock: Clock;
  readonly expired: ExpiredCalls;
  /** null: every call is taken. */
  readonly places: Places | null;
}

/** As StackEntry of stack.ts, without layers of the user. */
interface InboundEntry {
  readonly role: string;
  readonly why: string;
  readonly above: readonly string[];
  readonly below: readonly string[];
  readonly make: (deps: InboundDeps) => Layer | null;
}

/** A place that is kept: nothing stands there yet. */
const PLACE = (): null => null;

export const INBOUND_STACK: readonly InboundEntry[] = [
  {
    role: 'inbound-span',
    why: 'Outermost, so that the span of the server tells of calls that are refused, too.',
    above: ['inbound-metrics', 'inbound-deadline', 'authorize', 'inbound-admission', 'handler'],
    below: [],
    make: ({ telemetry }) => telemetry?.serverSpan(VIEW) ?? null,
  },
  {
    role: 'inbound-metrics',
    why: 'Counts what callers get, refusals included.',
    above: ['inbound-deadline', 'authorize', 'inbound-admission', 'handler'],
    below: ['inbound-span'],
    make: ({ telemetry, grpcMetrics }) => telemetry?.serverMetrics(VIEW, grpcMetrics) ?? null,
  },
  {
    role: 'inbound-deadline',
    why: 'Before all work: what nobody waits for any more is neither authorized nor begun.',
    above: ['authorize', 'inbound-admission', 'handler'],
    below: ['inbound-span', 'inbound-metrics'],
    make: ({ expired, clock }) => inboundDeadlineLayer(expired, clock),
  },
  {
    role: 'authorize',
    why: 'Above admission: who may not call takes no place from those who may.',
    above: ['inbound-admission', 'handler'],
    below: ['inbound-deadline'],
    make: ({ authorize }) => (authorize === null ? null : authorizeLayer(authorize)),
  },
  {
    role: 'inbound-limit',
    why: 'Below authorize, as admission is; above it, so that what is refused here is no sign of overload to what learns its limit.',
    above: ['inbound-admission', 'handler'],
    below: ['inbound-deadline', 'authorize'],
    make: ({ served, limits, clock }) => (limits.maxRequests === 0 ? null : requestLimitLayer(served, limits.maxRequests, clock)),
  },
  {
    role: 'inbound-admission',
    why: 'Last before the handler, and before the body is read: a place is taken only by a call that will be served.',
    above: ['handler'],
    below: ['inbound-deadline', 'authorize'],
    make: ({ places, config }) =>
      places === null || config.admission === null ? null : inboundAdmissionLayer(places, config.admission.retryAfterMs),
  },
  {
    role: 'handler',
    why: 'The leaf: your handler, run in the context of its caller; it writes its answer itself.',
    above: [],
    below: ['inbound-deadline', 'inbound-admission'],
    make: PLACE,
  },
];
