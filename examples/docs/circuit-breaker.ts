// A circuit that opens, refuses, and closes again; and one that is opened by hand.
import { createMesh, MeshError } from 'inmesh';
import { tinyServer } from '../tiny-server.ts';

let isSick = true;
const server = await tinyServer((_request, response) => response.writeHead(isSick ? 500 : 200).end());
const mesh = await createMesh({
  config: { services: { reviews: { endpoints: [server.address], retries: false, circuitBreaker: { openBase: '200ms' } } } },
});

// #region events
mesh.events.addEventListener('circuitOpened', ({ detail }) => console.log(`${detail.service} opened: ${detail.reason}`));
mesh.events.addEventListener('circuitHalfOpened', ({ detail }) => console.log(`${detail.service} is probed`));
mesh.events.addEventListener('circuitClosed', ({ detail }) => console.log(`${detail.service} closed`));
// #endregion

for (let i = 0; i < 10; i++) await mesh.fetch('http://reviews/');

// #region refused
try {
  await mesh.fetch('http://reviews/');
} catch (error) {
  if (!(error instanceof MeshError) || error.code !== 'circuit_open') throw error;
  console.log(`refused, nothing was sent; come back in ${Math.ceil(error.retryAfterMs)} ms`);
}
// #endregion

isSick = false;
await new Promise((resolve) => setTimeout(resolve, 250));
for (let i = 0; i < 3; i++) await mesh.fetch('http://reviews/');

// #region isolate
const release = mesh.isolate('reviews', 'migration of the database');
await mesh.fetch('http://reviews/').catch((error: MeshError) => console.log(error.message));
release();
// #endregion
console.log(`afterwards: ${(await mesh.fetch('http://reviews/')).status}`);

await mesh.close();
server.close();
