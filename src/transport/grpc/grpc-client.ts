// The two ways in: a channel for whatever is made on grpc-js, and a short way to a generated client.
import type { Channel, ChannelCredentials, ClientOptions } from '@grpc/grpc-js';
import type { Outbound } from '../outbound.ts';
import { type GrpcModule, loadGrpc } from './grpc-js.ts';
import { idempotentMethods } from './idempotent-methods.ts';
import { type ChannelInit, meshChannel } from './mesh-channel.ts';

/** Anything that knows the services: a Mesh. */
export type GrpcMesh = Outbound;

/** How calls of a channel are made. */
export type GrpcChannelOptions = ChannelInit;

/** A class made by protoc or proto-loader for grpc-js. */
export type GrpcClientClass<Client> = new (address: string, credentials: ChannelCredentials, options?: Partial<ClientOptions>) => Client;

/** How calls of a generated client are made. */
export interface GrpcClientOptions extends ChannelInit {
  /** Of the client itself, such as interceptors. @default none */
  readonly clientOptions?: Partial<ClientOptions>;
}

/**
 * A channel for `channelOverride`, nice-grpc and NestJS. `target` names a service of the mesh: `reviews`, `reviews:8080`,
 * `https://reviews`. Closing it closes no connection: those belong to the mesh.
 */
export function channel(mesh: GrpcMesh, target: string, options: GrpcChannelOptions = {}): Channel {
  return meshChannel(mesh, target, options) as unknown as Channel;
}

/**
 * `grpcClient(mesh, ReviewsClient, 'reviews')`: a generated client whose calls have every policy of the service. Methods that
 * the `.proto` calls `NO_SIDE_EFFECTS` or `IDEMPOTENT` may be repeated although the server may have acted.
 */
export function grpcClient<Client>(
  mesh: GrpcMesh,
  GeneratedClient: GrpcClientClass<Client>,
  target: string,
  options: GrpcClientOptions = {},
): Client {
  const { clientOptions, ...init } = options;
  const grpc = (init.grpc as GrpcModule | undefined) ?? loadGrpc();
  const idempotent = init.idempotent ?? idempotentMethods(GeneratedClient);
  const channelOverride = channel(mesh, target, { ...init, grpc, idempotent });
  const insecure = grpc.credentials.createInsecure() as ChannelCredentials;
  return new GeneratedClient(target, insecure, { ...clientOptions, channelOverride });
}
