// The far side of the soak that takes mTLS only, in a process of its own: HTTP/1.1 and HTTP/2 on one port, gRPC on another, a share of
// answers spoilt as by soak-server.ts. Is told by its parent which certificate to show from now on; tells its ports.
import type { AddressInfo } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { systemClock } from '../../src/core/clock.ts';
import { serve } from '../../src/grpc.ts';
import { HeldIdentity } from '../../src/identity/held-identity.ts';
import type { IdentityMaterial } from '../../src/identity/identity-material.ts';
import { createMesh } from '../../src/mesh/create-mesh.ts';
import { createServer } from '../../src/server.ts';
import { ECHO, type EchoHandlers } from '../support/grpc-server.ts';

export interface SecurePorts {
  readonly http: number;
  readonly grpc: number;
}

const faultShare = Number(process.argv[2]);
const BODY = 'x'.repeat(500);
const isSpoilt = (): boolean => Math.random() < faultShare;

const identity = new HeldIdentity({ clock: systemClock, random: () => 0, jitterMaxMs: 0 });

function take(material: IdentityMaterial): void {
  if (!identity.offer(material)) throw identity.lastError ?? new Error('no identity');
}

const busy = { code: grpc.status.UNAVAILABLE, details: 'spoilt' };
const handlers: Pick<EchoHandlers, 'unary' | 'serverStream'> = {
  unary: ({ request }, answer) => (isSpoilt() ? answer(busy) : answer(null, request)),
  serverStream(call) {
    if (isSpoilt()) return void call.emit('error', busy);
    for (let i = 0; i < Number(call.request.toString()); i++) call.write(Buffer.from(BODY));
    call.end();
  },
};

async function start(): Promise<SecurePorts> {
  const mesh = await createMesh({
    identity,
    // All callers together; the soak is not about load that is shed.
    config: { identity: { external: true }, services: {}, inbound: { mtls: 'strict', admission: false } },
  });
  const http = createServer(mesh, (request, response) => {
    request.resume().on('end', () => (isSpoilt() ? response.writeHead(503).end('no') : response.end(BODY)));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server = new grpc.Server();
  const { unary, serverStream } = ECHO;
  server.addService({ unary, serverStream }, handlers);
  const serving = await serve(mesh, server, { host: '127.0.0.1' });
  return { http: (http.address() as AddressInfo).port, grpc: serving.port };
}

let started: Promise<SecurePorts> | null = null;
process.on('message', (material: IdentityMaterial) => {
  take(material);
  started ??= start();
  void started.then((ports) => process.send?.(ports));
});
process.on('disconnect', () => process.exit());
