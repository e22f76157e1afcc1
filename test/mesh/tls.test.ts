// TLS through the assembled mesh: certificates come from the configuration, and a peer that cannot prove itself is an event.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { MeshError } from '../../src/core/errors.ts';
import { createClient, mtls } from '../../src/index.ts';
import { createMesh } from '../../src/mesh/mesh.ts';
import { authority } from '../identity/certificates.ts';

const root = authority('root');
const stranger = authority('stranger');
const server = root.issue({ dns: ['reviews'] });
const client = root.issue({ uris: ['spiffe://cluster.local/ns/default/sa/productpage'], usage: 'client' });

async function listen(): Promise<{ address: string; close(): void }> {
  const https = createServer(
    { cert: server.cert, key: server.key, ca: root.cert, requestCert: true, rejectUnauthorized: true },
    (_request, response) => response.end('ok'),
  );
  https.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    https.closeAllConnections();
    https.close();
  };
  return { address: `127.0.0.1:${(https.address() as AddressInfo).port}`, close };
}

describe('mutual TLS', () => {
  it('is a policy of the client', async () => {
    const { address, close } = await listen();
    await using reviews = createClient('https://reviews', {
      endpoints: [address],
      policies: [mtls({ cert: client.cert, key: client.key, ca: root.cert })],
    });
    expect(await (await reviews.fetch('/')).text()).toBe('ok');
    close();
  });

  it('tells of a peer that is not trusted: an error, an event, no retry, no sickness', async () => {
    const { address, close } = await listen();
    const tls = { mode: 'mutual', cert: client.cert, key: client.key, ca: stranger.cert } as const;
    await using mesh = await createMesh({ config: { services: { reviews: { endpoints: [address], tls } } } });
    const events: unknown[] = [];
    mesh.events.addEventListener('peerUntrusted', ({ detail }) => events.push([detail.service, detail.endpoint]));
    const error = await mesh.fetch('https://reviews/').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MeshError);
    expect(error).toMatchObject({ code: 'peer_untrusted', sent: 'none' });
    expect(events).toEqual([['reviews', address]]);
    const { circuit, endpoints } = mesh.snapshot().services.reviews ?? {};
    expect([circuit, endpoints?.[0]?.standing]).toEqual(['closed', 'in']);
    close();
  });
});
