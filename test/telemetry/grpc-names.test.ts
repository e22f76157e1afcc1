// gRPC's own metrics (gRFC A66, A96), through real meshes: what is counted where it is asked for, and nothing where it is not.
import { metrics } from '@opentelemetry/api';
import * as grpc from '@grpc/grpc-js';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { grpcClient } from '../../src/grpc.ts';
import { serve } from '../../src/mesh/serve-grpc.ts';
import { createMesh } from '../../src/mesh/create-mesh.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';
import type { TelemetryOptions } from '../../src/mesh/telemetry.ts';
import type { MeshInput, ServiceInput } from '../../src/model/input.ts';
import { type EchoClient, EchoClientClass, grpcServer, unary } from '../support/grpc-server.ts';
import { unregister } from './otel.ts';
import { sdk } from './sdk.ts';

const server = await grpcServer('a');
const gone = await grpcServer('gone');
await gone.close();
afterAll(() => server.close());
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  unregister();
});

interface Point {
  readonly attributes: Record<string, unknown>;
  readonly value: number | { readonly count: number; readonly sum: number; readonly buckets: { readonly boundaries: number[] } };
}

/** By name, those of gRPC alone. */
async function collected(mesh: Mesh): Promise<Map<string, Point[]>> {
  const { scopeMetrics } = (await mesh.metricProducer.collect()).resourceMetrics;
  const metrics = scopeMetrics.flatMap((scope) => scope.metrics).filter(({ descriptor }) => descriptor.name.startsWith('grpc.'));
  return new Map(metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints as Point[]]));
}

/** Labels, and how often; of counters and histograms alike. */
function counts(points: readonly Point[] | undefined): unknown[] {
  return (points ?? []).map(({ attributes, value }) => [attributes, typeof value === 'number' ? value : value.count]);
}

interface World {
  readonly mesh: Mesh;
  readonly client: EchoClient;
}

async function open(service: Partial<ServiceInput>, more: Partial<MeshInput> = {}, telemetry?: TelemetryOptions): Promise<World> {
  const config = { telemetry: { grpcMetrics: true }, ...more, services: { reviews: { endpoints: [server.address], ...service } } };
  const mesh = await createMesh({ config, watch: false, ...(telemetry === undefined ? {} : { telemetry }) });
  closers.push(() => mesh.close());
  return { mesh, client: grpcClient(mesh, EchoClientClass, 'reviews') };
}

const METHOD = { 'grpc.method': 'test.Echo/Unary', 'grpc.target': 'reviews' };
const QUICK = { base: '5ms', max: '5ms' } as const;

describe("gRPC's own metrics of a client", () => {
  it('count attempts and calls by method, target and status', async () => {
    const { mesh, client } = await open({});
    server.handlers.unary = (call, answer) => answer(null, call.request);
    await unary(client, 'x');
    server.handlers.unary = (_call, answer) => answer({ code: grpc.status.NOT_FOUND, details: '' });
    await unary(client, 'x');
    const metrics = await collected(mesh);
    const both = [
      [{ ...METHOD, 'grpc.status': 'OK' }, 1],
      [{ ...METHOD, 'grpc.status': 'NOT_FOUND' }, 1],
    ];
    expect(Object.fromEntries([...metrics].map(([name, points]) => [name, counts(points)]))).toEqual({
      'grpc.client.attempt.started': [[METHOD, 2]],
      'grpc.client.attempt.duration': both,
      'grpc.client.call.duration': both,
    });
    const [point] = metrics.get('grpc.client.attempt.duration') ?? [];
    expect(point).toMatchObject({ value: { buckets: { boundaries: { length: 41 } } } });
  });

  it('count retries, and the time in which no attempt was under way', async () => {
    const { mesh, client } = await open({ retries: { attempts: 3, methods: ['*'], backoff: QUICK } });
    let calls = 0;
    server.handlers.unary = (call, answer) =>
      ++calls < 3 ? answer({ code: grpc.status.UNAVAILABLE, details: '' }) : answer(null, call.request);
    await unary(client, 'x');
    await unary(client, 'x');
    const metrics = await collected(mesh);
    expect(counts(metrics.get('grpc.client.attempt.started'))).toEqual([[METHOD, 4]]);
    const [retries] = metrics.get('grpc.client.call.retries') ?? [];
    expect(retries).toMatchObject({ attributes: METHOD, value: { count: 1, sum: 2, buckets: { boundaries: [1, 2, 3, 4, 5] } } });
    const [delay] = metrics.get('grpc.client.call.retry_delay') ?? [];
    expect(delay).toMatchObject({ attributes: METHOD, value: { count: 1 } });
    const seconds = typeof delay?.value === 'object' ? delay.value.sum : 0;
    expect(seconds).toBeGreaterThan(0.008);
    expect(seconds).toBeLessThan(5);
    expect(metrics.has('grpc.client.call.transparent_retries')).toBe(false);
  });

  it('count what reached nobody apart', async () => {
    const { mesh, client } = await open({ endpoints: [gone.address, server.address], loadBalancer: 'roundRobin' });
    server.handlers.unary = (call, answer) => answer(null, call.request);
    for (let i = 0; i < 2; i++) await unary(client, 'x');
    const metrics = await collected(mesh);
    expect(metrics.get('grpc.client.call.transparent_retries')).toMatchObject([{ attributes: METHOD, value: { count: 1, sum: 1 } }]);
    expect(metrics.has('grpc.client.call.retries')).toBe(false);
    expect(counts(metrics.get('grpc.client.attempt.started'))).toEqual([[METHOD, 3]]);
  });

  it('count hedges', async () => {
    const slow = await grpcServer('slow');
    closers.push(slow.close);
    const route = { idempotent: { extraLoad: 0.5, initialDelay: '5ms' } };
    const { mesh, client } = await open({ endpoints: [slow.address, server.address], loadBalancer: 'roundRobin', routes: [route] });
    server.handlers.unary = (call, answer) => answer(null, call.request);
    // Answers pay for hedges.
    for (let i = 0; i < 2; i++) await unary(client, 'x');
    slow.handlers.unary = () => {};
    // One of two in turn asks the slow one first.
    for (let i = 0; i < 2; i++) await unary(client, 'x');
    const metrics = await collected(mesh);
    expect(metrics.get('grpc.client.call.hedges')).toMatchObject([{ attributes: METHOD, value: { count: 1, sum: 1 } }]);
    expect(counts(metrics.get('grpc.client.attempt.duration'))).toEqual([
      [{ ...METHOD, 'grpc.status': 'OK' }, 4],
      [{ ...METHOD, 'grpc.status': 'CANCELLED' }, 1],
    ]);
  });

  it('are observed by a meter provider, in their own units', async () => {
    const { provider, collect } = sdk();
    metrics.setGlobalMeterProvider(provider);
    const { client } = await open({ retries: { attempts: 1, methods: ['*'], backoff: QUICK } });
    let calls = 0;
    server.handlers.unary = (call, answer) =>
      ++calls < 2 ? answer({ code: grpc.status.UNAVAILABLE, details: '' }) : answer(null, call.request);
    await unary(client, 'x');
    const found = await collect();
    const point = (name: string): unknown => found.get(name)?.dataPoints[0];
    expect(point('grpc.client.call.retries')).toMatchObject({ attributes: METHOD, value: { count: 1, sum: 1 } });
    expect(point('grpc.client.attempt.started')).toMatchObject({ attributes: METHOD, value: 2 });
    expect(point('grpc.client.call.duration')).toMatchObject({ attributes: { ...METHOD, 'grpc.status': 'OK' }, value: { count: 1 } });
  });
});

describe("gRPC's own metrics of a server", () => {
  it('count calls by method, those without a method as other', async () => {
    const app = await grpcServer('served');
    const mesh = await createMesh({ config: { telemetry: { grpcMetrics: true } }, watch: false });
    const { port } = await serve(mesh, app.server, { host: '127.0.0.1' });
    const client = new EchoClientClass(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    closers.push(
      () => app.close(),
      () => mesh.close({ drainMs: 0 }),
      () => client.close(),
    );
    await unary(client, 'x');
    const same = (bytes: Buffer): Buffer => bytes;
    for (const path of ['/a.B/C', '/d.E/F']) {
      await new Promise((resolve) => client.makeUnaryRequest(path, same, same, Buffer.from('x'), resolve));
    }
    while (mesh.snapshot().inbound.inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    const metrics = await collected(mesh);
    expect(Object.fromEntries([...metrics].map(([name, points]) => [name, counts(points)]))).toEqual({
      'grpc.server.call.started': [
        [{ 'grpc.method': 'test.Echo/Unary' }, 1],
        [{ 'grpc.method': 'other' }, 2],
      ],
      'grpc.server.call.duration': [
        [{ 'grpc.method': 'test.Echo/Unary', 'grpc.status': 'OK' }, 1],
        [{ 'grpc.method': 'other', 'grpc.status': 'UNIMPLEMENTED' }, 2],
      ],
    });
  });
});

describe('grpcMetrics', () => {
  it.each<[string, Partial<MeshInput>, TelemetryOptions | undefined, boolean]>([
    ['is off', { telemetry: {} }, undefined, false],
    ['is switched on by the configuration', { telemetry: { grpcMetrics: true } }, undefined, true],
    ['is switched on by the program', { telemetry: {} }, { grpcMetrics: true }, true],
    [
      'is switched off by the program, whatever the configuration says',
      { telemetry: { grpcMetrics: true } },
      { grpcMetrics: false },
      false,
    ],
    ['is off where no metrics are wanted', { telemetry: { grpcMetrics: true } }, { metrics: 'off' }, false],
  ])('%s', async (_name, config, telemetry, isOn) => {
    const { mesh, client } = await open({}, config, telemetry);
    server.handlers.unary = (call, answer) => answer(null, call.request);
    await unary(client, 'x');
    expect((await collected(mesh)).has('grpc.client.attempt.started')).toBe(isOn);
  });

  it('follows a reload', async () => {
    const { mesh, client } = await open({}, { telemetry: {} });
    server.handlers.unary = (call, answer) => answer(null, call.request);
    await unary(client, 'x');
    await mesh.reload({ telemetry: { grpcMetrics: true }, services: { reviews: { endpoints: [server.address] } } });
    await unary(client, 'x');
    expect(counts((await collected(mesh)).get('grpc.client.attempt.started'))).toEqual([[METHOD, 1]]);
  });
});
