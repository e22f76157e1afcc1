// strict-mtls.yaml and allow-reviews.yaml, as they are in a cluster, obeyed by a server in a process of its own.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { overHttp1, overHttp2, ROOT, SERVER, tcp } from '../../inbound/secure-server.ts';
import { identityOf } from '../../support/fixed-identity.ts';
import { acceptanceFile, HAS_ACCEPTANCE, SKIPPED } from './acceptance-mesh.ts';
import type { SecuredOrder } from './secured-server.ts';

interface Process {
  readonly port: number;
  /** How many calls its handler has seen. */
  calls(): Promise<number>;
}

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.disconnect();
});

async function serverOf(app: string, names: readonly string[]): Promise<Process> {
  const child = fork(fileURLToPath(new URL('secured-server.ts', import.meta.url)));
  children.push(child);
  const told = <T>(): Promise<T> => new Promise((resolve) => child.once('message', (message) => resolve(message as T)));
  const order: SecuredOrder = { files: names.map(acceptanceFile), app, identity: { ...SERVER, bundles: [...SERVER.bundles] } };
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

const PRODUCTPAGE = identityOf(ROOT, 'productpage');
const RATINGS = identityOf(ROOT, 'ratings');

if (!HAS_ACCEPTANCE) it.skip(SKIPPED, () => {});

describe.runIf(HAS_ACCEPTANCE)('strict-mtls.yaml', () => {
  it('takes callers of the mesh, and resets plain connections before anything is read', async () => {
    const { port, calls } = await serverOf('reviews', ['strict-mtls.yaml']);
    expect((await overHttp1({ port, as: RATINGS })).text).toBe('ratings');
    expect((await overHttp2({ port, as: RATINGS })).text).toBe('ratings');
    const socket = tcp(port);
    const error = new Promise<NodeJS.ErrnoException>((resolve) => socket.on('error', resolve));
    socket.write('GET / HTTP/1.1\r\nhost: reviews\r\n\r\n');
    expect((await error).code).toBe('ECONNRESET');
    await expect(overHttp2({ port })).rejects.toThrow();
    expect(await calls()).toBe(2);
  });
});

describe.runIf(HAS_ACCEPTANCE)('allow-reviews.yaml', () => {
  it('lets productpage read, and nobody else do anything', async () => {
    const { port, calls } = await serverOf('reviews', ['strict-mtls.yaml', 'allow-reviews.yaml']);
    expect(await overHttp1({ port, as: PRODUCTPAGE, path: '/reviews/1' })).toMatchObject({ status: 200, text: 'productpage' });
    expect((await overHttp2({ port, as: PRODUCTPAGE })).status).toBe(200);
    const denied = { status: 403, text: 'RBAC: access denied' };
    expect(await overHttp1({ port, as: PRODUCTPAGE, method: 'POST', body: 'x' })).toMatchObject(denied);
    expect(await overHttp1({ port, as: RATINGS })).toMatchObject(denied);
    expect(await overHttp2({ port, as: RATINGS })).toMatchObject(denied);
    expect(await calls()).toBe(2);
  });

  it('lets nobody in over a plain connection, whatever its headers say', async () => {
    const { port, calls } = await serverOf('reviews', ['allow-reviews.yaml']);
    const headers = { 'x-forwarded-client-cert': `URI=${PRODUCTPAGE.spiffeId}` };
    for (const ask of [overHttp1, overHttp2]) expect((await ask({ port, headers })).status).toBe(403);
    expect((await overHttp1({ port, as: PRODUCTPAGE })).status).toBe(200);
    expect(await calls()).toBe(1);
  });

  it('says nothing about another workload', async () => {
    const { port } = await serverOf('ratings', ['strict-mtls.yaml', 'allow-reviews.yaml']);
    expect((await overHttp1({ port, as: RATINGS, method: 'DELETE' })).status).toBe(200);
  });
});
