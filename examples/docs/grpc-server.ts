// A gRPC server behind the entrance of a mesh: one port with mTLS, who may call what, who calls, and health that ends well.
import { type sendUnaryData, Server, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { createMesh } from 'inmesh';
import { grpcClient, peerOf, serve } from 'inmesh/grpc';
import { callbackSource, newAuthority, systemClock, systemRandom } from 'inmesh/identity';
import { Greeter } from '../tiny-grpc-server.ts';

const authority = newAuthority({ trustDomain: 'cluster.local', nowMs: Date.now() });
const identityOf = (name: string): ReturnType<typeof callbackSource> =>
  callbackSource(
    () => {
      const { chain, key } = authority.issue({ spiffeId: `spiffe://cluster.local/ns/default/sa/${name}`, nowMs: Date.now() });
      return Promise.resolve({ cert: chain.join(''), key, ca: authority.cert });
    },
    { clock: systemClock, random: systemRandom },
  );

// #region serve
const mesh = await createMesh({
  identity: identityOf('greeter'), // or `identity` in the configuration: files, a SPIFFE agent
  config: {
    identity: { external: true },
    inbound: { mtls: 'strict', allow: [{ from: ['productpage'], paths: ['/example.Greeter/Hello'] }] },
    services: {},
  },
});

const server = new Server();
server.addService(Greeter.service, {
  Hello(call: ServerUnaryCall<{ name: string }, { text: string }>, done: sendUnaryData<{ text: string }>) {
    done(null, { text: `hello ${call.request.name}, says ${peerOf(call)?.serviceAccount ?? 'nobody'}` }); // by its certificate
  },
  Count() {},
});
const { port } = await serve(mesh, server, { host: '127.0.0.1' });
// #endregion

const caller = await createMesh({
  config: {
    identity: { external: true },
    services: {
      greeter: {
        endpoints: [`127.0.0.1:${port}`],
        tls: { mode: 'mutual', subjectAltNames: ['spiffe://cluster.local/ns/default/sa/greeter'] },
      },
      plain: { endpoints: [`127.0.0.1:${port}`], retries: false },
    },
  },
  identity: identityOf('productpage'),
});
const hello = (service: string): Promise<string> =>
  new Promise((resolve) => {
    grpcClient(caller, Greeter, service)['Hello']?.({ name: 'ada' }, (error: { code: number } | null, reply: { text: string }) =>
      resolve(error === null ? reply.text : String(status[error.code])),
    );
  });
console.log('with mTLS:', await hello('greeter'));
console.log('plain:', await hello('plain'));
const count = grpcClient(caller, Greeter, 'greeter')['Count']?.({ name: 'ada' });
count?.on('error', ({ details }: { details: string }) => console.log('another method:', details)).resume();
await new Promise((resolve) => count?.on('status', resolve));

await caller.close();
await mesh.close();
