// gRPC calls in telemetry, through a real mesh: one CLIENT span for the call, INTERNAL ones for its attempts, durations by method
// and status, and nothing of it under the names of HTTP.
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { grpcClient } from '../../src/grpc.ts';
import { createMesh } from '../../src/mesh/create-mesh.ts';
import { EchoClientClass, grpcServer, unary } from '../support/grpc-server.ts';
import { register, unregister } from './otel.ts';

const server = await grpcServer('a');
afterAll(() => server.close());
afterEach(() => unregister());

const config = {
  services: { reviews: { endpoints: [server.address], retries: { attempts: 1, methods: ['*'], backoff: { base: '1ms', max: '1ms' } } } },
};

describe('a gRPC call', () => {
  it.each(['own', 'attempts'] as const)('has one CLIENT span, and an INTERNAL one for each attempt (spans: %s)', async (spans) => {
    const otel = register();
    const mesh = await createMesh({ config, watch: false, telemetry: { spans } });
    const client = grpcClient(mesh, EchoClientClass, 'reviews');
    let calls = 0;
    server.handlers.unary = (call, callback) => (++calls === 1 ? callback({ code: 14, details: 'not yet' }) : callback(null, call.request));
    await unary(client, 'x');
    await mesh.close();
    const [call] = otel.named('test.Echo/Unary');
    expect(call?.kind).toBe(SpanKind.CLIENT);
    expect(call?.status.code).toBe(SpanStatusCode.UNSET);
    expect(call?.attributes).toMatchObject({
      'rpc.system.name': 'grpc',
      'rpc.method': 'test.Echo/Unary',
      'rpc.status_code': 'OK',
      'server.address': 'reviews',
      'inmesh.attempts': 2,
    });
    const attempts = otel.named('Attempt.test.Echo/Unary');
    expect(attempts.map(({ kind, parentSpanContext }) => [kind, parentSpanContext?.spanId])).toEqual([
      [SpanKind.INTERNAL, call?.spanContext().spanId],
      [SpanKind.INTERNAL, call?.spanContext().spanId],
    ]);
    expect(attempts.map(({ attributes }) => [attributes['previous-rpc-attempts'], attributes['rpc.status_code']])).toEqual([
      [0, 'UNAVAILABLE'],
      [1, 'OK'],
    ]);
    expect(attempts[0]?.status.code).toBe(SpanStatusCode.ERROR);
    // The trace goes on at the server, from the attempt.
    expect(server.seen.at(-1)?.get('traceparent')[0]).toContain(attempts[1]?.spanContext().spanId);
  });

  it('counts no attempt that reached nobody: the next has its number, and says why it is there', async () => {
    const otel = register();
    const gone = await grpcServer('gone');
    await gone.close();
    const services = { reviews: { endpoints: [gone.address, server.address], loadBalancer: 'roundRobin' as const } };
    const mesh = await createMesh({ config: { services }, watch: false });
    const client = grpcClient(mesh, EchoClientClass, 'reviews');
    server.handlers.unary = (call, callback) => callback(null, call.request);
    const before = server.seen.length;
    // One of two in turn goes to the endpoint that is gone first.
    for (let i = 0; i < 2; i++) await unary(client, 'x');
    await mesh.close();
    const attempts = otel.named('Attempt.test.Echo/Unary').map(({ attributes }) => attributes);
    expect(attempts.map((one) => [one['previous-rpc-attempts'], one['transparent-retry']]).sort()).toEqual([
      [0, false],
      [0, false],
      [0, true],
    ]);
    expect(otel.named('test.Echo/Unary').map(({ attributes }) => attributes['inmesh.attempts'])).toEqual([1, 1]);
    expect(server.seen.slice(before).map((metadata) => metadata.get('grpc-previous-rpc-attempts'))).toEqual([[], []]);
  });

  it('is counted as gRPC, by the name of its status', async () => {
    const mesh = await createMesh({ config, watch: false });
    const { metricProducer } = mesh;
    const client = grpcClient(mesh, EchoClientClass, 'reviews');
    server.handlers.unary = (call, callback) => callback(null, call.request);
    await unary(client, 'x');
    server.handlers.unary = (_call, callback) => callback({ code: 5, details: 'none' });
    await unary(client, 'x');
    const { scopeMetrics } = (await metricProducer.collect()).resourceMetrics;
    await mesh.close();
    const metrics = scopeMetrics.flatMap((scope) => scope.metrics);
    const points = metrics.find(({ descriptor }) => descriptor.name === 'rpc.client.call.duration')?.dataPoints ?? [];
    const method = { 'rpc.system.name': 'grpc', 'rpc.method': 'test.Echo/Unary', 'server.address': 'reviews' };
    expect(points.map(({ attributes }) => attributes)).toEqual([
      { ...method, 'rpc.status_code': 'OK' },
      { ...method, 'rpc.status_code': 'NOT_FOUND', 'error.type': 'NOT_FOUND' },
    ]);
    expect(metrics.some(({ descriptor }) => descriptor.name === 'http.client.request.duration')).toBe(false);
  });
});
