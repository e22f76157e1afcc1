// gRPC through the mesh: a generated client, one endpoint of two that is not well, and nobody notices.
import { createMesh } from 'inmesh';
import { grpcClient } from 'inmesh/grpc';
import { Greeter, tinyGrpcServer } from './tiny-grpc-server.ts';

const good = await tinyGrpcServer('a');
const broken = await tinyGrpcServer('b', false);
const mesh = await createMesh({ config: { services: { greeter: { endpoints: [good.address, broken.address] } } } });

// #region grpc
const greeter = grpcClient(mesh, Greeter, 'greeter');
for (let i = 1; i <= 4; i++) {
  const reply = await new Promise<{ text: string }>((resolve, reject) => {
    greeter['Hello']?.({ name: 'ada' }, (error: Error | null, value: { text: string }) =>
      error === null ? resolve(value) : reject(error),
    );
  });
  console.log(`call ${i}: ${reply.text}`);
}
// #endregion

await mesh.close();
good.close();
broken.close();
