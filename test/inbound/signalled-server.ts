// A process that serves one call and is told to end meanwhile. Tells its parent its port, and that the call has come.
import type { AddressInfo } from 'node:net';
import { closeOnSignals, createServer } from '../../src/mesh/servers.ts';
import { createMesh } from '../../src/mesh/mesh.ts';

const mesh = await createMesh({ config: { services: {} } });
closeOnSignals(mesh, { lameDuckMs: 50 });
const server = createServer(mesh, (_request, response) => {
  process.send?.({ served: true });
  const answer = (): void => {
    if (server.listening) setImmediate(answer);
    else response.end('done');
  };
  answer();
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
