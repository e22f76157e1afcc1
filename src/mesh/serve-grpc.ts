// `serve` of inmesh/grpc: whoever has gRPC clients alone loads nothing of what it needs.
import type { GrpcServerMesh, GrpcServing, serve as serveOn, ServeOptions } from '../inbound/grpc/serve.ts';

/**
 * Takes calls in for a server of grpc-js, on one port, as `inbound` of the configuration says. The server must not be bound
 * itself: `serve` listens. Resolves when it does; rejects when it cannot. Needs grpc-js 1.12 or later.
 */
export async function serve(
  mesh: GrpcServerMesh,
  grpcServer: Parameters<typeof serveOn>[1],
  options: ServeOptions = {},
): Promise<GrpcServing> {
  const [{ serving }, grpc] = await Promise.all([import('./serving.ts'), import('../inbound/grpc/serve.ts')]);
  return grpc.serve(serving(mesh), grpcServer, options);
}
