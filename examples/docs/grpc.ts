// gRPC calls with every policy of a service: a deadline, retries of streams before their first message, and a fault by metadata.
import { Metadata, status } from '@grpc/grpc-js';
import { createMesh, MeshError } from 'inmesh';
import { grpcClient, readServiceConfig } from 'inmesh/grpc';
import { Greeter, tinyGrpcServer } from '../tiny-grpc-server.ts';

const [a, b] = [await tinyGrpcServer('a'), await tinyGrpcServer('b', false)];

// #region service-config
const { policies, losses } = readServiceConfig({
  methodConfig: [
    {
      name: [{ service: 'example.Greeter' }],
      timeout: '2s',
      retryPolicy: {
        maxAttempts: 3,
        initialBackoff: '0.01s',
        maxBackoff: '0.1s',
        backoffMultiplier: 2,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
});
const mesh = await createMesh({ config: { services: { greeter: { endpoints: [a.address, b.address], ...policies } } } });
// #endregion
console.log('lost:', losses.length);

const greeter = grpcClient(mesh, Greeter, 'greeter');
const hello = (client: typeof greeter): Promise<string> =>
  new Promise((resolve, reject) => {
    client['Hello']?.({ name: 'ada' }, new Metadata(), { deadline: Date.now() + 1_000 }, (error: Error | null, value: { text: string }) =>
      error === null ? resolve(value.text) : reject(error),
    );
  });
console.log(await hello(greeter), '/', await hello(greeter));

// #region error
try {
  await hello(grpcClient(mesh, Greeter, 'nobody'));
} catch (error) {
  const { code, cause } = error as { code: number; cause?: unknown };
  console.log(status[code], cause instanceof MeshError ? cause.code : '');
}
// #endregion

await mesh.close();
a.close();
b.close();
