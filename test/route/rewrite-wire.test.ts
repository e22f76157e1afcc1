// The rewritten host where it counts: in the bytes that the endpoint gets, in SNI and in the check of its certificate.
import { createServer as createHttp2 } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createMesh } from '../../src/mesh/mesh.ts';
import type { ServiceInput } from '../../src/model/input.ts';
import type { RewritePolicy } from '../../src/model/traffic.ts';
import { loadRegex } from '../../src/route/regex.ts';
import { rewriteLayer } from '../../src/route/rewrite-layer.ts';
import { authority } from '../identity/certificates.ts';
import { echoServer } from '../support/echo-server.ts';

const { replacer } = await loadRegex();
const root = authority('root');
const POLICY: RewritePolicy = {
  authority: 'ratings.example:8443',
  path: { kind: 'prefix', prefix: '/old', value: '/new', by: 'segment' },
};

async function rewriting(service: ServiceInput) {
  const mesh = await createMesh({ config: { services: { reviews: service } } });
  return mesh.use(rewriteLayer(POLICY, { replacer }), { role: 'rewrite', above: 'deadline' });
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a rewrite on the wire', () => {
  it('HTTP/1.1: host and path, for every attempt; the response keeps the URL of the caller', async () => {
    const echo = await echoServer();
    let count = 0;
    const { handle } = echo;
    echo.handle = (seen, response) => (++count === 1 ? response.writeHead(503).end() : handle(seen, response));
    await using mesh = await rewriting({ endpoints: [echo.address], retries: { backoff: { base: 1, max: 1 } } });
    const response = await mesh.fetch('http://reviews/old/a?b=c', { headers: { 'x-envoy-original-path': '/admin' } });
    expect(response.url).toBe('http://reviews/old/a?b=c');
    expect(echo.seen.map(({ url, headers }) => [url, headers.host, headers['x-envoy-original-path']])).toEqual([
      ['/new/a?b=c', 'ratings.example:8443', '/old/a?b=c'],
      ['/new/a?b=c', 'ratings.example:8443', '/old/a?b=c'],
    ]);
    await echo.close();
  });

  it('HTTP/2: :authority and :path', async () => {
    const server = createHttp2((request, response) => response.end(`${request.headers[':authority']} ${request.headers[':path']}`));
    const address = await listen(server);
    await using mesh = await rewriting({ endpoints: [address], protocol: 'http2' });
    expect(await (await mesh.fetch('http://reviews/old')).text()).toBe('ratings.example:8443 /new');
    await mesh.close();
    server.close();
  });

  it.each([
    ['follows the rewritten host', {}, 'ratings.example'],
    ['stays what serverName says', { serverName: 'reviews' }, 'reviews'],
  ])('TLS: the name %s', async (_name, tls, expected) => {
    const { cert, key } = root.issue({ dns: [expected] });
    const server = createHttps({ cert, key }, (request, response) => {
      response.end(`${(request.socket as TLSSocket & { servername: string }).servername} ${request.headers.host}`);
    });
    const address = await listen(server);
    await using mesh = await rewriting({ endpoints: [address], tls: { mode: 'simple', ca: root.cert, ...tls } });
    expect(await (await mesh.fetch('https://reviews/')).text()).toBe(`${expected} ratings.example:8443`);
    server.closeAllConnections();
    server.close();
  });
});
