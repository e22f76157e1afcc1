// The service goes down, and nobody notices at once: what was asked before is given from memory, what was not has an
// answer of its own. While it is up, a crowd that wants the same thing asks once.
import { cache, coalesce, createClient, fallback, retry } from 'inmesh';
import { tinyServer } from './tiny-server.ts';

let requests = 0;
let isDown = false;
const server = await tinyServer((request, response) => {
  requests++;
  if (isDown) response.writeHead(503).end();
  else setTimeout(() => response.setHeader('cache-control', 'max-age=0').end(`all about ${request.url?.slice(1)}`), 20);
});

// #region client
const books = createClient('http://books', {
  endpoints: [server.address],
  policies: [
    coalesce(), // identical GETs in flight become one
    cache({ staleIfError: '10m' }), // an old answer rather than none
    fallback({ headers: { 'content-type': 'text/plain' }, body: 'come back later' }), // when all else failed
    retry(false),
  ],
});
// #endregion

const crowd = await Promise.all(Array.from({ length: 50 }, async () => (await books.fetch('/dune')).text()));
console.log(`${crowd.length} readers of "${crowd[0]}", ${requests} request`);

isDown = true;
for (const path of ['/dune', '/solaris']) {
  const response = await books.fetch(path);
  console.log(`${path}: ${response.status} ${await response.text()} (${response.headers.get('x-inmesh-fallback')})`);
}

await books.close();
server.close();
