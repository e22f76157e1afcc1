// The kinds of calls that a process may make a million of without growing: each goes to its end and leaves nothing behind.
// Through mesh.fetch and through mesh.dispatcher in turns.
import type { Dispatcher } from 'undici';
import type { CallsOrder, LeakKind } from './leak-gates.ts';
import { loadLibrary } from './library.ts';

type Mesh = Awaited<ReturnType<Awaited<ReturnType<typeof loadLibrary>>['createMesh']>>;
type Undici = typeof import('undici');

/** One call; `isFetch` says through which edge. */
export type LeakCall = (isFetch: boolean) => Promise<void>;

const ORIGIN = 'http://items';
/** Longer than anything here takes but an unread body; so that those end, too. */
const UNREAD_MS = 60;

function config(kind: LeakKind, ports: readonly number[]): object {
  const items = {
    endpoints: ports.map((port) => `127.0.0.1:${port}`),
    // What fails here fails on purpose: nothing may step in.
    circuitBreaker: false,
    outlierDetection: false,
    retries: { attempts: 1, backoff: { base: '1ms', max: '1ms' } },
    retryBudget: { tokens: 1_000_000, perSuccess: 1 },
    limits: { maxRequests: 100_000 },
    ...(kind === 'unread' ? { timeout: UNREAD_MS } : {}),
    ...(kind === 'http2' ? { protocol: 'http2' } : {}),
  };
  if (kind !== 'mirror') return { services: { items } };
  const { endpoints } = items;
  return { services: { items: { ...items, routes: [{ to: 'items', mirror: { to: 'shadow' } }] }, shadow: { endpoints } } };
}

class Edges {
  readonly #mesh: Mesh;
  readonly #undici: Undici;

  constructor(mesh: Mesh, undici: Undici) {
    this.#mesh = mesh;
    this.#undici = undici;
  }

  /** Makes the call and resolves at the head; gives a function that reads the body. */
  async head(
    isFetch: boolean,
    path: string,
    signal?: AbortSignal,
    timeout?: number,
  ): Promise<{ status: number; read(): Promise<unknown> }> {
    const options = { ...(signal === undefined ? {} : { signal }), ...(timeout === undefined ? {} : { mesh: { timeout } }) };
    if (isFetch) {
      const response = await this.#mesh.fetch(ORIGIN + path, options);
      return { status: response.status, read: () => response.arrayBuffer() };
    }
    const dispatcher = this.#mesh.dispatcher as unknown as Dispatcher;
    const { statusCode, body } = await this.#undici.request(ORIGIN + path, { ...options, dispatcher });
    body.on('error', () => {});
    return { status: statusCode, read: () => body.arrayBuffer() };
  }

  async ok(isFetch: boolean, path: string): Promise<void> {
    const { status, read } = await this.head(isFetch, path);
    if (status !== 200) throw new Error(`${path} was answered with ${status}`);
    await read();
  }

  /** The call must fail with that code, or with the caller's own reason. */
  async fails(isFetch: boolean, expected: unknown, signal?: AbortSignal, timeout?: number): Promise<void> {
    let failure: unknown = null;
    try {
      await this.head(isFetch, '/hang', signal, timeout);
    } catch (error) {
      failure = error;
    }
    if (failure !== expected && (failure as { code?: unknown } | null)?.code !== expected) {
      throw new Error(`expected ${String(expected)}, got ${String(failure)}`, { cause: failure });
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Every other abort comes while the call is being sent, every other once it has been. */
async function abortedCall(edges: Edges, isFetch: boolean, isLate: boolean): Promise<void> {
  const controller = new AbortController();
  const reason = new Error('no longer wanted');
  const failed = edges.fails(isFetch, reason, controller.signal);
  if (isLate) await pause(1);
  controller.abort(reason);
  await failed;
}

/** Small and large bodies; the next call waits until the deadline has ended a large one. */
async function unreadCall(edges: Edges, isFetch: boolean, isLarge: boolean): Promise<void> {
  try {
    const { status } = await edges.head(isFetch, isLarge ? '/large' : '/ok');
    if (status !== 200) throw new Error(`answered with ${status}`);
  } catch (error) {
    // On a busy machine the deadline may come before the head: that must leave nothing either.
    if ((error as { code?: unknown }).code !== 'deadline_exceeded') throw error;
  }
  if (isLarge) await pause(UNREAD_MS + 30);
}

export async function leakCall({ kind, ports }: CallsOrder): Promise<LeakCall> {
  const { createMesh } = await loadLibrary();
  const mesh = await createMesh({ config: config(kind, ports) });
  await mesh.ready();
  const edges = new Edges(mesh, await import('undici'));
  let count = 0;
  switch (kind) {
    case 'success':
    case 'http2':
    case 'mirror':
      return (isFetch) => edges.ok(isFetch, '/ok');
    case 'retry':
      return (isFetch) => edges.ok(isFetch, '/retry');
    case 'abort':
      return (isFetch) => abortedCall(edges, isFetch, (count++ & 2) === 0);
    case 'timeout':
      return (isFetch) => edges.fails(isFetch, 'deadline_exceeded', undefined, 15);
    case 'unread':
      return (isFetch) => unreadCall(edges, isFetch, (count++ & 2) === 0);
  }
}
