// What callers may try through the client side: whatever they write into a call, it goes where the registry says; and nothing that
// is remembered of them grows without end.
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { request, upgrade } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { MeshError } from '../../src/core/errors.ts';
import { createMesh } from '../../src/mesh/create-mesh.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';
import type { MeshOptions } from '../../src/mesh/mesh-options.ts';
import { ROOT } from '../house/tree.ts';
import { authority } from '../identity/certificates.ts';
import { fakeReply } from '../support/fake-service.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function meshOf(options: MeshOptions): Promise<Mesh> {
  const mesh = await createMesh({ env: {}, telemetry: { spans: 'off' }, ...options });
  closers.push(() => mesh.close({ drainMs: 0 }));
  return mesh;
}

const HEADERS = fc.dictionary(
  fc.constantFrom(
    'x-forwarded-host',
    'forwarded',
    'x-original-url',
    'x-envoy-original-dst-host',
    'x-host',
    'via',
    'x-mesh-to',
    'x-real-ip',
  ),
  fc.constantFrom('169.254.169.254', 'localhost:1', 'http://evil.test/', 'host=evil.test', '10.9.9.9:80', '[::1]:22'),
);

describe('where a call goes (SSRF)', () => {
  it('property: no header, path or method leads to an address that is not of the service', async () => {
    const dialled = new Set<string>();
    const mesh = await meshOf({
      config: { services: { reviews: { endpoints: ['10.0.0.1:80', '10.0.0.2:80'] } } },
      transport: (endpoint) => (call) => {
        dialled.add(`${endpoint.address} ${call.authority}`);
        const reply = fakeReply(200);
        call.end({ kind: 'success', status: 200, error: null, endedAtMs: 0 });
        return Promise.resolve(reply);
      },
    });
    const path = fc.constantFrom(
      '/',
      '//evil.test/',
      '/http://evil.test/',
      '/@evil.test',
      '/\\evil.test',
      '/..//evil.test',
      '/%2f%2fevil.test',
    );
    await fc.assert(
      fc.asyncProperty(HEADERS, path, fc.constantFrom('GET', 'HEAD', 'OPTIONS'), async (headers, target, method) => {
        await mesh.fetch(`http://reviews${target}`, { method, headers });
        return true;
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(dialled.size).toBeGreaterThan(0);
    expect([...dialled].filter((one) => !/^10\.0\.0\.[12]:80 reviews$/.test(one))).toEqual([]);
  });

  it.each(['http://169.254.169.254/latest/meta-data', 'http://localhost/', 'http://[::1]/', 'http://reviews.evil.test/'])(
    '%s is nobody: unknown_host, nothing is sent',
    async (url) => {
      const mesh = await meshOf({ config: { unknownHosts: 'refuse', services: { reviews: { endpoints: ['10.0.0.1:80'] } } } });
      const error: unknown = await mesh.fetch(url).catch((cause: unknown) => cause);
      const { cause = error } = error as { cause?: unknown };
      expect(cause instanceof MeshError ? [cause.code, cause.sent] : error).toEqual(['unknown_host', 'none']);
    },
  );
});

describe('a redirect', () => {
  it.each(['http://169.254.169.254/latest/meta-data', 'http://localhost:1/', '//evil.test/'])(
    'to %s leads nowhere when unknown hosts are refused',
    async (location) => {
      const server = createServer((_request, response) => response.writeHead(302, { location }).end());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      closers.push(
        () => server.closeAllConnections(),
        () => void server.close(),
      );
      const { port } = server.address() as AddressInfo;
      const mesh = await meshOf({ config: { unknownHosts: 'refuse', services: { reviews: { endpoints: [`127.0.0.1:${port}`] } } } });
      const error: unknown = await mesh.fetch('http://reviews/').catch((cause: unknown) => cause);
      const { cause = error } = error as { cause?: unknown };
      expect(cause instanceof MeshError ? [cause.code, cause.sent] : error).toEqual(['unknown_host', 'none']);
    },
  );
});

describe('names that nobody has', () => {
  it('leave nothing behind: 50,000 hosts, and the ports of one', async () => {
    const mesh = await meshOf({
      config: { unknownHosts: 'refuse', services: { reviews: { endpoints: ['10.0.0.1:80'] } } },
      transport: () => (call) => {
        call.end({ kind: 'success', status: 200, error: null, endedAtMs: 0 });
        return Promise.resolve(fakeReply(200));
      },
    });
    const ask = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const origin = i % 2 === 0 ? `http://stranger-${i}.test` : `http://reviews:${1 + (i % 65_000)}`;
        await mesh.fetch(`${origin}/`).catch(() => {});
      }
    };
    await ask(10_000);
    const before = process.memoryUsage().heapUsed;
    await ask(100_000);
    expect((process.memoryUsage().heapUsed - before) / 1e6).toBeLessThan(30);
  });
});

describe('a head that undici would write as it is told', () => {
  /** What came over the wire before it was closed. */
  async function wire(): Promise<{ port: number; seen: () => string }> {
    let seen = '';
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        seen += chunk.toString('latin1');
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    return { port: (server.address() as AddressInfo).port, seen: () => seen };
  }

  it.each([
    ['1', '5'],
    ['5', '1'],
    ['1', '1'],
  ])('CVE-2026-1525: two lengths in an array (%s, %s) never get out', async (...lengths) => {
    const { port, seen } = await wire();
    const { dispatcher } = await meshOf({ config: { services: { reviews: { endpoints: [`127.0.0.1:${port}`], retries: false } } } });
    const headers = ['Content-Length', lengths[0], 'content-length', lengths[1]];
    await request('http://reviews/', { dispatcher, method: 'POST', headers, body: 'x' }).catch(() => {});
    expect(seen().match(/content-length: .*/gi) ?? []).toEqual(['content-length: 1']);
  });

  it.each(['echo\r\nx-mesh-peer: admin', 'a\0b'])('CVE-2026-1527: an upgrade to %j is never sent', async (protocol) => {
    const { port, seen } = await wire();
    const { dispatcher } = await meshOf({ config: { services: { reviews: { endpoints: [`127.0.0.1:${port}`], retries: false } } } });
    await expect(upgrade('http://reviews/', { dispatcher, protocol })).rejects.toThrow();
    expect(seen()).not.toContain('x-mesh-peer');
    expect(seen()).not.toContain('\0');
  });

  it.each([
    ['a value', { 'x-a': 'b\r\nx-mesh-peer: admin' }],
    ['a name', { 'x-a: b\r\nx-mesh-peer': 'admin' }],
  ])('a header with a line end in %s is never sent', async (_, headers) => {
    const { port, seen } = await wire();
    const { dispatcher } = await meshOf({ config: { services: { reviews: { endpoints: [`127.0.0.1:${port}`], retries: false } } } });
    await expect(request('http://reviews/', { dispatcher, headers: headers as Record<string, string> })).rejects.toThrow();
    expect(seen()).toBe('');
  });
});

describe('keys', () => {
  it('stand in no error, event or snapshot', async () => {
    const root = authority('root');
    const { cert, key } = root.issue({ uris: ['spiffe://a.test/ns/default/sa/a'] });
    const other = root.issue({ uris: ['spiffe://a.test/ns/default/sa/b'] });
    const told: string[] = [];
    const tls = { mode: 'mutual', cert, key: other.key, ca: root.cert } as const;
    const config = { services: { reviews: { endpoints: ['127.0.0.1:1'], tls } } };
    const error: unknown = await createMesh({ env: {}, config }).catch((cause: unknown) => cause);
    told.push(inspect(error, { depth: 20 }), JSON.stringify(error), String(error));

    const mesh = await meshOf({ config: { services: { reviews: { ...config.services.reviews, retries: false, tls: { ...tls, key } } } } });
    for (const type of ['attemptFailed', 'configRejected', 'identityFailed', 'endpointEjected'] as const)
      mesh.events.addEventListener(type as never, (event: { detail: unknown }) => told.push(inspect(event.detail, { depth: 20 })));
    const failed: unknown = await mesh
      .fetch('http://reviews/', { headers: { authorization: 'Bearer canary' } })
      .catch((cause: unknown) => cause);
    told.push(inspect(failed, { depth: 20 }), JSON.stringify(failed), JSON.stringify(mesh.snapshot()));
    await mesh.reload(config).catch((cause: unknown) => told.push(inspect(cause, { depth: 20 })));
    expect((failed as MeshError).code).toBe('connect_failed');
    expect(told.join('\n')).toContain('config_invalid');
    for (const secret of ['PRIVATE KEY', ...[key, other.key].map((pem) => pem.split('\n')[1] as string), 'canary'])
      expect(told.filter((text) => text.includes(secret)).map((text) => text.slice(0, 300))).toEqual([]);
  });
});

describe('prototypes', () => {
  it('are not needed: the command line works with --disable-proto=throw', () => {
    const args = ['--disable-proto=throw', join(ROOT, 'src/cli/main.ts'), 'check', join(ROOT, 'examples/config')];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
    expect(stderr).not.toContain('ERR_PROTO_ACCESS');
    expect([0, 1]).toContain(status);
  });
});
