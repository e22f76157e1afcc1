// The channel as grpc-js sees it: targets, deadlines, cancellation, metadata in and out, what refusals look like, and which
// methods may be called twice.
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_CODES, MeshError } from '../../../src/core/errors.ts';
import { GRPC_OF_ERROR, grpcStatusOfHttp, httpStatusOfGrpc } from '../../../src/core/grpc-status.ts';
import type { MeterSnapshot } from '../../../src/telemetry/meter-snapshot.ts';
import { inboundContext } from '../../../src/core/context.ts';
import { channel, grpcClient } from '../../../src/grpc.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import { originOf } from '../../../src/transport/grpc/mesh-channel.ts';
import { ECHO, EchoClientClass, grpcServer, unary } from '../../support/grpc-server.ts';

const server = await grpcServer('a');
const mesh = await createMesh({
  config: {
    unknownHosts: 'refuse',
    services: {
      reviews: {
        endpoints: [server.address],
        retries: { attempts: 1, backoff: { base: '1ms', max: '1ms' } },
        routes: [
          {
            match: { headers: { 'x-fault': 'grpc' } },
            fault: { position: 'call', abort: { grpcStatus: 'PERMISSION_DENIED', percentage: 100 } },
          },
          { match: { headers: { 'x-route': 'head' } }, headers: { response: { set: { 'x-added': 'yes' } } } },
          { match: { path: '/old.Echo/Unary' }, rewrite: { path: '/test.Echo/Unary' } },
          {},
        ],
      },
    },
  },
  watch: false,
});
const client = grpcClient(mesh, EchoClientClass, 'reviews');
const echo: typeof server.handlers.unary = (call, callback) => callback(null, call.request);
beforeEach(() => {
  server.handlers.unary = echo;
});
afterAll(async () => {
  await mesh.close({ drainMs: 0 });
  await server.close();
});

describe('a target', () => {
  it.each([
    ['reviews', 'http://reviews'],
    ['reviews:8080', 'http://reviews:8080'],
    ['dns:///reviews:8080', 'http://reviews:8080'],
    ['dns:reviews', 'http://reviews'],
    ['https://reviews/', 'https://reviews'],
  ])('%s is %s', (target, origin) => {
    expect(originOf(target)).toBe(origin);
  });
});

describe('statuses', () => {
  it('of errors are there for every code', () => {
    expect(Object.keys(GRPC_OF_ERROR).sort()).toEqual(Object.keys(ERROR_CODES).sort());
  });

  it('count as HTTP statuses, and gRPC reads these as Envoy does', () => {
    expect([0, 1, 2, 4, 5, 8, 12, 13, 14, 16, 99].map(httpStatusOfGrpc)).toEqual([200, 499, 500, 504, 404, 429, 501, 500, 503, 401, 500]);
    expect([400, 401, 403, 404, 429, 502, 503, 504, 200, 418].map(grpcStatusOfHttp)).toEqual([13, 16, 7, 12, 14, 14, 14, 14, 2, 2]);
  });
});

describe('metadata', () => {
  it('goes both ways, binary values too', async () => {
    const bytes = Buffer.from([0, 255, 7]);
    let seen: unknown[] = [];
    server.handlers.unary = (call, callback) => {
      seen = [call.metadata.get('plain'), call.metadata.get('some-bin'), call.metadata.get('twice')];
      const trailers = new grpc.Metadata();
      trailers.set('back-bin', bytes);
      callback(null, call.request, trailers);
    };
    const metadata = new grpc.Metadata();
    metadata.set('plain', 'a');
    metadata.set('some-bin', bytes);
    metadata.add('twice', '1');
    metadata.add('twice', '2');
    const trailers = await new Promise<grpc.Metadata>((resolve) => {
      client.unary(Buffer.from('x'), metadata, {}, () => {}).on('status', (status: grpc.StatusObject) => resolve(status.metadata));
    });
    expect(seen).toEqual([['a'], [bytes], ['1, 2']]);
    expect(trailers.get('back-bin')).toEqual([bytes]);
    // What the caller gave is his, and still what it was.
    expect(Object.keys(metadata.getMap())).toEqual(['plain', 'some-bin', 'twice']);
  });

  it('tells the server of attempts before, and of the time that is left', async () => {
    const seen: unknown[] = [];
    server.handlers.unary = (call, callback) => {
      seen.push([call.metadata.get('grpc-previous-rpc-attempts'), Number(call.getDeadline()) - Date.now() > 1_000]);
      if (seen.length === 1) callback({ code: 14, details: 'not yet' });
      else callback(null, call.request);
    };
    const idempotent = grpcClient(mesh, EchoClientClass, 'reviews', { idempotent: true });
    await unary(idempotent, 'x', { options: { deadline: Date.now() + 5_000 } });
    expect(seen).toEqual([
      [[], true],
      [['1'], true],
    ]);
  });

  it('is the same for every attempt, as it was when the call began', async () => {
    const seen: unknown[] = [];
    server.handlers.unary = (call, callback) => {
      seen.push(['plain', 'some-bin', 'twice', 'late'].map((key) => call.metadata.get(key)));
      if (seen.length === 1) callback({ code: 14, details: 'not yet' });
      else callback(null, call.request);
    };
    const metadata = new grpc.Metadata();
    metadata.set('plain', 'a');
    metadata.set('some-bin', Buffer.from([1]));
    metadata.add('twice', '1');
    metadata.add('twice', '2');
    const idempotent = grpcClient(mesh, EchoClientClass, 'reviews', { idempotent: true });
    await new Promise((resolve) => {
      idempotent.unary(Buffer.from('x'), metadata, {}, resolve);
      metadata.set('plain', 'b');
      metadata.set('late', 'x');
    });
    const first = [['a'], [Buffer.from([1])], ['1, 2'], []];
    expect(seen).toEqual([first, first]);
  });

  it('is what a layer has made of the head', async () => {
    const { headers } = await unary(client, 'x', { metadata: { 'x-route': 'head' } });
    expect(headers?.get('x-added')).toEqual(['yes']);
  });

  it('may be routed by', async () => {
    const { code, error } = await unary(client, 'x', { metadata: { 'x-fault': 'grpc' } });
    expect([code, error?.details]).toEqual([grpc.status.PERMISSION_DENIED, 'fault filter abort']);
  });
});

describe('time', () => {
  it('is inherited from the call that is being served', async () => {
    server.handlers.unary = () => {};
    const served = { deadlineMs: mesh.clock.now() + 50, criticality: -1, source: '' };
    const { code, error } = await inboundContext.run(served, () => unary(client, 'x'));
    // By us or by the server, whoever is first.
    expect([code, error === null]).toEqual([4, false]);
  });

  it('that is over ends the call before it begins', async () => {
    const before = server.seen.length;
    expect(await unary(client, 'x', { options: { deadline: Date.now() - 1 } })).toMatchObject({ code: 4 });
    expect(server.seen.length).toBe(before);
  });
});

describe('an error of ours', () => {
  it('has its code in the trailers, and is the cause', async () => {
    const stranger = grpcClient(mesh, EchoClientClass, 'nobody');
    const { code, error, trailers } = await unary(stranger, 'x');
    expect([code, trailers?.get('x-inmesh-error')]).toEqual([grpc.status.UNAVAILABLE, ['unknown_host']]);
    expect((error as { cause?: unknown } | null)?.cause).toBeInstanceOf(MeshError);
    expect(error?.message).toContain('[unknown_host]');
  });
});

describe('a method', () => {
  it('is rewritten like a path', async () => {
    const Old = grpc.makeGenericClientConstructor({ old: { ...ECHO.unary, path: '/old.Echo/Unary' } }, 'Old');
    const old = new Old('reviews', grpc.credentials.createInsecure(), { channelOverride: channel(mesh, 'reviews') });
    expect(
      await new Promise((resolve) => old['old']?.(Buffer.from('x'), (_error: unknown, value: Buffer) => resolve(value.toString()))),
    ).toBe('x');
  });

  it.each([['NO_SIDE_EFFECTS'], ['IDEMPOTENT']])('that the proto calls %s is repeated', async (level) => {
    const definition = { ...ECHO.unary, options: { idempotency_level: level } };
    const Safe = grpc.makeGenericClientConstructor({ unary: definition }, 'Safe') as unknown as typeof EchoClientClass;
    const safe = grpcClient(mesh, Safe, 'reviews');
    let calls = 0;
    server.handlers.unary = (call, callback) => (++calls === 1 ? callback({ code: 14, details: 'not yet' }) : callback(null, call.request));
    expect([(await unary(safe, 'x')).code, calls]).toEqual([0, 2]);
  });
});

describe('a server that is shut down', () => {
  it('by force, in the middle of a stream, is a failure of its own', async () => {
    const doomed = await grpcServer('doomed');
    const own = await createMesh({ config: { services: { it: { endpoints: [doomed.address] } } }, watch: false });
    doomed.handlers.serverStream = (call) => void call.write(Buffer.from('0'));
    const stream = grpcClient(own, EchoClientClass, 'it').serverStream(Buffer.from('x'));
    const error = await new Promise<grpc.ServiceError>((resolve) => {
      stream.on('error', resolve);
      stream.on('data', () => void doomed.close());
    });
    expect(error.code).toBe(grpc.status.CANCELLED);
    const [service] = (own.snapshot().metrics as MeterSnapshot).services;
    await own.close({ drainMs: 0 });
    expect([service?.failures, service?.ignored]).toEqual([1, 0]);
  });
});
