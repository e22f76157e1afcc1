// One call as a tree, from the spans that the processes sent: who called whom, what was tried again, how long it took.
import type { SpanRecord } from './messages.ts';

/** The last traces, by id. */
export class Traces {
  readonly #byTrace: Map<string, SpanRecord[]> = new Map();
  readonly #tracesMax: number;

  constructor(tracesMax: number) {
    this.#tracesMax = tracesMax;
  }

  add(spans: readonly SpanRecord[]): void {
    for (const span of spans) {
      const trace = this.#byTrace.get(span.traceId);
      if (trace !== undefined) trace.push(span);
      else this.#byTrace.set(span.traceId, [span]);
    }
    for (const traceId of this.#byTrace.keys()) {
      if (this.#byTrace.size <= this.#tracesMax) return;
      this.#byTrace.delete(traceId);
    }
  }

  values(): Iterable<SpanRecord[]> {
    return this.#byTrace.values();
  }
}

/** A complete trace through three services in which an attempt failed, another came after, and all ended well. */
export function retriedTrace(traces: Traces): SpanRecord[] | null {
  let best: SpanRecord[] | null = null;
  for (const spans of traces.values()) {
    const ids = new Set(spans.map((span) => span.spanId));
    const roots = spans.filter((span) => !ids.has(span.parentId));
    const services = new Set(spans.filter((span) => span.kind === 'server').map((span) => span.process));
    const retried = spans.some((span) => span.kind === 'client' && Number(span.attributes['http.request.resend_count'] ?? 0) > 0);
    if (roots.length !== 1 || roots[0]?.kind !== 'server' || roots[0].isError || services.size < 4 || !retried) continue;
    // Processes send their spans one after the other: what was answered without a span of who answered is not all there yet.
    const parents = new Set(spans.map((span) => span.parentId));
    if (spans.some((span) => !parents.has(span.spanId) && span.kind !== 'server' && !span.isError)) continue;
    best = spans;
  }
  return best;
}

export function traceTree(spans: readonly SpanRecord[], nameOf: (address: string) => string): string[] {
  const ids = new Set(spans.map((span) => span.spanId));
  const childrenOf = (id: string): SpanRecord[] =>
    spans.filter((span) => (id === '' ? !ids.has(span.parentId) : span.parentId === id)).sort((a, b) => a.startMs - b.startMs);
  const rows: { readonly text: string; readonly span: SpanRecord }[] = [];
  const walk = (parent: string, indent: string): void => {
    const children = childrenOf(parent);
    children.forEach((span, index) => {
      const isLast = index === children.length - 1;
      const isRoot = parent === '';
      rows.push({ text: `${indent}${isRoot ? '' : isLast ? '└─ ' : '├─ '}${labelOf(span, nameOf)}`, span });
      walk(span.spanId, `${indent}${isRoot ? '' : isLast ? '   ' : '│  '}`);
    });
  };
  walk('', '');
  const width = Math.max(...rows.map((row) => row.text.length)) + 2;
  return rows.map(({ text, span }) => `${text.padEnd(width)}${span.durationMs.toFixed(1).padStart(7)} ms`);
}

function labelOf(span: SpanRecord, nameOf: (address: string) => string): string {
  const { attributes } = span;
  const status = String(attributes['http.response.status_code'] ?? attributes['rpc.status_code'] ?? attributes['error.type'] ?? '');
  const isRpc = attributes['rpc.system.name'] !== undefined;
  if (span.kind === 'server')
    return `${span.process} serves ${isRpc ? span.name : `${span.name} ${attributes['url.path'] ?? ''}`}  ${status}`;
  // The client's span is the call for gRPC, and one attempt for HTTP: so says OpenTelemetry.
  if (span.kind === 'client' && isRpc) return `gRPC ${span.name}  ${status}`;
  if (span.kind === 'client' || span.name.startsWith('Attempt.')) {
    const before = attributes['http.request.resend_count'] ?? attributes['previous-rpc-attempts'] ?? 0;
    const address = `${attributes['network.peer.address'] ?? ''}:${attributes['network.peer.port'] ?? ''}`;
    return `attempt ${Number(before) + 1} to ${nameOf(address)}  ${status}`;
  }
  const drawn = attributes['inmesh.subset'];
  return drawn === undefined ? span.name : `${span.name}, ${drawn} drawn`;
}
