// What is repeated: by method, by Idempotency-Key, by word of the caller; and why a call was not repeated.
import { createMesh } from 'inmesh';
import { tinyServer } from '../tiny-server.ts';

let attempts = 0;
const failing = await tinyServer((_request, response) => {
  attempts++;
  response.writeHead(503).end('sorry');
});
const mesh = await createMesh({ config: { services: { orders: { endpoints: [failing.address] } } } });
const body = JSON.stringify({ item: 1 });

const plain = await mesh.fetch('http://orders/', { method: 'POST', body });
console.log(`a POST: ${attempts} attempt, then ${plain.status} "${await plain.text()}"`);

attempts = 0;
// #region idempotent
// A key that the callee honours: the same key, the same order.
const keyed = await mesh.fetch('http://orders/', { method: 'POST', body, headers: { 'idempotency-key': 'b7e1' } });

// Or the word of the caller.
const repeatable = await mesh.fetch('http://orders/', { method: 'POST', body, mesh: { idempotent: true } });
// #endregion
console.log(`two POSTs that may be repeated: ${attempts} attempts, then ${keyed.status} and ${repeatable.status}`);

attempts = 0;
const large = await mesh.fetch('http://orders/', { method: 'PUT', body: 'x'.repeat(100_000) });
console.log(`a PUT of 100 kB: ${attempts} attempt, then ${large.status}`);

const { metrics } = mesh.snapshot() as { metrics: { services: { destinations: { retriesDenied: Record<string, number> }[] }[] } };
console.log('denied:', { ...metrics.services[0]?.destinations[0]?.retriesDenied });

await mesh.close();
failing.close();
