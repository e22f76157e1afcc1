// A process that serves under the documents it is told: who may connect and who may call is theirs to say. Tells its parent its
// port, and how many calls its handler has seen.
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/core/clock.ts';
import type { Identity } from '../../../src/identity/identity-source.ts';
import { peerOf } from '../../../src/inbound/peer-of.ts';
import { createServer } from '../../../src/inbound/server.ts';
import { loadMeshConfig } from '../../../src/mesh/config-source.ts';
import { Inbound } from '../../../src/mesh/inbound.ts';
import { SELF_DEFAULTS } from '../../../src/model/config.ts';
import { FixedIdentity } from '../../support/fixed-identity.ts';

export interface SecuredOrder {
  readonly files: readonly string[];
  readonly app: string;
  readonly identity: Omit<Identity, 'bundles'> & { readonly bundles: readonly (readonly [string, readonly string[]])[] };
}

process.once('message', (message) => void start(message as SecuredOrder));

async function start({ files, app, identity }: SecuredOrder): Promise<void> {
  const { config } = await loadMeshConfig([...files], {});
  const inbound = new Inbound({ mtls: 'disable', admission: null }, systemClock);
  inbound.update(
    { ...config.inbound, mtls: 'permissive', admission: null },
    {
      self: { ...SELF_DEFAULTS, service: app, labels: { app } },
      identity: new FixedIdentity({ ...identity, bundles: new Map(identity.bundles) }),
    },
  );
  let calls = 0;
  const server = createServer({ clock: systemClock, inbound }, (request, response) => {
    calls++;
    response.end(peerOf(request)?.serviceAccount ?? 'nobody');
  });
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.on('message', () => process.send?.({ calls }));
  process.on('disconnect', () => process.exit());
}
