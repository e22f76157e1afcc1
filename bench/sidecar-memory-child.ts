// One look at memory, in a fresh process: so many services or endpoints, a call to each, with inmesh or with undici alone. What
// inmesh holds is the difference of the two: its code, compiled and as text, its modules, and what it knows. undici, its pools and
// sockets are the application's and in both.
import { loadLibrary } from './library.ts';

export interface MemorySetup {
  readonly isMeshed: boolean;
  /** One endpoint each. */
  readonly services: readonly number[];
  /** Further endpoints of one more service. */
  readonly endpoints: readonly number[];
  /** Whether those are called too. */
  readonly isCalled: boolean;
}

export interface MemoryResult {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

const COLLECTIONS = 6;
/** Round robin over all endpoints meets each of them. */
const ROUNDS = 3;

type Call = (url: string) => Promise<void>;

/** undici alone calls the same services by name, too, as a process does that has no mesh: for names it keeps more than for addresses. */
const BY_NAME = { headers: { host: 'service-0' } };

async function caller(dispatcher?: import('undici').Dispatcher): Promise<Call> {
  const { request } = await import('undici');
  const options = dispatcher === undefined ? BY_NAME : { dispatcher };
  return async (url) => {
    const { statusCode, body } = await request(url, options);
    await body.arrayBuffer();
    if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
  };
}

async function meshed({ services, endpoints, isCalled }: MemorySetup): Promise<() => Promise<void>> {
  const { createMesh } = await loadLibrary();
  const addresses = (ports: readonly number[]): string[] => ports.map((port) => `127.0.0.1:${port}`);
  const many = endpoints.length === 0 ? {} : { many: { endpoints: addresses(endpoints), loadBalancer: 'roundRobin' as const } };
  const single = Object.fromEntries(services.map((port, i) => [`service-${i}`, { endpoints: addresses([port]) }]));
  const mesh = await createMesh({ config: { services: { ...single, ...many } } });
  await mesh.ready();
  const call = await caller(mesh.dispatcher);
  return async () => {
    for (const i of services.keys()) await call(`http://service-${i}/`);
    for (let i = 0; isCalled && i < endpoints.length; i++) await call('http://many/');
  };
}

async function bare({ services, endpoints }: MemorySetup): Promise<() => Promise<void>> {
  const call = await caller();
  return async () => {
    for (const port of [...services, ...endpoints]) await call(`http://127.0.0.1:${port}/`);
  };
}

async function main(): Promise<void> {
  process.on('disconnect', () => process.exit());
  const setup = JSON.parse(process.argv[2] as string) as MemorySetup;
  const work = await (setup.isMeshed ? meshed(setup) : bare(setup));
  for (let i = 0; i < ROUNDS; i++) await work();
  for (let i = 0; i < COLLECTIONS; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heapBytes: heapUsed + external, rssBytes: rss } satisfies MemoryResult);
}

await main();
