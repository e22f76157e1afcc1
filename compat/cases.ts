// The core: what a mesh must do wherever it runs. Without a name that only one runtime has, because every runtime runs this very file.
import type { Mesh, MeshFetchInit, MeshInput } from '../src/index.ts';

export interface CaseResult {
  readonly name: string;
  /** Why it does not hold; null: it does. */
  readonly reason: string | null;
}

/** Throws when it does not hold. */
export type Case<Args extends unknown[]> = (...args: Args) => Promise<void>;

/** By name, as in test/interop/matrix-servers.ts. */
export type Addresses = Readonly<Record<'healthy' | 'spare' | 'sick' | 'gone' | 'mute', string>>;

const QUIET = { loadBalancer: 'roundRobin', outlierDetection: false, circuitBreaker: false, timeout: '10s' } as const;
const ONE_RETRY = { attempts: 1, backoff: { base: 1, max: 5 } };

/** Of the mesh that `CORE` is for. */
export function coreConfig(peers: Addresses): MeshInput {
  const pair = (first: keyof Addresses) => ({ ...QUIET, endpoints: [peers[first], peers.healthy], retries: ONE_RETRY });
  return {
    services: {
      fine: { ...QUIET, endpoints: [peers.healthy, peers.spare] },
      sick: pair('sick'),
      // workerd does not tell a refused connection from one that broke.
      gone: { ...pair('gone'), retries: { ...ONE_RETRY, retryOn: ['connect-failure', 'reset'] } },
      mute: { ...pair('mute'), retries: { ...ONE_RETRY, perTryTimeout: 150 } },
      broken: { ...QUIET, endpoints: [peers.sick], retries: false, circuitBreaker: { consecutive: 2 } },
      canary: {
        ...QUIET,
        endpoints: [
          { address: peers.healthy, labels: { version: 'v1' } },
          { address: peers.sick, labels: { version: 'v2' } },
        ],
        subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } },
        retries: false,
        routes: [{ match: { headers: { 'x-canary': 'yes' } }, to: 'v2' }, { to: 'v1' }],
      },
    },
  };
}

const equal = (got: unknown, wanted: unknown): void => {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`got ${a}, wanted ${b}`);
};

/** What the server saw. */
async function seen(mesh: Mesh, path: string, init?: MeshFetchInit): Promise<Seen> {
  const response = await mesh.fetch(`http://${path}`, init);
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return (await response.json()) as Seen;
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no failure',
    (error: Error & { code?: string }) => error.code ?? error.name,
  );
}

const stream = (text: string): ReadableStream => new Response(text).body as ReadableStream;
/** Of a stream; the types of Node do not know it. */
const HALF = { duplex: 'half' } as object;
interface Seen {
  readonly method: string;
  readonly url: string;
  readonly host: string;
  readonly bytes: number;
  readonly form: unknown;
}

const KEYED = { 'idempotency-key': 'k' };

export const CORE: Readonly<Record<string, Case<[mesh: Mesh]>>> = {
  GET: async (mesh) => {
    const { method, url } = await seen(mesh, 'fine/a?b=c');
    equal([method, url], ['GET', '/a?b=c']);
  },
  'POST text, bytes, URLSearchParams, Blob': async (mesh) => {
    for (const body of ['hello', new TextEncoder().encode('hello'), new URLSearchParams('hell=o'), new Blob(['hello'])]) {
      const { method, bytes } = await seen(mesh, 'fine/', { method: 'POST', body });
      equal([method, bytes], ['POST', body instanceof URLSearchParams ? 6 : 5]);
    }
  },
  'POST a stream': async (mesh) => {
    equal((await seen(mesh, 'fine/', { method: 'POST', body: stream('hello'), ...HALF })).bytes, 5);
  },
  'POST FormData': async (mesh) => {
    const form = new FormData();
    form.set('a', 'b');
    equal((await seen(mesh, 'fine/', { method: 'POST', body: form })).form, { a: 'b' });
  },
  'a Request, a rare method': async (mesh) => {
    const request = new Request('http://fine/r', { method: 'POST', body: 'hello' });
    const response = await mesh.fetch(request);
    const { url, bytes } = (await response.json()) as Seen;
    equal([url, bytes, (await seen(mesh, 'fine/', { method: 'PROPFIND' })).method], ['/r', 5, 'PROPFIND']);
  },
  'large answer, read in pieces': async (mesh) => {
    let bytes = 0;
    const response = await mesh.fetch('http://fine/big');
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) bytes += chunk.byteLength;
    equal(bytes, 3 * 1024 * 1024);
  },
  '204, cookies, gzip, clone': async (mesh) => {
    equal((await mesh.fetch('http://fine/empty')).status, 204);
    equal((await mesh.fetch('http://fine/cookies')).headers.getSetCookie(), ['a=1', 'b=2', 'c=3']);
    const response = await mesh.fetch('http://fine/gzip');
    equal([await response.clone().text(), await response.text()], ['what was packed', 'what was packed']);
  },
  'retry after 503, body sent again': async (mesh) => {
    for (let i = 0; i < 2; i++) equal((await seen(mesh, 'sick/', { method: 'PUT', body: 'hello' })).bytes, 5);
    for (let i = 0; i < 2; i++) {
      const init = { method: 'POST', body: stream('hello'), ...HALF, headers: KEYED };
      equal((await seen(mesh, 'sick/', init)).bytes, 5);
    }
  },
  'a POST is not repeated after 503': async (mesh) => {
    const statuses: number[] = [];
    for (let i = 0; i < 2; i++) statuses.push((await mesh.fetch('http://sick/', { method: 'POST', body: 'x' })).status);
    equal(statuses.sort(), [200, 503]);
  },
  'refused connection, another endpoint': async (mesh) => {
    for (let i = 0; i < 2; i++) equal((await seen(mesh, 'gone/')).method, 'GET');
  },
  'per-try timeout, another endpoint': async (mesh) => {
    for (let i = 0; i < 2; i++) equal((await seen(mesh, 'mute/')).method, 'GET');
  },
  deadline: async (mesh) => {
    equal(await failure(mesh.fetch('http://fine/hang', { mesh: { timeout: 50 } })), 'deadline_exceeded');
  },
  'deadline in the body': async (mesh) => {
    const response = await mesh.fetch('http://fine/part', { mesh: { timeout: 200 } });
    equal(await failure(response.text()), 'deadline_exceeded');
  },
  'abort before, under way, in the body': async (mesh) => {
    const reason = new Error('enough');
    const why = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => 'no abort',
        (error: Error) => error.message,
      );
    equal(await why(mesh.fetch('http://fine/', { signal: AbortSignal.abort(reason) })), 'enough');
    const first = new AbortController();
    const hung = mesh.fetch('http://fine/hang', { signal: first.signal });
    first.abort(reason);
    equal(await why(hung), 'enough');
    const second = new AbortController();
    const response = await mesh.fetch('http://fine/part', { signal: second.signal });
    const text = response.text();
    second.abort(reason);
    equal(await why(text), 'enough');
  },
  'circuit breaker': async (mesh) => {
    for (let i = 0; i < 2; i++) equal(await (await mesh.fetch('http://broken/')).text(), 'no');
    equal(await failure(mesh.fetch('http://broken/')), 'circuit_open');
  },
  'routing by header': async (mesh) => {
    const status = async (headers: Record<string, string>): Promise<number> => (await mesh.fetch('http://canary/', { headers })).status;
    equal([await status({ 'x-canary': 'yes' }), await status({})], [503, 200]);
  },
  'mesh.call, explain, snapshot': async (mesh) => {
    equal(await mesh.call('fine', () => Promise.resolve('done')), 'done');
    equal(JSON.stringify(mesh.explain({ method: 'GET', url: 'http://canary/' })).includes('v1'), true);
    equal(Object.keys(mesh.snapshot().services).includes('fine'), true);
  },
};

/** What may hold: over its own fetch, which writes the host. */
export const OVER_FETCH: Readonly<Record<string, Case<[mesh: Mesh]>>> = {
  'over fetch, the endpoint sees the name of the service as host': async (mesh) => {
    const { host } = await seen(mesh, 'fine/');
    if (host !== 'fine') throw new Error('it sees its own address');
  },
};

const CASE_MS_MAX = 10_000;

/** What the first two lines say: the first of an invalid configuration only counts its faults. */
function oneLine(message: string): string {
  const [first = '', second = ''] = message.split('\n');
  return `${first} ${first.endsWith(':') ? second.trim() : ''}`.trim();
}

/** One after the other. */
export async function runCases<Args extends unknown[]>(cases: Readonly<Record<string, Case<Args>>>, ...args: Args): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const [name, run] of Object.entries(cases)) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no end within ${CASE_MS_MAX} ms`)), CASE_MS_MAX);
    });
    try {
      await Promise.race([run(...args), late]);
      results.push({ name, reason: null });
    } catch (error) {
      const { message, cause } = error as Error & { cause?: Error };
      results.push({ name, reason: oneLine(cause?.message ?? message) });
    } finally {
      clearTimeout(timer);
    }
  }
  return results;
}
