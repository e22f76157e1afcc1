// One SERVER span for each call that comes in, child of what its caller says in the headers that the application's propagator
// knows (W3C traceparent by default). Pass-through while no TracerProvider is registered, and where an instrumentation of
// node:http has made such a span already.
// Source: OpenTelemetry semantic conventions, HTTP server spans.
import type { Call, EndListener, Outcome } from '../core/call.ts';
import { ERROR_CODES } from '../core/errors.ts';
import type { Layer } from '../core/service.ts';
import type { Context, Registry, Span, SpanOptions, TelemetryApi, TextMapGetter } from './api.ts';
import { registry, tracerSource } from './api.ts';
import { endRpcServerSpan, rpcServerStart } from './rpc-server-span.ts';
import * as name from './semconv.ts';
import type { ServerView } from './server-metric-layer.ts';
import type { SpansOption } from './span-layer.ts';
import { serverAddress } from './span-start.ts';

export interface ServerSpanDeps {
  /** null when the peer is not installed: no layer is added. */
  readonly api: TelemetryApi | null;
  /** Version of this package, for the instrumentation scope. */
  readonly version: string;
  readonly spans?: SpansOption;
  readonly view: ServerView;
}

/** SpanKind of the API, whose enum is no type-only import. */
const KIND_SERVER = 1;
const FAILED = Object.freeze({ code: 2 });

const CALLERS: TextMapGetter<Call> = {
  get: (call, key) => call.header(key.toLowerCase()),
  keys: ({ headers }) => headers.filter((_, i) => i % 2 === 0).map((header) => header.toLowerCase()),
};

/** null: no layer. */
export function serverSpanLayer({ api, version, spans, view }: ServerSpanDeps): Layer | null {
  if (api === null || spans === 'off') return null;
  const tracerOf = tracerSource(version);
  const onEnd: EndListener = (call, outcome) => {
    try {
      if (call.carrier === null) finish(call, outcome, view);
      else endRpcServerSpan(call.span as Span, outcome);
    } catch {
      // Nobody to tell: the error is that of the application's own telemetry.
    }
  };
  const start = (call: Call, found: Registry): Context | null => {
    if (found.trace === undefined) return null;
    const active = found.context?.active() ?? api.ROOT_CONTEXT;
    if (active.getValue(name.SUPPRESS_TRACING) === true || api.trace.getSpan(active) !== undefined) return null;
    const parent = found.propagation?.extract(active, call, CALLERS) ?? active;
    const rpc = call.carrier === null ? null : rpcServerStart(call, view.methodPathOf(call), view.clientAddress(call));
    const span = tracerOf(found.trace).startSpan(rpc?.name ?? methodOf(call) ?? 'HTTP', rpc?.options ?? options(call, view), parent);
    call.span = span;
    if (span.isRecording()) call.onEnd(onEnd);
    return api.trace.setSpan(parent, span);
  };
  return (next) => (call) => {
    const found = registry();
    if (found?.trace === undefined) return next(call);
    let context: Context | null = null;
    try {
      context = start(call, found);
    } catch {
      context = null;
    }
    return context === null || found.context === undefined ? next(call) : found.context.with(context, next, undefined, call);
  };
}

function methodOf({ method }: Call): string | null {
  return name.KNOWN_METHODS.includes(method) ? method : null;
}

/** What a sampler may want to see, and no header of the caller but its host. */
function options(call: Call, view: ServerView): SpanOptions {
  const method = methodOf(call);
  const query = call.path.indexOf('?');
  const { address, port } = serverAddress(call.scheme, call.authority);
  return {
    kind: KIND_SERVER,
    attributes: {
      [name.HTTP_REQUEST_METHOD]: method ?? name.OTHER,
      ...(method === null ? { [name.HTTP_REQUEST_METHOD_ORIGINAL]: call.method.slice(0, 64) } : {}),
      [name.URL_PATH]: query < 0 ? call.path : call.path.slice(0, query),
      [name.URL_SCHEME]: call.scheme,
      [name.SERVER_ADDRESS]: address,
      [name.SERVER_PORT]: port,
      [name.CLIENT_ADDRESS]: view.clientAddress(call),
      [name.NETWORK_PROTOCOL_VERSION]: view.isHttp2(call) ? '2' : '1.1',
    },
  };
}

function finish(call: Call, { error, status }: Outcome, view: ServerView): void {
  const span = call.span as Span;
  const route = view.routeOf(call);
  if (route !== '') {
    span.setAttribute(name.HTTP_ROUTE, route);
    span.updateName(`${methodOf(call) ?? 'HTTP'} ${route}`);
  }
  const answered = status === 0 ? view.statusOf(call) : status;
  if (answered !== 0) span.setAttribute(name.HTTP_RESPONSE_STATUS_CODE, answered);
  // The caller's own abort is no error of ours.
  if (error !== null && error.code !== 'canceled') {
    span.setAttribute(name.ERROR_TYPE, error.code);
    span.setStatus({ code: FAILED.code, message: ERROR_CODES[error.code].meaning });
  } else if (error === null && status >= 500) {
    span.setAttribute(name.ERROR_TYPE, String(status));
    span.setStatus(FAILED);
  }
  span.end();
}
