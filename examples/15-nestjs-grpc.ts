// A NestJS microservice client over the mesh: the channel goes into its channel options.
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import type { ClientGrpc } from '@nestjs/microservices';
import { createMesh } from 'inmesh';
import { channel } from 'inmesh/grpc';
import { firstValueFrom, type Observable } from 'rxjs';
import { PROTO, tinyGrpcServer } from './tiny-grpc-server.ts';

interface Greeter {
  hello(request: { name: string }): Observable<{ text: string }>;
}

const server = await tinyGrpcServer('a');
const mesh = await createMesh({ config: { services: { greeter: { endpoints: [server.address] } } } });

// #region nestjs
const client = ClientProxyFactory.create({
  transport: Transport.GRPC,
  options: {
    package: 'example',
    protoPath: PROTO,
    url: 'greeter',
    // Passed on to grpc-js as it is.
    channelOptions: { channelOverride: channel(mesh, 'greeter') } as object,
  },
}) as unknown as ClientGrpc;
const greeter = client.getService<Greeter>('Greeter');
console.log('hello:', (await firstValueFrom(greeter.hello({ name: 'ada' }))).text);
// #endregion

await mesh.close();
server.close();
