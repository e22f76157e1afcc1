// `node bench/grpc.ts [concurrency] [calls] [rounds]`: unary gRPC calls of 100 bytes, plain grpc-js beside the mesh, in turns, with the
// server in a process of its own. The ratio of each round is taken, then the median: what else the machine does hits both.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { createMesh } from 'inmesh';
import { channel } from 'inmesh/grpc';
import { BYTES_UNARY } from './grpc-service.ts';

interface BytesClient {
  unary(message: Buffer, callback: (error: Error | null) => void): void;
}

interface Cost {
  /** Of this process, µs a call. */
  readonly cpu: number;
  readonly callsPerSecond: number;
}

const [concurrency = 10, calls = 1_000, rounds = 40] = process.argv.slice(2).map(Number);
const MESSAGE = Buffer.alloc(100, 1);

async function play(client: BytesClient, count: number): Promise<Cost> {
  let left = count;
  const before = process.cpuUsage();
  const startMs = performance.now();
  const line = async (): Promise<void> => {
    while (left-- > 0) {
      await new Promise<void>((resolve, reject) => client.unary(MESSAGE, (error) => (error === null ? resolve() : reject(error))));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, line));
  const tookMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / count, callsPerSecond: (count / tookMs) * 1_000 };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

const server = fork(fileURLToPath(new URL('grpc-server.ts', import.meta.url)));
const [port] = (await once(server, 'message')) as [number];
const address = `127.0.0.1:${port}`;
const mesh = await createMesh({ config: { services: { bytes: { endpoints: [address] } } } });
const Client = makeGenericClientConstructor(BYTES_UNARY, 'Bytes');
const plain = new Client(address, credentials.createInsecure());
const meshed = new Client('bytes', credentials.createInsecure(), { channelOverride: channel(mesh, 'bytes') });
const pair = [plain, meshed] as unknown as [BytesClient, BytesClient];

for (const client of pair) await play(client, 3 * calls);
const costs: [Cost, Cost][] = [];
for (let round = 0; round < rounds; round++) {
  const order = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
  const cost: Cost[] = [];
  for (const index of order) cost[index] = await play(pair[index], calls);
  costs.push(cost as [Cost, Cost]);
}
const shown = (of: (cost: Cost) => number, digits: number): string => {
  const ratio = median(costs.map(([bare, own]) => of(own) / of(bare)));
  const least = (index: 0 | 1): string => median(costs.map((both) => of(both[index]))).toFixed(digits);
  return `${least(0)} plain, ${least(1)} meshed, ratio ${ratio.toFixed(3)}`;
};
process.stdout.write(
  `concurrency ${concurrency}\n  CPU, µs a call: ${shown(({ cpu }) => cpu, 1)}\n  calls a second: ${shown(({ callsPerSecond }) => callsPerSecond, 0)}\n`,
);
plain.close();
await mesh.close();
server.disconnect();
