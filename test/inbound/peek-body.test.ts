// Authorizers that look at bodies: the handler gets every byte, whatever was looked at, and connections live on.
import { Agent, createServer, IncomingMessage, request as httpRequest, type RequestOptions, ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { compileAccess } from '../../src/access/access.ts';
import { AccessCheck, type Authorizer } from '../../src/access/check.ts';
import type { AccessRequest } from '../../src/access/request.ts';
import type { InboundCall } from '../../src/inbound/inbound-call.ts';
import { CallBody } from '../../src/inbound/peek-body.ts';
import { policy, SELF } from '../access/cases.ts';
import { guardedHandler } from './access-server.ts';
import { secure } from './secure-server.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanUps.splice(0).reverse()) await one();
});

const MAX = 100_000;

interface Rig {
  readonly h1: number;
  readonly h2: number;
  /** What the authorizer saw. */
  readonly seen: string[];
  /** It has seen one. */
  readonly looked: Promise<void>;
}

type Reading = (request: IncomingMessage) => Promise<string>;

const whole: Reading = async (request) => {
  let text = '';
  for await (const chunk of request) text += (chunk as Buffer).toString();
  return text;
};

const byEvents: Reading = (request) =>
  new Promise((resolve) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => resolve(text));
  });

const nothing: Reading = () => Promise.resolve('unread');

/** Says no to `/no`. */
function looking(
  bytesMax: number,
  seen: string[],
  before: (call: AccessRequest) => Promise<unknown> = () => Promise.resolve(),
  onLooked: () => void = () => {},
): Authorizer {
  return {
    failOpen: false,
    statusOnError: 403,
    async check(call) {
      await before(call);
      try {
        const { bytes, isWhole } = (await call.content?.peek(bytesMax)) ?? { bytes: 'no body', isWhole: false };
        const text = bytes.toString();
        seen.push(`${text.length > 20 ? text.length : text} ${isWhole}`);
      } catch (error) {
        seen.push((error as Error).message);
      }
      onLooked();
      await new Promise((resolve) => setImmediate(resolve));
      if (call.target === '/no') return { kind: 'deny', status: 403, headers: [], body: 'no' };
      return { kind: 'allow', edits: { remove: [], set: [], append: [], target: null }, responseHeaders: [] };
    },
  };
}

async function rig(
  read: Reading,
  bytesMax: number,
  before: (call: AccessRequest) => Promise<unknown> = () => Promise.resolve(),
): Promise<Rig> {
  const seen: string[] = [];
  const looked = Promise.withResolvers<void>();
  const handle = guardedHandler(
    async (request, response) => {
      const text = await read(request);
      response.end(text.length > 20 ? String(text.length) : text);
    },
    [policy('custom', [{}], { provider: 'opa' })],
    { authorizers: new Map([['opa', looking(bytesMax, seen, before, looked.resolve)]]) },
  );
  const servers = [createServer((request, response) => void handle(request, response)), createHttp2Server(handle as never)];
  const ports = await Promise.all(
    servers.map(async (server) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      cleanUps.push(() => server.close());
      return (server.address() as AddressInfo).port;
    }),
  );
  return { h1: ports[0] as number, h2: ports[1] as number, seen, looked: looked.promise };
}

function overHttp1(port: number, chunks: readonly string[], options: RequestOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', port, method: 'POST', ...options }, (response) => {
      let text = `${response.statusCode} `;
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    for (const chunk of chunks) asked.write(chunk);
    asked.end();
  });
}

function overHttp2(port: number, chunks: readonly string[]): Promise<string> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  cleanUps.push(() => session.destroy());
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST' }, { endStream: chunks.length === 0 });
    let text = '';
    stream.on('response', (headers) => (text = `${headers[':status']} `));
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    stream.on('end', () => resolve(text));
    stream.on('error', reject);
    for (const chunk of chunks) stream.write(chunk);
    if (chunks.length > 0) stream.end();
  });
}

const long = 'x'.repeat(MAX);

describe.each<[string, 'h1' | 'h2', typeof overHttp1]>([
  ['HTTP/1', 'h1', overHttp1],
  ['HTTP/2', 'h2', overHttp2],
])('over %s', (_, protocol, send) => {
  it.each<[string, readonly string[], number, string, string]>([
    ['whole', ['body'], 10, 'body true', '200 body'],
    ['of just the length', ['body'], 4, 'body true', '200 body'],
    ['in pieces', ['bo', 'dy'], 10, 'body true', '200 body'],
    ['that is not there', [], 10, ' true', '200 '],
    ['longer', ['body'], 3, 'bod false', '200 body'],
    ['much longer', [long, long, long], 1_000, '1000 false', '200 300000'],
    ['much longer, and whole', [long, long, long], 300_000, '300000 true', '200 300000'],
  ])('a body %s', async (_name, chunks, bytesMax, looked, answer) => {
    for (const read of [whole, byEvents]) {
      const { [protocol]: port, seen } = await rig(read, bytesMax);
      expect([await send(port, chunks), seen]).toEqual([answer, [looked]]);
    }
  });

  it('a body that came before anybody looked', async () => {
    const later = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
    for (const [chunks, looked, answer] of [
      [['body'], 'body true', '200 body'],
      [[], ' true', '200 '],
    ] as const) {
      const { [protocol]: port, seen } = await rig(byEvents, 10, later);
      expect([await send(port, chunks), seen]).toEqual([answer, [looked]]);
    }
  });
});

describe('connections', () => {
  it.each<[string, Reading, string, string]>([
    ['is denied', whole, '/no', '403 no'],
    ['nobody reads', nothing, '/', '200 unread'],
  ])('live on after a body that %s', async (_name, read, path, answer) => {
    const { h1 } = await rig(read, 3);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanUps.push(() => agent.destroy());
    for (let i = 0; i < 3; i++) expect(await overHttp1(h1, ['body'], { agent, path })).toBe(answer);
  });

  it('are told to go on when the body is to be looked at, and once', async () => {
    const access = compileAccess([policy('custom', [{}], { provider: 'opa' })], SELF);
    const seen: string[] = [];
    const check = new AccessCheck({ access, tokens: null, authorizers: new Map([['opa', looking(10, seen)]]), functions: [] });
    const server = await secure(async (request, response) => void response.end(await whole(request)), {
      setup: { check },
      config: { mtls: 'permissive' },
    });
    cleanUps.push(server.close);
    let goes = 0;
    const text = await new Promise((resolve) => {
      const headers = { expect: '100-continue', 'content-length': 4 };
      const asked = httpRequest({ host: '127.0.0.1', port: server.port, method: 'POST', headers }, (response) => {
        response.on('data', (chunk: Buffer) => resolve(chunk.toString()));
      });
      asked.on('continue', () => {
        goes++;
        asked.end('body');
      });
      asked.flushHeaders();
    });
    expect([text, goes, seen]).toEqual(['body', 1, ['body true']]);
  });

  it('that have ended before anybody looked have no body', async () => {
    const request = new IncomingMessage(new Socket());
    const response = new ServerResponse(request);
    request.destroy();
    const call = { request, response, awaitsContinue: false } as InboundCall;
    await expect(new CallBody(call).peek(1)).rejects.toThrow('the caller went away before its body was there');
  });

  it('that end in the middle of the body end the look at it', async () => {
    const begun = Promise.withResolvers<void>();
    const { h1, seen, looked } = await rig(whole, 10, () => {
      begun.resolve();
      return Promise.resolve();
    });
    const asked = httpRequest({ host: '127.0.0.1', port: h1, method: 'POST', path: '/no', headers: { 'content-length': 8 } });
    asked.on('error', () => {});
    asked.write('body');
    await begun.promise;
    asked.destroy();
    await looked;
    expect(seen).toEqual(['the caller went away before its body was there']);
  });
});
