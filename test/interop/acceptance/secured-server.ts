// A process that serves under the documents it is told, by a mesh as anybody makes it: who may connect and who may call is theirs
// to say. Tells its parent its port, and how many calls its handler has seen.
import type { AddressInfo } from 'node:net';
import type { Identity } from '../../../src/identity/identity-source.ts';
import { peerOf } from '../../../src/inbound/peer-of.ts';
import { createServer } from '../../../src/mesh/servers.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import { FixedIdentity } from '../../support/fixed-identity.ts';

export interface SecuredOrder {
  /** The documents, and a file that says who this process is. */
  readonly files: readonly string[];
  readonly identity: Omit<Identity, 'bundles'> & { readonly bundles: readonly (readonly [string, readonly string[]])[] };
}

process.once('message', (message) => void start(message as SecuredOrder));

async function start({ files, identity }: SecuredOrder): Promise<void> {
  const source = new FixedIdentity({ ...identity, bundles: new Map(identity.bundles) });
  const mesh = await createMesh({ config: files, watch: false, env: {}, identity: source });
  let calls = 0;
  const server = createServer(mesh, (request, response) => {
    calls++;
    response.end(peerOf(request)?.serviceAccount ?? 'nobody');
  });
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.on('message', () => process.send?.({ calls }));
  process.on('disconnect', () => process.exit());
}
