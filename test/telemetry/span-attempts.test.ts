// `spans: 'attempts'`: no span for the call, so that a call of one attempt has one span, which says what the call's would have said.
import { context, SpanKind, trace } from '@opentelemetry/api';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import { pair } from '../support/fake-service.ts';
import { newCall, type Otel, type OtelOptions, register, spanStack, unregister, valuesOf } from './otel.ts';

afterEach(unregister);

const endpoint = { address: '10.0.0.7:9001', host: '10.0.0.7', port: 9001 } as Endpoint;

interface Sent {
  readonly otel: Otel;
  /** `traceparent` of each attempt. */
  readonly parents: readonly string[];
}

/** One call, answered with these statuses in turn, below a span of the application or below none. */
async function sent(statuses: readonly number[], attempts: number, isBelow: boolean, options: OtelOptions = {}): Promise<Sent> {
  const otel = register(options);
  const app = trace.getTracer('app').startSpan('GET /page');
  const [leaf, server] = pair();
  const stack = spanStack(leaf, { attempts, spans: 'attempts' });
  const reply = isBelow ? context.with(trace.setSpan(context.active(), app), () => stack(newCall())) : stack(newCall());
  const parents: string[] = [];
  for (const status of statuses) {
    const seen = await server.next();
    seen.call.endpoint = endpoint;
    parents.push(...valuesOf(seen.call.headers, 'traceparent'));
    seen.reply(status);
    seen.end();
  }
  await reply;
  app.end();
  return { otel, parents };
}

describe.each([
  ['not forked', 0],
  ['forked', 1],
])('one attempt, %s', (_, attempts) => {
  it('has one span, a child of the active one, with the way of the call', async () => {
    const { otel, parents } = await sent([200], attempts, true);
    const [span, app] = otel.spans();
    expect(otel.spans()).toHaveLength(2);
    expect(span).toMatchObject({ name: 'GET', kind: SpanKind.CLIENT });
    expect(span?.parentSpanContext?.spanId).toBe(app?.spanContext().spanId);
    expect(span?.attributes).toEqual({
      'http.request.method': 'GET',
      'server.address': 'reviews.prod',
      'server.port': 8080,
      'url.full': 'http://reviews.prod:8080/api/1',
      'network.protocol.version': '1.1',
      'network.peer.address': '10.0.0.7',
      'network.peer.port': 9001,
      'http.response.status_code': 200,
      'inmesh.service': 'reviews',
      'inmesh.route': 'mobile',
      'inmesh.destination': 'reviews/v2',
    });
    const { traceId, spanId } = span?.spanContext() ?? { traceId: '', spanId: '' };
    expect(parents).toEqual([`00-${traceId}-${spanId}-01`]);
  });

  it('is a trace of its own below none', async () => {
    const { otel } = await sent([200], attempts, false);
    expect(otel.named('GET')).toHaveLength(1);
    expect(otel.named('GET')[0]?.parentSpanContext).toBeUndefined();
  });

  it('has none when it is not sampled, and hands the context on', async () => {
    const { otel, parents } = await sent([200], attempts, true, { sampler: new AlwaysOffSampler() });
    expect(otel.spans()).toHaveLength(0);
    expect(parents).toEqual([expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)]);
  });
});

it('attempts of one call are siblings, told apart by their number', async () => {
  const { otel } = await sent([503, 200], 2, true);
  const spans = otel.named('GET');
  const app = otel.named('GET /page')[0]?.spanContext().spanId;
  expect(spans.map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([undefined, 1]);
  expect(spans.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([app, app]);
});

it('an attempt that was not sampled at the root hands on its own context', async () => {
  const { otel, parents } = await sent([200], 1, false, { sampler: new AlwaysOffSampler() });
  expect(otel.spans()).toHaveLength(0);
  expect(parents).toEqual([expect.stringMatching(/-00$/)]);
});
