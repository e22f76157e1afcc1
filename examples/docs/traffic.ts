// What a rule does beside sending calls on: copies for the next version, faults on purpose, an answer of its own, a limit.
import { createMesh, MeshError } from 'inmesh';
import { tinyServer } from '../tiny-server.ts';

let copied: (what: string) => void;
const copy = new Promise<string>((resolve) => {
  copied = resolve;
});
const current = await tinyServer((_request, response) => response.end('v1'));
const next = await tinyServer(({ method, url, headers }, response) => {
  copied(`v2 saw ${method} ${url} of ${headers.host}, cookie: ${headers.cookie}`);
  response.writeHead(500).end();
});

const mesh = await createMesh({
  config: {
    services: {
      reviews: {
        endpoints: [
          { address: current.address, labels: { version: 'v1' } },
          { address: next.address, labels: { version: 'v2' } },
        ],
        subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } },
        // #region routes
        routes: [
          { match: { path: { pathPrefix: '/old' } }, redirect: { prefix: '/new' } },
          { match: { path: { exact: '/export' } }, to: 'v1', rateLimit: { requests: 1, per: '10s' } },
          { match: { path: { pathPrefix: '/chaos' } }, to: 'v1', fault: { abort: { httpStatus: 503, percentage: 40 } } },
          { to: 'v1', mirror: 'v2' },
        ],
        // #endregion
      },
    },
  },
});

const answer = await mesh.fetch('http://reviews/a', { headers: { cookie: 'session=1' } });
console.log(await answer.text(), answer.status);
console.log(await copy);

// #region fault
// The trace id is the chance: the same twenty traces meet the same faults, today and tomorrow.
let answered = 0;
for (let i = 1; i <= 20; i++) {
  const traceparent = `00-${String(i).padStart(32, '0')}-b7ad6b7169203331-01`;
  const { status } = await mesh.fetch('http://reviews/chaos', { headers: { traceparent } });
  if (status === 200) answered++;
}
console.log(`40 % of the attempts fail; of 20 calls ${answered} were answered`);
// #endregion

const moved = await mesh.fetch('http://reviews/old/a?b=c', { redirect: 'manual' });
console.log(moved.status, moved.headers.get('location'));

await mesh.fetch('http://reviews/export');
try {
  await mesh.fetch('http://reviews/export');
} catch (error) {
  if (!(error instanceof MeshError)) throw error;
  console.log(error.message);
}

await mesh.close();
current.close();
next.close();
