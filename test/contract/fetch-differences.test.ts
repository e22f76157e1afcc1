import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MeshError } from '../../src/core/errors.ts';
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts';
import type { Fetch } from './fetch-features.ts';
import { type FetchPeer, fetchPeer } from './fetch-peer.ts';

let peer: FetchPeer;
let mesh: Mesh;

const builtIn = fetch as unknown as Fetch;

interface Difference {
  readonly name: string;
  readonly why: string;
  readonly run: (send: Fetch) => Promise<unknown>;
  readonly own: unknown;
  readonly builtIn: unknown;
}

async function seen(send: Fetch, init: RequestInit = {}): Promise<{ headers: Record<string, string>; body: string }> {
  return (await send(`${peer.url}/echo`, init)).json() as Promise<{ headers: Record<string, string>; body: string }>;
}

/** Where mesh.fetch differs from built-in fetch, on purpose. Whatever is not in this list is the same, see fetch.test.ts. */
const DIFFERENCES: readonly Difference[] = [
  {
    name: 'accept-language and sec-fetch-mode are not sent',
    why: "they are a browser's; `*` and `cors` tell a service nothing",
    run: async (send) => {
      const { headers } = await seen(send);
      return [headers['accept-language'], headers['sec-fetch-mode']];
    },
    own: [undefined, undefined],
    builtIn: ['*', 'cors'],
  },
  {
    name: 'the remaining time is sent',
    why: 'the callee, and a sidecar before it, need not work longer than the caller waits',
    run: async (send) => Number((await seen(send)).headers['x-envoy-expected-rq-timeout-ms'] ?? 0) > 0,
    own: true,
    builtIn: false,
  },
  {
    name: 'a call without an answer rejects with a MeshError',
    why: 'it says where, how far the request got, and what to do; fetch says "fetch failed"',
    run: async (send) => {
      const error = await send('http://127.0.0.1:1/').catch((reason: unknown) => reason);
      return [error instanceof MeshError, (error as Error).message.slice(0, 16)];
    },
    own: [true, '[connect_failed]'],
    builtIn: [false, 'fetch failed'],
  },
  {
    name: 'headers of the answer can be written',
    why: 'an immutable Headers can only be had with a whole Response around it',
    run: async (send) => {
      const { headers } = await send(`${peer.url}/bytes?n=1`);
      try {
        headers.set('x-a', '1');
        return 'written';
      } catch {
        return 'refused';
      }
    },
    own: 'written',
    builtIn: 'refused',
  },
  {
    name: 'bytes of the request are not copied',
    why: 'a copy of every body costs more than the rest of the call; do not write into them before the answer is there',
    run: async (send) => {
      const body = Buffer.from('before');
      const answered = seen(send, { method: 'POST', body });
      body.write('after!');
      return (await answered).body;
    },
    own: 'after!',
    builtIn: 'before',
  },
  {
    name: 'an abort after the last byte has come does not take it away',
    why: 'nothing is on its way any more that could be stopped',
    run: async (send) => {
      const controller = new AbortController();
      const response = await send(`${peer.url}/bytes?n=5`, { signal: controller.signal });
      // Whatever is still to come, has come with the answer of the next call.
      for (let i = 0; i < 3; i++) await (await send(`${peer.url}/bytes?n=1`)).text();
      controller.abort();
      return response.text().catch((error: Error) => error.name);
    },
    own: 'abcde',
    builtIn: 'AbortError',
  },
  {
    name: 'the methods of Response.prototype do not know it',
    why: 'it is a Response by prototype with methods of its own; `clone()` gives a true one to whoever looks inside',
    run: async (send) => {
      const response = await send(`${peer.url}/bytes?n=5`);
      try {
        return await Response.prototype.text.call(response);
      } catch (error) {
        return (error as Error).name;
      }
    },
    own: 'TypeError',
    builtIn: 'abcde',
  },
];

beforeAll(async () => {
  peer = await fetchPeer();
  mesh = await createMesh({
    config: {
      defaults: { retries: false, circuitBreaker: false, outlierDetection: false },
      services: { peer: { hosts: ['localhost'], endpoints: [peer.address] }, nobody: { hosts: ['127.0.0.1'], endpoints: ['127.0.0.1:1'] } },
    },
  });
});

afterAll(async () => {
  await mesh.close({ drainMs: 0 });
  peer.close();
});

describe('mesh.fetch differs from built-in fetch', () => {
  it.each(DIFFERENCES.map((one) => [one.name, one] as const))('%s', async (_, { run, own, builtIn: theirs }) => {
    expect(await run(mesh.fetch as Fetch)).toEqual(own);
    expect(await run(builtIn)).toEqual(theirs);
  });
});
