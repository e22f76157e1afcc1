// The other half: what comes back, how it is read, given up and redirected.
import { each, type Feature, feature, stream, TEXT, thrown } from './fetch-features.ts';

async function surface(response: Response): Promise<unknown> {
  const { status, ok, statusText, url, redirected, type } = response;
  return { status, ok, statusText, url, redirected, type, body: await response.text() };
}

const heads: readonly Feature[] = [
  ...each(
    [200, 201, 202, 204, 205, 299, 300, 304, 400, 404, 418, 500, 503, 599],
    (status) => `status ${status}`,
    async ({ fetch, peer }, status) => {
      const response = await fetch(`${peer.url}/status?s=${status}`);
      return [response.body === null, await surface(response)];
    },
  ),
  feature('statusText', async ({ fetch, peer }) => surface(await fetch(`${peer.url}/status?s=200&text=Quite%20fine`))),
  feature('headers', async ({ fetch, peer }) => {
    const { headers } = await fetch(`${peer.url}/headers`);
    const own = [...headers].filter(([name]) => name !== 'date');
    return [own, headers.getSetCookie(), headers.get('X-MIXED'), headers.has('nothing'), headers instanceof Headers];
  }),
  feature('instanceof, tag and keys', async ({ fetch, peer }) => {
    const response = await fetch(`${peer.url}/bytes?n=1`);
    return [response instanceof Response, Object.prototype.toString.call(response), Object.keys(response), 'formData' in response];
  }),
];

const reading: readonly Feature[] = [
  feature('text', async ({ fetch, peer }) => (await fetch(`${peer.url}/bytes?n=5000`)).text()),
  feature('text strips a byte order mark', async ({ fetch, peer }) => (await fetch(`${peer.url}/bom`)).text()),
  feature('text of bytes that are not UTF-8', async ({ fetch, peer }) => (await fetch(`${peer.url}/invalid`)).text()),
  feature('json', async ({ fetch, peer }) => Object.keys((await (await fetch(`${peer.url}/echo`)).json()) as object)),
  feature('json of what is none', async ({ fetch, peer }) => {
    const response = await fetch(`${peer.url}/bytes?n=10`);
    return [await thrown(() => response.json()), response.bodyUsed];
  }),
  feature('arrayBuffer', async ({ fetch, peer }) => {
    const buffer = await (await fetch(`${peer.url}/bytes?n=70000`)).arrayBuffer();
    return [buffer instanceof ArrayBuffer, buffer.byteLength];
  }),
  feature('bytes', async ({ fetch, peer }) => {
    const bytes = await (await fetch(`${peer.url}/bytes?n=10`)).bytes();
    return [bytes.constructor.name, bytes.byteOffset, bytes.buffer.byteLength, [...bytes]];
  }),
  feature('blob', async ({ fetch, peer }) => {
    const blob = await (await fetch(`${peer.url}/headers`)).blob();
    return [blob.size, blob.type, await blob.text()];
  }),
  feature('blob without type', async ({ fetch, peer }) => (await (await fetch(`${peer.url}/bytes?n=2`)).blob()).type),
  ...each(
    ['form', 'multipart'],
    (kind) => `formData: ${kind}`,
    async ({ fetch, peer }, kind) => {
      const data = await (await fetch(`${peer.url}/${kind}`)).formData();
      return Promise.all(
        [...data].map(async ([name, value]) => [name, typeof value === 'string' ? value : [value.name, value.type, await value.text()]]),
      );
    },
  ),
  feature('formData of what is none', async ({ fetch, peer }) => thrown(async () => (await fetch(`${peer.url}/bytes?n=1`)).formData())),
  feature('bodyUsed, and the second reading', async ({ fetch, peer }) => {
    const response = await fetch(`${peer.url}/bytes?n=4`);
    const before = response.bodyUsed;
    await response.text();
    return [before, response.bodyUsed, await thrown(() => response.text()), await thrown(() => response.clone())];
  }),
  feature('clone', async ({ fetch, peer }) => {
    const response = await fetch(`${peer.url}/bytes?n=100000`);
    const copy = response.clone();
    const [one, other] = await Promise.all([response.text(), copy.text()]);
    return [one === other, one.length, copy instanceof Response, copy.url, copy.status, [...copy.headers].length];
  }),
  feature('clone of an answer without body', async ({ fetch, peer }) => surface((await fetch(`${peer.url}/status?s=204`)).clone())),
  feature('body: for await', async ({ fetch, peer }) => {
    let bytes = 0;
    const { body } = await fetch(`${peer.url}/bytes?n=300000`);
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) bytes += chunk.byteLength;
    return bytes;
  }),
  feature('body: same stream each time, locked while read', async ({ fetch, peer }) => {
    const response = await fetch(`${peer.url}/bytes?n=10`);
    const isSame = response.body === response.body;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const locked = [response.body?.locked, response.bodyUsed, await thrown(() => response.text())];
    const { value } = await reader.read();
    return [isSame, ...locked, value?.byteLength, response.bodyUsed, (await reader.read()).done];
  }),
  feature('body: two reads at once', async ({ fetch, peer }) => {
    const reader = (await fetch(`${peer.url}/bytes?n=300000`)).body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    let bytes = 0;
    for (;;) {
      const steps = await Promise.all([reader.read(), reader.read()]);
      for (const { value } of steps) bytes += value?.byteLength ?? 0;
      if (steps.some(({ done }) => done)) return bytes;
    }
  }),
  feature('body: bring your own buffer', async ({ fetch, peer }) => {
    const reader = (await fetch(`${peer.url}/bytes?n=10000`)).body?.getReader({ mode: 'byob' }) as ReadableStreamBYOBReader;
    let bytes = 0;
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(1_000));
      bytes += value?.byteLength ?? 0;
      if (done) return bytes;
    }
  }),
  feature('body: the stream is looked at, then text', async ({ fetch, peer }) => {
    const response = await fetch(`${peer.url}/bytes?n=10`);
    return [response.body === null, response.bodyUsed, await response.text(), response.bodyUsed];
  }),
  feature('body: pieces arrive as they are sent', async ({ fetch, peer, path }) => {
    const target = path('parts');
    const reader = (await fetch(peer.url + target)).body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const got: string[] = [];
    for (const part of ['first', 'second']) {
      peer.release(target, part);
      got.push(Buffer.from((await reader.read()).value as Uint8Array).toString());
    }
    peer.release(target, null);
    return [got, (await reader.read()).done];
  }),
  feature('body: as the body of the next call', async ({ fetch, peer }) => {
    const first = await fetch(`${peer.url}/bytes?n=1000`);
    const second = await fetch(`${peer.url}/echo`, { method: 'POST', body: first.body, duplex: 'half' } as RequestInit);
    return ((await second.json()) as { body: string }).body.length;
  }),
  feature('an answer that breaks off', async ({ fetch, peer }) => {
    const response = await fetch(`${peer.url}/cut`);
    return [response.status, 'came' in ((await thrown(() => response.text())) as object)];
  }),
];

const CODINGS = ['gzip', 'x-gzip', 'deflate', 'raw-deflate', 'br', 'twice', 'unknown', 'half-known', 'empty', 'short'];

const codings: readonly Feature[] = [
  ...each(
    CODINGS,
    (coding) => `content-encoding ${coding}`,
    async ({ fetch, peer }, coding) => {
      const response = await fetch(`${peer.url}/coded?c=${coding}`);
      const text = await response.text();
      return [response.headers.get('content-encoding'), text === TEXT ? 'TEXT' : text];
    },
  ),
  feature('content-encoding read as a stream', async ({ fetch, peer }) =>
    new Response((await fetch(`${peer.url}/coded?c=gzip`)).body).text(),
  ),
  ...each(
    ['broken', 'six'],
    (coding) => `content-encoding ${coding} fails`,
    ({ fetch, peer }, coding) => thrown(async () => (await fetch(`${peer.url}/coded?c=${coding}`)).text()),
  ),
];

function hop(status: number, to: string): string {
  return `/redirect?s=${status}&to=${encodeURIComponent(to)}`;
}

async function followed(response: Response): Promise<unknown> {
  const seen = (await response.json()) as { method: string; body: string; url: string; headers: Record<string, string> };
  const { authorization, cookie } = seen.headers;
  const own = [
    seen.method,
    seen.body,
    seen.url,
    seen.headers['content-type'],
    seen.headers['content-length'],
    authorization,
    cookie,
    seen.headers['x-own'],
  ];
  return [response.status, response.redirected, response.url, ...own];
}

const PRIVATE = { authorization: 'Bearer x', cookie: 'a=1', 'x-own': 'mine' };

const redirects: readonly Feature[] = [
  ...each(
    [301, 302, 303, 307, 308],
    (status) => `${status} after GET`,
    async ({ fetch, peer }, status) => followed(await fetch(peer.url + hop(status, '/echo?there'), { headers: PRIVATE })),
  ),
  ...each(
    [301, 302, 303, 307, 308],
    (status) => `${status} after POST`,
    async ({ fetch, peer }, status) =>
      followed(await fetch(peer.url + hop(status, 'echo'), { method: 'POST', body: 'the body', headers: { 'content-type': 'text/css' } })),
  ),
  ...each(
    [301, 303, 308],
    (status) => `${status} after PUT`,
    async ({ fetch, peer }, status) => followed(await fetch(peer.url + hop(status, '/echo'), { method: 'PUT', body: 'the body' })),
  ),
  ...each(
    [301, 303],
    (status) => `${status} after HEAD`,
    async ({ fetch, peer }, status) => {
      const response = await fetch(peer.url + hop(status, '/bytes?n=7'), { method: 'HEAD' });
      return [response.status, response.headers.get('content-length')];
    },
  ),
  ...each(
    [301, 302, 303, 307],
    (status) => `${status} after POST of a stream`,
    async ({ fetch, peer }, status) =>
      thrown(async () => {
        const body = stream(Buffer.from('x'));
        const response = await fetch(peer.url + hop(status, '/echo'), { method: 'POST', body, duplex: 'half' } as RequestInit);
        return ((await response.json()) as { method: string }).method;
      }),
  ),
  ...each(
    [300, 304, 305, 306],
    (status) => `${status} is no redirect`,
    async ({ fetch, peer }, status) => {
      const response = await fetch(peer.url + hop(status, '/echo'));
      return [response.status, response.redirected];
    },
  ),
  feature('redirect without location', async ({ fetch, peer }) => surface(await fetch(`${peer.url}/redirect?s=302`))),
  feature('redirect manual', async ({ fetch, peer }) => {
    const response = await fetch(peer.url + hop(302, '/echo'), { redirect: 'manual' });
    return [response.headers.get('location'), await surface(response)];
  }),
  feature('redirect error', ({ fetch, peer }) => thrown(() => fetch(peer.url + hop(302, '/echo'), { redirect: 'error' }))),
  feature('redirect of no such kind', ({ fetch, peer }) => thrown(() => fetch(peer.url, { redirect: 'sometimes' as never }))),
  feature('20 redirects', async ({ fetch, peer }) => surface(await fetch(`${peer.url}/loop?n=20`))),
  feature('21 redirects', ({ fetch, peer }) => thrown(() => fetch(`${peer.url}/loop?n=21`))),
  ...each(
    ['http://', 'ftp://localhost/', 'data:text/plain,x', 'javascript:1'],
    (to) => `redirect to ${to} fails`,
    ({ fetch, peer }, to) => thrown(() => fetch(peer.url + hop(302, to))),
  ),
  feature('redirect with a fragment', async ({ fetch, peer }) => (await fetch(`${peer.url}${hop(302, '/echo#b')}#a`)).url),
];

/** Another origin that the mesh knows as well, and one that it does not know. */
export function crossOriginFeatures(others: () => readonly string[]): readonly Feature[] {
  return [0, 1].flatMap((index) => [
    feature(`redirect across origins, ${index}`, async ({ fetch, peer }) =>
      followed(await fetch(peer.url + hop(302, `${others()[index]}/echo`), { headers: PRIVATE })),
    ),
    feature(`307 across origins with a body, ${index}`, async ({ fetch, peer }) =>
      followed(await fetch(peer.url + hop(307, `${others()[index]}/echo`), { method: 'POST', body: 'the body', headers: PRIVATE })),
    ),
  ]);
}

type Act = (controller: AbortController) => Promise<unknown>;

async function aborted(act: Act): Promise<unknown> {
  return thrown(() => act(new AbortController()));
}

const aborts: readonly Feature[] = [
  feature('abort before', (world) => thrown(() => world.fetch(`${world.peer.url}/hang`, { signal: AbortSignal.abort() }))),
  feature('abort before, with a reason', (world) =>
    thrown(() => world.fetch(`${world.peer.url}/hang`, { signal: AbortSignal.abort(new RangeError('mine')) })),
  ),
  feature('abort in the same turn', (world) =>
    aborted((controller) => {
      const call = world.fetch(`${world.peer.url}/hang`, { signal: controller.signal });
      controller.abort();
      return call;
    }),
  ),
  feature('abort while waiting for the head', (world) =>
    aborted(async (controller) => {
      const path = world.path('hang');
      const call = thrown(() => world.fetch(world.peer.url + path, { signal: controller.signal }));
      await world.peer.arrived(path);
      controller.abort(new RangeError('mine'));
      await world.peer.gone(path);
      return JSON.stringify(await call);
    }),
  ),
  feature('abort while the body is read', (world) =>
    aborted(async (controller) => {
      const path = world.path('parts');
      const response = await world.fetch(world.peer.url + path, { signal: controller.signal });
      const text = thrown(() => response.text());
      world.peer.release(path, 'first');
      controller.abort(new RangeError('mine'));
      await world.peer.gone(path);
      return JSON.stringify(await text);
    }),
  ),
  feature('abort while the stream is read', (world) =>
    aborted(async (controller) => {
      const path = world.path('parts');
      const response = await world.fetch(world.peer.url + path, { signal: controller.signal });
      const reader = (response.body as ReadableStream).getReader();
      world.peer.release(path, 'first');
      await reader.read();
      controller.abort();
      return reader.read();
    }),
  ),
  feature('abort after the end changes nothing', async ({ fetch, peer }) => {
    const controller = new AbortController();
    const response = await fetch(`${peer.url}/bytes?n=5`, { signal: controller.signal });
    const text = await response.text();
    controller.abort();
    return text;
  }),
  feature('abort while the body is sent', (world) =>
    aborted(async (controller) => {
      const path = world.path('hang');
      const endless = new ReadableStream({
        pull(sending) {
          sending.enqueue(Buffer.alloc(1_000));
          return world.peer.arrived(path).then(() => new Promise(() => {}));
        },
      });
      const init = { method: 'POST', body: endless, duplex: 'half', signal: controller.signal } as RequestInit;
      const call = thrown(() => world.fetch(world.peer.url + path, init));
      await world.peer.arrived(path);
      controller.abort();
      await world.peer.gone(path);
      return JSON.stringify(await call);
    }),
  ),
  feature('a signal that is none is refused', ({ fetch, peer }) => thrown(() => fetch(peer.url, { signal: {} as AbortSignal }))),
  feature('cancel of the body ends the call', async ({ fetch, peer, path }) => {
    const target = path('parts');
    const response = await fetch(peer.url + target);
    peer.release(target, 'first');
    await response.body?.cancel();
    await peer.gone(target);
    return [response.bodyUsed, await thrown(() => response.text())];
  }),
  feature('cancel in mid-stream ends the call', async ({ fetch, peer, path }) => {
    const target = path('parts');
    const reader = (await fetch(peer.url + target)).body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    peer.release(target, 'first');
    await reader.read();
    await reader.cancel(new RangeError('enough'));
    await peer.gone(target);
    return (await reader.read()).done;
  }),
];

export const RESPONSE_FEATURES: readonly Feature[] = [...heads, ...reading, ...codings, ...redirects, ...aborts];
