import { afterEach, describe, expect, it } from 'vitest';
import { canary, circuitBreaker, createClient, limits, MeshError, retry, timeout } from '../../src/index.ts';
import { type EchoServer, echoServer } from '../support/echo-server.ts';

const open: EchoServer[] = [];

async function start(name: string): Promise<EchoServer> {
  const server = await echoServer(name);
  open.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe('createClient', () => {
  it('calls subsets by weight, with paths relative to its URL', async () => {
    const v1 = await start('v1');
    const v2 = await start('v2');
    await using reviews = createClient('http://reviews.internal', {
      endpoints: { v1: [v1.address], v2: [v2.address] },
      policies: [timeout('2s'), retry({ attempts: 1 }), circuitBreaker(), canary({ v1: 90, v2: 10 })],
    });
    for (let i = 0; i < 100; i++) {
      const seen = (await (await reviews.fetch('/api/1?x=1')).json()) as { url: string; headers: { host: string } };
      expect(seen.url).toBe('/api/1?x=1');
      expect(seen.headers.host).toBe('reviews.internal');
    }
    expect(v2.seen.length).toBeGreaterThanOrEqual(9);
    expect(v2.seen.length).toBeLessThanOrEqual(11);
    const { fields } = await reviews.explain('/api/1');
    expect(fields.find(({ name }) => name === 'timeout')?.value).toBe('2s');
  });

  it('finds the endpoint by the name in the URL when none is given', async () => {
    const server = await start('one');
    const port = server.address.split(':')[1];
    await using local = createClient(`http://localhost:${port}`);
    expect((await local.fetch('/')).status).toBe(200);
    expect((await local.snapshot()).services.localhost?.endpoints[0]?.address).toBe(`127.0.0.1:${port}`);
  });

  it('refuses a policy given twice at once, and a faulty one at the first call', async () => {
    expect(() => createClient('http://x', { policies: [timeout('1s'), timeout('2s')] })).toThrow(/timeout is given twice/);
    const faulty = createClient('http://x', { endpoints: ['127.0.0.1:1'], policies: [limits({ maxRequests: -1 })] });
    await expect(faulty.fetch('/')).rejects.toBeInstanceOf(MeshError);
  });
});
