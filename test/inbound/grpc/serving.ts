// A gRPC server behind the entrance of a mesh, on loopback, and callers of it, plain and mTLS.
import * as grpc from '@grpc/grpc-js';
import { systemClock } from '../../../src/core/clock.ts';
import type { Identity } from '../../../src/identity/identity-source.ts';
import type { Refusal } from '../../../src/inbound/entrance.ts';
import { type GrpcServing, serve, type ServeOptions } from '../../../src/inbound/grpc/serve.ts';
import { Inbound, type InboundSetup } from '../../../src/mesh/inbound.ts';
import type { InboundConfig } from '../../../src/model/inbound.ts';
import { FixedIdentity } from '../../support/fixed-identity.ts';
import { type EchoClient, EchoClientClass, type GrpcServer, grpcServer } from '../../support/grpc-server.ts';
import { SERVER } from '../secure-server.ts';

export interface Served extends GrpcServing {
  readonly inbound: Inbound;
  readonly source: FixedIdentity;
  /** What serves; it counts what reached it. */
  readonly app: GrpcServer;
  readonly refusals: Refusal[];
  client(identity?: Identity, options?: Partial<grpc.ClientOptions>): EchoClient;
  close(): Promise<void>;
}

export interface ServingOptions extends ServeOptions {
  readonly config?: Partial<InboundConfig>;
  readonly setup?: InboundSetup;
  readonly identity?: Identity | null;
}

/** What a client of the mesh shows and whom it believes. */
export function credentialsOf(identity: Identity | undefined): grpc.ChannelCredentials {
  if (identity === undefined) return grpc.credentials.createInsecure();
  const roots = Buffer.from([...identity.bundles.values()].flat().join('\n'));
  return grpc.credentials.createSsl(roots, Buffer.from(identity.key), Buffer.from(identity.chain.join('\n')));
}

export async function serving(options: ServingOptions = {}): Promise<Served> {
  const { config, setup, identity = SERVER, ...rest } = options;
  const source = new FixedIdentity(identity);
  const refusals: Refusal[] = [];
  const base = { mtls: 'permissive' as const, admission: null };
  const inbound = new Inbound(base, systemClock);
  inbound.update(
    { ...base, ...config },
    { identity: identity === null ? null : source, onRefused: (refusal) => refusals.push(refusal), ...setup },
  );
  const app = await grpcServer();
  const served = await serve({ clock: systemClock, inbound }, app.server, { host: '127.0.0.1', ...rest });
  const clients: EchoClient[] = [];
  return {
    ...served,
    inbound,
    source,
    app,
    refusals,
    client(as, more = {}) {
      const channelOptions = { 'grpc.ssl_target_name_override': 'localhost', 'grpc.use_local_subchannel_pool': 1, ...more };
      const client = new EchoClientClass(`127.0.0.1:${served.port}`, credentialsOf(as), channelOptions);
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      await inbound.close(0);
      await app.close();
    },
  };
}

/** Messages and status of a stream; never rejects. */
export function received(stream: grpc.ClientReadableStream<Buffer>): Promise<{ readonly messages: string[]; readonly code: number }> {
  const messages: string[] = [];
  stream.on('data', (message: Buffer) => messages.push(message.toString()));
  stream.on('error', () => {});
  return new Promise((resolve) => stream.on('status', ({ code }: grpc.StatusObject) => resolve({ messages, code })));
}

/** What the server counts is over a moment after the caller has read it. */
export async function idle({ inbound }: Served): Promise<void> {
  while (inbound.snapshot().inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
}
