import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AlwaysOffSampler, SamplingDecision, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import type { Service } from '../../src/core/service.ts';
import { SUPPRESS_TRACING } from '../../src/telemetry/semconv.ts';
import { attemptSpanLayer, callSpanLayer } from '../../src/telemetry/span-layer.ts';
import { pair, testError } from '../support/fake-service.ts';
import { api, newCall, register, spanStack, unregister, valuesOf, w3c } from './otel.ts';

afterEach(unregister);

const CALLERS = '00-11111111111111111111111111111111-2222222222222222-01';
const endpoint = { address: '10.0.0.7:9001', host: '10.0.0.7', port: 9001 } as Endpoint;

async function answered(status: number, init: Parameters<typeof newCall>[0] = {}): Promise<void> {
  const [leaf, server] = pair();
  const reply = spanStack(leaf)(newCall(init));
  const seen = await server.next();
  seen.call.endpoint = endpoint;
  seen.reply(status);
  await reply;
  seen.end();
}

describe('spans of a call', () => {
  it('are one INTERNAL for the call and one CLIENT below it', async () => {
    const otel = register();
    await answered(200);
    const [attempt, call] = otel.spans();
    expect(otel.spans()).toHaveLength(2);
    expect(call).toMatchObject({
      name: 'mesh.call reviews',
      kind: SpanKind.INTERNAL,
      status: { code: SpanStatusCode.UNSET },
      instrumentationScope: { name: 'inmesh', version: '1.2.3', schemaUrl: 'https://opentelemetry.io/schemas/1.44.0' },
    });
    expect(call?.attributes).toEqual({
      'inmesh.service': 'reviews',
      'service.peer.name': 'reviews',
      'inmesh.route': 'mobile',
      'inmesh.destination': 'reviews/v2',
      'inmesh.attempts': 1,
      'inmesh.outcome': 'success',
    });
    expect(attempt).toMatchObject({ name: 'GET', kind: SpanKind.CLIENT, status: { code: SpanStatusCode.UNSET } });
    expect(attempt?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
    expect(attempt?.attributes).toEqual({
      'http.request.method': 'GET',
      'server.address': 'reviews.prod',
      'server.port': 8080,
      'url.full': 'http://reviews.prod:8080/api/1',
      'network.protocol.version': '1.1',
      'network.peer.address': '10.0.0.7',
      'network.peer.port': 9001,
      'http.response.status_code': 200,
    });
  });

  it('are children of the active span', async () => {
    const otel = register();
    const parent = trace.getTracer('app').startSpan('GET /page');
    await context.with(trace.setSpan(context.active(), parent), () => answered(200));
    expect(otel.named('mesh.call reviews')[0]?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(otel.named('GET')[0]?.spanContext().traceId).toBe(parent.spanContext().traceId);
  });

  it('end with the last byte, not with the head', async () => {
    const otel = register();
    const [leaf, server] = pair();
    const reply = spanStack(leaf)(newCall());
    const seen = await server.next();
    seen.reply(200);
    await reply;
    expect(otel.spans()).toHaveLength(0);
    seen.end();
    expect(otel.spans()).toHaveLength(2);
  });

  it('count the attempts, and number the repeated ones', async () => {
    const otel = register();
    const [leaf, server] = pair();
    const call = newCall();
    const reply = spanStack(leaf, { attempts: 3, protocolVersion: '2' })(call);
    for (const status of [503, 502]) (await server.next()).reply(status);
    call.retryDenied = 'budget';
    const last = await server.next();
    last.reply(200);
    await reply;
    last.end();
    const attempts = otel.named('GET');
    expect(attempts.map((span) => span.attributes['http.request.resend_count'])).toEqual([undefined, 1, 2]);
    expect(attempts.map((span) => span.attributes['http.response.status_code'])).toEqual([503, 502, 200]);
    expect(attempts.map((span) => span.attributes['error.type'])).toEqual(['503', '502', undefined]);
    expect(attempts[0]?.attributes['network.protocol.version']).toBe('2');
    const [span] = otel.named('mesh.call reviews');
    expect(span?.attributes).toMatchObject({ 'inmesh.attempts': 3, 'inmesh.retry.denied': 'budget', 'inmesh.outcome': 'success' });
    expect(new Set(attempts.map((attempt) => attempt.parentSpanContext?.spanId))).toEqual(new Set([span?.spanContext().spanId]));
    const sent = server.seen.map((seen) => valuesOf(seen.call.headers, 'traceparent'));
    expect(sent).toEqual(attempts.map((attempt) => [`00-${attempt.spanContext().traceId}-${attempt.spanContext().spanId}-01`]));
    expect(call.headers).toEqual([]);
  });

  it('work when nothing forks the call', async () => {
    const otel = register();
    const [leaf, server] = pair();
    const reply = spanStack(leaf, { attempts: 0 })(newCall());
    const seen = await server.next();
    seen.reply(204);
    await reply;
    seen.end();
    expect(otel.named('GET')[0]?.attributes['http.response.status_code']).toBe(204);
    expect(otel.named('mesh.call reviews')[0]?.attributes['inmesh.attempts']).toBe(1);
    expect(otel.spans()).toHaveLength(2);
  });

  it('tell nothing of HTTP for a function, which runs below its attempt', async () => {
    const otel = register();
    let active: string | undefined;
    const leaf: Service = (attempt) => {
      active = trace.getActiveSpan()?.spanContext().spanId;
      attempt.end({ kind: 'success', status: 200, error: null, endedAtMs: 1_001 });
      return Promise.resolve({ status: 200 } as never);
    };
    const call = newCall({ scheme: 'function', authority: 'db', method: 'CALL' });
    await spanStack(leaf)(call);
    const [attempt] = otel.named('mesh.attempt');
    expect(attempt?.kind).toBe(SpanKind.INTERNAL);
    expect(attempt?.attributes).toEqual({});
    expect(active).toBe(attempt?.spanContext().spanId);
  });
});

describe('status of spans', () => {
  it.each([
    [200, SpanStatusCode.UNSET, undefined, SpanStatusCode.UNSET, undefined],
    [302, SpanStatusCode.UNSET, undefined, SpanStatusCode.UNSET, undefined],
    [404, SpanStatusCode.ERROR, '404', SpanStatusCode.UNSET, undefined],
    [500, SpanStatusCode.ERROR, '500', SpanStatusCode.ERROR, '500'],
  ])('%i', async (status, attemptCode, attemptError, callCode, callError) => {
    const otel = register();
    await answered(status);
    const [attempt, call] = otel.spans();
    expect([attempt?.status.code, attempt?.attributes['error.type']]).toEqual([attemptCode, attemptError]);
    expect([call?.status.code, call?.attributes['error.type']]).toEqual([callCode, callError]);
  });

  it.each(['connect_failed', 'connection_lost', 'attempt_timeout', 'overloaded', 'circuit_open'] as const)(
    '%s is an error',
    async (code) => {
      const otel = register();
      const [leaf, server] = pair();
      const reply = spanStack(leaf)(newCall());
      (await server.next()).fail(testError(code));
      await expect(reply).rejects.toMatchObject({ code });
      expect(otel.spans()).toHaveLength(2);
      for (const span of otel.spans()) {
        expect(span.attributes['error.type']).toBe(code);
        expect(span.status.code).toBe(SpanStatusCode.ERROR);
        expect(span.status.message).not.toContain('played by the test');
      }
    },
  );

  it('stays unset when the caller aborts', async () => {
    const otel = register();
    const [leaf, server] = pair();
    const call = newCall();
    const reply = spanStack(leaf)(call);
    await server.next();
    call.cancel(new Error('gone'));
    await expect(reply).rejects.toMatchObject({ code: 'canceled' });
    expect(otel.spans()).toHaveLength(2);
    for (const span of otel.spans()) {
      expect(span.status.code).toBe(SpanStatusCode.UNSET);
      expect(span.attributes).not.toHaveProperty('error.type');
    }
    expect(otel.named('mesh.call reviews')[0]?.attributes['inmesh.outcome']).toBe('ignored');
  });

  it('has status and error when the body breaks off', async () => {
    const otel = register();
    const [leaf, server] = pair();
    const reply = spanStack(leaf)(newCall());
    const seen = await server.next();
    seen.reply(200);
    await reply;
    seen.fail(testError('connection_lost'));
    expect(otel.named('GET')[0]?.attributes).toMatchObject({ 'http.response.status_code': 200, 'error.type': 'connection_lost' });
  });
});

describe('secrets', () => {
  it('appear in no span', async () => {
    const otel = register();
    const secret = 'c4n4ry';
    await answered(503, {
      authority: `user:${secret}@reviews.prod:8080`,
      path: `/api?sig=${secret}&X-Amz-Credential=${secret}&page=2`,
      headers: ['authorization', `Bearer ${secret}`, 'cookie', `id=${secret}`],
    });
    const text = JSON.stringify(otel.spans().map(({ name, attributes, status, events }) => ({ name, attributes, status, events })));
    expect(text).not.toContain(secret);
    expect(text).toContain('REDACTED:REDACTED@reviews.prod:8080/api?sig=REDACTED&X-Amz-Credential=REDACTED&page=2');
    expect(otel.named('GET')[0]?.attributes['server.address']).toBe('reviews.prod');
  });
});

describe('sampling', () => {
  it('forwards an unsampled parent without a span of its own', async () => {
    const otel = register();
    const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 0 };
    const [leaf, server] = pair();
    const reply = context.with(trace.setSpanContext(context.active(), parent), () => spanStack(leaf, { attempts: 2 })(newCall()));
    (await server.next()).reply(503);
    (await server.next()).reply(200);
    (await reply).discard();
    expect(otel.spans()).toHaveLength(0);
    for (const seen of server.seen) {
      expect(valuesOf(seen.call.headers, 'traceparent')).toEqual([`00-${parent.traceId}-${parent.spanId}-00`]);
    }
  });

  it('leaves the traceparent of a caller who has no recording span', async () => {
    register({ sampler: new AlwaysOffSampler() });
    const [leaf, server] = pair();
    const headers = ['TraceParent', CALLERS, 'x', '1'];
    void spanStack(leaf)(newCall({ headers }));
    expect((await server.next()).call.headers).toEqual(['TraceParent', CALLERS, 'x', '1']);
  });

  it('replaces the traceparent of a caller who has one', async () => {
    register();
    const [leaf, server] = pair();
    const parent = trace.getTracer('app').startSpan('GET /page');
    const headers = ['TraceParent', CALLERS, 'x', '1'];
    void context.with(trace.setSpan(context.active(), parent), () => spanStack(leaf)(newCall({ headers })));
    const sent = valuesOf((await server.next()).call.headers, 'traceparent');
    expect(sent).toHaveLength(1);
    expect(sent[0]).toContain(parent.spanContext().traceId);
    expect(headers).toEqual(['TraceParent', CALLERS, 'x', '1']);
  });

  it('follows a ratio: all spans of a call or none', async () => {
    const otel = register({ sampler: new TraceIdRatioBasedSampler(0.5) });
    const [leaf, server] = pair();
    const flags: string[] = [];
    for (let i = 0; i < 200; i++) {
      const reply = spanStack(leaf)(newCall());
      const seen = await server.next();
      flags.push((valuesOf(seen.call.headers, 'traceparent')[0] as string).slice(-2));
      seen.reply(200);
      await reply;
      seen.end();
    }
    const sampled = flags.filter((flag) => flag === '01').length;
    expect(sampled).toBeGreaterThan(50);
    expect(sampled).toBeLessThan(150);
    expect(otel.named('GET')).toHaveLength(sampled);
    expect(otel.named('mesh.call reviews')).toHaveLength(sampled);
    expect(flags.filter((flag) => flag === '00')).toHaveLength(200 - sampled);
  });

  it('is asked once for a call that is not recorded, however often it is tried', async () => {
    let asked = 0;
    const sampler = {
      shouldSample() {
        asked++;
        return { decision: SamplingDecision.NOT_RECORD };
      },
      toString: () => 'counting',
    };
    register({ sampler });
    const [leaf, server] = pair();
    const reply = spanStack(leaf, { attempts: 2 })(newCall());
    (await server.next()).reply(503);
    (await server.next()).reply(200);
    (await reply).discard();
    expect(asked).toBe(1);
    const sent = server.seen.map((seen) => valuesOf(seen.call.headers, 'traceparent')[0]);
    expect(sent[0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(sent[1]).toBe(sent[0]);
  });

  it('does nothing in a context whose tracing is suppressed', async () => {
    const otel = register();
    const [leaf, server] = pair();
    const call = newCall({ headers: ['traceparent', CALLERS] });
    const reply = context.with(context.active().setValue(SUPPRESS_TRACING, true), () => spanStack(leaf)(call));
    const seen = await server.next();
    expect(seen.call.headers).toEqual(['traceparent', CALLERS]);
    seen.reply(200);
    (await reply).discard();
    expect(otel.spans()).toHaveLength(0);
    expect(call.span).toBeNull();
  });
});

describe('providers', () => {
  it('may be registered after the mesh was made', async () => {
    const [leaf, server] = pair();
    const stack = spanStack(leaf);
    const before = newCall();
    const first = stack(before);
    (await server.next()).reply(200);
    (await first).discard();
    expect(before.span).toBeNull();
    expect(server.seen[0]?.call.headers).toEqual([]);

    const otel = register();
    const second = stack(newCall());
    (await server.next()).reply(200);
    (await second).discard();
    expect(otel.spans()).toHaveLength(2);
    expect(valuesOf(server.seen[1]?.call.headers ?? [], 'traceparent')).toHaveLength(1);
  });

  it('may be replaced', async () => {
    const [leaf, server] = pair();
    const stack = spanStack(leaf);
    for (let i = 0; i < 2; i++) {
      const otel = register();
      const reply = stack(newCall());
      (await server.next()).reply(200);
      (await reply).discard();
      expect(otel.spans()).toHaveLength(2);
      unregister();
    }
  });

  it('get spans without a propagator, but no header', async () => {
    const otel = register({ propagator: null });
    const [leaf, server] = pair();
    const reply = spanStack(leaf)(newCall());
    (await server.next()).reply(200);
    (await reply).discard();
    expect(otel.spans()).toHaveLength(2);
    expect(server.seen[0]?.call.headers).toEqual([]);
  });

  it('that throw break no call', async () => {
    const broken = { onStart: () => fail(), onEnd: () => fail(), forceFlush: () => Promise.resolve(), shutdown: () => Promise.resolve() };
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [broken] }));
    propagation.setGlobalPropagator(w3c());
    const [leaf, server] = pair();
    const reply = spanStack(leaf)(newCall());
    const seen = await server.next();
    seen.reply(200);
    expect((await reply).status).toBe(200);
    seen.end();
  });

  it('are not asked when spans are off, or the API is not installed', async () => {
    const otel = register();
    const [leaf, server] = pair();
    const reply = spanStack(leaf, { spans: 'off' })(newCall());
    const seen = await server.next();
    seen.reply(200);
    (await reply).discard();
    expect(otel.spans()).toHaveLength(0);
    expect(seen.call.headers).toEqual([]);
    for (const deps of [
      { api: null, service: 'reviews', version: '1' },
      { api, service: 'reviews', version: '1', spans: 'off' as const },
    ]) {
      expect(callSpanLayer(deps)(leaf)).toBe(leaf);
      expect(attemptSpanLayer(deps)(leaf)).toBe(leaf);
    }
  });
});

function fail(): never {
  throw new Error('broken processor');
}
