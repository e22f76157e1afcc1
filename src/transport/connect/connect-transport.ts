// A Transport of connect-es over the mesh, for the Connect and gRPC-web protocols: every policy that mesh.fetch has.
import type { Interceptor, Transport } from '@connectrpc/connect';
import { createTransport as createConnect } from '@connectrpc/connect/protocol-connect';
import { createTransport as createGrpcWeb } from '@connectrpc/connect/protocol-grpc-web';
import type { Clock } from '../../core/clock.ts';
import { inherited } from '../../core/context.ts';
import type { MeshFetch } from '../fetch.ts';
import { meshClient } from './mesh-client.ts';

/** Anything that can call: a Mesh. */
export interface ConnectMesh {
  readonly clock: Clock;
  readonly fetch: MeshFetch;
}

export interface ConnectTransportOptions {
  /** @default connect */
  readonly protocol?: 'connect' | 'grpc-web';
  /** Messages as JSON rather than as bytes. @default false */
  readonly json?: boolean;
  /** Path before `/package.Service/Method`. @default none */
  readonly path?: string;
  /** Of connect-es, above the mesh. @default none */
  readonly interceptors?: readonly Interceptor[];
  /** Time of a call that states none, ms. @default that of the route */
  readonly defaultTimeoutMs?: number;
  /** Longest message that is read, bytes. @default 4 GiB */
  readonly readMaxBytes?: number;
}

const BYTES_MAX = 0xffff_ffff;
/** Of the option `idempotency_level`: NO_SIDE_EFFECTS and IDEMPOTENT. */
const IDEMPOTENT: ReadonlySet<number> = new Set([1, 2]);

/**
 * `createClient(Reviews, connectTransport(mesh, 'reviews'))`: a client of connect-es whose calls have every policy of the
 * service. `target` names it: `reviews`, `reviews:8080`, `https://reviews`. Methods that the `.proto` calls `NO_SIDE_EFFECTS`
 * are sent as GET, those and `IDEMPOTENT` ones may be repeated although the server may have acted.
 */
export function connectTransport(mesh: ConnectMesh, target: string, options: ConnectTransportOptions = {}): Transport {
  const { protocol = 'connect', json = false, path = '', interceptors = [], readMaxBytes = BYTES_MAX, defaultTimeoutMs } = options;
  const origin = /^https?:\/\//.test(target) ? target.replace(/\/+$/, '') : `http://${target}`;
  const create = protocol === 'connect' ? createConnect : createGrpcWeb;
  const build = (isWhole: boolean, isIdempotent: boolean): Transport =>
    create({
      httpClient: meshClient({ fetch: mesh.fetch, isWhole, isIdempotent }),
      baseUrl: `${origin}${path}`,
      useBinaryFormat: !json,
      interceptors: [...interceptors],
      // Done by fetch for whole answers. Streams come as they are.
      acceptCompression: [],
      sendCompression: null,
      compressMinBytes: 0,
      readMaxBytes,
      writeMaxBytes: BYTES_MAX,
      useHttpGet: true,
    });
  const once = build(true, false);
  const repeatable = build(true, true);
  const flowing = build(false, false);
  const timeOf = (timeoutMs: number | undefined): number | undefined => within(mesh.clock, timeoutMs ?? defaultTimeoutMs);
  return {
    unary: (method, signal, timeoutMs, ...rest) =>
      (IDEMPOTENT.has(method.idempotency) ? repeatable : once).unary(method, signal, timeOf(timeoutMs), ...rest),
    stream(method, signal, timeoutMs, ...rest) {
      const whole = IDEMPOTENT.has(method.idempotency) ? repeatable : once;
      const transport = method.methodKind === 'server_streaming' ? whole : flowing;
      return transport.stream(method, signal, timeOf(timeoutMs), ...rest);
    },
  };
}

/** The server is told no more than the call that is being served here has left. */
function within(clock: Clock, timeoutMs: number | undefined): number | undefined {
  const deadlineMs = inherited()?.deadlineMs ?? Number.POSITIVE_INFINITY;
  if (deadlineMs === Number.POSITIVE_INFINITY) return timeoutMs;
  const leftMs = Math.max(1, Math.ceil(deadlineMs - clock.now()));
  return timeoutMs === undefined || timeoutMs <= 0 ? leftMs : Math.min(timeoutMs, leftMs);
}
