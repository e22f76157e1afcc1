// Beside `@opentelemetry/instrumentation-undici`, over a real loopback server: one span, one traceparent, whoever is the leaf.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { trace } from '@opentelemetry/api';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fetch as undiciFetch, Pool } from 'undici';
import type { Call, Reply } from '../../src/core/call.ts';
import type { Service } from '../../src/core/service.ts';
import { measuresRequests, reportsHttpMetrics, seesRequests } from '../../src/telemetry/undici-listeners.ts';
import { newCall, register, spanStack, unregister } from './otel.ts';

let server: Server;
let origin = '';
let pool: Pool;
const received: IncomingMessage[] = [];
const instrumentation = new UndiciInstrumentation();
instrumentation.disable();

beforeAll(async () => {
  server = createServer((incoming, outgoing) => {
    received.push(incoming);
    outgoing.statusCode = incoming.url === '/flaky' && received.length < 3 ? 503 : 200;
    outgoing.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  pool = new Pool(origin);
});

afterAll(async () => {
  await pool.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

afterEach(() => {
  instrumentation.disable();
  unregister();
  received.length = 0;
});

function headersOf(call: Call): [string, string][] {
  return call.headers.flatMap((name, i) => (i % 2 === 0 ? [[name, call.headers[i + 1] as string] as [string, string]] : []));
}

/** A leaf that reads the answer whole, and ends the attempt. */
function leafOf(request: (call: Call) => Promise<number>): Service {
  return async (call) => {
    const status = await request(call);
    const end = (): void => call.end({ kind: status >= 500 ? 'failure' : 'success', status, error: null, endedAtMs: 1_001 });
    end();
    return { status, discard: () => {} } as Reply;
  };
}

const LEAVES: readonly [string, Service][] = [
  [
    'Pool.request',
    leafOf(async (call) => {
      const { statusCode, body } = await pool.request({ path: call.path, method: call.method as 'GET', headers: call.headers });
      await body.dump();
      return statusCode;
    }),
  ],
  [
    'built-in fetch',
    leafOf(async (call) => {
      const response = await fetch(`${origin}${call.path}`, { headers: headersOf(call) });
      await response.arrayBuffer();
      return response.status;
    }),
  ],
  [
    'fetch of undici',
    leafOf(async (call) => {
      const response = await undiciFetch(`${origin}${call.path}`, { dispatcher: pool, headers: headersOf(call) });
      await response.arrayBuffer();
      return response.status;
    }),
  ],
];

function traceparents(incoming: IncomingMessage): string[] {
  return incoming.rawHeaders.filter((_, i) => i % 2 === 1 && incoming.rawHeaders[i - 1]?.toLowerCase() === 'traceparent');
}

describe.each(LEAVES)('%s', (_name, leaf) => {
  it.each([false, true])('makes one span and one traceparent per attempt (instrumented: %s)', async (instrumented) => {
    const otel = register();
    if (instrumented) enable();
    await spanStack(leaf, { attempts: 3 })(newCall({ path: '/flaky' }));
    expect(otel.spans().map((span) => `${span.instrumentationScope.name} ${span.name}`)).toEqual([
      'inmesh GET',
      'inmesh GET',
      'inmesh GET',
      'inmesh mesh.call reviews',
    ]);
    expect(received.map(traceparents)).toEqual(
      otel.named('GET').map((span) => [`00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`]),
    );
  });

  it('has a second span when the mesh makes none', async () => {
    const otel = register();
    enable();
    await spanStack(leaf, { spans: 'off' })(newCall());
    expect(otel.spans().map((span) => span.instrumentationScope.name)).toEqual(['@opentelemetry/instrumentation-undici']);
    expect(received.map(traceparents)).toEqual([[expect.stringContaining(otel.spans()[0]?.spanContext().spanId ?? '-')]]);
  });
});

describe('listeners', () => {
  it('are seen while they are there', () => {
    expect([seesRequests(), measuresRequests(), reportsHttpMetrics('auto')]).toEqual([false, false, true]);
    enable();
    expect([seesRequests(), measuresRequests(), reportsHttpMetrics('auto')]).toEqual([true, true, false]);
    expect([reportsHttpMetrics(true), reportsHttpMetrics(false)]).toEqual([true, false]);
    instrumentation.disable();
    expect([seesRequests(), measuresRequests(), reportsHttpMetrics('auto')]).toEqual([false, false, true]);
  });
});

/** The instrumentation holds a tracer; give it the one of this test. */
function enable(): void {
  instrumentation.setTracerProvider(trace.getTracerProvider());
  instrumentation.setConfig({ enabled: true });
  instrumentation.enable();
}
