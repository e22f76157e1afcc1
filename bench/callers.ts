// The ways to make one call: bare clients, inmesh, and what people assemble today. Each is set up once per client process
// and gives a function that makes one call, reads the whole body, and returns its length. Third-party code is loaded only by
// the caller that needs it.
import { loadLibrary } from './library.ts';
import type { Case } from './cases.ts';
import type { Target } from './protocol.ts';

/** Makes one call; resolves to the bytes of its body. */
export type Caller = () => Promise<number>;

type Undici = typeof import('undici');

function lengthOf(status: number, bytes: ArrayBuffer): number {
  if (status !== 200) throw new Error(`the upstream answered ${status}`);
  return bytes.byteLength;
}

function undiciCaller(undici: Undici, url: () => string, options: NonNullable<Parameters<Undici['request']>[1]>): Caller {
  return async () => {
    const { statusCode, body } = await undici.request(url(), options);
    return lengthOf(statusCode, await body.arrayBuffer());
  };
}

/** The choice by weights that people write by hand. */
function weightedUrl({ ports }: Target): () => string {
  const [large, small] = ports.map((port) => `http://127.0.0.1:${port}/item?id=1`) as [string, string];
  return () => (Math.random() < 0.8 ? large : small);
}

function oneUrl(target: Target): string {
  return `http://127.0.0.1:${target.ports[0]}/item?id=1`;
}

export async function undiciRequest(target: Target): Promise<Caller> {
  const url = oneUrl(target);
  return undiciCaller(await import('undici'), () => url, {});
}

/** The same calls over the same two endpoints as the mesh makes them, without a mesh. */
export async function undiciRequestDrawn(target: Target): Promise<Caller> {
  return undiciCaller(await import('undici'), weightedUrl(target), {});
}

export async function builtInFetch(target: Target): Promise<Caller> {
  const url = oneUrl(target);
  return async () => {
    const response = await fetch(url);
    return lengthOf(response.status, await response.arrayBuffer());
  };
}

/** Built-in fetch over an Agent of the installed undici, as a mesh must: the least that any dispatcher of that version costs it. */
export async function builtInFetchOverAgent(target: Target): Promise<Caller> {
  const { Agent, Dispatcher1Wrapper } = await import('undici');
  const init = { dispatcher: new Dispatcher1Wrapper(new Agent()) } as unknown as RequestInit;
  const url = oneUrl(target);
  return async () => {
    const response = await fetch(url, init);
    return lengthOf(response.status, await response.arrayBuffer());
  };
}

/** A service with two subsets and a route of 80 to 20 between them; everything else is the default. The last port is the small share. */
export function meshConfig({ ports }: Target): object {
  const endpoints = ports.map((port, index) => ({
    address: `127.0.0.1:${port}`,
    labels: { version: index < ports.length - 1 ? 'v1' : 'v2' },
  }));
  const subsets = { v1: { version: 'v1' }, v2: { version: 'v2' } };
  return { services: { items: { endpoints, subsets, routes: [{ to: { v1: 80, v2: 20 } }] } } };
}

const MESH_URL = 'http://items/item?id=1';

async function openMesh(
  target: Target,
  spans: Case['spans'],
): Promise<Awaited<ReturnType<Awaited<ReturnType<typeof loadLibrary>>['createMesh']>>> {
  const { createMesh } = await loadLibrary();
  const mesh = await createMesh({ config: meshConfig(target), telemetry: { spans } });
  await mesh.ready();
  return mesh;
}

export async function meshRequest(target: Target, { spans }: Case): Promise<Caller> {
  const mesh = await openMesh(target, spans);
  return undiciCaller(await import('undici'), () => MESH_URL, { dispatcher: mesh.dispatcher });
}

export async function meshBuiltInFetch(target: Target, { spans }: Case): Promise<Caller> {
  const mesh = await openMesh(target, spans);
  // The types of built-in fetch do not know the option that its implementation has.
  const init = { dispatcher: mesh.dispatcher } as unknown as RequestInit;
  return async () => {
    const response = await fetch(MESH_URL, init);
    return lengthOf(response.status, await response.arrayBuffer());
  };
}

export async function meshFetch(target: Target, { spans }: Case): Promise<Caller> {
  const mesh = await openMesh(target, spans);
  return async () => {
    const response = await mesh.fetch(MESH_URL);
    return lengthOf(response.status, await response.arrayBuffer());
  };
}

/** Retry, circuit breaker and timeout of cockatiel; the body is read inside, as its timeout aborts the signal on return. */
export async function cockatielFetch(target: Target): Promise<Caller> {
  const { circuitBreaker, ExponentialBackoff, handleAll, retry, SamplingBreaker, timeout, TimeoutStrategy, wrap } = await import(
    'cockatiel'
  );
  const policy = wrap(
    retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
    circuitBreaker(handleAll, { halfOpenAfter: 1_000, breaker: new SamplingBreaker({ threshold: 0.7, duration: 5_000 }) }),
    timeout(10_000, TimeoutStrategy.Cooperative),
  );
  const url = weightedUrl(target);
  return () =>
    policy.execute(async ({ signal }) => {
      const response = await fetch(url(), { signal });
      return lengthOf(response.status, await response.arrayBuffer());
    });
}

interface Opossum {
  readonly default: new (
    action: (url: string) => Promise<number>,
    options: { timeout: number; errorThresholdPercentage: number; resetTimeout: number },
  ) => { fire(url: string): Promise<number> };
}

export async function opossumFetch(target: Target): Promise<Caller> {
  // opossum ships no types.
  const name: string = 'opossum';
  const { default: CircuitBreaker } = (await import(name)) as Opossum;
  const options = { timeout: 10_000, errorThresholdPercentage: 70, resetTimeout: 1_000 };
  const breaker = new CircuitBreaker(async (address) => {
    const response = await fetch(address);
    return lengthOf(response.status, await response.arrayBuffer());
  }, options);
  const url = weightedUrl(target);
  return () => breaker.fire(url());
}

export async function grpcUnary(target: Target): Promise<Caller> {
  return (await import('./grpc-callers.ts')).unary(target);
}

export async function grpcUnaryMeshed(target: Target): Promise<Caller> {
  return (await import('./grpc-callers.ts')).unaryMeshed(target);
}
