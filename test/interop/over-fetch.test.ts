// What must hold on every runtime (compat/cases.ts), on this one, over its own fetch. `npm run compat` runs the same on the others.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Addresses, CORE, coreConfig, runCases } from '../../compat/cases.ts';
import { overFetch } from '../../src/fetch.ts';
import { createMesh, type Mesh } from '../../src/index.ts';
import { type Peers, startPeers } from './matrix-servers.ts';

let peers: Peers;
let mesh: Mesh;

beforeAll(async () => {
  peers = await startPeers();
  const addresses = Object.fromEntries(Object.entries(peers).map(([name, peer]) => [name, (peer as { address?: string }).address]));
  mesh = await createMesh({ config: coreConfig(addresses as Addresses), ...overFetch() });
});

afterAll(async () => {
  await mesh.close({ drainMs: 0 });
  peers.close();
});

it('a mesh over the fetch of its runtime does what the core must do', { timeout: 30_000 }, async () => {
  const results = await runCases(CORE, mesh);
  expect(results.filter(({ reason }) => reason !== null)).toEqual([]);
  expect(results.length).toBeGreaterThan(15);
});

it.each([
  ['simple', 'https:'],
  ['disable', 'http:'],
] as const)('tls: %s is said by the configuration, and sent by %s', async (tls, protocol) => {
  const sent: string[] = [];
  const send = async (url: string): Promise<Response> => {
    sent.push(url);
    return new Response('ok');
  };
  const config = { services: { reviews: { endpoints: ['reviews.test:8443'], tls } } };
  const secure = await createMesh({ config, ...overFetch({ fetch: send }) });
  expect(await (await secure.fetch('http://reviews/a')).text()).toBe('ok');
  await secure.close();
  expect(sent).toEqual([`${protocol}//reviews.test:8443/a`]);
});
