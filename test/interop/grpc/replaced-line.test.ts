// A certificate that changes while calls still wait for their connection: they are not refused with the channel that was theirs.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { grpcClient } from '../../../src/grpc.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import { authority } from '../../identity/certificates.ts';
import { FixedIdentity, identityOf } from '../../support/fixed-identity.ts';
import { EchoClientClass, grpcServer, unary } from '../../support/grpc-server.ts';

/** Takes connections, and leads them on only when told. */
async function gate(port: number): Promise<{ readonly port: number; readonly waiting: Promise<void>; open(): void; close(): void }> {
  const held: Socket[] = [];
  const sockets = new Set<Socket>();
  const first = Promise.withResolvers<void>();
  let isOpen = false;
  const lead = (socket: Socket): void => {
    const onward = connect(port, '127.0.0.1').on('error', () => {});
    sockets.add(onward);
    socket.pipe(onward).pipe(socket);
  };
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    first.resolve();
    if (isOpen) lead(socket);
    else held.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    waiting: first.promise,
    open() {
      isOpen = true;
      for (const socket of held.splice(0)) lead(socket);
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

it('calls that wait for a connection outlive the certificate that it is made with', async () => {
  const root = authority('root');
  const leaf = root.issue({ dns: ['reviews'], uris: ['spiffe://cluster.local/ns/default/sa/reviews'] });
  const pair = { private_key: Buffer.from(leaf.key), cert_chain: Buffer.from(leaf.cert) };
  const server = await grpcServer('a', grpc.ServerCredentials.createSsl(Buffer.from(root.cert), [pair], true));
  const between = await gate(Number(server.address.split(':')[1]));
  const source = new FixedIdentity(identityOf(root, 'page'));
  const tls = { mode: 'mutual' as const, subjectAltNames: ['spiffe://cluster.local/ns/default/sa/reviews'] };
  const reviews = { endpoints: [`127.0.0.1:${between.port}`], tls, retries: false as const };
  const mesh = await createMesh({ config: { identity: { external: true }, services: { reviews } }, identity: source, watch: false });
  const client = grpcClient(mesh, EchoClientClass, 'reviews');
  const first = unary(client, 'first');
  await between.waiting;
  source.set(identityOf(root, 'page', { version: 2 }));
  const second = unary(client, 'second');
  between.open();
  expect([(await first).text || (await first).error?.message, (await second).text]).toEqual(['a:first', 'a:second']);
  await mesh.close();
  between.close();
  await server.close();
});
