// A server that hands the deadline of its caller on: what a handler calls ends no later than its caller waits.
import type { AddressInfo } from 'node:net';
import { createMesh, MeshError } from 'inmesh';
import { createServer } from 'inmesh/server';
import { tinyServer } from '../tiny-server.ts';

const slow = await tinyServer((_request, response) => void setTimeout(() => response.end('late'), 1_000));

// #region server
const mesh = await createMesh({ config: { services: { ratings: { endpoints: [slow.address], timeout: '5s' } } } });

const server = createServer(mesh, async (_request, response) => {
  try {
    const ratings = await mesh.fetch('http://ratings/'); // no options: the deadline of the caller holds
    response.end(await ratings.text());
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    console.log(`in the handler: ${error.code}`);
    response.writeHead(504).end();
  }
});
server.listen(0);
// #endregion

const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
const caller = await createMesh({ config: { services: { page: { endpoints: [address], timeout: '300ms', retries: false } } } });
const started = performance.now();
await caller.fetch('http://page/').then(
  (response) => console.log(`the caller got ${response.status}`),
  (error) => console.log(`the caller: ${error.code}`),
);
await new Promise((resolve) => setTimeout(resolve, 100));
console.log(`both gave up: ${performance.now() - started < 900}`);

await caller.close();
await mesh.close();
server.closeAllConnections();
server.close();
slow.close();
