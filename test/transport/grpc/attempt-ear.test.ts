// What grpc-js still holds when a call is over: Node keeps HTTP/2 streams until the next full collection, and whatever their
// listeners reach would be kept with them.
import * as grpc from '@grpc/grpc-js';
import { afterAll, expect, it } from 'vitest';
import { grpcClient } from '../../../src/grpc.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import { AttemptEar } from '../../../src/transport/grpc/attempt-ear.ts';
import { EchoClientClass, grpcServer, unary } from '../../support/grpc-server.ts';

const server = await grpcServer('a');
const mesh = await createMesh({
  config: {
    services: { reviews: { endpoints: [server.address], retries: { attempts: 1, methods: ['*'], backoff: { base: '1ms', max: '1ms' } } } },
  },
  watch: false,
});
afterAll(async () => {
  await mesh.close();
  await server.close();
});

const ears: AttemptEar[] = [];

/** Keeps what every call is started with. */
class Listening extends grpc.Channel {
  override createCall(...init: Parameters<grpc.Channel['createCall']>): ReturnType<grpc.Channel['createCall']> {
    const call = super.createCall(...init);
    const start = call.start.bind(call);
    call.start = (metadata, listener): void => {
      if (listener instanceof AttemptEar) ears.push(listener);
      start(metadata, listener);
    };
    return call;
  }
}

const client = grpcClient(mesh, EchoClientClass, 'reviews', { grpc: { ...grpc, Channel: Listening } });

it.each<[string, number, number]>([
  ['answered', grpc.status.OK, 1],
  ['failed twice', grpc.status.UNAVAILABLE, 2],
])('a call that is %s is reached by nothing of grpc-js', async (_name, code, attempts) => {
  ears.length = 0;
  server.handlers.unary = (call, callback) => (code === grpc.status.OK ? callback(null, call.request) : callback({ code }));
  expect((await unary(client, 'x')).code).toBe(code);
  expect(ears.map(({ owner }) => owner)).toEqual(Array.from({ length: attempts }, () => null));
});
