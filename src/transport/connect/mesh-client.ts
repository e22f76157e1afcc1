// The HTTP client of a connect-es transport: mesh.fetch. Bodies of one message are sent as bytes, so that they can be sent
// again; what fails becomes the error that callers of connect-es know.
import { Code, ConnectError } from '@connectrpc/connect';
import type { UniversalClientFn, UniversalClientRequest } from '@connectrpc/connect/protocol';
import { MeshError } from '../../core/errors.ts';
import { GRPC_OF_ERROR } from '../../core/grpc-status.ts';
import { GRPC_TIMEOUT_HEADER } from '../../core/headers.ts';
import type { MeshFetch, MeshFetchInit } from '../fetch.ts';
import type { CallOptions } from '../outbound.ts';

export interface MeshClientOptions {
  readonly fetch: MeshFetch;
  /** Whether the request is one message, all there. */
  readonly isWhole: boolean;
  /** Whether it may reach the application twice. */
  readonly isIdempotent: boolean;
}

const CONNECT_TIMEOUT = 'connect-timeout-ms';
const GRPC_TIMEOUT = /^(\d+)m$/;

export function meshClient({ fetch, isWhole, isIdempotent }: MeshClientOptions): UniversalClientFn {
  return async (request) => {
    const { url, method, header, signal } = request;
    const body = await bodyOf(request, isWhole);
    try {
      const response = await fetch(url, {
        method,
        headers: header,
        redirect: 'error',
        mesh: callOptions(header, isIdempotent),
        ...(signal === undefined ? {} : { signal }),
        ...(body === null ? {} : { body, ...(isWhole ? {} : { duplex: 'half' }) }),
      } as unknown as MeshFetchInit);
      return { status: response.status, header: decodedHead(response.headers), body: chunksOf(response), trailer: new Headers() };
    } catch (error) {
      throw connectError(error);
    }
  };
}

/** The mesh keeps the deadline that the server is told; ours is the one that retries are fitted into. */
function callOptions(header: Headers, idempotent: boolean): CallOptions {
  const timeout = Number(header.get(CONNECT_TIMEOUT) ?? GRPC_TIMEOUT.exec(header.get(GRPC_TIMEOUT_HEADER) ?? '')?.[1]);
  return { idempotent, ...(timeout > 0 ? { timeout } : {}) };
}

async function bodyOf({ body }: UniversalClientRequest, isWhole: boolean): Promise<Uint8Array | ReadableStream | null> {
  if (body === undefined) return null;
  if (!isWhole) return ReadableStream.from(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
}

/** What fetch has decoded needs no decoding. */
function decodedHead(headers: Headers): Headers {
  if (!headers.has('content-encoding')) return headers;
  const decoded = new Headers(headers);
  decoded.delete('content-encoding');
  decoded.delete('content-length');
  return decoded;
}

async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (body === null) return;
  try {
    yield* body as ReadableStream<Uint8Array<ArrayBuffer>>;
  } catch (error) {
    throw connectError(error);
  }
}

/** A ConnectError with the status that gRPC callers get, and the MeshError as its cause; anything else as it is. */
export function connectError(error: unknown): unknown {
  if (!(error instanceof MeshError)) return error;
  const code = GRPC_OF_ERROR[error.code] as Code;
  return new ConnectError(error.message, code, undefined, undefined, error);
}
