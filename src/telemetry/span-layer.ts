// Spans: INTERNAL `mesh.call <service>` around the logical call, if it is wanted, below it one CLIENT span for each attempt. Both end
// with the last byte. Pass-through while no TracerProvider is registered: one look at the registry, nothing allocated.
// Source: OpenTelemetry semantic conventions, HTTP client spans. Knows nothing of policies.
import type { Call, Outcome, Reply } from '../core/call.ts';
import { ERROR_CODES } from '../core/errors.ts';
import type { Layer, Service } from '../core/service.ts';
import type { Context, Registry, Span, SpanOptions, TelemetryApi, Tracer } from './api.ts';
import { registry, tracerSource } from './api.ts';
import { injectContext } from './inject.ts';
import { rpcAttemptStart, rpcStarts, setRpcAttempt, setRpcStatus } from './rpc-span.ts';
import * as name from './semconv.ts';
import { isHttp, KIND_INTERNAL, spanStarts } from './span-start.ts';
import { seesRequests } from './undici-listeners.ts';
import { urlFull } from './url-full.ts';

/**
 * `own`: the mesh makes the spans, instrumentations of the transport are silenced. `attempts`: the same without the span of the call, so one
 * span where a call needs one attempt, at half the cost; gRPC calls keep both. `off`: none, and no header is written. @default own
 */
export type SpansOption = 'own' | 'attempts' | 'off';

export interface SpanDeps {
  /** null when the peer is not installed: no layer is added. */
  readonly api: TelemetryApi | null;
  readonly service: string;
  /** Version of this package, for the instrumentation scope. */
  readonly version: string;
  readonly spans?: SpansOption;
}

export interface AttemptSpanDeps extends SpanDeps {
  /** `network.protocol.version` of the destination. @default 1.1 */
  readonly protocolVersion?: '1.1' | '2';
}

/** The slot `span` of a logical call; that of a forked attempt holds its Span. */
class CallTrace {
  readonly tracer: Tracer;
  /** What the attempts are children of. */
  readonly context: Context;
  /** null: not recorded. */
  readonly span: Span | null;
  /** Whether attempts have spans; else the context is only passed on. */
  readonly isRecorded: boolean;
  /** Whether a `traceparent` of the caller is better than ours. */
  readonly keepsCallers: boolean;
  attempts = 0;
  /** Number of the newest one: a transparent retry of gRPC has it again, and counts for none. */
  newest = 0;
  /** When the call was not forked, it is its own attempt. */
  attemptSpan: Span | null = null;

  constructor(tracer: Tracer, context: Context, span: Span | null, isRecorded: boolean, keepsCallers: boolean) {
    this.tracer = tracer;
    this.context = context;
    this.span = span;
    this.isRecorded = isRecorded;
    this.keepsCallers = keepsCallers;
  }
}

const STATUS_ERROR = 2;
const FAILED = Object.freeze({ code: STATUS_ERROR });
const SAMPLED = 1;

const passThrough: Layer = (next) => next;

/** Stands above all else, so that refusals are seen too. */
export function callSpanLayer(deps: SpanDeps): Layer {
  const { api, service } = deps;
  if (api === null || deps.spans === 'off') return passThrough;
  const isFlat = deps.spans === 'attempts';
  const tracerOf = tracerSource(deps.version);
  const spanName = `mesh.call ${service}`;
  // An attribute at the start costs the SDK three times one at the end: only what a sampler may ask for.
  const options: SpanOptions = Object.freeze({ kind: KIND_INTERNAL, attributes: Object.freeze({ [name.SERVICE_PEER_NAME]: service }) });
  const rpcStart = rpcStarts(service);
  const start = (call: Call, found: Registry): void => {
    if (found.trace === undefined) return;
    const context = found.context?.active() ?? api.ROOT_CONTEXT;
    if (context.getValue(name.SUPPRESS_TRACING) === true) return;
    const tracer = tracerOf(found.trace);
    const parent = api.trace.getSpan(context);
    const isParentRecording = parent?.isRecording() === true;
    if (parent !== undefined && !isParentRecording && isUnsampled(api, parent)) {
      call.span = new CallTrace(tracer, context, null, false, true);
      return;
    }
    if (isFlat && call.carrier === null) {
      call.span = new CallTrace(tracer, context, null, true, !isParentRecording);
      return;
    }
    const rpc = call.carrier === null ? null : rpcStart(call);
    const span = rpc === null ? tracer.startSpan(spanName, options, context) : tracer.startSpan(rpc.name, rpc.options, context);
    const isRecording = span.isRecording();
    call.span = new CallTrace(tracer, api.trace.setSpan(context, span), isRecording ? span : null, isRecording, !isParentRecording);
    if (isRecording) call.onEnd(endCall);
  };
  return (next) => (call) => {
    const found = registry();
    if (found?.trace !== undefined) guarded(start, call, found);
    return next(call);
  };
}

/** Stands below retry and hedging: once per attempt. */
export function attemptSpanLayer(deps: AttemptSpanDeps): Layer {
  const { api } = deps;
  if (api === null || deps.spans === 'off') return passThrough;
  const protocolVersion = deps.protocolVersion ?? '1.1';
  const startOf = spanStarts();
  /** The context that the rest of the attempt must run in, or null when it does not matter. */
  const start = (attempt: Call, trace: CallTrace, found: Registry | undefined): Context | null => {
    const isRequest = isHttp(attempt.scheme);
    let context = trace.context;
    const isRpc = attempt.carrier !== null;
    const isTransparent = isRpc && attempt.attempt > 0 && attempt.attempt === trace.newest;
    trace.newest = attempt.attempt;
    if (!isTransparent) trace.attempts++;
    if (trace.isRecorded) {
      const { name: spanName, options } = isRpc ? rpcAttemptStart(attempt) : startOf(attempt.scheme, attempt.method, attempt.authority);
      const span = trace.tracer.startSpan(spanName, options, context);
      context = api.trace.setSpan(context, span);
      if (span.isRecording()) {
        if (isRpc) setRpcAttempt(span, attempt, isTransparent);
        else if (isRequest) {
          span.setAttribute(name.URL_FULL, urlFull(attempt.scheme, attempt.authority, attempt.path));
          span.setAttribute(name.NETWORK_PROTOCOL_VERSION, protocolVersion);
          if (attempt.attempt > 1) span.setAttribute(name.HTTP_REQUEST_RESEND_COUNT, attempt.attempt - 1);
        }
        if (attempt.span === trace) trace.attemptSpan = span;
        else attempt.span = span;
        attempt.onEnd(endAttempt);
      }
    }
    // A function given to mesh.call makes its own spans, below ours.
    if (!isRequest) return context;
    if (found?.propagation !== undefined) {
      attempt.headers = injectContext(attempt.headers, context, found.propagation, trace.keepsCallers);
    }
    return seesRequests() ? context.setValue(name.SUPPRESS_TRACING, true) : null;
  };
  return (next) => (attempt) => {
    const trace = traceOf(attempt);
    return trace === null ? next(attempt) : startAttempt(start, attempt, trace, next);
  };
}

type StartAttempt = (attempt: Call, trace: CallTrace, found: Registry | undefined) => Context | null;

function startAttempt(start: StartAttempt, attempt: Call, trace: CallTrace, next: Service): Promise<Reply> {
  const found = registry();
  let context: Context | null;
  try {
    context = start(attempt, trace, found);
  } catch {
    context = null;
  }
  const manager = found?.context;
  return context === null || manager === undefined ? next(attempt) : manager.with(context, next, undefined, attempt);
}

function traceOf(attempt: Call): CallTrace | null {
  let call = attempt;
  while (call.parent !== null) call = call.parent;
  return call.span as CallTrace | null;
}

function isUnsampled(api: TelemetryApi, span: Span): boolean {
  const { traceFlags, traceId } = span.spanContext();
  return (traceFlags & SAMPLED) === 0 && traceId !== api.INVALID_TRACEID;
}

/** A sampler, processor or exporter that throws must not break a call. */
function guarded<T>(run: (call: Call, argument: T) => void, call: Call, argument: T): void {
  try {
    run(call, argument);
  } catch {
    // Nobody to tell: the error is that of the application's own telemetry.
  }
}

function endCall(call: Call, outcome: Outcome): void {
  guarded(finishCall, call, outcome);
}

function endAttempt(attempt: Call, outcome: Outcome): void {
  guarded(finishAttempt, attempt, outcome);
}

function setWay(span: Span, { destination, route }: Call): void {
  if (route !== null) {
    span.setAttribute(name.MESH_SERVICE, route.service);
    span.setAttribute(name.MESH_ROUTE, route.name);
  }
  if (destination !== null) span.setAttribute(name.MESH_DESTINATION, destination.name);
}

function finishCall(call: Call, outcome: Outcome): void {
  const trace = call.span as CallTrace;
  const span = trace.span as Span;
  const { destination, route } = call;
  setWay(span, call);
  if (destination !== null && destination.service !== route?.service) span.setAttribute(name.SERVICE_PEER_NAME, destination.service);
  span.setAttribute(name.MESH_ATTEMPTS, trace.attempts);
  span.setAttribute(name.MESH_OUTCOME, outcome.kind);
  if (call.retryDenied !== '') span.setAttribute(name.MESH_RETRY_DENIED, call.retryDenied);
  if (call.carrier === null) setFailure(span, outcome, 500);
  else setRpcStatus(span, outcome);
  span.end();
}

function finishAttempt(attempt: Call, outcome: Outcome): void {
  const trace = traceOf(attempt) as CallTrace;
  const span = attempt.parent === null ? (trace.attemptSpan as Span) : (attempt.span as Span);
  const { endpoint } = attempt;
  if (trace.span === null) setWay(span, attempt);
  if (endpoint !== null) {
    span.setAttribute(name.NETWORK_PEER_ADDRESS, endpoint.host);
    span.setAttribute(name.NETWORK_PEER_PORT, endpoint.port);
  }
  if (attempt.carrier !== null) setRpcStatus(span, outcome);
  else {
    if (outcome.status !== 0 && isHttp(attempt.scheme)) span.setAttribute(name.HTTP_RESPONSE_STATUS_CODE, outcome.status);
    setFailure(span, outcome, 400);
  }
  span.end();
}

/** The caller's own abort is no error. The text of a MeshError names endpoints; that of its code tells no secrets. */
function setFailure(span: Span, outcome: Outcome, statusMin: number): void {
  const { error, status } = outcome;
  if (error === null) {
    if (status < statusMin) return;
    span.setAttribute(name.ERROR_TYPE, String(status));
    span.setStatus(FAILED);
  } else if (error.code !== 'canceled') {
    span.setAttribute(name.ERROR_TYPE, error.code);
    span.setStatus({ code: STATUS_ERROR, message: ERROR_CODES[error.code].meaning });
  }
}
