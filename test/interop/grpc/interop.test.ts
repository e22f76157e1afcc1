// The interop scenarios of gRPC that need no cloud, through the mesh. Source: grpc doc/interop-test-descriptions.md. And one
// endpoint that hangs, beside what grpc-js alone makes of it.
import { afterAll, describe, expect, it } from 'vitest';
import * as grpc from '@grpc/grpc-js';
import { grpcClient } from '../../../src/grpc.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import { ECHO, EchoClientClass, grpcServer, unary } from '../../support/grpc-server.ts';

const server = await grpcServer('a');
const mesh = await createMesh({ config: { services: { interop: { endpoints: [server.address] } } }, watch: false });
const client = grpcClient(mesh, EchoClientClass, 'interop');
afterAll(async () => {
  await mesh.close({ drainMs: 0 });
  await server.close();
});

const SPECIAL = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';

describe('interop', () => {
  it('empty_unary', async () => {
    server.handlers.unary = (call, callback) => callback(null, call.request);
    expect(await unary(client, '')).toMatchObject({ text: '', code: 0 });
  });

  it('large_unary', async () => {
    server.handlers.unary = (call, callback) => callback(null, Buffer.alloc(call.request.length === 271_828 ? 314_159 : 1));
    const { text, code } = await unary(client, 'x'.repeat(271_828));
    expect([text.length, code]).toEqual([314_159, 0]);
  });

  it('client_streaming', async () => {
    let bytes = 0;
    server.handlers.clientStream = (call, callback) => {
      call.on('data', (message: Buffer) => {
        bytes += message.length;
      });
      call.on('end', () => callback(null, Buffer.from(String(bytes))));
    };
    const answer = await new Promise((resolve) => {
      const stream = client.clientStream(new grpc.Metadata(), {}, (_error, value) => resolve(String(value)));
      for (const size of [27_182, 8, 1_828, 45_904]) stream.write(Buffer.alloc(size));
      stream.end();
    });
    expect(answer).toBe('74922');
  });

  it('server_streaming', async () => {
    server.handlers.serverStream = (call) => {
      for (const size of [31_415, 9, 2_653, 58_979]) call.write(Buffer.alloc(size));
      call.end();
    };
    const sizes: number[] = [];
    for await (const message of client.serverStream(Buffer.alloc(0))) sizes.push((message as Buffer).length);
    expect(sizes).toEqual([31_415, 9, 2_653, 58_979]);
  });

  it('ping_pong', async () => {
    const stream = client.bidi();
    const pongs = stream[Symbol.asyncIterator]();
    const got: string[] = [];
    for (const ping of ['one', 'two', 'three', 'four']) {
      stream.write(Buffer.from(ping));
      got.push(String((await pongs.next()).value));
    }
    stream.end();
    expect([got, (await pongs.next()).done]).toEqual([['one', 'two', 'three', 'four'], true]);
  });

  it('empty_stream', async () => {
    const stream = client.bidi();
    stream.end();
    const got: unknown[] = [];
    for await (const message of stream) got.push(message);
    expect(got).toEqual([]);
  });

  it('cancel_after_begin', async () => {
    const code = await new Promise((resolve) => {
      const stream = client.clientStream(new grpc.Metadata(), {}, (error) => resolve(error?.code));
      stream.on('error', () => {});
      stream.cancel();
    });
    expect(code).toBe(grpc.status.CANCELLED);
  });

  it('cancel_after_first_response', async () => {
    const stream = client.bidi();
    const canceled = new Promise((resolve) => stream.on('error', (error: grpc.ServiceError) => resolve(error.code)));
    stream.on('data', () => stream.cancel());
    stream.write(Buffer.alloc(27_182));
    expect(await canceled).toBe(grpc.status.CANCELLED);
  });

  it('timeout_on_sleeping_server', async () => {
    server.handlers.bidi = (call) => void call.on('error', () => {}).resume();
    const stream = client.bidi(new grpc.Metadata(), { deadline: Date.now() + 30 });
    stream.write(Buffer.alloc(27_182));
    expect(await new Promise((resolve) => stream.on('error', (error: grpc.ServiceError) => resolve(error.code)).resume())).toBe(
      grpc.status.DEADLINE_EXCEEDED,
    );
  });

  it('custom_metadata', async () => {
    server.handlers.unary = (call, callback) => {
      const head = new grpc.Metadata();
      const trailers = new grpc.Metadata();
      head.set('x-grpc-test-echo-initial', call.metadata.get('x-grpc-test-echo-initial')[0] as string);
      trailers.set('x-grpc-test-echo-trailing-bin', call.metadata.get('x-grpc-test-echo-trailing-bin')[0] as Buffer);
      call.sendMetadata(head);
      callback(null, call.request, trailers);
    };
    const metadata = new grpc.Metadata();
    metadata.set('x-grpc-test-echo-initial', 'test_initial_metadata_value');
    metadata.set('x-grpc-test-echo-trailing-bin', Buffer.from([0xab, 0xab, 0xab]));
    const got = await new Promise((resolve) => {
      const seen: unknown[] = [];
      const call = client.unary(Buffer.alloc(1), metadata, {}, () => {});
      call.on('metadata', (head: grpc.Metadata) => seen.push(head.get('x-grpc-test-echo-initial')));
      call.on('status', (status: grpc.StatusObject) => resolve([...seen, status.metadata.get('x-grpc-test-echo-trailing-bin')]));
    });
    expect(got).toEqual([['test_initial_metadata_value'], [Buffer.from([0xab, 0xab, 0xab])]]);
  });

  it.each([
    ['status_code_and_message', 'test status message'],
    ['special_status_message', SPECIAL],
  ])('%s', async (_name, details) => {
    server.handlers.unary = (_call, callback) => callback({ code: grpc.status.UNKNOWN, details });
    const { code, error } = await unary(client, 'x');
    expect([code, error?.details]).toEqual([grpc.status.UNKNOWN, details]);
  });

  it('unimplemented_method and unimplemented_service', async () => {
    const channelOverride = grpc.getClientChannel(client);
    for (const path of ['/test.Echo/Nothing', '/test.Nobody/Nothing']) {
      const Missing = grpc.makeGenericClientConstructor({ missing: { ...ECHO.unary, path } }, 'Missing');
      const missing = new Missing('interop', grpc.credentials.createInsecure(), { channelOverride });
      const code = await new Promise((resolve) => missing['missing']?.(Buffer.alloc(0), (error: grpc.ServiceError) => resolve(error.code)));
      expect(code).toBe(grpc.status.UNIMPLEMENTED);
    }
  });
});

describe('one endpoint of two hangs', () => {
  it('the mesh serves every call within the time of an attempt and one retry; grpc-js alone, with its own retries, does not', async () => {
    const [hung, well] = [await grpcServer('hung'), await grpcServer('well')];
    hung.handlers.unary = () => {};
    const perTryMs = 250;
    const own = await createMesh({
      config: {
        services: {
          it: {
            endpoints: [hung.address, well.address],
            loadBalancer: 'roundRobin',
            outlierDetection: false,
            retries: { attempts: 1, perTryTimeout: perTryMs, methods: ['*'] },
          },
        },
      },
      watch: false,
    });
    const meshed = grpcClient(own, EchoClientClass, 'it');
    const startMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 10 }, () => unary(meshed, 'x', { options: { deadline: Date.now() + 2_000 } })));
    const tookMs = performance.now() - startMs;
    const serviceConfig = {
      loadBalancingConfig: [{ round_robin: {} }],
      methodConfig: [
        {
          name: [{}],
          retryPolicy: {
            maxAttempts: 2,
            initialBackoff: '0.01s',
            maxBackoff: '0.01s',
            backoffMultiplier: 1,
            retryableStatusCodes: ['UNAVAILABLE', 'DEADLINE_EXCEEDED'],
          },
        },
      ],
    };
    const target = `ipv4:${hung.address},${well.address}`;
    const alone = new EchoClientClass(target, grpc.credentials.createInsecure(), { 'grpc.service_config': JSON.stringify(serviceConfig) });
    await unary(alone, 'x', { options: { deadline: Date.now() + 400 } });
    const plain = await Promise.all(Array.from({ length: 10 }, () => unary(alone, 'x', { options: { deadline: Date.now() + 400 } })));
    alone.close();
    await own.close({ drainMs: 0 });
    await Promise.all([hung.close(), well.close()]);
    expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 10 }, () => 'well:x'));
    expect(tookMs).toBeLessThan(2_000);
    expect(plain.filter(({ code }) => code === grpc.status.DEADLINE_EXCEEDED).length).toBe(5);
  });
});
