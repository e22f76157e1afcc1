// The far side for the runtimes: the servers of the matrix, one that wants a certificate, and one for gRPC. In Node, whatever calls them.
import { rmSync, mkdtempSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import { authority } from '../test/identity/certificates.ts';
import { startPeers } from '../test/interop/matrix-servers.ts';

export interface RuntimePeers {
  /** As JSON for another process: addresses by name, certificates, a folder. */
  readonly given: Readonly<Record<string, unknown>>;
  close(): void;
}

const same = (bytes: Buffer): Buffer => bytes;

async function echoServer(): Promise<{ address: string; server: Server }> {
  const server = new Server();
  const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
  server.addService(
    { unary: { path: '/test.Echo/Unary', requestStream: false, responseStream: false, ...codec } },
    { unary: ({ request }: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => done(null, request) },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, server };
}

export async function startRuntimePeers(): Promise<RuntimePeers> {
  const peers = await startPeers();
  const ours = authority('root of the runtimes');
  const [served, own] = [ours.issue({ dns: ['secure'] }), ours.issue({ dns: ['caller'], commonName: 'caller' })];
  const tell = (request: IncomingMessage, response: ServerResponse): void => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    response.end(subject?.CN === 'caller' ? 'a certificate of ours' : 'somebody else');
  };
  const secure = [createServer(served, tell), createServer({ ...served, ca: ours.cert, requestCert: true }, tell)] as const;
  for (const server of secure) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const [tls, mutual] = secure.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
  const echo = await echoServer();
  const scratch = mkdtempSync(join(tmpdir(), 'inmesh-compat-'));
  const addresses = Object.entries(peers).flatMap(([name, peer]) =>
    typeof peer === 'object' && 'address' in peer ? [[name, (peer as { address: string }).address]] : [],
  );
  return {
    given: { ...Object.fromEntries(addresses), ca: peers.ca, own, ownCa: ours.cert, tls, mutual, grpc: echo.address, scratch },
    close() {
      peers.close();
      for (const server of secure) {
        server.close();
        server.closeAllConnections();
      }
      echo.server.forceShutdown();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
