// What is repeated: by method, by Idempotency-Key, by word of the caller; and why a call was not repeated.
import { createMesh } from 'inmesh';
import { tinyServer } from '../tiny-server.ts';

let hits = 0;
const failing = await tinyServer((_request, response) => {
  hits++;
  response.writeHead(503).end('sorry');
});
const mesh = await createMesh({ config: { services: { orders: { endpoints: [failing.address] } } } });
const body = JSON.stringify({ item: 1 });

await count('a POST', () => mesh.fetch('http://orders/', { method: 'POST', body }));

// #region idempotent
await count('a POST with a key', () => mesh.fetch('http://orders/', { method: 'POST', body, headers: { 'idempotency-key': 'b7e1' } }));
await count('a POST that may run twice', () => mesh.fetch('http://orders/', { method: 'POST', body, mesh: { idempotent: true } }));
// #endregion
await count('a PUT of 100 kB', () => mesh.fetch('http://orders/', { method: 'PUT', body: 'x'.repeat(100_000) }));

async function count(what: string, call: () => Promise<Response>): Promise<void> {
  hits = 0;
  const response = await call();
  console.log(`${what}: ${hits} attempts, then ${response.status} "${await response.text()}"`);
}

const { metrics } = mesh.snapshot() as { metrics: { services: { destinations: { retriesDenied: Record<string, number> }[] }[] } };
console.log('denied:', { ...metrics.services[0]?.destinations[0]?.retriesDenied });

await mesh.close();
failing.close();
