// A service with room for a quarter of the calls: half of them are refused here, before they are sent, and what matters
// least goes first.
import { createMesh, MeshError } from 'inmesh';
import { seededRandom } from 'inmesh/testing';
import { tinyServer } from '../tiny-server.ts';

let room = 0;
const sent = { taken: 0, refused: 0 };
const overloaded = await tinyServer((_request, response) => {
  const isTaken = room >= 1;
  if (isTaken) room--;
  sent[isTaken ? 'taken' : 'refused']++;
  response.writeHead(isTaken ? 200 : 503).end();
});

// #region routes
const mesh = await createMesh({
  config: {
    services: {
      reviews: {
        endpoints: [overloaded.address],
        retries: false,
        circuitBreaker: false,
        throttle: true,
        routes: [{ match: { path: { pathPrefix: '/prefetch' } }, criticality: 'sheddable' }],
      },
    },
  },
  random: seededRandom(7),
});
// #endregion

const refused = { '/prefetch': 0, '/page': 0 };
let last = '';
for (let i = 0; i < 1_000; i++) {
  room += 0.25;
  const path = i % 2 === 0 ? '/prefetch' : '/page';
  try {
    await (await mesh.fetch(`http://reviews${path}`)).text();
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== 'throttled') throw error;
    refused[path]++;
    last = error.message;
  }
}
console.log(`refused here: ${refused['/prefetch']} of 500 prefetches, ${refused['/page']} of 500 pages`);
console.log(`sent: ${sent.taken} were taken, ${sent.refused} refused`);
console.log(last);

await mesh.close();
overloaded.close();
