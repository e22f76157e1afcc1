// What is told of gRPC calls that are served: spans and durations by the RPC conventions, and nothing by those of HTTP.
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { makeTelemetry, type Telemetry } from '../../../src/mesh/telemetry.ts';
import { unary } from '../../support/grpc-server.ts';
import { register, unregister } from '../../telemetry/otel.ts';
import { deny } from '../../access/cases.ts';
import { idle, received, type Served, serving, type ServingOptions } from './serving.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  unregister();
});

async function open(config: ServingOptions['config'] = {}): Promise<{ readonly served: Served; readonly telemetry: Telemetry }> {
  const telemetry = makeTelemetry({}, systemClock);
  const served = await serving({ config, setup: { telemetry } });
  closers.push(served.close, () => telemetry.close());
  return { served, telemetry };
}

async function durations(telemetry: Telemetry, wanted: string): Promise<readonly Record<string, unknown>[]> {
  const { resourceMetrics } = await telemetry.metricProducer.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  return (metrics.find(({ descriptor }) => descriptor.name === wanted)?.dataPoints ?? []).map(({ attributes }) => attributes);
}

const PARENT = '00-11111111111111111111111111111111-2222222222222222-01';

describe('the span of a gRPC server', () => {
  it('is the child of the caller, and the parent of what the handler does', async () => {
    const otel = register();
    const { served } = await open();
    const inside = Promise.withResolvers<string | undefined>();
    served.app.handlers.unary = (_call, answer) => {
      inside.resolve(trace.getSpan(context.active())?.spanContext().spanId);
      answer(null, Buffer.from('x'));
    };
    const client = served.client(undefined, { 'grpc.default_authority': 'reviews.prod:8080' });
    await unary(client, 'x', { metadata: { traceparent: PARENT } });
    await idle(served);
    const [span] = otel.spans();
    expect(span).toMatchObject({ name: 'test.Echo/Unary', kind: SpanKind.SERVER, status: { code: SpanStatusCode.UNSET } });
    expect([span?.spanContext().traceId, span?.parentSpanContext?.spanId]).toEqual(['1'.repeat(32), '2'.repeat(16)]);
    expect(await inside.promise).toBe(span?.spanContext().spanId);
    expect(span?.attributes).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.method': 'test.Echo/Unary',
      'rpc.status_code': 'OK',
      'server.address': 'reviews.prod',
      'server.port': 8080,
      'client.address': '127.0.0.1',
    });
  });

  it.each([
    [grpc.status.NOT_FOUND, 'NOT_FOUND', SpanStatusCode.UNSET],
    [grpc.status.INTERNAL, 'INTERNAL', SpanStatusCode.ERROR],
    [grpc.status.DATA_LOSS, 'DATA_LOSS', SpanStatusCode.ERROR],
  ])('says of the status %i whose fault it is', async (code, text, status) => {
    const otel = register();
    const { served } = await open();
    served.app.handlers.unary = (_call, answer) => answer({ code, details: '' });
    await unary(served.client(), 'x');
    await idle(served);
    const [span] = otel.spans();
    expect(span?.status.code).toBe(status);
    expect(span?.attributes['rpc.status_code']).toBe(text);
    expect(span?.attributes['error.type']).toBe(status === SpanStatusCode.ERROR ? text : undefined);
  });
});

describe('rpc.server.call.duration', () => {
  it('counts by method and status, refusals too; HTTP counts nothing', async () => {
    const { served, telemetry } = await open({ policies: [deny({ paths: ['/test.Echo/Bidi'] })] });
    const client = served.client();
    await unary(client, 'x');
    await received(client.serverStream(Buffer.from('2')));
    await received(client.bidi());
    await idle(served);
    const grpcMethod = (method: string, status: string): Record<string, unknown> => ({
      'rpc.system.name': 'grpc',
      'rpc.method': `test.Echo/${method}`,
      'rpc.status_code': status,
      ...(status === 'OK' ? {} : { 'error.type': status }),
    });
    expect(await durations(telemetry, 'rpc.server.call.duration')).toEqual([
      grpcMethod('Unary', 'OK'),
      grpcMethod('ServerStream', 'OK'),
      grpcMethod('Bidi', 'PERMISSION_DENIED'),
    ]);
    expect(await durations(telemetry, 'http.server.request.duration')).toEqual([]);
  });
});
