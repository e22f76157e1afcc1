// Puts the trace context of an attempt into its headers, exactly once: what an earlier hop or attempt left there goes.
// The propagator that the application registered decides on the names; without one nothing is written, as everywhere
// in OpenTelemetry.
import { headerOf } from '../core/call.ts';
import type { Context, TextMapPropagator, TextMapSetter } from './api.ts';

const PAIRS: TextMapSetter<string[]> = {
  set(pairs, name, value): void {
    pairs.push(name.toLowerCase(), value);
  },
};

const TRACE_HEADERS: readonly string[] = ['traceparent', '', 'tracestate', ''];

/** Whether one of the pairs `others` has this name. */
function isAmong(name: string, others: readonly string[]): boolean {
  for (let i = 0; i < others.length; i += 2) {
    const other = others[i] as string;
    if (other.length === name.length && (other === name || other === name.toLowerCase())) return true;
  }
  return false;
}

function clash(headers: readonly string[], added: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (isAmong(name, added) || isAmong(name, TRACE_HEADERS)) return true;
  }
  return false;
}

/**
 * New flat pairs with the context in them; the old array when there is nothing to write. A `traceparent` that the caller
 * wrote stays when `keepsCallers`, its `baggage` always.
 */
export function injectContext(headers: string[], context: Context, propagator: TextMapPropagator, keepsCallers: boolean): string[] {
  const added: string[] = [];
  propagator.inject(context, added, PAIRS);
  if (added.length === 0) return headers;
  if (!clash(headers, added)) return headers.concat(added);
  if (keepsCallers && headerOf(headers, 'traceparent') !== undefined) return headers;
  const callersBaggage = headerOf(headers, 'baggage') !== undefined;
  const out: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (isAmong(name, TRACE_HEADERS) || (isAmong(name, added) && name.toLowerCase() !== 'baggage')) continue;
    out.push(name, headers[i + 1] as string);
  }
  for (let i = 0; i < added.length; i += 2) {
    const name = added[i] as string;
    if (name !== 'baggage' || !callersBaggage) out.push(name, added[i + 1] as string);
  }
  return out;
}
