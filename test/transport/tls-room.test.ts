// A file of its own: its process has loaded no TLS before.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, it } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import { systemClock } from '../../src/core/clock.ts';
import { LIMITS_DEFAULTS, type TlsPolicy } from '../../src/model/destination.ts';
import { endpointTransport, ServiceTransport } from '../../src/transport/pool.ts';
import { isTlsLoaded } from '../../src/transport/tls-room.ts';
import { authority } from '../identity/certificates.ts';
import { testCall } from '../support/fake-service.ts';

const root = authority('root');
const { cert, key } = root.issue({ dns: ['reviews'] });
const server = createServer({ cert, key }, (_request, response) => response.end('ok'));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function shared(tls: TlsPolicy): ServiceTransport {
  return new ServiceTransport(
    { service: 'reviews', protocol: 'http1', tls, limits: LIMITS_DEFAULTS, endpoints: 1 },
    { clock: systemClock, identity: null },
  );
}

it('the first calls by https wait for TLS to be loaded, and each is sent or canceled as ever', async () => {
  expect(() => shared({ mode: 'simple' })).toThrow('loadTls comes first');
  const endpoint = { address: `127.0.0.1:${port}`, host: '127.0.0.1', port, labels: {}, locality: '' } as unknown as Endpoint;
  const transport = endpointTransport(endpoint, shared({ mode: 'disable', ca: root.cert }));
  const given = (): ReturnType<typeof testCall> => testCall({ scheme: 'https', authority: 'reviews' });
  const [sent, canceled] = [given(), given()];
  const answers = [sent, canceled].map((call) => transport.service(call));
  expect(isTlsLoaded()).toBe(false);
  canceled.cancel(new Error('enough'));
  const [first, second] = await Promise.allSettled(answers);
  expect(first).toMatchObject({ status: 'fulfilled', value: { status: 200 } });
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'canceled' } });
  expect(isTlsLoaded()).toBe(true);
  transport.close();
});
