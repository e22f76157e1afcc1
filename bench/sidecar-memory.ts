// What inmesh itself keeps in memory, beyond what undici keeps for the same calls: of a process that calls ten services, and of each of
// a thousand endpoints. Medians of pairs of fresh processes.
import { Child } from './child.ts';
import type { MemoryResult, MemorySetup } from './sidecar-memory-child.ts';
import { median } from './statistics.ts';

export interface OwnMemory {
  /** Resident, of a process that calls ten services, bytes. */
  readonly processRssBytes: number;
  /** The same on the JavaScript heap, the code of the library included. */
  readonly processHeapBytes: number;
  /** Of that, what ten services take: a further service beside the first ten, times ten. */
  readonly servicesHeapBytes: number;
  /** On the JavaScript heap, for each of a thousand endpoints, all called, bytes. */
  readonly endpointHeapBytes: number;
  /** The same before they are called. */
  readonly idleEndpointHeapBytes: number;
}

const SERVICES = 10;
const MANY_SERVICES = 110;
const ENDPOINTS = 1_000;
/** No further pair begins after this, ms: on a busy machine one has to do. */
const NO_MORE_MS = 25_000;

async function look(setup: MemorySetup): Promise<MemoryResult> {
  const child = new Child('sidecar-memory-child.ts', setup, ['--expose-gc']);
  const result = await child.answer<MemoryResult>();
  await child.stop();
  return result;
}

async function difference(over: MemorySetup, under: MemorySetup): Promise<MemoryResult> {
  const [less, more] = [await look(under), await look(over)];
  return { heapBytes: more.heapBytes - less.heapBytes, rssBytes: more.rssBytes - less.rssBytes };
}

/** Of the mesh over undici alone, everything called. */
function ownOf(services: readonly number[], endpoints: readonly number[]): Promise<MemoryResult> {
  const setup: MemorySetup = { isMeshed: true, services, endpoints, isCalled: true };
  return difference(setup, { ...setup, isMeshed: false });
}

function heapOf(results: readonly MemoryResult[]): number {
  return median(results.map(({ heapBytes }) => heapBytes));
}

export async function measureOwnMemory(pairs: number, progress: (done: number) => void): Promise<OwnMemory> {
  const upstream = new Child('upstream.ts', SERVICES + ENDPOINTS);
  const { ports } = await upstream.answer<{ ports: number[] }>();
  const [services, endpoints] = [ports.slice(0, SERVICES), ports.slice(SERVICES)];
  const few: MemoryResult[] = [];
  const many: MemoryResult[] = [];
  const called: MemoryResult[] = [];
  const idle: MemoryResult[] = [];
  const alone: MemorySetup = { isMeshed: true, services, endpoints: [], isCalled: true };
  const startMs = performance.now();
  for (let i = 0; i < pairs && (i === 0 || performance.now() - startMs < NO_MORE_MS); i++) {
    few.push(await ownOf(services, []));
    many.push(await ownOf(ports.slice(0, MANY_SERVICES), []));
    called.push(await ownOf(services, endpoints));
    idle.push(await difference({ ...alone, endpoints, isCalled: false }, alone));
    progress((i + 1) / pairs);
  }
  await upstream.stop();
  return {
    processRssBytes: median(few.map(({ rssBytes }) => rssBytes)),
    processHeapBytes: heapOf(few),
    servicesHeapBytes: ((heapOf(many) - heapOf(few)) / (MANY_SERVICES - SERVICES)) * SERVICES,
    endpointHeapBytes: (heapOf(called) - heapOf(few)) / ENDPOINTS,
    idleEndpointHeapBytes: heapOf(idle) / ENDPOINTS,
  };
}
