import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import type { TextMapPropagator } from '../../src/telemetry/api.ts';
import { injectContext } from '../../src/telemetry/inject.ts';
import { w3c } from './otel.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const OURS = `00-${TRACE}-${SPAN}-01`;
const THEIRS = '00-11111111111111111111111111111111-2222222222222222-01';
const context = trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE, spanId: SPAN, traceFlags: 1 });
const withBaggage = propagation.setBaggage(context, propagation.createBaggage({ tenant: { value: 'a' } }));
const b3: TextMapPropagator = {
  inject: (_context, carrier, setter) => setter.set(carrier, 'B3', 'ours'),
  extract: (extracted) => extracted,
  fields: () => ['b3'],
};

describe('injectContext', () => {
  it.each([
    ['nothing there', ['a', '1'], false, ['a', '1', 'traceparent', OURS]],
    ['one of the caller', ['TraceParent', THEIRS, 'a', '1', 'tracestate', 'x=y'], false, ['a', '1', 'traceparent', OURS]],
    ['two of the caller', ['traceparent', THEIRS, 'TRACEPARENT', THEIRS], false, ['traceparent', OURS]],
    ['a tracestate without its traceparent', ['a', '1', 'TraceState', 'x=y'], false, ['a', '1', 'traceparent', OURS]],
    ['the caller knows better', ['TraceParent', THEIRS, 'a', '1'], true, ['TraceParent', THEIRS, 'a', '1']],
    ['the caller says nothing', ['a', '1'], true, ['a', '1', 'traceparent', OURS]],
  ])('%s', (_case, headers, keepsCallers, expected) => {
    const before = [...headers];
    expect(injectContext(headers, context, w3c(), keepsCallers)).toEqual(expected);
    expect(headers).toEqual(before);
  });

  it('writes baggage, but never over that of the caller', () => {
    expect(injectContext([], withBaggage, w3c(), false)).toEqual(['traceparent', OURS, 'baggage', 'tenant=a']);
    expect(injectContext(['Baggage', 'mine=1'], withBaggage, w3c(), false)).toEqual(['Baggage', 'mine=1', 'traceparent', OURS]);
  });

  it('obeys a propagator of another kind', () => {
    expect(injectContext(['b3', 'old', 'traceparent', THEIRS, 'x', '1'], context, b3, false)).toEqual(['x', '1', 'b3', 'ours']);
  });

  it('gives the same array back when there is nothing to write', () => {
    const headers = ['traceparent', THEIRS];
    expect(injectContext(headers, ROOT_CONTEXT, w3c(), false)).toBe(headers);
  });
});
