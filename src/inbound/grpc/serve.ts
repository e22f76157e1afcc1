// A server of grpc-js behind the entrance of the mesh: one port with and without mTLS, the inbound stack before every handler,
// health, and an end that loses no call. Messages and HTTP/2 are its own affair.
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ConnectionInjector, Server } from '@grpc/grpc-js';
import type { Listener } from '../handler.ts';
import type { ServerHost, ServerMesh } from '../server-host.ts';
import { createServer } from '../server.ts';
import { GrpcDoor, type Retire } from './grpc-door.ts';
import { type GrpcModule, grpcFor } from './grpc-module.ts';
import { Health } from './health.ts';
import { admitUnknown } from './unknown-methods.ts';

export interface ServeOptions {
  /** @default 0: one that is free */
  readonly port?: number;
  /** Address to listen on. @default all */
  readonly host?: string;
  /** What answers HTTP/1 on the same port. @default 415 */
  readonly listener?: Listener;
  /** Whether `grpc.health.v1.Health` is added; false when the server has one of its own. @default true */
  readonly health?: boolean;
  /** Your copy of grpc-js. @default the one that is installed beside inmesh */
  readonly grpc?: unknown;
}

/** What serves for a mesh. `mesh.close()` ends it. */
export interface GrpcServing {
  readonly port: number;
  /** The listening server, whose connections are handed on. */
  readonly server: HttpServer;
  /** What health checks are told of single services. */
  readonly health: Health;
}

/** What `serve` needs of a mesh: a Mesh. */
export interface GrpcServerMesh extends ServerMesh {
  readonly inbound?: ServerHost & { readonly isReady: boolean };
}

/** The connections of one port. Each has an injector of its own, because that is what can be ended gracefully. */
class GrpcConnections {
  readonly #server: Server;
  readonly #grpc: GrpcModule;
  readonly #door: GrpcDoor;
  readonly #open: Set<ConnectionInjector> = new Set();

  constructor(server: Server, grpc: GrpcModule, door: GrpcDoor) {
    this.#server = server;
    this.#grpc = grpc;
    this.#door = door;
  }

  /** Gives back how it is ended: GOAWAY, and calls under way finish. */
  take(socket: Socket): Retire {
    const { experimental, ServerCredentials } = this.#grpc;
    const retire = (): void => {
      if (this.#open.delete(injector)) injector.destroy();
    };
    const interceptor = this.#door.interceptor(socket, retire);
    const credentials = experimental.createServerCredentialsWithInterceptors(ServerCredentials.createInsecure(), [interceptor]);
    const injector = this.#server.createConnectionInjector(credentials);
    this.#open.add(injector);
    socket.on('close', retire);
    injector.injectConnection(socket);
    return retire;
  }

  retireAll(): void {
    for (const injector of this.#open) {
      this.#open.delete(injector);
      injector.destroy();
    }
  }
}

const UNSUPPORTED = 415;

const grpcOnly: Listener = (_request, response) => {
  response.writeHead(UNSUPPORTED, { 'content-type': 'text/plain' }).end('this port speaks gRPC');
};

/**
 * Takes calls in for a server of grpc-js, on one port, as `inbound` of the configuration says. The server must not be bound
 * itself: `serve` listens. Resolves when it does; rejects when it cannot. Needs grpc-js 1.12 or later.
 */
export async function serve(mesh: GrpcServerMesh, grpcServer: Server, options: ServeOptions = {}): Promise<GrpcServing> {
  const { inbound } = mesh;
  if (inbound === undefined) throw new TypeError('serve: this is no mesh of createMesh');
  const grpc = grpcFor(grpcServer, options.grpc);
  const health = new Health(() => inbound.isReady);
  if (options.health !== false) health.addTo(grpcServer);
  admitUnknown(grpcServer);
  const connections = new GrpcConnections(grpcServer, grpc, new GrpcDoor(inbound, grpc));
  const server = createServer(mesh, options.listener ?? grpcOnly, { onHttp2Connection: (socket) => connections.take(socket) });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  inbound.onListening({
    obey: ignore,
    onClosed: (listener) => void server.once('close', listener),
    retire: () => health.changed(),
    stop() {
      health.end();
      connections.retireAll();
    },
    closeIdle: ignore,
    cutOff: ignore,
  });
  return { port: (server.address() as AddressInfo).port, server, health };
}

function ignore(): void {}
