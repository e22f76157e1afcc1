// A server of ours that ends by itself when it is told to: the far side of the SIGTERM row. Sends its port, then a word when a call
// has come.
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { createMesh } from '../../../src/index.ts';
import { createServer } from '../../../src/server.ts';

const WORK_MS = 300;

const mesh = await createMesh({ config: { services: {} } });
const server = createServer(mesh, async (_request, response) => {
  process.send?.('busy');
  await sleep(WORK_MS);
  response.end('done');
});
process.once('SIGTERM', () => {
  void mesh.close({ drainMs: 30_000 }).then(() => process.disconnect());
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
