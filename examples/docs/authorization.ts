// A server that takes mTLS only and lets the page read, and who comes to it: the page, another service, and somebody without a
// certificate. Certificates come from a development CA in place of files, SPIRE or cert-manager.
import type { AddressInfo } from 'node:net';
import { createMesh, type Mesh, MeshError } from 'inmesh';
import { devSource, type IdentitySource, newAuthority, systemClock, systemRandom } from 'inmesh/identity';
import { createServer, peerOf } from 'inmesh/server';

const authority = newAuthority({ trustDomain: 'cluster.local', nowMs: Date.now() });
const REVIEWS = 'spiffe://cluster.local/ns/default/sa/reviews';

function identityOf(name: string): IdentitySource {
  const spiffeId = `spiffe://cluster.local/ns/default/sa/${name}`;
  return devSource(authority, { spiffeId }, { clock: systemClock, random: systemRandom });
}

// #region server
const mesh = await createMesh({
  identity: identityOf('reviews'), // or `identity` in the configuration: files, a SPIFFE agent
  config: {
    self: { service: 'reviews', namespace: 'default', serviceAccount: 'reviews' },
    identity: { external: true },
    inbound: {
      mtls: 'strict',
      allow: [{ from: ['productpage'], methods: ['GET'] }],
      deny: [{ paths: ['/admin*'] }],
    },
  },
});
mesh.events.addEventListener('callDenied', ({ detail }) => console.log(`denied: ${detail.message}`));
mesh.events.addEventListener('peerRefused', ({ detail }) => console.log(`not taken: ${detail.code}`));

const server = createServer(mesh, (request, response) => {
  response.end(`reviews for ${peerOf(request)?.serviceAccount}`);
});
server.listen(0);
// #endregion
const { port } = server.address() as AddressInfo;

// #region caller
async function callerOf(name: string): Promise<Mesh> {
  const reviews = { endpoints: [`127.0.0.1:${port}`], tls: { mode: 'mutual', subjectAltNames: [REVIEWS] } } as const;
  return createMesh({ identity: identityOf(name), config: { identity: { external: true }, services: { reviews } } });
}
// #endregion

async function ask(caller: Mesh, path: string, method = 'GET'): Promise<string> {
  const response = await caller.fetch(`http://reviews${path}`, { method });
  return `${method} ${path}: ${response.status} ${await response.text()}`;
}

const productpage = await callerOf('productpage');
console.log(await ask(productpage, '/1'));
console.log(await ask(productpage, '/1', 'POST'));
console.log(await ask(productpage, '/x/%2e%2e/ADMIN'));
await productpage.close();

const ratings = await callerOf('ratings');
console.log(await ask(ratings, '/1'));
await ratings.close();

const plain = await createMesh({ config: { services: { reviews: { endpoints: [`127.0.0.1:${port}`], retries: false } } } });
await ask(plain, '/1').catch((error: unknown) => console.log(error instanceof MeshError ? `in plain text: ${error.code}` : error));
await plain.close();
await mesh.close();
