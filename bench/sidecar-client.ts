// The near side of a row beside sidecars: sets its caller up once, then makes calls in a closed or an open loop when it is told to,
// and says how long they took and what they cost this process.
import { Worker } from 'node:worker_threads';
import { loadLibrary } from './library.ts';
import { BODY_BYTES } from './protocol.ts';
import type { PaceOrder } from './sidecar-pacer.ts';
import type { Load } from './sidecar-rows.ts';
import type { TlsFiles } from './sidecar-certificates.ts';

export interface ClientSetup {
  readonly port: number;
  readonly isMeshed: boolean;
  readonly tls: TlsFiles | null;
  /** SPIFFE ID that the server must show. */
  readonly serverId: string;
  readonly warmUpCalls: number;
}

export interface ClientOrder extends Load {
  readonly forMs: number;
}

export interface ClientResult {
  readonly calls: number;
  readonly failures: number;
  readonly seconds: number;
  readonly cpuUs: number;
  readonly rssBytes: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

const LATENCIES_MAX = 200_000;
const latenciesMs = new Float64Array(LATENCIES_MAX);
let calls = 0;
let failures = 0;
let firstFailure: unknown;
let pacer: Worker | null = null;

type Undici = typeof import('undici');
let call: () => Promise<void>;

async function setUp({ port, isMeshed, tls, serverId }: ClientSetup): Promise<() => Promise<void>> {
  const { request }: Undici = await import('undici');
  let url = `http://127.0.0.1:${port}/item?id=1`;
  let options: NonNullable<Parameters<Undici['request']>[1]> = {};
  if (isMeshed) {
    const { createMesh } = await loadLibrary();
    const secure = tls === null ? {} : { tls: { mode: 'mutual' as const, subjectAltNames: [serverId] } };
    const identity = tls === null ? {} : { identity: { cert: tls.cert, key: tls.key, ca: tls.ca } };
    const services = { items: { endpoints: [`127.0.0.1:${port}`], ...secure } };
    const mesh = await createMesh({ config: { ...identity, services } });
    await mesh.ready();
    options = { dispatcher: mesh.dispatcher };
    url = 'http://items/item?id=1';
  }
  return async () => {
    const { statusCode, body } = await request(url, options);
    const bytes = await body.arrayBuffer();
    if (statusCode !== 200 || bytes.byteLength !== BODY_BYTES) throw new Error(`answered ${statusCode} with ${bytes.byteLength} bytes`);
  };
}

/** `sinceMs`: when the call was due. Failures are counted: they are reported, and no latencies. */
async function oneCall(sinceMs: number): Promise<void> {
  try {
    await call();
    latenciesMs[calls++ % LATENCIES_MAX] = performance.now() - sinceMs;
  } catch (error) {
    failures++;
    firstFailure ??= error;
  }
}

async function closedLoop(concurrency: number, forMs: number): Promise<void> {
  const untilMs = performance.now() + forMs;
  const line = async (): Promise<void> => {
    for (let nowMs = performance.now(); nowMs < untilMs; nowMs = performance.now()) await oneCall(nowMs);
  };
  await Promise.all(Array.from({ length: concurrency }, line));
}

function openLoop(perSecond: number, forMs: number): Promise<void> {
  pacer ??= new Worker(new URL('sidecar-pacer.ts', import.meta.url));
  const worker = pacer;
  const underWay: Promise<void>[] = [];
  return new Promise((resolve, reject) => {
    const onDue = (dueMs: number | null): void => {
      if (dueMs !== null) {
        underWay.push(oneCall(dueMs - performance.timeOrigin));
        return;
      }
      worker.off('message', onDue);
      Promise.all(underWay).then(() => resolve(), reject);
    };
    worker.on('message', onDue);
    worker.postMessage({ perSecond, forMs } satisfies PaceOrder);
  });
}

async function warmUp(count: number): Promise<void> {
  let left = count;
  const line = async (): Promise<void> => {
    while (left-- > 0) await oneCall(0);
  };
  await Promise.all(Array.from({ length: 10 }, line));
  if (failures > 0) throw new Error(`${failures} of ${count} calls of the warm-up failed: ${String(firstFailure)}`);
}

async function obey({ concurrency, perSecond, forMs }: ClientOrder): Promise<ClientResult> {
  calls = 0;
  failures = 0;
  const startMs = performance.now();
  const before = process.cpuUsage();
  await (concurrency === 0 ? openLoop(perSecond, forMs) : closedLoop(concurrency, forMs));
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - startMs) / 1_000;
  const sorted = latenciesMs.slice(0, Math.min(calls, LATENCIES_MAX)).sort();
  const at = (share: number): number => (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN) * 1_000;
  return { calls, failures, seconds, cpuUs: user + system, rssBytes: process.memoryUsage.rss(), p50Us: at(0.5), p99Us: at(0.99) };
}

process.on('disconnect', () => process.exit());
const tell = (result: unknown): void => void process.send?.(result);
const fail = (error: unknown): void => tell({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
process.on('message', (order: ClientOrder) => void obey(order).then(tell, fail));
try {
  const setup = JSON.parse(process.argv[2] as string) as ClientSetup;
  call = await setUp(setup);
  await warmUp(setup.warmUpCalls);
  tell({ ready: true });
} catch (error) {
  fail(error);
}
