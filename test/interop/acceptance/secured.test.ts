// strict-mtls.yaml and allow-reviews.yaml, as they are in a cluster, obeyed between processes: a mesh calls, a mesh serves.
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MeshError } from '../../../src/core/errors.ts';
import type { Identity } from '../../../src/identity/identity-source.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import { overHttp1, overHttp2, ROOT, SERVER, tcp } from '../../inbound/secure-server.ts';
import { FixedIdentity, identityOf } from '../../support/fixed-identity.ts';
import { acceptanceFile, HAS_ACCEPTANCE, SKIPPED } from './acceptance-mesh.ts';
import type { SecuredOrder } from './secured-server.ts';

interface Process {
  readonly port: number;
  /** How many calls its handler has seen. */
  calls(): Promise<number>;
}

const STRICT = 'strict-mtls.yaml';
const ALLOW = 'allow-reviews.yaml';
const PRODUCTPAGE = identityOf(ROOT, 'productpage');
const RATINGS = identityOf(ROOT, 'ratings');

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const enders: (() => unknown)[] = [];
const servers = new Map<string, Promise<Process>>();
beforeAll(() => {
  // They take long to start, so all at once.
  if (HAS_ACCEPTANCE) for (const [app, ...names] of SERVERS) servers.set(`${app} ${names}`, start(app, names));
});
afterAll(() => {
  for (const end of enders.splice(0)) end();
});

const SERVERS = [
  ['reviews', STRICT],
  ['reviews', STRICT, ALLOW],
  ['reviews', ALLOW],
  ['ratings', STRICT, ALLOW],
] as const;

/** A file with who the process is, beside the documents as they lie there. */
function filesOf(app: string, names: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'inmesh-secured-'));
  enders.push(() => rmSync(folder, { recursive: true }));
  const own = join(folder, 'mesh.yaml');
  const self = { service: app, namespace: 'default', serviceAccount: app, labels: { app } };
  writeFileSync(own, JSON.stringify({ self, identity: { external: true }, inbound: { mtls: 'permissive' }, services: {} }));
  return [own, ...names.map(acceptanceFile)];
}

async function start(app: string, names: readonly string[]): Promise<Process> {
  const child: ChildProcess = fork(fileURLToPath(new URL('secured-server.ts', import.meta.url)));
  enders.push(() => child.disconnect());
  const told = <T>(): Promise<T> => new Promise((resolve) => child.once('message', (message) => resolve(message as T)));
  const order: SecuredOrder = { files: filesOf(app, names), identity: { ...SERVER, bundles: [...SERVER.bundles] } };
  const listening = told<{ port: number }>();
  child.send(order);
  const { port } = await listening;
  return {
    port,
    async calls() {
      const answer = told<{ calls: number }>();
      child.send('calls');
      return (await answer).calls;
    },
  };
}

/** One of them, its calls counted from now on. */
async function serverOf(app: string, names: readonly string[]): Promise<Process> {
  const { port, calls } = await (servers.get(`${app} ${names}`) as Promise<Process>);
  const before = await calls();
  return { port, calls: async () => (await calls()) - before };
}

/** A mesh that calls reviews with a certificate, or in plain text. */
async function caller(port: number, protocol: 'http1' | 'http2', as?: Identity): Promise<Mesh> {
  const mesh = await createMesh({
    env: {},
    ...(as === undefined ? {} : { identity: new FixedIdentity(as) }),
    config: {
      ...(as === undefined ? {} : { identity: { external: true } }),
      services: {
        reviews: {
          endpoints: [`127.0.0.1:${port}`],
          protocol,
          retries: false,
          tls: as === undefined ? 'disable' : { mode: 'mutual', subjectAltNames: [SERVER.spiffeId] },
        },
      },
    },
  });
  closers.push(() => mesh.close({ drainMs: 0 }));
  return mesh;
}

async function answer(mesh: Mesh, init: RequestInit & { readonly path?: string } = {}): Promise<string> {
  const { path = '/', ...rest } = init;
  try {
    const response = await mesh.fetch(`http://reviews${path}`, rest);
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    return error.code;
  }
}

if (!HAS_ACCEPTANCE) it.skip(SKIPPED, () => {});

describe.runIf(HAS_ACCEPTANCE).each(['http1', 'http2'] as const)('over %s', (protocol) => {
  it('strict-mtls.yaml: callers of the mesh are taken, plain ones reset before anything is read', async () => {
    const { port, calls } = await serverOf('reviews', [STRICT]);
    expect(await answer(await caller(port, protocol, RATINGS))).toBe('200 ratings');
    const plain = await answer(await caller(port, protocol));
    expect(['connection_lost', 'connect_failed', 'not_processed']).toContain(plain);
    const stranger = { ...identityOf(ROOT, 'ratings', { notAfterMs: Date.now() - 1_000 }), notAfterMs: Date.now() + 3_600_000 };
    expect(await answer(await caller(port, protocol, stranger))).toBe('certificate_refused');
    expect(await calls()).toBe(1);
  });

  it('allow-reviews.yaml: productpage may read, and nobody else may do anything', async () => {
    const { port, calls } = await serverOf('reviews', [STRICT, ALLOW]);
    const productpage = await caller(port, protocol, PRODUCTPAGE);
    expect(await answer(productpage, { path: '/reviews/1' })).toBe('200 productpage');
    expect(await answer(productpage, { method: 'POST', body: 'x' })).toBe('403 RBAC: access denied');
    expect(await answer(await caller(port, protocol, RATINGS))).toBe('403 RBAC: access denied');
    expect(await calls()).toBe(1);
  });

  it('allow-reviews.yaml alone: no plain caller, whatever its headers say', async () => {
    const { port, calls } = await serverOf('reviews', [ALLOW]);
    const headers = { 'x-forwarded-client-cert': `URI=${PRODUCTPAGE.spiffeId}` };
    expect(await answer(await caller(port, protocol), { headers })).toBe('403 RBAC: access denied');
    expect(await answer(await caller(port, protocol, PRODUCTPAGE))).toBe('200 productpage');
    expect(await calls()).toBe(1);
  });
});

describe.runIf(HAS_ACCEPTANCE)('whoever else comes', () => {
  it('with bytes of its own is reset, too', async () => {
    const { port, calls } = await serverOf('reviews', [STRICT]);
    const socket = tcp(port);
    const error = new Promise<NodeJS.ErrnoException>((resolve) => socket.on('error', resolve));
    socket.write('GET / HTTP/1.1\r\nhost: reviews\r\n\r\n');
    expect((await error).code).toBe('ECONNRESET');
    await expect(overHttp2({ port })).rejects.toThrow();
    expect((await overHttp1({ port, as: RATINGS })).text).toBe('ratings');
    expect(await calls()).toBe(1);
  });

  it('to another workload is none of their business', async () => {
    const { port } = await serverOf('ratings', [STRICT, ALLOW]);
    expect(await answer(await caller(port, 'http1', RATINGS), { method: 'DELETE' })).toBe('200 ratings');
  });
});
