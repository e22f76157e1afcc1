// What fetch does, feature by feature. Each runs against built-in fetch and against mesh.fetch, and must give the same.
import { type FetchPeer, TEXT } from './fetch-peer.ts';

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

export interface World {
  readonly fetch: Fetch;
  readonly peer: FetchPeer;
  /** A path that nobody else asks for, under one of the handlers. */
  readonly path: (handler: string) => string;
}

export interface Feature {
  readonly name: string;
  readonly run: (world: World) => Promise<unknown>;
}

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Headers that differ on purpose, see the list of differences. */
const DIFFERENT = ['accept-language', 'sec-fetch-mode', 'x-envoy-expected-rq-timeout-ms'];

async function echo({ fetch, peer }: World, init: RequestInit & { duplex?: 'half' } = {}, path = '/echo?q=1'): Promise<Echo> {
  const seen = (await (await fetch(peer.url + path, init)).json()) as Echo;
  for (const name of DIFFERENT) delete seen.headers[name];
  if (seen.headers['content-type']?.startsWith('multipart/form-data') === true) {
    const boundary = seen.headers['content-type'].split('boundary=')[1] as string;
    return JSON.parse(JSON.stringify(seen).replaceAll(boundary, 'BOUNDARY')) as Echo;
  }
  return seen;
}

async function thrown(run: () => unknown): Promise<unknown> {
  try {
    return { came: String(await run()) };
  } catch (error) {
    return { name: (error as Error).name, isTypeError: error instanceof TypeError };
  }
}

function feature(name: string, run: (world: World) => Promise<unknown>): Feature {
  return { name, run };
}

const each = <T>(values: readonly T[], name: (value: T) => string, run: (world: World, value: T) => Promise<unknown>): Feature[] =>
  values.map((value) => feature(name(value), (world) => run(world, value)));

const METHODS = ['GET', 'get', 'Get', 'POST', 'post', 'PUT', 'DELETE', 'delete', 'OPTIONS', 'PATCH', 'REPORT', 'SEARCH'];
const BAD_METHODS = ['CONNECT', 'TRACE', 'trace', 'G ET', 'GET\n', ''];

const requests: readonly Feature[] = [
  ...each(
    METHODS,
    (method) => `method ${method}`,
    (world, method) => echo(world, { method }),
  ),
  ...each(
    BAD_METHODS,
    (method) => `method ${JSON.stringify(method)} is refused`,
    (world, method) => thrown(() => world.fetch(world.peer.url, { method })),
  ),
  feature('HEAD', async ({ fetch, peer }) => {
    const response = await fetch(`${peer.url}/bytes?n=10`, { method: 'HEAD' });
    return [response.status, response.headers.get('content-length'), response.body, await response.text(), response.bodyUsed];
  }),
  feature('POST without a body', (world) => echo(world, { method: 'POST' })),
  feature('init null', async ({ fetch, peer }) => (await fetch(`${peer.url}/bytes?n=1`, null as never)).text()),
  feature('URL object', async ({ fetch, peer }) => (await fetch(new URL(`${peer.url}/bytes?n=3`))).text()),
  feature('Request object', async ({ fetch, peer }) => {
    const request = new Request(`${peer.url}/echo`, { method: 'PUT', body: 'of a request', headers: { 'x-a': '1' } });
    const { method, body, headers } = (await (await fetch(request)).json()) as Echo;
    return [method, body, headers['x-a'], headers['content-type'], request.bodyUsed];
  }),
  feature('Request object with an init over it', async ({ fetch, peer }) => {
    const { method, body } = (await (await fetch(new Request(`${peer.url}/echo`), { method: 'POST', body: 'x' })).json()) as Echo;
    return [method, body];
  }),
  ...each<RequestInit>(
    [
      { cache: 'no-store' },
      { cache: 'reload' },
      { mode: 'same-origin' },
      { credentials: 'include' },
      { referrerPolicy: 'origin' },
      { keepalive: true },
    ],
    (init) => `init ${JSON.stringify(init)}`,
    (world, init) => echo(world, init),
  ),
  feature('integrity', ({ fetch, peer }) => thrown(() => fetch(`${peer.url}/bytes?n=1`, { integrity: 'sha256-AAAA' }))),
];

const HEADERS: readonly (readonly [string, () => unknown])[] = [
  ['record', () => ({ 'X-Some': 'value', accept: 'text/css', 'User-Agent': 'me' })],
  [
    'pairs',
    () => [
      ['x-a', '1'],
      ['x-b', '2'],
      ['x-a', '3'],
    ],
  ],
  ['Headers', () => new Headers({ 'X-A': '1', b: '2' })],
  ['Map', () => new Map([['x-a', '1']])],
  ['values trimmed', () => ({ 'x-a': '  spaces\t' })],
  ['empty value', () => ({ 'x-a': '' })],
  ['number', () => ({ 'x-a': 5 })],
  ['null and undefined', () => ({ 'x-a': null, 'x-b': undefined })],
  ['array value', () => ({ 'x-a': ['1', '2'] })],
  ['latin-1', () => ({ 'x-a': 'gr\u00fc\u00df' })],
  ['host is left out', () => ({ host: 'somewhere.else' })],
  ['range', () => ({ range: 'bytes=0-1' })],
  ['accept-encoding', () => ({ 'accept-encoding': 'br' })],
  ['content-type', () => ({ 'Content-Type': 'text/css' })],
  ['cookie', () => ({ cookie: 'a=1; b=2' })],
  ['connection: close', () => ({ connection: 'close' })],
];
const BAD_HEADERS: readonly (readonly [string, () => unknown])[] = [
  ['a name with a space', () => ({ 'x a': '1' })],
  ['an empty name', () => ({ '': '1' })],
  ['a value with a line break', () => ({ 'x-a': 'a\r\nb: c' })],
  ['a value with NUL', () => ({ 'x-a': 'a\0b' })],
  ['a value beyond latin-1', () => ({ 'x-a': '☃' })],
  ['a pair of three', () => [['a', 'b', 'c']]],
  ['a string', () => 'a: b'],
  ['transfer-encoding', () => ({ 'transfer-encoding': 'chunked' })],
  ['keep-alive', () => ({ 'keep-alive': 'timeout=5' })],
];

const headers: readonly Feature[] = [
  ...each(
    HEADERS,
    ([name]) => `headers: ${name}`,
    (world, [, make]) => echo(world, { method: 'POST', headers: make() as NonNullable<RequestInit['headers']>, body: 'x' }),
  ),
  ...each(
    BAD_HEADERS,
    ([name]) => `headers: ${name} is refused`,
    (world, [, make]) => thrown(() => world.fetch(`${world.peer.url}/echo`, { headers: make() as NonNullable<RequestInit['headers']> })),
  ),
];

function stream(...parts: unknown[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

async function* generated(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('generated ');
  yield Buffer.from('bytes');
}

function form(): FormData {
  const data = new FormData();
  data.append('name', 'välue');
  data.append('file', new Blob(['of a file'], { type: 'text/css' }), 'a.css');
  return data;
}

const BODIES: readonly (readonly [string, () => unknown])[] = [
  ['string', () => 'grüße'],
  ['empty string', () => ''],
  ['URLSearchParams', () => new URLSearchParams({ a: '1', b: 'two words' })],
  ['Blob', () => new Blob(['blob'], { type: 'text/css' })],
  ['Blob without type', () => new Blob(['blob'])],
  ['File', () => new File(['file'], 'a.txt', { type: 'text/plain' })],
  ['FormData', form],
  ['Buffer', () => Buffer.from('buffer')],
  ['Uint16Array', () => new Uint16Array([0x4142, 0x4344])],
  ['DataView of a part', () => new DataView(new TextEncoder().encode('0123456789').buffer, 2, 3)],
  ['ArrayBuffer', () => new TextEncoder().encode('array').buffer],
  ['empty ArrayBuffer', () => new ArrayBuffer(0)],
  ['ReadableStream', () => stream(Buffer.from('a '), Buffer.from('stream'))],
  ['empty ReadableStream', () => stream()],
  ['async iterable', generated],
  ['number', () => 12],
  ['plain object', () => ({ a: 1 })],
  ['array', () => [1, 2]],
];

const bodies: readonly Feature[] = [
  ...each(
    BODIES,
    ([name]) => `body: ${name}`,
    (world, [, make]) => echo(world, { method: 'POST', body: make() as NonNullable<RequestInit['body']>, duplex: 'half' }),
  ),
  feature('body over 64 KiB', async (world) => (await echo(world, { method: 'PUT', body: 'x'.repeat(200_000) })).body.length),
  feature('stream over 64 KiB', async (world) => {
    const big = stream(...Array.from({ length: 50 }, () => Buffer.alloc(4_000, 'x')));
    return (await echo(world, { method: 'PUT', body: big, duplex: 'half' })).body.length;
  }),
  feature('stream without duplex is refused', ({ fetch, peer }) =>
    thrown(() => fetch(peer.url, { method: 'POST', body: stream(Buffer.from('x')) })),
  ),
  feature('locked stream is refused', ({ fetch, peer }) => {
    const locked = stream(Buffer.from('x'));
    locked.getReader();
    return thrown(() => fetch(peer.url, { method: 'POST', body: locked, duplex: 'half' } as RequestInit));
  }),
  feature('stream that was read from is refused', async ({ fetch, peer }) => {
    const read = stream(Buffer.from('x'), Buffer.from('y'));
    const reader = read.getReader();
    await reader.read();
    reader.releaseLock();
    return thrown(() => fetch(peer.url, { method: 'POST', body: read, duplex: 'half' } as RequestInit));
  }),
  feature('a stream that fails rejects', ({ fetch, peer }) => {
    const failing = new ReadableStream({
      pull(controller) {
        controller.error(new RangeError('source broke'));
      },
    });
    return thrown(async () => {
      const response = await fetch(`${peer.url}/echo`, { method: 'POST', body: failing, duplex: 'half' } as RequestInit);
      return response.status;
    }).then((outcome) => 'came' in (outcome as object));
  }),
  ...each(
    ['GET', 'HEAD'],
    (method) => `${method} with a body is refused`,
    ({ fetch, peer }, method) => thrown(() => fetch(peer.url, { method, body: 'x' })),
  ),
];

const ODD_URLS = [
  '/a b/c d?e f=g h',
  '/üñî/世界?q=ü',
  '/a/./b/../c',
  '/a/%2e/b/%2E%2e/c',
  '/..',
  '/a//b',
  '/%zz',
  "/quote'?quote'",
  '/a|b^c`d{e}',
  '?only=query',
  '/?a=1&b=%20+c',
  '/path#fragment',
  '#fragment',
  '#',
  '',
  '/a\\b',
  '/tab\there',
  '/semi;colon,comma:colon@at!$&()*+=~',
  '/.hidden',
  '/a.b',
  '/end.',
  '/end/.',
];

const urls: readonly Feature[] = [
  ...each(
    ODD_URLS,
    (path) => `URL ${JSON.stringify(path)}`,
    async ({ fetch, peer }, path) => {
      const response = await fetch(peer.url + path);
      return [response.url, ((await response.json()) as Echo).url];
    },
  ),
  feature('URL with an upper-case scheme and host', async ({ fetch, peer }) => {
    const response = await fetch(`${peer.url.replace('http://localhost', 'HTTP://LOCALHOST')}/echo`);
    return [response.url, ((await response.json()) as Echo).headers.host];
  }),
  feature('URL with spaces around', async ({ fetch, peer }) => (await fetch(`  ${peer.url}/echo \n`)).url),
  ...each(
    [
      '',
      '/relative',
      'http://',
      'http://a:99999/',
      'http://a b/',
      'ftp://localhost/',
      'http://user:password@localhost/',
      'http://xn--/',
      'http://[::1',
    ],
    (url) => `URL ${JSON.stringify(url)} is refused`,
    ({ fetch }, url) => thrown(() => fetch(url)),
  ),
  feature('data: URL', async ({ fetch }) => {
    const response = await fetch('data:text/plain,hello%20there');
    return [response.status, response.headers.get('content-type'), await response.text()];
  }),
];

export const REQUEST_FEATURES: readonly Feature[] = [...requests, ...headers, ...bodies, ...urls];
export { each, feature, stream, TEXT, thrown };
