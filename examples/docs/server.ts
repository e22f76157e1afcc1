// Servers that hand the deadline of their caller on, see when it goes, and take no more than they can do.
import type { AddressInfo } from 'node:net';
import { createMesh, MeshError } from 'inmesh';
import { createServer, signalOf } from 'inmesh/server';
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

// #region overload
const small = await createMesh({
  config: { inbound: { admission: { minLimit: 2, initialLimit: 2, maxLimit: 2 } }, services: {} }, // for the sake of the example
});
const reports = createServer(small, (request, response) => {
  const work = setTimeout(() => response.end('report'), 200);
  signalOf(request).addEventListener('abort', () => clearTimeout(work)); // nobody waits any more
});
reports.listen(0);

const url = `http://127.0.0.1:${(reports.address() as AddressInfo).port}/`;
const answers = await Promise.all([1, 2, 3].map(() => fetch(url)));
for (const { status, headers } of answers) console.log(status, headers.get('retry-after') ?? '-', headers.get('x-inmesh-load'));

await small.close(); // accepts no more, waits for what is under way, closes the connections
// #endregion
