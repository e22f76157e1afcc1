// An answer out of memory, one request for a hundred calls, a stale answer instead of a failure, and a fixed one for want
// of any.
import { createMesh } from 'inmesh';
import { tinyServer } from '../tiny-server.ts';

let isSick = false;
let asked = 0;
const server = await tinyServer((request, response) => {
  asked++;
  if (isSick) response.writeHead(503).end();
  else if (request.headers['if-none-match'] === '"7"') response.writeHead(304, { etag: '"7"', 'cache-control': 'max-age=1' }).end();
  else setTimeout(() => response.writeHead(200, { 'cache-control': 'max-age=1', etag: '"7"' }).end('42 books'), 20);
});

// #region routes
const mesh = await createMesh({
  config: {
    services: {
      catalogue: {
        endpoints: [server.address],
        retries: false,
        routes: [
          { match: { path: { pathPrefix: '/books' } }, cache: { staleIfError: '10m' }, coalesce: true },
          { match: { path: { pathPrefix: '/tips' } }, fallback: { headers: { 'content-type': 'application/json' }, body: '[]' } },
          { fallback: { respond: ({ status, path }) => ({ body: `no ${path} today (${status})` }) } },
        ],
      },
    },
  },
});
// #endregion

async function show(path: string): Promise<void> {
  const response = await mesh.fetch(`http://catalogue${path}`);
  const { headers } = response;
  const marks = ['x-inmesh-cache', 'x-inmesh-fallback'].map((name) => headers.get(name)).filter((value) => value !== null);
  console.log(`${path}: ${response.status} ${await response.text()}, ${marks.join(' ') || 'from the service'}, asked ${asked} times`);
}

// #region calls
const bodies = await Promise.all(Array.from({ length: 100 }, async () => (await mesh.fetch('http://catalogue/books')).text()));
console.log(`${bodies.length} answers, ${asked} request`);
await show('/books');
await new Promise((resolve) => setTimeout(resolve, 1_100));
await show('/books');
// #endregion

await new Promise((resolve) => setTimeout(resolve, 1_100));
isSick = true;
await show('/books');
await show('/tips');
await show('/news');

await mesh.close();
server.close();
