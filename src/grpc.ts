// `inmesh/grpc`: gRPC calls through the mesh, from clients on grpc-js, and servers of grpc-js behind it.
export { HEALTH_SERVICE, type Health } from './inbound/grpc/health.ts';
export { peerOf, requestIdOf, type ServedGrpcCall, signalOf } from './inbound/grpc/rpc-peer.ts';
export type { GrpcServerMesh, GrpcServing, ServeOptions } from './inbound/grpc/serve.ts';
export { serve } from './mesh/serve-grpc.ts';
export {
  channel,
  grpcClient,
  type GrpcChannelOptions,
  type GrpcClientClass,
  type GrpcClientOptions,
  type GrpcMesh,
} from './transport/grpc/grpc-client.ts';
export { readServiceConfig, type ServiceConfigPolicies } from './yaml/grpc/read-service-config.ts';
