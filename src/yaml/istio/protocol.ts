// What a port speaks, by the words of Istio. Source: istio/istio pkg/config/protocol.

const HTTP: ReadonlySet<string> = new Set(['http', 'http2', 'http_proxy', 'grpc', 'grpc-web']);
const HTTP2: ReadonlySet<string> = new Set(['http2', 'grpc', 'grpc-web']);
const TLS: ReadonlySet<string> = new Set(['https', 'tls']);
const OTHERS: ReadonlySet<string> = new Set(['tcp', 'udp', 'mongo', 'redis', 'mysql']);

export function isHttp(protocol: string): boolean {
  return HTTP.has(protocol.toLowerCase());
}

export function isHttp2(protocol: string): boolean {
  return HTTP2.has(protocol.toLowerCase());
}

export function isTls(protocol: string): boolean {
  return TLS.has(protocol.toLowerCase());
}

export function isKnownProtocol(protocol: string): boolean {
  return isHttp(protocol) || isTls(protocol) || OTHERS.has(protocol.toLowerCase());
}

/** Whether calls over HTTP may go there: by name, encrypted, or because nobody has said what it speaks. */
export function mayCarryHttp(protocol: string): boolean {
  return protocol === '' || isHttp(protocol) || isTls(protocol);
}
