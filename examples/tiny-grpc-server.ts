// A gRPC server for the examples: says hello, or that it is unavailable.
import { fileURLToPath } from 'node:url';
import { type GrpcObject, loadPackageDefinition, Server, ServerCredentials, type ServiceClientConstructor, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export const PROTO = fileURLToPath(new URL('greeter.proto', import.meta.url));

/** What proto-loader makes of the file: a client class, and its `service`. */
export const Greeter = (loadPackageDefinition(loadSync(PROTO))['example'] as GrpcObject)['Greeter'] as ServiceClientConstructor;

export interface TinyGrpcServer {
  readonly address: string;
  close(): void;
}

export async function tinyGrpcServer(name: string, isWell = true): Promise<TinyGrpcServer> {
  const server = new Server();
  server.addService(Greeter.service, {
    Hello(call: { request: { name: string } }, callback: (error: object | null, reply?: object) => void) {
      if (isWell) callback(null, { text: `hello ${call.request.name} from ${name}` });
      else callback({ code: status.UNAVAILABLE, details: `${name} is not well` });
    },
    Count(call: { write(reply: object): void; end(): void }) {
      for (const text of ['one', 'two', 'three']) call.write({ text });
      call.end();
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}
