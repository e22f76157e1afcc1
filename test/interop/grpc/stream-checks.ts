// All four kinds of call with many small messages and with large ones: order, nothing twice, nothing lost. Played short and long.
import { afterAll, describe, expect, it } from 'vitest';
import * as grpc from '@grpc/grpc-js';
import { grpcClient } from '../../../src/grpc.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import { type EchoClient, EchoClientClass, grpcServer, type GrpcServer, unary } from '../../support/grpc-server.ts';

/** Name, how many messages, bytes of each. */
export type StreamKind = readonly [name: string, count: number, bytes: number];

export const [a, b]: readonly [GrpcServer, GrpcServer] = [await grpcServer('a'), await grpcServer('b')];
const mesh = await createMesh({
  config: {
    defaults: { outlierDetection: false, circuitBreaker: false },
    services: {
      both: {
        endpoints: [a.address, b.address],
        loadBalancer: 'roundRobin',
        timeout: '30s',
        retries: { methods: ['*'], backoff: { base: '1ms', max: '1ms' } },
      },
    },
  },
  watch: false,
});
export const client: EchoClient = grpcClient(mesh, EchoClientClass, 'both');
afterAll(async () => {
  await mesh.close({ drainMs: 0 });
  await Promise.all([a.close(), b.close()]);
});

export function messageOf(index: number, bytes: number): Buffer {
  const message = Buffer.alloc(bytes);
  message.writeUInt32BE(index, 0);
  return message;
}

function numbersOf(messages: readonly Buffer[]): number[] {
  return messages.map((message) => message.readUInt32BE(0));
}

export const inOrder = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

export async function write(
  stream: grpc.ClientWritableStream<Buffer> | grpc.ClientDuplexStream<Buffer, Buffer>,
  count: number,
  bytes: number,
): Promise<void> {
  for (let i = 0; i < count; i++) if (!stream.write(messageOf(i, bytes))) await new Promise((resolve) => stream.once('drain', resolve));
  stream.end();
}

export function streamChecks(given: readonly StreamKind[]): void {
  describe.each(given)('%s', (_name, count, bytes) => {
    it('to the server', async () => {
      const got: Buffer[] = [];
      a.handlers.clientStream = b.handlers.clientStream = (call, callback) => {
        call.on('data', (message: Buffer) => got.push(message.subarray(0, 4)));
        call.on('end', () => callback(null, Buffer.from('done')));
      };
      const answer = new Promise<string>((resolve, reject) => {
        const stream = client.clientStream(new grpc.Metadata(), {}, (error, value) =>
          error === null ? resolve(String(value)) : reject(error),
        );
        void write(stream, count, bytes);
      });
      expect(await answer).toBe('done');
      expect(numbersOf(got)).toEqual(inOrder(count));
    });

    it('from the server', async () => {
      a.handlers.serverStream = b.handlers.serverStream = (call) => void write(call as never, count, bytes);
      const got: Buffer[] = [];
      for await (const message of client.serverStream(Buffer.from('x'))) got.push((message as Buffer).subarray(0, 4));
      expect(numbersOf(got)).toEqual(inOrder(count));
    });

    it('both ways', async () => {
      const stream = client.bidi();
      const got: Buffer[] = [];
      const writing = write(stream, count, bytes);
      for await (const message of stream) got.push((message as Buffer).subarray(0, 4));
      await writing;
      expect(numbersOf(got)).toEqual(inOrder(count));
    });

    it('one after the other', async () => {
      const size = Math.min(count, 500);
      const answers: string[] = [];
      for (let i = 0; i < size; i++) answers.push((await unary(client, String(i))).text.slice(2));
      expect(answers).toEqual(inOrder(size).map(String));
    });
  });
}
