// Overload of a handler that only computes, in a process of its own: nothing is ever in flight between two turns of its event
// loop, and still it must shed, keep its capacity, and be itself again afterwards.
import { fork } from 'node:child_process';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { InboundSnapshot } from '../../src/mesh/inbound.ts';
import { createMesh } from '../../src/mesh/mesh.ts';
import { ask, exactly, Held, serve } from './real-server.ts';

interface Served {
  readonly ok: number;
  readonly refused: number;
  readonly perSecond: number;
}

/** So many callers, each with the next call as soon as it has an answer, for so long. */
async function callers(port: number, count: number, forMs: number): Promise<Served> {
  const agent = new Agent({ keepAlive: true, maxSockets: count });
  const startMs = performance.now();
  let ok = 0;
  let refused = 0;
  const one = async (): Promise<void> => {
    while (performance.now() - startMs < forMs) {
      const { status } = await ask(port, { agent });
      if (status === 200) ok++;
      else refused++;
    }
  };
  await Promise.all(Array.from({ length: count }, one));
  agent.destroy();
  return { ok, refused, perSecond: (ok * 1_000) / (performance.now() - startMs) };
}

describe('a process that computes', () => {
  it('sheds what is too much, serves as before, and recovers', async () => {
    const child = fork(fileURLToPath(new URL('busy-server.ts', import.meta.url)));
    const told = <T>(): Promise<T> => new Promise((resolve) => child.once('message', (message) => resolve(message as T)));
    const { port } = await told<{ port: number }>();
    const before = await callers(port, 2, 1_000);
    const during = await callers(port, 40, 3_000);
    const answer = told<InboundSnapshot>();
    child.send('state');
    const { limit, rejected } = await answer;
    const after = await callers(port, 2, 500);
    child.disconnect();
    expect(before.refused).toBe(0);
    expect(during.refused).toBeGreaterThan(0);
    expect(rejected).toBe(during.refused);
    expect(limit).toBeLessThan(40);
    expect(during.perSecond).toBeGreaterThan(before.perSecond * 0.6);
    expect(after.refused).toBe(0);
    expect(after.ok).toBeGreaterThan(10);
  });
});

describe('our own client', () => {
  it('does not repeat a refusal before the server asked for it', async () => {
    const held = new Held();
    const real = await serve(held.listener, exactly(1));
    const first = ask(real.port);
    await held.come(1);
    const config = { services: { busy: { endpoints: [`127.0.0.1:${real.port}`], timeout: '800ms' } } };
    const mesh = await createMesh({ config });
    const response = await mesh.fetch('http://busy/');
    expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([503, '1', 'server overloaded']);
    expect(real.inbound.snapshot().rejected).toBe(1);
    held.answer(0);
    await first;
    await mesh.close();
    await real.close();
  });
});
