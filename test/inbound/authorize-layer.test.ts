// The layer between real sockets: what the caller gets, what the handler sees.
import { createServer as createHttp2Server, connect as connectHttp2 } from 'node:http2';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NO_EDITS } from '../../src/access/head-edit.ts';
import type { AccessParts } from '../../src/access/check.ts';
import type { AccessRequest } from '../../src/access/request.ts';
import { plainConnection, setConnection } from '../../src/inbound/connection.ts';
import { trustedCallers } from '../../src/inbound/trusted-callers.ts';
import { allow, deny, peer, policy } from '../access/cases.ts';
import { type AccessServer, type AccessServerOptions, guarded, guardedHandler, rawAsk } from './access-server.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanUps.splice(0).reverse()) await one();
});

interface Served extends AccessServer {
  readonly seen: IncomingMessage[];
}

async function serve(policies: Parameters<typeof guarded>[1], options: AccessServerOptions = {}): Promise<Served> {
  const seen: IncomingMessage[] = [];
  const server = await guarded(
    (one, response) => {
      seen.push(one);
      response.end('served');
    },
    policies,
    options,
  );
  cleanUps.push(server.close);
  return { ...server, seen };
}

/** A function that remembers what it was asked. */
function spying(seen: AccessRequest[]): Partial<AccessParts> {
  return {
    functions: [
      (asked) => {
        seen.push(asked);
        return true;
      },
    ],
  };
}

describe('the authorize layer', () => {
  it('answers a denied call as a sidecar does; the handler never sees it', async () => {
    const { port, seen, verdicts } = await serve([deny({ paths: ['/a'] })]);
    const { status, head, body } = await rawAsk(port, '/a');
    expect({ status, body, seen }).toEqual({ status: 403, body: 'RBAC: access denied', seen: [] });
    expect(head).toMatch(/content-type: text\/plain/i);
    expect(verdicts).toHaveLength(1);
    expect((await rawAsk(port, '/b')).body).toBe('served');
    expect(verdicts).toHaveLength(1);
  });

  it('answers 400 for two hosts, whichever of them is allowed', async () => {
    const { port, seen } = await serve([allow({ hosts: ['a'] })]);
    expect((await rawAsk(port, '/', ['host: a', 'host: b'])).status).toBe(400);
    expect((await rawAsk(port, '/', ['Host: b', 'hosu: a'])).status).toBe(403);
    expect((await rawAsk(port, '/', ['host: a', 'host: a'])).status).toBe(200);
    expect(seen).toHaveLength(1);
  });

  it('tells what is only recorded', async () => {
    const { port, verdicts } = await serve([policy('deny', [{ paths: ['/a'] }], { dryRun: true }), policy('audit', [{ paths: ['/b'] }])]);
    await rawAsk(port, '/a');
    await rawAsk(port, '/b');
    await rawAsk(port, '/c');
    expect(verdicts.map(({ decision }) => [decision.shadow.length, decision.audited.length])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it('tells that an authorizer was not there, and changes nothing', async () => {
    const authorizers = new Map([
      ['opa', { failOpen: true, statusOnError: 403, check: () => Promise.resolve({ kind: 'error', message: 'away' } as const) }],
    ]);
    const { port, verdicts } = await serve([policy('custom', [{}], { provider: 'opa' })], { authorizers });
    expect((await rawAsk(port, '/')).body).toBe('served');
    expect(verdicts.map(({ note }) => note)).toEqual(['away']);
  });

  it('changes the head of the call and of the answer', async () => {
    const edits = { remove: ['x-gone'], set: [['x-user', 'alice']], append: [['x-more', '2']], target: '/other?c=d' } as const;
    const responseHeaders = [
      ['x-by', 'one'],
      ['x-by', 'two'],
    ] as const;
    const authorizers = new Map([
      ['opa', { failOpen: false, statusOnError: 403, check: () => Promise.resolve({ kind: 'allow', edits, responseHeaders } as const) }],
    ]);
    const { port, seen } = await serve([policy('custom', [{}], { provider: 'opa' })], { authorizers });
    const { head } = await rawAsk(port, '/a?token=x', ['host: reviews', 'X-Gone: 1', 'x-user: evil', 'X-User: worse', 'x-more: 1']);
    expect(head).toMatch(/x-by: one\r\nx-by: two/);
    const [one] = seen;
    expect(one?.url).toBe('/other?c=d');
    expect(one?.headers).toEqual({ host: 'reviews', connection: 'close', 'x-user': 'alice', 'x-more': '1, 2' });
    expect(one?.rawHeaders).toEqual(['host', 'reviews', 'x-more', '1', 'connection', 'close', 'x-user', 'alice', 'x-more', '2']);
  });

  it('gives the headers of a refusal, several of one name, and its own kind of content', async () => {
    const answer = {
      kind: 'deny',
      status: 401,
      headers: [
        ['set-cookie', 'a'],
        ['set-cookie', 'b'],
        ['content-type', 'text/html'],
      ],
      body: '<p>',
    } as const;
    const authorizers = new Map([['opa', { failOpen: false, statusOnError: 403, check: () => Promise.resolve(answer) }]]);
    const { port } = await serve([policy('custom', [{}], { provider: 'opa' })], { authorizers });
    const { status, head, body } = await rawAsk(port, '/');
    expect({ status, body }).toEqual({ status: 401, body: '<p>' });
    expect(head.match(/set-cookie: .*/gi)).toEqual(['set-cookie: a', 'set-cookie: b']);
    expect(head.match(/content-type: .*/gi)).toEqual(['content-type: text/html']);
  });

  it('knows both ends of a plain connection', async () => {
    const seen: AccessRequest[] = [];
    const { port } = await serve([], spying(seen));
    await rawAsk(port, '/a?b', ['Host: Reviews:80', 'X-A: 1'], 'PUT');
    expect(seen).toEqual([
      {
        peer: null,
        isTls: false,
        method: 'PUT',
        target: '/a?b',
        authority: 'Reviews:80',
        headers: ['Host', 'Reviews:80', 'X-A', '1', 'connection', 'close'],
        localAddress: '127.0.0.1',
        localPort: port,
        peerAddress: '127.0.0.1',
        remoteAddress: '127.0.0.1',
        sni: '',
        jwt: null,
        content: expect.anything(),
      },
    ]);
  });

  it.each([
    ['nobody is trusted', [], '203.0.113.9', '127.0.0.1'],
    ['the proxy is trusted', ['127.0.0.1'], '203.0.113.9', '203.0.113.9'],
    ['several callers, the last is meant', ['127.0.0.1'], '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['a chain of proxies', ['127.0.0.1', '10.0.0.0/8'], '1.1.1.1, 203.0.113.9, 10.0.0.1, 10.0.0.2', '203.0.113.9'],
    ['nobody but proxies', ['127.0.0.1', '10.0.0.0/8'], '10.0.0.1', '10.0.0.1'],
    ['what is no address ends it', ['127.0.0.1', '10.0.0.0/8'], '203.0.113.9, evil, 10.0.0.1', '10.0.0.1'],
    ['nothing is said', ['127.0.0.1'], '', '127.0.0.1'],
  ])('the first caller: %s', async (_what, trusted, forwarded, expected) => {
    const seen: AccessRequest[] = [];
    const { port } = await serve([], { trusted: trustedCallers(trusted), ...spying(seen) });
    await rawAsk(port, '/', ['host: reviews', ...(forwarded === '' ? [] : [`x-forwarded-for: ${forwarded}`])]);
    expect(seen[0]?.remoteAddress).toBe(expected);
  });

  it('knows by the connection who calls, and the name that it asked for', async () => {
    const who = peer('td/ns/a/sa/b');
    const seen: AccessRequest[] = [];
    const handle = guardedHandler((_one, response) => void response.end('served'), [allow({ principals: ['td/ns/a/sa/b'] })], spying(seen));
    const server = createHttp2Server((one, response) => {
      setConnection(one.stream.session?.socket ?? {}, { ...plainConnection(false), peer: who, isTls: true, serverName: 'reviews.svc' });
      setConnection(one.socket, { ...plainConnection(false), peer: who, isTls: true, serverName: 'reviews.svc' });
      void handle(one as unknown as Parameters<typeof handle>[0], response as unknown as Parameters<typeof handle>[1]);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    cleanUps.push(
      () => new Promise<void>((resolve) => server.close(() => resolve())),
      () => session.destroy(),
    );
    const body = await new Promise<string>((resolve, reject) => {
      const stream = session.request({ ':path': '/pkg.Service/Method', ':method': 'POST', ':authority': 'reviews:80' });
      let text = '';
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        text += chunk;
      });
      stream.on('end', () => resolve(text));
      stream.on('error', reject);
      stream.end();
    });
    expect(body).toBe('served');
    expect(seen[0]).toMatchObject({ peer: who, isTls: true, sni: 'reviews.svc', target: '/pkg.Service/Method', authority: 'reviews:80' });
  });

  it('keeps the path of a call whose headers alone are changed', async () => {
    const tokens = { check: () => ({ fault: '', jwt: null, edits: { ...NO_EDITS, remove: ['x-sub'] } }) };
    const { port, seen } = await serve([], { tokens });
    await rawAsk(port, '/a?b', ['host: reviews', 'x-sub: evil']);
    expect({ url: seen[0]?.url, sub: seen[0]?.headers['x-sub'] }).toEqual({ url: '/a?b', sub: undefined });
  });
});
