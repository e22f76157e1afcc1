import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts';
import { type Fetch, REQUEST_FEATURES, type World } from './fetch-features.ts';
import { type FetchPeer, fetchPeer } from './fetch-peer.ts';
import { crossOriginFeatures, RESPONSE_FEATURES } from './fetch-response-features.ts';

let peer: FetchPeer;
let known: FetchPeer;
let unknown: FetchPeer;
let mesh: Mesh;
let paths = 0;

const builtIn = fetch as unknown as Fetch;

function world(send: Fetch): World {
  return { fetch: send, peer, path: (handler) => `/${handler}/${++paths}` };
}

const other = (): readonly string[] => [known.url.replace('localhost', 'known.test'), `http://${unknown.address}`];

beforeAll(async () => {
  [peer, known, unknown] = (await Promise.all([fetchPeer(), fetchPeer(), fetchPeer()])) as [FetchPeer, FetchPeer, FetchPeer];
  mesh = await createMesh({
    config: {
      defaults: { retries: false, circuitBreaker: false, outlierDetection: false },
      services: { peer: { hosts: ['localhost'], endpoints: [peer.address] }, known: { hosts: ['known.test'], endpoints: [known.address] } },
    },
  });
});

afterAll(async () => {
  await mesh.close({ drainMs: 0 });
  for (const one of [peer, known, unknown]) one.close();
});

describe('mesh.fetch does what built-in fetch does', () => {
  it.each([...REQUEST_FEATURES, ...RESPONSE_FEATURES].map(({ name, run }) => [name, run] as const))('%s', async (_, run) => {
    const [own, theirs] = [await run(world(mesh.fetch as Fetch)), await run(world(builtIn))];
    expect(own).toEqual(theirs);
    expect(theirs).not.toBeUndefined();
  });

  it.each(crossOriginFeatures(other).map(({ name, run }) => [name, run] as const))('%s', async (_, run) => {
    const own = await run(world(mesh.fetch as Fetch));
    // Built-in fetch does not know the hosts of the mesh, unless the mesh is its dispatcher.
    const through: Fetch = (input, init) => builtIn(input, { ...init, dispatcher: mesh.dispatcher } as unknown as RequestInit);
    expect(own).toEqual(await run(world(through)));
  });
});
