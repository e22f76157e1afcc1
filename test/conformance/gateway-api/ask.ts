// One request, and what came back of it.
import type { GrpcMesh } from '../../../src/grpc.ts';
import type { Dispatcher } from '../../../src/transport/undici.ts';
import { askRpc } from './ask-rpc.ts';
import { type GrpcEchoed, grpcFrame } from './grpc-echo.ts';
import type { SuiteCase } from './suite.ts';

/** What the backend says it saw. */
export interface Echoed {
  readonly path?: string;
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly namespace?: string;
  readonly pod?: string;
  readonly tls?: { readonly serverName: string };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly echoed: Echoed | null;
  /** Of a gRPC call; -1 for any other. */
  readonly grpcStatus: number;
}

export interface Ask {
  /** `scheme://host[:port]`. */
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly isGrpc: boolean;
}

/** The ways into the mesh. */
export interface Door {
  readonly dispatcher: Dispatcher;
  /** Where gRPC calls are made by a gRPC client. @default over the dispatcher */
  readonly rpc?: GrpcMesh;
}

const TIMEOUT_MS = 10_000;
const MESH_GRPC_PATH = '/proto.EchoTestService/Echo';

/** `host` is asked when the case names none. */
export function askOf({ request, expected }: SuiteCase, host: string, isMesh: boolean): Ask {
  const { protocol, method = 'GET', path = '/', headers = {}, grpc } = request;
  // `{pod IP …}` is for us to fill in.
  const dialed = request.host?.startsWith('{') === true ? host : (request.host ?? host);
  if (protocol === 'grpc') {
    const target = grpc === undefined ? MESH_GRPC_PATH : `/${grpc.service}/${grpc.method}`;
    const metadata = Object.fromEntries(
      Object.entries({ ...headers, ...grpc?.metadata }).map(([key, value]) => [key.toLowerCase(), value]),
    );
    return { origin: `http://${grpc?.authority ?? dialed}`, path: target, method: 'POST', headers: metadata, isGrpc: true };
  }
  const set = Object.entries(expected.backendSetResponseHeaders ?? {}).map(([name, value]) => `${name}:${value}`);
  const own = isMesh ? {} : { 'X-Echo-Set-Header': set.join(',') };
  return { origin: `http://${dialed}`, path, method, headers: { ...own, ...headers }, isGrpc: false };
}

export async function ask({ dispatcher, rpc }: Door, asked: Ask): Promise<Answer> {
  const { origin, path, method, headers, isGrpc } = asked;
  if (isGrpc && rpc !== undefined) return askRpc(rpc, asked, TIMEOUT_MS);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const more = isGrpc ? { 'content-type': 'application/grpc+json', te: 'trailers' } : {};
  const body = isGrpc ? { body: grpcFrame('{}') } : {};
  const response = await dispatcher.request({
    origin,
    path,
    method: method as Dispatcher.HttpMethod,
    headers: { ...headers, ...more },
    signal,
    ...body,
  });
  const bytes = Buffer.from(await response.body.arrayBuffer());
  const { statusCode: status, headers: given } = response;
  if (!isGrpc) return { status, headers: given, echoed: echoOf(bytes, given['content-type']), grpcStatus: -1 };
  const trailer = response.trailers as Readonly<Record<string, string | undefined>>;
  const told = trailer['grpc-status'] ?? given['grpc-status'];
  const grpcStatus = told === undefined ? grpcStatusOf(status) : Number(told);
  return { status, headers: given, grpcStatus, echoed: grpcStatus === 0 ? grpcEchoOf(bytes) : null };
}

function echoOf(bytes: Buffer, type: string | string[] | undefined): Echoed | null {
  return type === 'application/json' ? (JSON.parse(bytes.toString()) as Echoed) : null;
}

/** In the shape of the others; the path is the method. */
function grpcEchoOf(bytes: Buffer): Echoed {
  const { method, authority, headers, namespace, pod, serverName } = JSON.parse(bytes.subarray(5).toString()) as GrpcEchoed;
  return {
    path: method,
    host: authority,
    method: 'POST',
    headers,
    namespace,
    pod,
    ...(serverName === undefined ? {} : { tls: { serverName } }),
  };
}

const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const UNKNOWN = 2;

/** What a gRPC client makes of an answer that is none. Source: gRPC, http-grpc-status-mapping. */
function grpcStatusOf(status: number): number {
  if (status === 404) return UNIMPLEMENTED;
  return status === 429 || (status >= 502 && status <= 504) ? UNAVAILABLE : UNKNOWN;
}
