// Which trace the demo prints: one that is all there.
import { expect, it } from 'vitest';
import type { SpanRecord } from '../../examples/bookinfo/messages.ts';
import { retriedTrace, Traces } from '../../examples/bookinfo/trace-tree.ts';

/** `process kind [resend count]`, each below the one before. */
function trace(traceId: string, ...lines: readonly string[]): SpanRecord[] {
  return lines.map((line, index) => {
    const [process, kind, resent] = line.split(' ') as [string, SpanRecord['kind'], string?];
    const attributes = resent === undefined ? {} : { 'http.request.resend_count': Number(resent) };
    const parentId = index === 0 ? '' : `${traceId}${index - 1}`;
    return {
      traceId,
      spanId: `${traceId}${index}`,
      parentId,
      process,
      kind,
      name: line,
      attributes,
      isError: false,
      startMs: index,
      durationMs: 1,
    } as SpanRecord;
  });
}

const WHOLE = ['page server', 'page client 1', 'reviews server', 'reviews client', 'details server', 'details client', 'ratings server'];

it('is whole: the answer of the last service has come, too', () => {
  const traces = new Traces(10);
  const whole = trace('a', ...WHOLE);
  traces.add(whole);
  traces.add(trace('b', ...WHOLE.with(4, 'more server'), 'ratings client'));
  expect(retriedTrace(traces)).toEqual(whole);
});

it('is none when no attempt came after another', () => {
  const traces = new Traces(10);
  traces.add(trace('a', ...WHOLE.with(1, 'page client')));
  expect(retriedTrace(traces)).toBeNull();
});
