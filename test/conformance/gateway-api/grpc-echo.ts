// The gRPC side of an echo pod, over bare HTTP/2: unary calls whose answer says what arrived. Messages are JSON in gRPC's
// frames (content-type application/grpc+json).
import { createSecureServer, createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { PodIdentity } from './echo-pod.ts';

export interface GrpcEchoed {
  readonly method: string;
  readonly authority: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly namespace: string;
  readonly pod: string;
  readonly serverName?: string;
}

/** What the services have; all else is unknown to them. */
const METHODS: ReadonlySet<string> = new Set([
  '/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho/Echo',
  '/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho/EchoTwo',
  '/proto.EchoTestService/Echo',
]);

const UNIMPLEMENTED = '12';

export function grpcFrame(message: string): Buffer {
  const body = Buffer.from(message);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Each value that came, by name. */
function valuesOf(raw: readonly string[]): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const known = (values[raw[i] as string] ??= []);
    known.push(raw[i + 1] as string);
  }
  return values;
}

export function grpcEcho(
  { namespace, name }: PodIdentity,
  seen: string[],
  tls: { readonly cert: string; readonly key: string } | null,
): Http2Server {
  const server = tls === null ? createServer() : createSecureServer(tls);
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: readonly string[]) => {
    const path = headers[':path'] ?? '';
    stream.on('error', () => {});
    stream.resume();
    seen.push(path);
    if (!METHODS.has(path)) {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc+json', 'grpc-status': UNIMPLEMENTED }, { endStream: true });
      return;
    }
    const { servername } = (stream.session?.socket ?? {}) as { readonly servername?: unknown };
    const echoed: GrpcEchoed = {
      method: path,
      authority: headers[':authority'] ?? '',
      headers: valuesOf(raw),
      namespace,
      pod: name,
      ...(typeof servername === 'string' ? { serverName: servername } : {}),
    };
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+json' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(grpcFrame(JSON.stringify(echoed)));
  });
  return server as Http2Server;
}
