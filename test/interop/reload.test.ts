// Hot reload over real files and sockets: under load no call is lost, nothing learnt is lost, nothing is left behind.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MeshEvent } from '../../src/core/events.ts';
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts';
import { type EchoServer, echoServer } from '../support/echo-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'inmesh-reload-'));
const file = join(folder, 'mesh.yaml');
let servers: EchoServer[];

function yaml(round: number): string {
  // One endpoint comes and goes, the weights turn, the timeout changes: every part of the stack is rebuilt.
  const shown = round % 3 === 2 ? servers.slice(0, 2) : servers;
  return `services:
  reviews:
    timeout: ${2 + (round % 5)}s
    retries: { attempts: ${1 + (round % 3)} }
    endpoints:
${shown.map(({ address }, index) => `      - { address: '${address}', labels: { version: v${1 + (index % 2)} } }`).join('\n')}
    subsets: { v1: { version: v1 }, v2: { version: v2 } }
    routes:
      - to: { v1: ${50 + (round % 40)}, v2: ${50 - (round % 40)} }
`;
}

function swap(text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

async function until(holds: () => boolean, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error('waited in vain');
    await sleep(10);
  }
}

beforeAll(async () => {
  servers = await Promise.all(['a', 'b', 'c'].map((name) => echoServer(name)));
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  rmSync(folder, { recursive: true });
});

describe('reload', () => {
  it('every 100 ms under load: no failed call, no lost state, nothing left', async () => {
    swap(yaml(0));
    const mesh = await createMesh({ config: file });
    const events: MeshEvent[] = [];
    mesh.events.onAny((event) => events.push(event));
    const end = performance.now() + 4_000;
    let calls = 0;
    const failures: unknown[] = [];
    const caller = async (): Promise<void> => {
      while (performance.now() < end) {
        try {
          const response = await mesh.fetch('http://reviews/x');
          await response.text();
          if (response.status !== 200) failures.push(response.status);
        } catch (error) {
          failures.push(error);
        }
        calls++;
        await sleep(1);
      }
    };
    const reloader = async (): Promise<void> => {
      for (let round = 1; performance.now() < end; round++) {
        swap(yaml(round));
        await Promise.all([mesh.reload(), sleep(100)]);
      }
    };
    await Promise.all([reloader(), ...Array.from({ length: 8 }, caller)]);
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThan(500);
    expect(events.filter(({ type }) => type === 'configLoaded').length).toBeGreaterThan(20);
    expect(events.filter(({ type }) => type === 'configRejected')).toEqual([]);
    const { endpoints, inFlight } = mesh.snapshot().services.reviews ?? { endpoints: [], inFlight: null };
    expect(inFlight).toEqual({ requests: 0, retries: 0 });
    // Two endpoints were there all the time: their averages are measured ones, not the 30 ms that a newcomer is given.
    for (const { address, latencyMs } of endpoints.slice(0, 2)) {
      expect(latencyMs, address).not.toBe(30);
      expect(latencyMs, address).toBeLessThan(1_000);
    }
    await mesh.close();
    // Client sockets, the server's ends of them, and watches are all gone.
    const left = (): string[] => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'FSEventWrap');
    await until(() => left().length === 0, 8_000);
  });

  it('follows the file by itself, and SIGHUP', async () => {
    swap(yaml(0));
    const mesh = await createMesh({ config: file });
    let loads = 0;
    mesh.events.addEventListener('configLoaded', () => {
      loads++;
    });
    swap(yaml(3));
    await until(() => loads === 1, 5_000);
    expect(mesh.explain({ url: 'http://reviews/' }).targets[0]?.percent).toBe(53);
    await mesh.close();
    const unwatched = await createMesh({ config: file, watch: false });
    expect(process.listenerCount('SIGHUP')).toBe(0);
    await unwatched.close();
    const watched: Mesh = await createMesh({ config: file });
    expect(process.listenerCount('SIGHUP')).toBe(1);
    let reloaded = 0;
    watched.events.addEventListener('configLoaded', () => {
      reloaded++;
    });
    swap(yaml(4));
    process.emit('SIGHUP');
    await until(() => reloaded > 0, 5_000);
    await watched.close();
    expect(process.listenerCount('SIGHUP')).toBe(0);
  });

  it('keeps the last good one when the file is broken, and says where', async () => {
    swap(yaml(0));
    const mesh = await createMesh({ config: file });
    const rejected: string[] = [];
    mesh.events.addEventListener('configRejected', ({ detail }) => rejected.push(detail.message));
    swap(yaml(1).replace('timeout', 'timeuot'));
    await until(() => rejected.length > 0, 5_000);
    expect(rejected[0]).toMatch(/mesh\.yaml:3:5/);
    expect(rejected[0]).toContain('timeout');
    expect((await mesh.fetch('http://reviews/')).status).toBe(200);
    await mesh.close();
  });
});
