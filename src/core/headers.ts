// Names of the headers that the mesh writes and reads.

/** Remaining time for the callee, ms. Source: Envoy. */
export const DEADLINE_HEADER = 'x-envoy-expected-rq-timeout-ms';

/** Number of the attempt; sent from the second on. Source: Envoy. */
export const ATTEMPT_HEADER = 'x-envoy-attempt-count';

/** How much the call matters, as a word of CRITICALITIES. Sent when the call says so. */
export const CRITICALITY_HEADER = 'x-inmesh-criticality';

/** Name of a request on its whole way through the mesh. Sent with calls made while a request is served, and with answers. Source: Envoy. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** Utilisation that a server reports with its answers: calls in flight ÷ limit, 0 to 1, two digits. */
export const LOAD_HEADER = 'x-inmesh-load';

/** Code of the error that an answer of the mesh itself stands for; `overloaded`: the server refused the call before any work. */
export const ERROR_HEADER = 'x-inmesh-error';

/** Status of a gRPC answer: in the head (trailers-only), or in the trailers. */
export const GRPC_STATUS_HEADER = 'grpc-status';

/** How the transport says that the gRPC status stood in trailers, behind a head without messages. No header can have this name. */
export const GRPC_STATUS_TRAILER = 'trailer:grpc-status';

/** A server's word on retries, ms; negative or no number: none. Source: gRFC A6. */
export const GRPC_PUSHBACK_HEADER = 'grpc-retry-pushback-ms';

/** Time that is left, as gRPC writes it. Source: gRPC over HTTP/2. */
export const GRPC_TIMEOUT_HEADER = 'grpc-timeout';

/** Attempts before this one; sent from the second on. Source: gRFC A6. */
export const GRPC_ATTEMPTS_HEADER = 'grpc-previous-rpc-attempts';
