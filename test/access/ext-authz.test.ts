import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Authorizer } from '../../src/access/check.ts';
import type { AccessRequest, CallContent } from '../../src/access/request.ts';
import { headersOf, namedHeaders, statusOf, usablePairs } from '../../src/access/ext-authz.ts';
import { httpAuthorizer } from '../../src/access/ext-authz-http.ts';
import { checkAnswer } from '../../src/access/ext-authz-message.ts';
import { loadGrpcAuthorizer } from '../../src/access/grpc-ext-authz.ts';
import { EXTENSION_PROVIDER_DEFAULTS, type ExtensionProvider } from '../../src/model/extension-provider.ts';
import { peer, request } from './cases.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanUps.splice(0).reverse()) await one();
});

function provider(kind: 'http' | 'grpc', port: number, more: Partial<ExtensionProvider> = {}): ExtensionProvider {
  return { ...EXTENSION_PROVIDER_DEFAULTS, timeoutMs: 5_000, name: 'opa', kind, host: '127.0.0.1', port, ...more };
}

const closed = (authorizer: Authorizer & { close(): void }): Authorizer => {
  cleanUps.push(() => authorizer.close());
  return authorizer;
};

/** A body as a server shows it. */
function content(text: string): CallContent {
  const bytes = Buffer.from(text);
  return { peek: (bytesMax) => Promise.resolve({ bytes: bytes.subarray(0, bytesMax), isWhole: bytes.length <= bytesMax }) };
}

describe('an authorizer over HTTP', () => {
  async function asking(listener: RequestListener, more: Partial<ExtensionProvider> = {}): Promise<Authorizer> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return closed(httpAuthorizer(provider('http', (server.address() as AddressInfo).port, more), systemClock));
  }

  it('sees method, path, host and the headers that are listed, every value of them', async () => {
    const seen: IncomingMessage[] = [];
    const more = { pathPrefix: '/check', includeHeaders: ['X-User', 'x-b3-*'], additionalHeaders: { 'x-secret': 's' } };
    const authorizer = await asking((one, response) => {
      seen.push(one);
      response.end();
    }, more);
    const headers = [
      'X-User',
      'a',
      'x-user',
      'b',
      'Authorization',
      'Bearer t',
      'x-b3-traceid',
      '1',
      'x-other',
      'no',
      'Connection',
      'x-user',
      'Content-Length',
      '7',
    ];
    const answer = await authorizer.check(request({ method: 'DELETE', target: '/a?b=1', authority: 'Reviews:80', headers }));
    expect(answer).toEqual({ kind: 'allow', edits: { remove: [], set: [], append: [], target: null }, responseHeaders: [] });
    expect({ method: seen[0]?.method, url: seen[0]?.url }).toEqual({ method: 'DELETE', url: '/check/a?b=1' });
    const { connection: _, ...rest } = seen[0]?.headers ?? {};
    expect(rest).toEqual({
      host: 'Reviews:80',
      'content-length': '0',
      authorization: 'Bearer t',
      'x-user': 'a,b',
      'x-b3-traceid': '1',
      'x-secret': 's',
    });
  });

  it('sees the body when it is told to, or its beginning, or is not asked', async () => {
    const seen: string[] = [];
    const listener: RequestListener = (one, response) => {
      let text = '';
      one.on('data', (chunk: Buffer) => (text += chunk.toString()));
      one.on('end', () => {
        seen.push(`${one.headers['content-length']} ${String(one.headers['x-envoy-auth-partial-body'])} ${text}`);
        response.end();
      });
    };
    const call = (text: string): AccessRequest => request({ method: 'POST', content: content(text) });
    const whole = await asking(listener, { body: { bytesMax: 4, allowsPartial: false, isBytes: false } });
    expect(await whole.check(call('four'))).toMatchObject({ kind: 'allow' });
    expect(await whole.check(call(''))).toMatchObject({ kind: 'allow' });
    expect(await whole.check(call('fives'))).toEqual({ kind: 'deny', status: 413, headers: [], body: 'Payload Too Large' });
    const partial = await asking(listener, { body: { bytesMax: 4, allowsPartial: true, isBytes: false } });
    expect(await partial.check(call('fives'))).toMatchObject({ kind: 'allow' });
    expect(await partial.check(request({ method: 'POST' }))).toMatchObject({ kind: 'allow' });
    expect(await (await asking(listener)).check(call('four'))).toMatchObject({ kind: 'allow' });
    expect(seen).toEqual(['4 false four', '0 false ', '4 true five', '0 undefined ', '0 undefined ']);
  });

  it('may add headers for the handler and for the caller, but none of framing', async () => {
    const authorizer = await asking(
      (_one, response) => {
        response.setHeader('X-Id', ['1', '2']);
        response.setHeader('x-down', 'd');
        response.setHeader('x-other', 'no');
        response.end();
      },
      { headersToUpstreamOnAllow: ['x-id', 'host', 'content-length', 'transfer-encoding'], headersToDownstreamOnAllow: ['x-down'] },
    );
    expect(await authorizer.check(request())).toEqual({
      kind: 'allow',
      edits: {
        remove: ['x-id'],
        set: [],
        append: [
          ['x-id', '1'],
          ['x-id', '2'],
        ],
        target: null,
      },
      responseHeaders: [['x-down', 'd']],
    });
  });

  const saysNo: RequestListener = (_one, response) => {
    response.writeHead(302, { location: '/login', 'x-why': 'because', 'x-more': '1', date: 'now' }).end('go away');
  };

  it('denies with its status, headers and body', async () => {
    const answer = await (await asking(saysNo)).check(request());
    expect(answer).toMatchObject({ kind: 'deny', status: 302, body: 'go away' });
    expect(answer.kind === 'deny' ? answer.headers : []).toEqual(
      expect.arrayContaining([
        ['location', '/login'],
        ['x-why', 'because'],
        ['x-more', '1'],
      ]),
    );
  });

  it('denies with the headers that are listed, and those of the status', async () => {
    const answer = await (await asking(saysNo, { headersToDownstreamOnDeny: ['x-why'] })).check(request());
    expect(answer.kind === 'deny' ? answer.headers : []).toEqual([
      ['location', '/login'],
      ['x-why', 'because'],
    ]);
  });

  it('that fails has said nothing', async () => {
    const authorizer = await asking((_one, response) => void response.writeHead(503).end());
    expect(await authorizer.check(request())).toEqual({ kind: 'error', message: 'authorizer opa: it answered 503' });
    expect(authorizer).toMatchObject({ failOpen: false, statusOnError: 403 });
  });

  it('that is silent has said nothing', async () => {
    const authorizer = await asking(() => {}, { timeoutMs: 30 });
    expect(await authorizer.check(request())).toEqual({ kind: 'error', message: 'authorizer opa: no answer within 30 ms' });
  });

  it('that is away has said nothing', async () => {
    const authorizer = closed(httpAuthorizer(provider('http', 1), systemClock));
    expect(await authorizer.check(request())).toMatchObject({
      kind: 'error',
      message: expect.stringContaining('authorizer opa: connect ECONNREFUSED'),
    });
  });

  it('that talks too much has said nothing', async () => {
    const authorizer = await asking((_one, response) => void response.end('x'.repeat(65_537)));
    expect(await authorizer.check(request())).toMatchObject({
      kind: 'error',
      message: 'authorizer opa: its answer has more than 65536 bytes',
    });
  });

  it('a call that cannot be asked about is no crash', async () => {
    const authorizer = await asking((_one, response) => void response.end(), { additionalHeaders: { 'x-bad': 'a\nb' } });
    expect(await authorizer.check(request())).toMatchObject({ kind: 'error' });
  });
});

describe('an authorizer over gRPC', () => {
  const definition = loadSync(new URL('./external-auth.proto', import.meta.url).pathname, {
    keepCase: true,
    longs: Number,
    defaults: false,
  });
  const loaded = grpc.loadPackageDefinition(definition) as unknown as {
    envoy: { service: { auth: { v3: { Authorization: { service: grpc.ServiceDefinition } } } } };
  };
  const { service } = loaded.envoy.service.auth.v3.Authorization;

  type Answer = (asked: unknown) => unknown;

  async function asking(answer: Answer | null, more: Partial<ExtensionProvider> = {}): Promise<Authorizer> {
    const server = new grpc.Server();
    server.addService(service, {
      Check: (call: { request: unknown }, callback: grpc.sendUnaryData<unknown>) => {
        if (answer !== null) callback(null, answer(call.request));
      },
    });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    cleanUps.push(() => server.forceShutdown());
    return closed(await loadGrpcAuthorizer(provider('grpc', port, more), systemClock));
  }

  it('sees the whole head, and both ends of the connection', async () => {
    const seen: unknown[] = [];
    const authorizer = await asking((asked) => {
      seen.push(asked);
      return { status: { code: 0 } };
    });
    const headers = [
      'Host',
      'reviews',
      'X-User',
      'a',
      'x-user',
      'b',
      'Cookie',
      'c=1',
      'cookie',
      'd=2',
      'x-request-id',
      'id',
      'content-length',
      '300',
      'x-odd',
      'caf\u00e9',
    ];
    const who = peer('td/ns/a/sa/b');
    const call = request({ peer: who, method: 'PUT', target: '/a?b=1#f', headers, sni: 'reviews.svc', localPort: 9080 });
    expect(await authorizer.check(call)).toEqual({
      kind: 'allow',
      edits: { remove: [], set: [], append: [], target: null },
      responseHeaders: [],
    });
    expect(seen[0]).toEqual({
      attributes: {
        source: { address: { socket_address: { address: '10.0.0.7', port_value: 0 } }, principal: 'spiffe://td/ns/a/sa/b' },
        destination: { address: { socket_address: { address: '10.0.0.1', port_value: 9080 } } },
        request: {
          http: {
            id: 'id',
            method: 'PUT',
            headers: {
              ':method': 'PUT',
              ':path': '/a?b=1#f',
              ':authority': 'reviews',
              host: 'reviews',
              'x-user': 'a,b',
              cookie: 'c=1; d=2',
              'x-request-id': 'id',
              'content-length': '300',
              'x-odd': 'caf\u00e9',
            },
            path: '/a?b=1#f',
            host: 'reviews',
            scheme: 'https',
            query: 'b=1',
            fragment: 'f',
            size: 300,
            protocol: 'HTTP/1.1',
          },
        },
        tls_session: { sni: 'reviews.svc' },
      },
    });
  });

  it.each<[string, boolean, object]>([
    ['as text', false, { body: 'caf\u00e9', headers: { 'x-envoy-auth-partial-body': 'false' } }],
    ['as bytes', true, { raw_body: Buffer.from('caf\u00e9'), headers: { 'x-envoy-auth-partial-body': 'false' } }],
  ])('sees the body when it is told to, %s', async (_name, isBytes, expected) => {
    const seen: { attributes: { request: { http: object } } }[] = [];
    const answer = (asked: unknown): object => {
      seen.push(asked as (typeof seen)[number]);
      return {};
    };
    const authorizer = await asking(answer, { body: { bytesMax: 5, allowsPartial: false, isBytes } });
    expect(await authorizer.check(request({ headers: [], content: content('caf\u00e9') }))).toMatchObject({ kind: 'allow' });
    expect(seen[0]?.attributes.request.http).toMatchObject(expected);
    expect(await authorizer.check(request({ content: content('coffee') }))).toMatchObject({ kind: 'deny', status: 413 });
    const gone = await authorizer.check(request({ content: { peek: () => Promise.reject(new Error('gone')) } }));
    expect(gone).toEqual({ kind: 'error', message: 'authorizer opa: gone' });
    expect(seen).toHaveLength(1);
  });

  it('sees of a plain call what there is', async () => {
    const seen: unknown[] = [];
    const authorizer = await asking((asked) => {
      seen.push(asked);
      return {};
    });
    expect(await authorizer.check(request({ target: '/a', headers: ['content-length', 'x'] }))).toMatchObject({ kind: 'allow' });
    const { attributes } = seen[0] as { attributes: { source: object; request: { http: object } } };
    expect(attributes).not.toHaveProperty('tls_session');
    expect(attributes.source).not.toHaveProperty('principal');
    expect(attributes.request.http).toMatchObject({ id: '', scheme: 'http', query: '', fragment: '' });
    expect(attributes.request.http).not.toHaveProperty('size');
  });

  it('may change the head of the call, but not its framing', async () => {
    const option = (key: string, value: string, append?: boolean): object => ({
      header: { key, value },
      ...(append === undefined ? {} : { append: { value: append } }),
    });
    const authorizer = await asking(() => ({
      status: { code: 0 },
      ok_response: {
        headers: [
          option('X-Set', '1'),
          option('x-also-set', '2', false),
          option('x-add', '3', true),
          option('Host', 'evil'),
          option('transfer-encoding', 'chunked'),
          option(':path', '/evil'),
          option('x-evil', 'a\r\nb'),
          option('bad name', '1'),
          { header: { key: 'x-raw', raw_value: Buffer.from('raw') } },
          {},
        ],
        headers_to_remove: ['X-Gone', 'host', 'content-length'],
        response_headers_to_add: [option('x-answer', '4')],
        query_parameters_to_set: [{ key: 'a', value: 'new value' }],
        query_parameters_to_remove: ['b'],
      },
      wide: 7,
      narrow: 7,
      extra: { wide: 1, narrow: 1 },
    }));
    expect(await authorizer.check(request({ target: '/x?a=old&b=1&c=2' }))).toEqual({
      kind: 'allow',
      edits: {
        remove: ['x-gone'],
        set: [
          ['x-set', '1'],
          ['x-also-set', '2'],
          ['x-raw', 'raw'],
        ],
        append: [['x-add', '3']],
        target: '/x?a=new+value&c=2',
      },
      responseHeaders: [['x-answer', '4']],
    });
  });

  it('may take all parameters away, and add the first', async () => {
    const remove = await asking(() => ({ ok_response: { query_parameters_to_remove: ['b'] } }));
    expect(await remove.check(request({ target: '/x?b=1' }))).toMatchObject({ edits: { target: '/x' } });
    const add = await asking(() => ({ ok_response: { query_parameters_to_set: [{ key: 'a', value: '1' }] } }));
    expect(await add.check(request({ target: '/x' }))).toMatchObject({ edits: { target: '/x?a=1' } });
  });

  it('denies with its status, headers and body', async () => {
    const authorizer = await asking(() => ({
      status: { code: 7, message: 'no' },
      denied_response: { status: { code: 401 }, headers: [{ header: { key: 'WWW-Authenticate', value: 'Basic' } }], body: 'who are you' },
      ok_response: { headers: [{ header: { key: 'x-user', value: 'admin' } }] },
    }));
    expect(await authorizer.check(request())).toEqual({
      kind: 'deny',
      status: 401,
      headers: [['www-authenticate', 'Basic']],
      body: 'who are you',
    });
  });

  it('denies with 403 when it says no more', async () => {
    const authorizer = await asking(() => ({ status: { code: 16 } }));
    expect(await authorizer.check(request())).toEqual({ kind: 'deny', status: 403, headers: [], body: '' });
  });

  it('that is silent has said nothing', async () => {
    const authorizer = await asking(null, { timeoutMs: 50 });
    expect(await authorizer.check(request())).toMatchObject({
      kind: 'error',
      message: expect.stringMatching(/^authorizer opa: .*DEADLINE_EXCEEDED/),
    });
  });

  it('that is away has said nothing', async () => {
    const authorizer = closed(
      await loadGrpcAuthorizer(provider('grpc', 1, { host: '::1', failOpen: true, statusOnError: 503 }), systemClock),
    );
    expect(await authorizer.check(request())).toMatchObject({
      kind: 'error',
      message: expect.stringMatching(/^authorizer opa: .*UNAVAILABLE/),
    });
    expect(authorizer).toMatchObject({ failOpen: true, statusOnError: 503 });
  });

  it('without its package says what to install', async () => {
    const load = (): Promise<never> => Promise.reject(new Error('no module'));
    await expect(loadGrpcAuthorizer(provider('grpc', 1), systemClock, load)).rejects.toThrow('npm install @grpc/grpc-js');
  });

  it.each([
    ['a number that does not end', [0xff, 0xff]],
    ['a number of eleven bytes', [...Array.from({ length: 11 }, () => 0xff), 1]],
    ['a field beyond the end', [0x0a, 0x05, 0x01]],
    ['a kind that there is not', [0x0b, 0x01]],
  ])('whose answer is no message (%s) has said nothing', (_what, bytes) => {
    expect(() => checkAnswer(Uint8Array.from(bytes), request())).toThrow('no CheckResponse');
  });

  it('takes text where a number belongs for none', () => {
    expect(checkAnswer(Uint8Array.from([0x0a, 0x02, 0x0a, 0x00]), request())).toMatchObject({ kind: 'allow' });
    expect(checkAnswer(Uint8Array.from([0x08, 0x07]), request())).toMatchObject({ kind: 'allow' });
  });
});

describe('what both obey', () => {
  it('are headers that cannot change how bytes are read', () => {
    const all: [string, string][] = [
      ['X-A', 'b'],
      ['TE', 'trailers'],
      ['upgrade', 'h2c'],
      ['x y', '1'],
      ['', '1'],
      ['x-nul', 'a\0b'],
      ['x-wide', '\u0100'],
      ['x-tab', 'a\tb'],
    ];
    expect(usablePairs(all)).toEqual([
      ['x-a', 'b'],
      ['x-tab', 'a\tb'],
    ]);
  });

  it('are names and wildcards', () => {
    const isNamed = namedHeaders(['X-A', 'x-b-*', '*-c']);
    expect(['x-a', 'x-b-1', 'y-c', 'x-d'].map(isNamed)).toEqual([true, true, true, false]);
  });

  it('are statuses that end an exchange', () => {
    expect([200, 599, 100, 600, 0, 403.5].map((status) => statusOf(status, 403))).toEqual([200, 599, 403, 403, 403, 403]);
  });

  it('2023-001: bytes that are no text become text', () => {
    expect(headersOf(request({ headers: ['x', '\u00ff\u00fe'] })).get('x')).toBe('\u00ff\u00fe');
  });
});
