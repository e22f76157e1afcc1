import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { INVALID_TRACEID, metrics, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { hasMeter, hasTracer, registry, telemetryApi, tracerSource } from '../../src/telemetry/api.ts';
import { newCall, register, spanStack, unregister } from './otel.ts';

const REGISTRY = Symbol.for('opentelemetry.js.api.1');
const globals = globalThis as { [REGISTRY]?: unknown };

afterEach(unregister);

describe('registry', () => {
  it('notices what is registered, and what is taken away', () => {
    expect([hasTracer(), hasMeter()]).toEqual([false, false]);
    register();
    expect([hasTracer(), hasMeter()]).toEqual([true, false]);
    metrics.setGlobalMeterProvider({ getMeter: () => ({}) as never });
    expect([hasTracer(), hasMeter()]).toEqual([true, true]);
    unregister();
    expect([hasTracer(), hasMeter()]).toEqual([false, false]);
  });

  it('sees the registrations of an older copy of the API, which the facade of a newer one refuses', () => {
    const kept = globals[REGISTRY];
    const otel = register();
    const registered = { ...registry(), version: '1.4.1' };
    unregister();
    try {
      globals[REGISTRY] = registered;
      expect(trace.getTracer('app').startSpan('facade').isRecording()).toBe(false);
      expect(hasTracer()).toBe(true);
      const call = newCall();
      void spanStack(() => new Promise(() => {}))(call);
      call.end({ kind: 'success', status: 200, error: null, endedAtMs: 1_001 });
      expect(otel.named('mesh.call reviews')).toHaveLength(1);
    } finally {
      globals[REGISTRY] = kept;
    }
  });
});

describe('tracerSource', () => {
  it('asks a provider once', () => {
    const asked: unknown[][] = [];
    const provider = (name: string) => ({
      getTracer: (...given: unknown[]) => {
        asked.push([name, ...given]);
        return { name } as never;
      },
    });
    const [a, b] = [provider('a'), provider('b')];
    const tracerOf = tracerSource('1.2.3');
    expect(tracerOf(a)).toBe(tracerOf(a));
    expect(tracerOf(b)).toMatchObject({ name: 'b' });
    expect(asked.map((given) => given.slice(0, 3))).toEqual([
      ['a', 'inmesh', '1.2.3'],
      ['b', 'inmesh', '1.2.3'],
    ]);
  });
});

describe('telemetryApi', () => {
  const KEY = Symbol.for('of ours');
  const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 });

  it.each([
    ['a context of the API', ROOT_CONTEXT],
    ['its own', telemetryApi.ROOT_CONTEXT],
  ])('puts a span into %s where every copy of the API finds it', (_, root) => {
    const made = telemetryApi.trace.setSpan(root.setValue(KEY, 'kept'), span);
    expect(trace.getSpan(made)).toBe(span);
    expect(made.getValue(KEY)).toBe('kept');
    expect([telemetryApi.trace.getSpan(root), root.getValue(KEY)]).toEqual([undefined, undefined]);
  });

  it('finds the span that the API has put into a context', () => {
    expect(telemetryApi.trace.getSpan(trace.setSpan(ROOT_CONTEXT, span))).toBe(span);
    expect(telemetryApi.trace.getSpan(trace.setSpan(telemetryApi.ROOT_CONTEXT, span))).toBe(span);
    expect(telemetryApi.INVALID_TRACEID).toBe(INVALID_TRACEID);
  });

  it('forgets a value of a context, and only in the new one', () => {
    const held = telemetryApi.ROOT_CONTEXT.setValue(KEY, 1);
    expect([held.deleteValue(KEY).getValue(KEY), held.getValue(KEY)]).toEqual([undefined, 1]);
  });

  it('is there when the peer is not installed, and sees no provider', async () => {
    const refuse = `export const resolve = (s, c, next) => { if (s === '@opentelemetry/api') throw new Error('not installed'); return next(s, c); };`;
    const script = `
      import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(refuse)}));
      const { telemetryApi, hasTracer } = await import(${JSON.stringify(new URL('../../src/telemetry/api.ts', import.meta.url).href)});
      console.log(typeof telemetryApi.ROOT_CONTEXT, hasTracer());`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', '--input-type=module', '-e', script]);
    expect(stdout.trim()).toBe('object false');
  });
});
