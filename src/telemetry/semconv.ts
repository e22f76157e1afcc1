// Names of OpenTelemetry attributes and keys, copied: the package `@opentelemetry/semantic-conventions` costs 12 ms to
// import for thirty strings. Followed version: 1.44. Names that start with `inmesh.` are ours.

/** Semantic conventions that the names follow. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.44.0';

/** Instrumentation scope of all spans and metrics. */
export const SCOPE_NAME = 'inmesh';

export const HTTP_REQUEST_METHOD = 'http.request.method';
export const HTTP_REQUEST_METHOD_ORIGINAL = 'http.request.method_original';
export const HTTP_REQUEST_RESEND_COUNT = 'http.request.resend_count';
export const HTTP_RESPONSE_STATUS_CODE = 'http.response.status_code';
export const SERVER_ADDRESS = 'server.address';
export const SERVER_PORT = 'server.port';
export const URL_FULL = 'url.full';
export const URL_PATH = 'url.path';
export const URL_SCHEME = 'url.scheme';
export const HTTP_ROUTE = 'http.route';
export const CLIENT_ADDRESS = 'client.address';
export const NETWORK_PEER_ADDRESS = 'network.peer.address';
export const NETWORK_PEER_PORT = 'network.peer.port';
export const NETWORK_PROTOCOL_VERSION = 'network.protocol.version';
/** Source: semantic conventions, RPC. */
export const RPC_SYSTEM_NAME = 'rpc.system.name';
/** `pkg.Service/Method`. */
export const RPC_METHOD = 'rpc.method';
/** What the caller wrote, where `rpc.method` is `_OTHER`. */
export const RPC_METHOD_ORIGINAL = 'rpc.method_original';
/** Name of the gRPC status. */
export const RPC_STATUS_CODE = 'rpc.status_code';
/** Source: gRFC A72. */
export const RPC_PREVIOUS_ATTEMPTS = 'previous-rpc-attempts';
/** The attempt before reached nobody. Source: gRFC A72. */
export const RPC_TRANSPARENT_RETRY = 'transparent-retry';
/** `pkg.Service/Method`. Source: gRFC A66, as the two below. */
export const GRPC_METHOD = 'grpc.method';
export const GRPC_TARGET = 'grpc.target';
/** Name of the gRPC status. */
export const GRPC_STATUS = 'grpc.status';
export const ERROR_TYPE = 'error.type';
export const SERVICE_PEER_NAME = 'service.peer.name';
export const METRIC_OVERFLOW = 'otel.metric.overflow';

export const MESH_SERVICE = 'inmesh.service';
export const MESH_ROUTE = 'inmesh.route';
/** `service` or `service/subset`. */
export const MESH_DESTINATION = 'inmesh.destination';
/** success, failure or ignored. */
export const MESH_OUTCOME = 'inmesh.outcome';
export const MESH_ATTEMPTS = 'inmesh.attempts';
/** 1xx to 5xx. */
export const MESH_STATUS_CLASS = 'inmesh.status_class';
export const MESH_RETRY_REASON = 'inmesh.retry.reason';
export const MESH_RETRY_DENIED = 'inmesh.retry.denied';
export const MESH_LIMIT = 'inmesh.limit';
export const MESH_STATE = 'inmesh.state';
export const MESH_REASON = 'inmesh.reason';
export const MESH_ACTION = 'inmesh.action';
/** `namespace/name`. */
export const MESH_POLICY = 'inmesh.policy';

/** Value for what lies outside a fixed list. */
export const OTHER = '_OTHER';

/** Methods that are named; any other is `_OTHER`. */
export const KNOWN_METHODS: readonly string[] = Object.freeze([
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'PATCH',
  'OPTIONS',
  'QUERY',
  'TRACE',
  'CONNECT',
]);

/** Set on a context, it silences instrumentations that start spans below. Source: `@opentelemetry/core`, suppressTracing. */
export const SUPPRESS_TRACING: symbol = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
