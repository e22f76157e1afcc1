// Whether what belongs to a call can be collected when the call is over: its answer, its signal, what it put on a signal that lives
// longer, and the sockets of a mesh that is closed. Weak references tell; the heap alone cannot say what it holds.
import { channel } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import type { LeakKind, ProbeOrder, ProbeReport, ProbeResult } from './leak-gates.ts';
import { LEAK_KINDS } from './leak-gates.ts';
import { loadLibrary } from './library.ts';

type Mesh = Awaited<ReturnType<Awaited<ReturnType<typeof loadLibrary>>['createMesh']>>;

const TIMEOUT_MS = 80;

const PATHS: Readonly<Record<LeakKind, string>> = {
  success: '/ok',
  http2: '/ok',
  retry: '/retry',
  abort: '/hang',
  timeout: '/hang',
  mirror: '/ok',
  unread: '/large',
};

interface Traces {
  readonly answers: WeakRef<object>[];
  readonly signals: WeakRef<object>[];
}

/** One call, of which only weak references stay. */
async function trace(mesh: Mesh, kind: LeakKind, { answers, signals }: Traces, lasting: AbortSignal): Promise<void> {
  const controller = new AbortController();
  const origin = `http://${kind === 'mirror' || kind === 'http2' ? kind : 'items'}`;
  // Every other call is under the signal that outlives it.
  const isOwn = kind === 'abort' || answers.length % 2 === 0;
  const { signal } = isOwn ? controller : { signal: lasting };
  signals.push(new WeakRef(controller.signal));
  if (kind === 'abort') setTimeout(() => controller.abort(), 2);
  try {
    const response = await mesh.fetch(origin + PATHS[kind], { signal });
    answers.push(new WeakRef(response));
    if (kind !== 'unread') await response.arrayBuffer();
  } catch (error) {
    answers.push(new WeakRef(error as object));
  }
}

const alive = (refs: readonly WeakRef<object>[]): number => refs.filter((ref) => ref.deref() !== undefined).length;

export async function probe({ ports, calls }: ProbeOrder, settle: () => Promise<unknown>): Promise<ProbeReport> {
  const { createMesh } = await loadLibrary();
  const sockets: WeakRef<object>[] = [];
  channel('undici:client:connected').subscribe((message) => sockets.push(new WeakRef((message as { socket: Socket }).socket)));
  const items = {
    endpoints: ports.map((port) => `127.0.0.1:${port}`),
    timeout: TIMEOUT_MS,
    circuitBreaker: false as const,
    outlierDetection: false as const,
    retries: { attempts: 1, backoff: { base: 1, max: 1 } },
    retryBudget: { tokens: 100_000 },
  };
  const mirror = { ...items, routes: [{ to: 'mirror', mirror: { to: 'items' } }] };
  const http2 = { ...items, protocol: 'http2' as const };
  let mesh: Mesh | null = await createMesh({ config: { services: { items, mirror, http2 } } });
  const lasting = new AbortController();
  const kinds: ProbeResult[] = [];
  for (const kind of LEAK_KINDS) {
    const traces: Traces = { answers: [], signals: [] };
    for (let i = 0; i < calls; i++) await trace(mesh, kind, traces, lasting.signal);
    // The answer that nobody reads ends with its deadline.
    await new Promise((resolve) => setTimeout(resolve, 2 * TIMEOUT_MS));
    await settle();
    const listeners = getEventListeners(lasting.signal, 'abort').length;
    kinds.push({ kind, answers: alive(traces.answers), signals: alive(traces.signals), listeners });
  }
  await mesh.close();
  mesh = null;
  await settle();
  await settle();
  return { kinds, sockets: alive(sockets), socketsSeen: sockets.length };
}
