// A server process of a replay: node:http, or that of inmesh where admission is tried, before workers that do nothing but
// take time. Ends when its parent does.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { drawer } from '../../src/sim/distribution.ts';
import { FAIL_FAST_MS } from '../../src/sim/fake-endpoint.ts';
import { quantile } from '../../src/sim/quantile.ts';
import { streamOf } from '../../src/sim/seeded-random.ts';
import { caseOf } from './replay-cases.ts';
import { serverName } from './replay-case.ts';
import { type Begin, type ChildPlan, type Report, type ServerReport, wallMs } from './replay-protocol.ts';
import { Workers } from './replay-workers.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as ChildPlan;
const { servers, faults = [] } = caseOf(plan);
const workers = new Workers(servers.workers, drawer(servers.serviceMs, streamOf(plan.seed, `endpoint ${serverName(plan.index)}`)));
const arrivedAtMs: number[] = [];
let beganMs = 0;
let failsFast = false;

function arrive(): void {
  arrivedAtMs.push(wallMs() - beganMs);
}

function serve(_request: IncomingMessage, response: ServerResponse): void {
  if (failsFast) {
    setTimeout(() => response.writeHead(503).end(), FAIL_FAST_MS);
    return;
  }
  const work = workers.submit(() => response.end('ok'));
  response.on('close', () => {
    if (servers.honorsCancel === true && !response.writableFinished) workers.drop(work);
  });
}

function begin(atMs: number): void {
  beganMs = atMs;
  arrivedAtMs.length = 0;
  for (const { fromMs, untilMs, servers: count, is } of faults) {
    if (plan.index >= count) continue;
    const behave = (isSick: boolean): void => {
      failsFast = isSick && is === 'failFast';
      workers.slower = isSick && typeof is === 'object' ? is.slower : 1;
    };
    setTimeout(behave, Math.max(1, atMs + fromMs - wallMs()), true);
    if (untilMs !== undefined) setTimeout(behave, Math.max(1, atMs + untilMs - wallMs()), false);
  }
}

function report(): ServerReport {
  const sorted = workers.lateMs.toSorted((a, b) => a - b);
  return { arrivedAtMs, lateP99Ms: quantile(sorted, 0.99), lateMaxMs: sorted.at(-1) ?? 0 };
}

async function makeServer(): Promise<Server> {
  if (servers.admission !== true) return createHttpServer(serve);
  // Most servers need nothing of it, and there are ten of them to start.
  const [{ createMesh }, { createServer }] = await Promise.all([import('../../src/index.ts'), import('../../src/server.ts')]);
  const mesh = await createMesh({ config: { inbound: { admission: true } }, watch: false, telemetry: { spans: 'off', metrics: 'off' } });
  return createServer(mesh, serve);
}

const server = await makeServer();
// Before admission: a refused attempt has arrived, too.
server.prependListener('request', arrive);
process.on('disconnect', () => process.exit());
process.on('message', (message: Begin | Report) => {
  if ('begin' in message) begin(message.begin);
  process.send?.('begin' in message ? { ready: true } : report());
});
server.listen(0, '127.0.0.1', 511, () => process.send?.({ port: (server.address() as AddressInfo).port }));
