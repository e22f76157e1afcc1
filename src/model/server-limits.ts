// What a server bears with: how long a caller may take for each step, and how much it may ask for on one connection. Far
// below what Node allows by itself, because nobody in a mesh is slow on purpose. Pure data.

/** Zero means none, where the line does not say otherwise. */
export interface ServerLimits {
  /** Open sockets of one server; what comes beyond is closed. Source: Envoy `max_connections`, nginx worker_connections. @default 10000 */
  readonly maxConnections: number;
  /** Open sockets from one address. Off by default, because a load balancer is one address. @default 0 */
  readonly maxConnectionsPerAddress: number;
  /** Calls being served, all callers together; one more is refused. Source: Istio ConnectionPoolSettings. @default 0 */
  readonly maxRequests: number;
  /** Until the first bytes say what is spoken, ms. Source: Istio protocolDetectionTimeout is of the same kind. @default 1000 */
  readonly firstByteMs: number;
  /** For the TLS handshake, ms. Source: Envoy transport_socket_connect_timeout of a listener (15 s at the edge), Node 120 s. @default 10000 */
  readonly handshakeMs: number;
  /** For the head of an HTTP/1 request, ms. Source: Envoy request_headers_timeout (10 s at the edge), Node 60 s. @default 10000 */
  readonly headersMs: number;
  /** For a whole HTTP/1 request with its body, ms. Source: Node; Envoy request_timeout (300 s at the edge). @default 300000 */
  readonly requestMs: number;
  /** HTTP/2 connections on which nothing moves, ms. Source: Envoy idle_timeout and stream_idle_timeout (5 min at the edge). @default 300000 */
  readonly idleMs: number;
  /** All headers of one request, bytes. Source: Node; RFC 9113 SETTINGS_MAX_HEADER_LIST_SIZE. @default 16384 */
  readonly headerBytesMax: number;
  /** TLS connections end after this time ± 10 %, gracefully, so that identities take effect, ms. Source: Envoy max_connection_duration, gRPC MAX_CONNECTION_AGE. @default 600000 */
  readonly connectionAgeMs: number;
  /** HTTP/2 streams at once on one connection. Source: Envoy at the edge. @default 100 */
  readonly maxStreams: number;
  /** Streams that a caller may reset at once, and per second from then on. Source: CVE-2023-44487; nghttp2 has 1000 and 33. @default 100 and 10 */
  readonly streamResetBurst: number;
  readonly streamResetRate: number;
  /** PING and SETTINGS frames at once, and per second from then on; 0: no limit. Source: CVE-2019-9512, CVE-2019-9515. @default 100 and 10 */
  readonly controlFrameBurst: number;
  readonly controlFrameRate: number;
}

export const SERVER_LIMITS_DEFAULTS: ServerLimits = Object.freeze({
  maxConnections: 10_000,
  maxConnectionsPerAddress: 0,
  maxRequests: 0,
  firstByteMs: 1_000,
  handshakeMs: 10_000,
  headersMs: 10_000,
  requestMs: 300_000,
  idleMs: 300_000,
  headerBytesMax: 16_384,
  connectionAgeMs: 600_000,
  maxStreams: 100,
  streamResetBurst: 100,
  streamResetRate: 10,
  controlFrameBurst: 100,
  controlFrameRate: 10,
});
