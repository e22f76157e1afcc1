// What the server side tells: one span for each call, child of its caller's, and durations in buckets; nothing when nobody
// listens.
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Listener } from '../../src/inbound/handler.ts';
import { makeTelemetry, type Telemetry, type TelemetryOptions } from '../../src/mesh/telemetry.ts';
import { register, unregister } from '../telemetry/otel.ts';
import { CALLER, overHttp1, overHttp2, secure, type SecureOptions, type SecureServer } from './secure-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  unregister();
});

interface Told {
  readonly real: SecureServer;
  readonly telemetry: Telemetry;
}

async function serving(listener: Listener, options: SecureOptions = {}, telemetryOptions: TelemetryOptions = {}): Promise<Told> {
  const telemetry = makeTelemetry(telemetryOptions, systemClock);
  const real = await secure(listener, { ...options, setup: { telemetry } });
  closers.push(real.close, () => telemetry.close());
  return { real, telemetry };
}

const PARENT = '00-11111111111111111111111111111111-2222222222222222-01';

/** Durations by their labels. */
async function durations(telemetry: Telemetry): Promise<readonly Record<string, unknown>[]> {
  const { resourceMetrics } = await telemetry.metricProducer.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const found = metrics.find(({ descriptor }) => descriptor.name === 'http.server.request.duration');
  return (found?.dataPoints ?? []).map(({ attributes }) => attributes);
}

/** The response is closed a moment after its last byte was read. */
async function closed({ inbound }: SecureServer): Promise<void> {
  while (inbound.snapshot().inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
}

describe('the span of a server', () => {
  it('is the child of the caller', async () => {
    const otel = register();
    const { real } = await serving((_request, response) => void response.end('x'));
    await overHttp1({ port: real.port, as: CALLER, path: '/a?secret=1', headers: { traceparent: PARENT, host: 'reviews.prod:8080' } });
    await closed(real);
    const [span] = otel.spans();
    expect(span).toMatchObject({ name: 'GET', kind: SpanKind.SERVER, status: { code: SpanStatusCode.UNSET } });
    expect([span?.spanContext().traceId, span?.parentSpanContext?.spanId]).toEqual(['1'.repeat(32), '2'.repeat(16)]);
    expect(span?.attributes).toEqual({
      'http.request.method': 'GET',
      'url.path': '/a',
      'url.scheme': 'https',
      'server.address': 'reviews.prod',
      'server.port': 8080,
      'client.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'http.response.status_code': 200,
    });
  });

  it('is there for a call that was refused', async () => {
    const otel = register();
    const { real } = await serving(() => {}, { config: { admission: null, limits: { maxRequests: 1 } } });
    const held = overHttp1({ port: real.port });
    held.catch(() => {});
    while (real.inbound.snapshot().inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
    expect((await overHttp2({ port: real.port })).status).toBe(503);
    while (otel.spans().length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(otel.spans()[0]).toMatchObject({ status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'overloaded' } });
  });

  it.each([
    [404, SpanStatusCode.UNSET, undefined],
    [500, SpanStatusCode.ERROR, '500'],
  ])('says of %d that %d, %s', async (status, code, type) => {
    const otel = register();
    const { real } = await serving((_request, response) => void response.writeHead(status).end());
    await overHttp1({ port: real.port });
    await closed(real);
    expect(otel.spans()[0]?.status.code).toBe(code);
    expect(otel.spans()[0]?.attributes['error.type']).toBe(type);
  });

  it('is not made when spans are off', async () => {
    const otel = register();
    const { real } = await serving((_request, response) => void response.end(), {}, { spans: 'off' });
    await overHttp1({ port: real.port });
    await closed(real);
    expect(otel.spans()).toEqual([]);
  });
});

describe('durations', () => {
  it('have the labels of the conventions, the route of the framework among them, and no path', async () => {
    const app = express();
    app.get('/users/:id', (_request, response) => void response.status(201).end());
    const { real, telemetry } = await serving(app);
    await overHttp1({ port: real.port, path: '/users/1' });
    await overHttp1({ port: real.port, path: '/users/2', as: CALLER });
    await overHttp1({ port: real.port, path: '/nowhere', method: 'BREW' }).catch(() => {});
    await overHttp1({ port: real.port, path: '/nowhere' });
    await closed(real);
    expect(await durations(telemetry)).toEqual([
      {
        'http.request.method': 'GET',
        'url.scheme': 'http',
        'http.response.status_code': 201,
        'http.route': '/users/:id',
        'network.protocol.version': '1.1',
      },
      {
        'http.request.method': 'GET',
        'url.scheme': 'https',
        'http.response.status_code': 201,
        'http.route': '/users/:id',
        'network.protocol.version': '1.1',
      },
      { 'http.request.method': 'GET', 'url.scheme': 'http', 'http.response.status_code': 404, 'network.protocol.version': '1.1' },
    ]);
  });

  it('of HTTP/2 are apart', async () => {
    const { real, telemetry } = await serving((_request, response) => void response.writeHead(503).end());
    await overHttp2({ port: real.port });
    await closed(real);
    expect(await durations(telemetry)).toMatchObject([{ 'network.protocol.version': '2', 'error.type': '503' }]);
  });
});
