// A mesh for runtimes without sockets of their own, such as Cloudflare's workerd: each attempt is one fetch of the runtime. Runs on Node,
// Bun and Deno, too, which is how it is run here.
import { createMesh, type Mesh } from 'inmesh';
import { overFetch } from 'inmesh/fetch';
import { status, text, tinyServer } from '../tiny-server.ts';

const good = await tinyServer(text('five stars'));
const broken = await tinyServer(status(503));
const config = { services: { reviews: { endpoints: [good.address, broken.address] } } };

// #region worker
let mesh: Promise<Mesh> | undefined; // made in the first request: before it no timer may be set

const worker = {
  async fetch(): Promise<Response> {
    mesh ??= createMesh({ config, ...overFetch() });
    return (await mesh).fetch('http://reviews/api/1');
  },
};
// #endregion
const answers = await Promise.all(Array.from({ length: 10 }, async () => (await worker.fetch()).text()));
console.log(`${answers.filter((answer) => answer === 'five stars').length} of 10 answered, the other endpoint has failed`);

await (await mesh)?.close();
good.close();
broken.close();
