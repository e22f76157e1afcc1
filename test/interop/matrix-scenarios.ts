// What every client of the matrix must get right on every Node. Each scenario checks what came back and what the servers
// saw, byte for byte.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import type { Answer, Client, Init } from './matrix-clients.ts';
import { BIG, BIG_BYTES, GZIP, hashOf, type Peer, type Peers, type Seen } from './matrix-servers.ts';

export interface World {
  readonly client: Client;
  readonly peers: Peers;
}

export interface Scenario {
  readonly name: string;
  /** Clients that can do it. @default all */
  readonly fits?: (client: Client) => boolean;
  readonly run: (world: World) => Promise<void>;
}

/** One ill endpoint of two is drawn at the latest by then. */
const DRAWS_MAX = 4;
const PROMPT_MS = 1_500;

const TEXT = 'five thousand bytes. '.repeat(239).slice(0, 5_000);
const MEGABYTE = 'x'.repeat(1024 * 1024);

function half(text: string): [string, string] {
  return [text.slice(0, 1_262), text.slice(1_262)];
}

function webStream(text: string): ReadableStream<Uint8Array> {
  const parts = half(text);
  return new ReadableStream({
    pull(controller) {
      const part = parts.shift();
      if (part === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(part));
    },
  });
}

const BODIES: Readonly<Record<string, (text: string) => unknown>> = {
  string: (text) => text,
  Buffer: (text) => Buffer.from(text),
  'Node stream': (text) => Readable.from(half(text).map((part) => Buffer.from(part))),
  'web stream': (text) => webStream(text),
};

function seen(answer: Answer): Seen {
  return JSON.parse(answer.body.toString('utf8')) as Seen;
}

const KEYED = { 'idempotency-key': 'k1', 'content-type': 'text/plain' };

async function get(world: World, url: string, init: Init = {}): Promise<Answer> {
  const answer = await world.client.send(url, init);
  assert.equal(answer.status, init.method === 'HEAD' ? 200 : answer.status);
  return answer;
}

/** Calls until the ill endpoint was drawn first; every call must end well, with the whole body at the healthy one. */
async function retried(world: World, url: string, make: () => Init, text: string): Promise<void> {
  for (let draw = 0; draw < DRAWS_MAX; draw++) {
    const answer = await world.client.send(url, make());
    assert.equal(answer.status, 200);
    const got = seen(answer);
    assert.equal(got.bytes, text.length);
    assert.equal(got.hash, hashOf(text));
    if (got.attempt === '2') return;
  }
  assert.fail('the ill endpoint was never drawn');
}

async function rejects(promise: Promise<unknown>): Promise<Error> {
  const startedAtMs = performance.now();
  const error = await promise.then(
    () => assert.fail('it was answered'),
    (reason: Error) => reason,
  );
  assert.ok(performance.now() - startedAtMs < PROMPT_MS, 'the abort came late');
  assert.equal(error.name, 'AbortError');
  return error;
}

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (condition()) resolve();
      else setImmediate(look);
    };
    look();
  });
}

/** A call that the endpoint of `slot` holds for ever; returns the way to end it. */
async function occupy({ client, peers: { spare } }: World): Promise<() => Promise<void>> {
  const controller = new AbortController();
  const before = spare.hits;
  const hanging = client.send('http://slot/hang', { signal: controller.signal }).catch(() => {});
  await until(() => spare.hits > before);
  return async () => {
    controller.abort();
    await hanging;
  };
}

const bodies: readonly Scenario[] = Object.entries(BODIES).flatMap(([kind, make]) => [
  {
    name: `POST ${kind}`,
    run: async (world: World) => {
      const answer = await world.client.send('http://fine/echo?a=1', { method: 'POST', body: make(TEXT), headers: KEYED });
      const got = seen(answer);
      assert.deepEqual([got.method, got.url, got.host, got.bytes, got.hash], ['POST', '/echo?a=1', 'fine', TEXT.length, hashOf(TEXT)]);
    },
  },
  {
    name: `POST ${kind} retried after 503`,
    run: (world: World) => retried(world, 'http://sick/', () => ({ method: 'POST', body: make(TEXT), headers: KEYED }), TEXT),
  },
  {
    name: `PUT ${kind} retried after an early 503`,
    run: (world: World) => retried(world, 'http://hasty/', () => ({ method: 'PUT', body: make(TEXT) }), TEXT),
  },
  {
    name: `1 MB ${kind}: 503 passes, sent once`,
    run: async (world: World) => {
      const { healthy } = world.peers;
      for (let draw = 0; draw < DRAWS_MAX; draw++) {
        const before = healthy.hits;
        const answer = await world.client.send('http://sick/', { method: 'PUT', body: make(MEGABYTE) });
        if (answer.status === 200) continue;
        assert.deepEqual([answer.status, answer.body.toString(), healthy.hits], [503, 'no', before]);
        return;
      }
      assert.fail('the ill endpoint was never drawn');
    },
  },
]);

const forms: readonly Scenario[] = ['fine', 'sick'].map((service) => ({
  name: `POST FormData ${service === 'fine' ? '' : 'retried after 503'}`.trim(),
  fits: ({ kind }) => kind !== 'pipeline',
  run: async (world) => {
    for (let draw = 0; draw < DRAWS_MAX; draw++) {
      const form = new world.client.FormData();
      form.append('name', 'value');
      form.append('file', new Blob(['of a file']), 'a.txt');
      const answer = await world.client.send(`http://${service}/`, {
        method: 'POST',
        body: form,
        headers: { 'idempotency-key': 'k1' },
      });
      assert.equal(answer.status, 200);
      const got = seen(answer);
      assert.deepEqual(got.form, { name: 'value', file: 'a.txt:of a file' });
      if (service === 'fine' || got.attempt === '2') return;
    }
    assert.fail('the ill endpoint was never drawn');
  },
}));

const answers: readonly Scenario[] = [
  {
    name: 'GET',
    run: async (world) => {
      const got = seen(await get(world, 'http://fine/a/b?c=d'));
      assert.deepEqual([got.method, got.url, got.host, got.bytes], ['GET', '/a/b?c=d', 'fine', 0]);
    },
  },
  {
    name: '3 MB answer',
    run: async (world) => {
      const { body } = await get(world, 'http://fine/big');
      assert.equal(body.length, BIG_BYTES);
      assert.ok(body.equals(BIG));
    },
  },
  {
    name: 'HEAD',
    fits: ({ kind }) => kind !== 'pipeline',
    run: async (world) => {
      const { body, headers } = await get(world, 'http://fine/big', { method: 'HEAD' });
      assert.deepEqual([body.length, headers['content-length']], [0, String(BIG_BYTES)]);
    },
  },
  {
    name: '204',
    run: async (world) => assert.deepEqual(pick(await get(world, 'http://fine/empty')), [204, '']),
  },
  {
    name: '304',
    run: async (world) => assert.deepEqual(pick(await get(world, 'http://fine/same')), [304, '']),
  },
  {
    name: 'set-cookie three times',
    run: async (world) => assert.deepEqual((await get(world, 'http://fine/cookies')).cookies, ['a=1', 'b=2', 'c=3']),
  },
  {
    name: 'headers that a route changes',
    run: async (world) => {
      for (const origin of ['http://edited/', 'http://edited2/']) {
        const { headers } = await get(world, origin);
        assert.deepEqual([headers['x-set'], headers['content-type'] ?? ''], ['by the route', ''], origin);
      }
    },
  },
  {
    name: 'gzip untouched',
    run: async (world) => {
      const { body, headers } = await get(world, 'http://fine/gzip');
      assert.equal(headers['content-encoding'], 'gzip');
      // fetch itself decodes; below it nobody does.
      assert.deepEqual(world.client.kind === 'fetch' ? body : gunzipSync(body), gunzipSync(GZIP));
    },
  },
  {
    name: '20 at once',
    run: async (world) => {
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => get(world, `http://fine/${i}`)));
      assert.deepEqual(
        all.map((one) => seen(one).url),
        all.map((_, i) => `/${i}`),
      );
    },
  },
  {
    name: 'unknown host passes',
    run: async (world) => {
      const { address } = world.peers.healthy;
      const got = seen(await get(world, `http://${address}/x`));
      assert.deepEqual([got.host, got.attempt, got.url], [address, '', '/x']);
    },
  },
  {
    name: 'content-length of the caller',
    fits: ({ kind }) => kind === 'fetch' || kind === 'request',
    run: async (world) => {
      const headers = { 'content-length': '5', 'content-type': 'text/plain' };
      const got = seen(await get(world, 'http://fine/', { method: 'POST', body: 'hello', headers }));
      assert.deepEqual([got.bytes, got.contentLength], [5, '5']);
    },
  },
];

function pick({ status, body }: Answer): [number, string] {
  return [status, body.toString()];
}

const failures: readonly Scenario[] = [
  {
    name: 'refused connection, POST without key',
    run: (world) => retried(world, 'http://gone/', () => ({ method: 'POST', body: TEXT }), TEXT),
  },
  {
    name: 'refused connection, POST stream',
    run: (world) => retried(world, 'http://gone/', () => ({ method: 'POST', body: webStream(TEXT) }), TEXT),
  },
  {
    name: 'per-try timeout on a mute endpoint',
    run: (world) => retried(world, 'http://mute/', () => ({ method: 'PUT', body: TEXT }), TEXT),
  },
  {
    name: 'abort while queued',
    run: async (world) => {
      const end = await occupy(world);
      const controller = new AbortController();
      const queued = world.client.send('http://slot/x', { signal: controller.signal });
      setImmediate(() => controller.abort());
      await rejects(queued);
      await end();
    },
  },
  {
    name: 'abort while backing off',
    run: async (world) => {
      const { hasty } = world.peers;
      const before = hasty.hits;
      const controller = new AbortController();
      const waiting = world.client.send('http://backoff/', { signal: controller.signal });
      void until(() => hasty.hits > before).then(() => setTimeout(() => controller.abort(), 30));
      await rejects(waiting);
      assert.equal(hasty.hits, before + 1);
    },
  },
  {
    name: 'abort in mid-body',
    run: async (world) => {
      const controller = new AbortController();
      await rejects(world.client.send('http://fine/part', { signal: controller.signal, onChunk: () => controller.abort() }));
    },
  },
];

function overH2(service: string, origin: string, peerOf: (peers: Peers) => Peer): readonly Scenario[] {
  return [
    {
      name: `${service}: GET, POST stream, 3 MB, 204, cookies`,
      run: async (world) => {
        const peer = peerOf(world.peers);
        // Another service of the mesh may have a connection of its own to this peer.
        const others = peer.sockets.size;
        const got = seen(await get(world, `${origin}/a`));
        assert.deepEqual([got.url, got.host], ['/a', new URL(origin).host]);
        const posted = seen(await world.client.send(`${origin}/`, { method: 'POST', body: webStream(TEXT), headers: KEYED }));
        assert.equal(posted.hash, hashOf(TEXT));
        assert.ok((await get(world, `${origin}/big`)).body.equals(BIG));
        assert.equal((await get(world, `${origin}/empty`)).status, 204);
        assert.deepEqual((await get(world, `${origin}/cookies`)).cookies, ['a=1', 'b=2', 'c=3']);
        await Promise.all(Array.from({ length: 10 }, () => get(world, `${origin}/`)));
        assert.ok(peer.sockets.size - others <= 1, `${peer.sockets.size - others} connections`);
      },
    },
    {
      name: `${service}: abort in mid-body`,
      run: async (world) => {
        const controller = new AbortController();
        await rejects(world.client.send(`${origin}/part`, { signal: controller.signal, onChunk: () => controller.abort() }));
      },
    },
  ];
}

export const SCENARIOS: readonly Scenario[] = [
  ...answers,
  ...bodies,
  ...forms,
  ...failures,
  ...overH2('h2c', 'http://plain2', ({ h2c }) => h2c),
  ...overH2('h2 over TLS', 'http://secure', ({ h2 }) => h2),
];
