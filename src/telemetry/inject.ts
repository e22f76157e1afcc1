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

function has(pairs: readonly string[], name: string): boolean {
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return true;
  return false;
}

function isReplaced(name: string, added: readonly string[]): boolean {
  const lower = name.toLowerCase();
  if (lower === 'baggage') return false;
  return lower === 'traceparent' || lower === 'tracestate' || has(added, lower);
}

/**
 * New flat pairs with the context in them; the old array when there is nothing to write. A `traceparent` that the caller
 * wrote stays when `keepsCallers`, its `baggage` always.
 */
export function injectContext(headers: string[], context: Context, propagator: TextMapPropagator, keepsCallers: boolean): string[] {
  if (keepsCallers && headerOf(headers, 'traceparent') !== undefined) return headers;
  const added: string[] = [];
  propagator.inject(context, added, PAIRS);
  if (added.length === 0) return headers;
  const out: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!isReplaced(name, added)) out.push(name, headers[i + 1] as string);
  }
  const callersBaggage = headerOf(headers, 'baggage') !== undefined;
  for (let i = 0; i < added.length; i += 2) {
    const name = added[i] as string;
    if (name !== 'baggage' || !callersBaggage) out.push(name, added[i + 1] as string);
  }
  return out;
}
