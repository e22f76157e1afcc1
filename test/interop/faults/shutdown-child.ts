// A server of ours that ends when it is told to, as docs/server.md says: the far side of the SIGTERM row. Sends its port, then a word
// when the long call has come.
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import type * as Inmesh from '../../../src/index.ts';
import type * as InmeshServer from '../../../src/server.ts';
import { entryOf } from './build.ts';

const [LAME_DUCK_MS, WORK_MS] = [400, 1_000];
const [dist = ''] = process.argv.slice(2);
const { createMesh } = await entryOf<typeof Inmesh>(dist, 'index');
const { closeOnSignals, createServer, isReady } = await entryOf<typeof InmeshServer>(dist, 'server');

const mesh = await createMesh({ config: { services: {}, inbound: {} } });
const server = createServer(mesh, async (request, response) => {
  if (request.url === '/ready') response.writeHead(isReady(mesh) ? 200 : 503);
  if (request.url === '/long') {
    process.send?.('busy');
    await sleep(WORK_MS);
  }
  response.end('done');
});
closeOnSignals(mesh, { lameDuckMs: LAME_DUCK_MS });
process.on('disconnect', () => process.exit(1));
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
