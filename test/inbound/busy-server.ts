// A process whose handler only computes: 5 ms of one core for each call. Tells its parent its port, and its state when asked.
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/core/clock.ts';
import { createServer } from '../../src/inbound/server.ts';
import { Inbound } from '../../src/mesh/inbound.ts';
import { ADMISSION_DEFAULTS } from '../../src/model/inbound.ts';

const inbound = new Inbound({ mtls: 'disable', admission: ADMISSION_DEFAULTS }, systemClock);
const server = createServer({ clock: systemClock, inbound }, (_request, response) => {
  const endMs = performance.now() + 5;
  while (performance.now() < endMs);
  response.end('done');
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () => process.send?.(inbound.snapshot()));
process.on('disconnect', () => process.exit());
