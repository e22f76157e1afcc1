// Clients of connect-es over the mesh, against a real connect-node server: both protocols, with the policies of the service.
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { afterEach, describe, expect, it } from 'vitest';
import { MeshError } from '../../../src/core/errors.ts';
import { inboundContext } from '../../../src/core/context.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import { connectTransport, type ConnectTransportOptions } from '../../../src/transport/connect/connect-transport.ts';
import { type ConnectServer, connectServer, Echo } from '../../support/connect-echo.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function server(given?: Parameters<typeof connectServer>[0]): Promise<ConnectServer> {
  const one = await connectServer(given);
  closers.push(one.close);
  return one;
}

const QUIET = { outlierDetection: false, circuitBreaker: false, loadBalancer: 'roundRobin' } as const;

async function meshOf(endpoints: readonly ConnectServer[], policies: object = {}): Promise<Mesh> {
  const it = { endpoints: endpoints.map(({ address }) => address), ...QUIET, ...policies };
  const mesh = await createMesh({ config: { services: { it } }, watch: false });
  closers.push(() => mesh.close());
  return mesh;
}

function clientOf(mesh: Mesh, options?: ConnectTransportOptions): ReturnType<typeof createClient<typeof Echo>> {
  return createClient(Echo, connectTransport(mesh, 'it', options));
}

async function* texts(count: number): AsyncGenerator<{ value: string }> {
  for (let i = 0; i < count; i++) yield await Promise.resolve({ value: String(i) });
}

async function collected(values: AsyncIterable<{ value: string }>): Promise<string> {
  const got: string[] = [];
  for await (const { value } of values) got.push(value);
  return got.join();
}

async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  try {
    await promise;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error('it did not fail');
}

/** Says no until it has been asked so often. */
function unavailable(times: number): { readonly handle: () => { value: string }; readonly asked: () => number } {
  let asked = 0;
  return {
    handle() {
      if (++asked <= times) throw new ConnectError('ill', Code.Unavailable);
      return { value: 'well' };
    },
    asked: () => asked,
  };
}

describe.each([
  ['connect', {}],
  ['connect, JSON', { json: true }],
  ['grpc-web', { protocol: 'grpc-web' as const }],
])('%s', (_name, options) => {
  it('carries unary calls, and streams of one side, in order', async () => {
    const one = await server();
    const client = clientOf(await meshOf([one]), options);
    const long = 'é'.repeat(40_000);
    expect((await client.say({ value: long })).value).toBe(long);
    expect((await client.look({ value: 'a' })).value).toBe('a');
    expect(await collected(client.count({ value: '500' }))).toBe(Array.from({ length: 500 }, (_, i) => i).join());
    expect((await client.sum(texts(50))).value).toBe('50');
  });

  it('gives the error of the server as it is', async () => {
    const one = await server({
      say: () => {
        throw new ConnectError('no such book', Code.NotFound, { 'x-shelf': '7' });
      },
    });
    const error = await failure(clientOf(await meshOf([one]), options).say({ value: 'x' }));
    expect([error.code, error.rawMessage, error.metadata.get('x-shelf')]).toEqual([Code.NotFound, 'no such book', '7']);
  });

  it('ends at the deadline of the caller, and at that of the call which is being served', async () => {
    const one = await server({ say: () => new Promise(() => {}) });
    const mesh = await meshOf([one]);
    const client = clientOf(mesh, options);
    expect((await failure(client.say({ value: 'x' }, { timeoutMs: 60 }))).code).toBe(Code.DeadlineExceeded);
    const context = { deadlineMs: mesh.clock.now() + 60, criticality: -1, source: '' };
    expect((await inboundContext.run(context, () => failure(client.say({ value: 'x' })))).code).toBe(Code.DeadlineExceeded);
    const [first, second] = one.seen;
    for (const seen of [first, second]) {
      const told = seen?.headers['connect-timeout-ms'] ?? String(seen?.headers['grpc-timeout']).replace('m', '');
      expect(Number(told)).toBeGreaterThan(0);
      expect(Number(told)).toBeLessThanOrEqual(60);
    }
  });

  it('passes a stream that breaks on as it broke', async () => {
    const one = await server({
      async *count() {
        yield { value: '0' };
        throw new ConnectError('ill', Code.Unavailable);
      },
    });
    const client = clientOf(await meshOf([one], { retries: { attempts: 3, methods: ['*'] } }), options);
    const got: string[] = [];
    const error = await failure(
      (async () => {
        for await (const { value } of client.count({ value: '' })) got.push(value);
      })(),
    );
    expect([error.code, got, one.seen.length]).toEqual([Code.Unavailable, ['0'], 1]);
  });

  it('refuses with the code that gRPC callers get; the MeshError is the cause', async () => {
    const client = clientOf(await meshOf([], { endpoints: [] }), options);
    const error = await failure(client.say({ value: 'x' }));
    expect([error.code, (error.cause as MeshError).code]).toEqual([Code.Unavailable, 'no_endpoint']);
  });

  it('cancels', async () => {
    const one = await server({ say: () => new Promise(() => {}) });
    const controller = new AbortController();
    const asked = failure(clientOf(await meshOf([one]), options).say({ value: 'x' }, { signal: controller.signal }));
    while (one.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect((await asked).code).toBe(Code.Canceled);
  });
});

describe('retries', () => {
  it('are made for methods without side effects, which are sent as GET, and for idempotent ones', async () => {
    const [looks, puts, says] = [unavailable(1), unavailable(1), unavailable(1)];
    const one = await server({ look: looks.handle, put: puts.handle, say: says.handle });
    const client = clientOf(await meshOf([one], { retries: { attempts: 2, backoff: { base: '1ms', max: '1ms' } } }));
    expect((await client.look({ value: 'x' })).value).toBe('well');
    expect((await client.put({ value: 'x' })).value).toBe('well');
    expect((await failure(client.say({ value: 'x' }))).code).toBe(Code.Unavailable);
    expect([looks.asked(), puts.asked(), says.asked()]).toEqual([2, 2, 1]);
    expect(one.seen.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST', 'POST', 'POST']);
  });

  it('go to another endpoint', async () => {
    const ill = unavailable(100);
    const [bad, good] = [await server({ look: ill.handle }), await server()];
    const client = clientOf(await meshOf([bad, good], { retries: { attempts: 2, backoff: { base: '1ms', max: '1ms' } } }));
    for (let i = 0; i < 10; i++) expect((await client.look({ value: 'x' })).value).toBe('x');
    expect(ill.asked()).toBeGreaterThan(2);
  });
});
