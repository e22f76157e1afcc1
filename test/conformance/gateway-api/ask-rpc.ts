// One gRPC call of suite `mesh`, as its client pod makes it: by a real gRPC client, whose metadata keeps the values of a
// repeated header apart, as the suite expects them. Messages are JSON; nobody looks at the content type.
import * as grpc from '@grpc/grpc-js';
import { systemClock } from '../../../src/core/clock.ts';
import { channel, type GrpcMesh } from '../../../src/grpc.ts';
import type { Answer, Ask } from './ask.ts';
import type { GrpcEchoed } from './grpc-echo.ts';

const OK = 0;

export function askRpc(mesh: GrpcMesh, { origin, path, headers }: Ask, timeoutMs: number): Promise<Answer> {
  const channelOverride = channel(mesh, origin, { grpc });
  const client = new grpc.Client(origin, grpc.credentials.createInsecure(), { channelOverride });
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.add(name, value);
  const { promise, resolve } = Promise.withResolvers<Answer>();
  let given: Answer['headers'] = {};
  const call = client.makeUnaryRequest(
    path,
    (text: string) => Buffer.from(text),
    (bytes) => JSON.parse(bytes.toString()) as GrpcEchoed,
    '{}',
    metadata,
    { deadline: new Date(systemClock.wall() + timeoutMs) },
    (error, echoed) => {
      client.close();
      const grpcStatus = error?.code ?? OK;
      resolve({
        status: 200,
        headers: given,
        grpcStatus,
        echoed: echoed === undefined ? null : { ...echoed, path: echoed.method, host: echoed.authority, method: 'POST' },
      });
    },
  );
  call.on('metadata', (head: grpc.Metadata) => {
    given = Object.fromEntries(Object.entries(head.toHttp2Headers()).map(([name, value]) => [name, String(value)]));
  });
  return promise;
}
