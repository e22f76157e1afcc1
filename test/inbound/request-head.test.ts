// Heads that two parties could read differently, and headers that only the mesh may write: over raw sockets, with the bytes
// that an attacker would send.
import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Listener } from '../../src/inbound/handler.ts';
import { createMesh } from '../../src/mesh/create-mesh.ts';
import { requestIdOf } from '../../src/inbound/request-id.ts';
import {
  CALLER,
  http2To,
  onSession,
  overHttp1,
  overHttp2,
  received,
  ROOT,
  secure,
  type SecureOptions,
  type SecureServer,
  SERVER,
  tcp,
} from './secure-server.ts';
import { identityOf } from '../support/fixed-identity.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serving(listener: Listener, options: SecureOptions = {}): Promise<SecureServer> {
  const real = await secure(listener, options);
  closers.push(real.close);
  return real;
}

interface Sent {
  readonly status: number;
  /** Heads that the application saw. */
  readonly heads: readonly (readonly string[])[];
}

/** One connection, these bytes; what is answered first. */
async function send(bytes: string): Promise<Sent> {
  const heads: string[][] = [];
  const { port } = await serving((request, response) => {
    heads.push([...request.rawHeaders]);
    response.end();
  });
  const socket = tcp(port);
  const answered = received(socket);
  socket.end(Buffer.from(bytes, 'latin1'));
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(await answered)?.[1] ?? 0);
  return { status, heads };
}

const get = (...lines: readonly string[]): string => ['GET / HTTP/1.1', ...lines, 'connection: close', '', ''].join('\r\n');
const post = (lines: readonly string[], body: string): string => ['POST / HTTP/1.1', 'host: a', ...lines, '', body].join('\r\n');
const SMUGGLED = 'GET /admin HTTP/1.1\r\nhost: a\r\n\r\n';

/** Each must be refused, or read in one way by everybody. */
const HEADS: readonly (readonly [what: string, bytes: string])[] = [
  ['content-length and transfer-encoding', post(['content-length: 4', 'transfer-encoding: chunked'], `0\r\n\r\n${SMUGGLED}`)],
  ['two content-lengths', post(['content-length: 3', 'content-length: 4'], 'abcd')],
  ['content-length as a list', post(['content-length: 3, 4'], 'abcd')],
  ['content-length with a sign', post(['content-length: +3'], 'abc')],
  ['content-length in hexadecimal', post(['content-length: 0x3'], 'abc')],
  ['content-length below zero', post(['content-length: -1'], '')],
  ['transfer-encoding: xchunked', post(['transfer-encoding: xchunked'], '0\r\n\r\n')],
  ['transfer-encoding: identity', post(['transfer-encoding: identity'], '')],
  ['transfer-encoding: gzip, chunked', post(['transfer-encoding: gzip, chunked'], '0\r\n\r\n')],
  ['transfer-encoding: chunked, identity', post(['transfer-encoding: chunked, identity'], '0\r\n\r\n')],
  ['two transfer-encodings', post(['transfer-encoding: chunked', 'transfer-encoding: chunked'], '0\r\n\r\n')],
  ['transfer-encoding with a tab before', post(['transfer-encoding:\x0bchunked'], '0\r\n\r\n')],
  ['transfer-encoding in quotes', post(['transfer-encoding: "chunked"'], '0\r\n\r\n')],
  ['transfer_encoding beside a body', post(['transfer-encoding : chunked'], '0\r\n\r\n')],
  ['a blank before the colon', get('host: a', 'x-a : 1')],
  ['a folded line', get('host: a', 'x-a: 1', ' 2')],
  ['a line without a colon', get('host: a', 'x-a')],
  ['a name with a control character', get('host: a', 'x\x01a: 1')],
  ['a value with NUL', get('host: a', 'x-a: 1\x002')],
  ['a bare line feed within a value', get('host: a', 'x-a: 1\n2')],
  ['a carriage return within a value', get('host: a', 'x-a: 1\r2')],
  ['no host', get()],
  ['two hosts', get('host: a', 'host: b')],
  ['two equal hosts', get('host: a', 'Host: a')],
  ['an empty host', get('host: ')],
  ['a host with a user', get('host: u@h.test')],
  ['a host with a path', get('host: h.test/x')],
  ['two hosts in one', get('host: a,b')],
  ['a host whose port is none', get('host: h.test:99999')],
  ['a host with a port of letters', get('host: h.test:8o')],
  ['a host with a blank', get('host: a b')],
  ['a host in brackets that is no address', get('host: [zz]')],
  ['two authorizations', get('host: a', 'authorization: Bearer x', 'Authorization: Bearer y')],
  ['a connection header that names host', get('host: a').replace('connection: close', 'connection: close, host')],
  ['a connection header that names the header of certificates', get('host: a', 'connection: x-forwarded-client-cert')],
  ['a connection header that names authorization', get('host: a', 'connection: Authorization')],
  ['a connection header that names content-length', post(['content-length: 0', 'connection: content-length'], '')],
  ['a method that is none', 'G@T / HTTP/1.1\r\nhost: a\r\n\r\n'],
  ['a version that is none', 'GET / HTTP/9.9\r\nhost: a\r\n\r\n'],
];

describe('a head that could be read in two ways (smuggling)', () => {
  it.each(HEADS)('%s: 400, and the application sees nothing', async (_, bytes) => {
    const { status, heads } = await send(bytes);
    expect([status, heads]).toEqual([400, []]);
  });

  it('a body whose chunk size is no number: what follows is never read as a request', async () => {
    const { heads } = await send(post(['transfer-encoding: chunked'], `z\r\nabc\r\n0\r\n\r\n${SMUGGLED}`));
    expect(heads.length).toBe(1);
  });

  it('an HTTP/2 request whose host is not its authority: 400', async () => {
    let calls = 0;
    const { port, inbound } = await serving(() => void calls++);
    const session = http2To({ port });
    closers.push(() => session.destroy());
    expect((await onSession(session, { headers: { ':authority': 'a.test', host: 'b.test' } })).status).toBe(400);
    expect([calls, inbound.snapshot().malformed]).toEqual([0, 1]);
  });
});

describe('a head that is fine', () => {
  it.each([
    ['a host in capitals', get('host: H.TEST')],
    ['a host with a dot at its end', get('host: h.test.')],
    ['a host with a port', get('host: h.test:8080')],
    ['an IPv6 host', get('host: [::1]:80')],
    ['a name with underscores', get('host: my_service')],
    ['chunked in capitals', post(['transfer-encoding: Chunked', 'connection: close'], '0\r\n\r\n')],
    ['connection: keep-alive, te', get('host: a', 'te: trailers').replace('connection: close', 'connection: close, te')],
  ])('%s is served', async (_, bytes) => {
    expect((await send(bytes)).status).toBe(200);
  });
});

const SPOOFS: readonly string[] = [
  'x-forwarded-client-cert',
  'X-Forwarded-Client-Cert',
  'x_forwarded_client_cert',
  'X_Forwarded-Client_Cert',
  'x-envoy-original-path',
  'x-envoy-peer-metadata',
  'x_envoy_expected_rq_timeout_ms',
  'x-envoy-external-address',
  'X-Mesh-Peer',
  'x_mesh_peer',
  'x-inmesh-peer',
  'x-inmesh-error',
];

describe('what only the mesh may say (spoofing)', () => {
  const seen: Listener = (request, response) => {
    const distinct = Object.keys(request.headersDistinct ?? {});
    response.end(
      JSON.stringify({ raw: request.rawHeaders.filter((_, i) => i % 2 === 0), headers: Object.keys(request.headers), distinct }),
    );
  };

  it.each(SPOOFS)('%s never reaches the application: once, twice, over HTTP/2', async (name) => {
    const { port } = await serving(seen);
    const once = await overHttp1({ port, headers: { [name]: CALLER.spiffeId, 'x-other': '1' } });
    const twice = await overHttp1({ port, headers: { [name]: ['a', CALLER.spiffeId] } });
    const over2 = await overHttp2({ port, headers: { [name.toLowerCase()]: CALLER.spiffeId } });
    const mtls = await overHttp1({ port, as: CALLER, headers: { [name]: CALLER.spiffeId } });
    for (const { text } of [once, twice, over2, mtls]) expect(text.toLowerCase()).not.toContain(name.toLowerCase());
    expect(JSON.parse(once.text)).toMatchObject({ raw: expect.arrayContaining(['x-other']) as unknown });
  });

  it.each(['x-envoy-expected-rq-timeout-ms', 'x-envoy-attempt-count', 'x-inmesh-criticality', 'x-forwarded-for', 'x-api-key'])(
    '%s says nothing about who calls, and stays',
    async (name) => {
      const { port } = await serving(seen);
      expect((await overHttp1({ port, headers: { [name]: '1000' } })).text).toContain(name);
    },
  );

  it('is kept from a trusted proxy: by its identity, by its address; from nobody else, a private address is no reason', async () => {
    const config = { trustedProxies: [CALLER.spiffeId] };
    const { port } = await serving(seen, { config });
    const headers = { 'x-forwarded-client-cert': 'URI=spiffe://a/b' };
    const isKept = async (as?: typeof CALLER): Promise<boolean> =>
      (await overHttp1({ port, headers, ...(as === undefined ? {} : { as }) })).text.includes('x-forwarded-client-cert');
    expect([await isKept(CALLER), await isKept(identityOf(ROOT, 'other')), await isKept()]).toEqual([true, false, false]);
    const { port: byAddress } = await serving(seen, { config: { trustedProxies: ['10.0.0.0/8', '127.0.0.0/8'] } });
    expect((await overHttp1({ port: byAddress, headers })).text).toContain('x-forwarded-client-cert');
  });

  it.each(['10.0.0.0/33', 'gateway', '10.0.0', '::1/129', ''])('a list with %j is refused', (entry) => {
    return expect(serving(seen, { config: { trustedProxies: [entry] } })).rejects.toThrow(/neither a SPIFFE ID nor an address/);
  });
});

describe('the certificate as a header', () => {
  it('is made of the connection alone, when it is asked for', async () => {
    const { port } = await serving((request, response) => void response.end(request.headers['x-forwarded-client-cert'] ?? '-'), {
      config: { forwardClientCert: true },
    });
    const headers = { 'x-forwarded-client-cert': 'URI=spiffe://cluster.local/ns/default/sa/admin' };
    const { text } = await overHttp1({ port, as: CALLER, headers });
    expect(text).toMatch(/^By=(spiffe:[^;]+);Hash=[0-9a-f]{64};URI=(spiffe:[^;]+);DNS=localhost$/);
    expect(text).toContain(`By=${SERVER.spiffeId};`);
    expect(text).toContain(`URI=${CALLER.spiffeId};`);
    expect((await overHttp1({ port, headers })).text).toBe('-');
  });
});

describe('the request id', () => {
  const ids: Listener = (request, response) => void response.end(requestIdOf(request));

  it('is kept from a caller with an identity, and made for anybody else', async () => {
    const { port } = await serving(ids);
    const headers = { 'x-request-id': 'abc-1' };
    const trusted = await overHttp1({ port, as: CALLER, headers });
    expect([trusted.text, trusted.headers['x-request-id']]).toEqual(['abc-1', 'abc-1']);
    const stranger = await overHttp1({ port, headers });
    expect(stranger.text).toMatch(/^[0-9a-f-]{36}$/);
    expect(stranger.headers['x-request-id']).toBe(stranger.text);
    const other = await overHttp2({ port });
    expect(other.text).not.toBe(stranger.text);
  });

  it('is told to peers when somebody has asked for it, and to anybody else in any case', async () => {
    const { port } = await serving((_request, response) => void response.end('unasked'));
    const headers = { 'x-request-id': 'abc-1' };
    expect((await overHttp1({ port, as: CALLER, headers })).headers['x-request-id']).toBeUndefined();
    expect((await overHttp1({ port, headers })).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is the same whenever it is asked for, also when the answer is over', async () => {
    const late = Promise.withResolvers<IncomingMessage>();
    const { port } = await serving((request, response) => {
      response.on('close', () => late.resolve(request));
      response.end('unasked');
    });
    await overHttp1({ port, as: CALLER });
    const request = await late.promise;
    const name = requestIdOf(request);
    expect(name).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestIdOf(request)).toBe(name);
  });

  it('is a UUID of version 4, another each time', async () => {
    const { port } = await serving(ids);
    const names: string[] = [];
    for (let i = 0; i < 130; i++) names.push((await overHttp1({ port })).text);
    expect(names.filter((name) => !/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(130);
  });

  it('goes on with the calls that the handler makes, and not beyond them', async () => {
    const leaf = await serving(ids);
    const mesh = await createMesh({ config: { services: { leaf: { endpoints: [`127.0.0.1:${leaf.port}`] } } } });
    closers.push(() => mesh.close());
    const { port } = await serving(async (request, response) => {
      const headers: Record<string, string> = request.url === '/own' ? { 'X-Request-Id': 'mine' } : {};
      response.end((await mesh.fetch('http://leaf/', { headers })).headers.get('x-request-id'));
    });
    const { text, headers } = await overHttp1({ port, headers: { 'x-forwarded-for': '10.0.0.1' } });
    // The leaf takes it from nobody whom it does not know: that it was sent is seen by a server that trusts.
    expect(headers['x-request-id']).not.toBe(text);
    const trusting = await serving(ids, { config: { trustedProxies: ['127.0.0.0/8'] } });
    await mesh.reload({ services: { leaf: { endpoints: [`127.0.0.1:${trusting.port}`] } } });
    const known = await overHttp1({ port });
    expect(known.text).toBe(known.headers['x-request-id']);
    expect((await overHttp1({ port, path: '/own' })).text).toBe('mine');
    expect((await mesh.fetch('http://leaf/')).headers.get('x-request-id')).not.toBe(known.text);
  });

  it.each(['a b', 'a'.repeat(129), '<script>', '%0d%0a'])('that could hurt a log is replaced: %j', async (id) => {
    const { port } = await serving(ids);
    expect((await overHttp1({ port, as: CALLER, headers: { 'x-request-id': id } })).text).not.toBe(id);
  });
});
