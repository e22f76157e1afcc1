// What servers use of @grpc/grpc-js, and the door to it: loaded by the first of them, unless the user hands in a copy of his own.
import { createRequire } from 'node:module';
import type { Server } from '@grpc/grpc-js';

export type GrpcModule = typeof import('@grpc/grpc-js');

let loaded: GrpcModule | null = null;

/** The copy that the server was made with: objects of another are strangers to it. Throws an Error that says what to install. */
export function grpcFor(server: Server, given: unknown): GrpcModule {
  const grpc = (given as GrpcModule | undefined) ?? installed();
  if (!(server instanceof grpc.Server))
    throw new TypeError('serve: the server was made by another copy of @grpc/grpc-js; hand it in: serve(mesh, server, { grpc })');
  // Both came with 1.12.
  if (typeof server.createConnectionInjector !== 'function' || grpc.experimental.createServerCredentialsWithInterceptors === undefined)
    throw new Error('serve needs @grpc/grpc-js 1.12 or later: npm install @grpc/grpc-js');
  return grpc;
}

function installed(): GrpcModule {
  if (loaded !== null) return loaded;
  try {
    loaded = createRequire(import.meta.url)('@grpc/grpc-js') as GrpcModule;
  } catch (cause) {
    throw new Error('gRPC needs the package @grpc/grpc-js: npm install @grpc/grpc-js', { cause });
  }
  return loaded;
}
