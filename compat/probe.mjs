// What another runtime than Node can do with the package as it is published: prints one JSON line. Run by `npm run compat`.
import { createServer } from 'node:http';

const dist = process.argv[2];
const { createMesh } = await import(new URL('index.js', dist).href);
let hits = 0;
const server = createServer((request, response) => {
  let bytes = 0;
  request.on('data', (chunk) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    if (request.url === '/slow') return;
    hits++;
    response.writeHead(hits % 2 === 1 && request.url === '/retry' ? 503 : 200).end(`${request.method} ${bytes}`);
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const endpoints = [`127.0.0.1:${server.address().port}`];
const mesh = await createMesh({
  config: { services: { it: { endpoints, timeout: '5s', retries: { attempts: 2, backoff: { base: 1, max: 5 } }, circuitBreaker: false } } },
});

async function text(path, init) {
  const response = await mesh.fetch(`http://it${path}`, init);
  return `${response.status} ${await response.text()}`;
}

const CASES = {
  GET: ['200 GET 0', () => text('/')],
  POST: ['200 POST 5', () => text('/', { method: 'POST', body: 'hello' })],
  'PUT retried after 503': [
    '200 PUT 5',
    () => {
      hits = 0;
      return text('/retry', { method: 'PUT', body: 'hello' });
    },
  ],
  abort: ['AbortError', () => text('/', { signal: AbortSignal.abort() }).catch(({ name }) => name)],
  deadline: ['deadline_exceeded', () => text('/slow', { mesh: { timeout: 30 } }).catch(({ code }) => code)],
  'any promise': ['done', () => mesh.call('it', () => Promise.resolve('done'))],
};

const failed = [];
for (const [name, [expected, run]] of Object.entries(CASES)) {
  const got = await run().catch((error) => `threw ${error.message}`);
  if (got !== expected) failed.push(`${name}: ${got}`);
}
console.log(JSON.stringify({ passed: Object.keys(CASES).length - failed.length, failed }));
process.exit(0);
