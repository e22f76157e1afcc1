// What runs inside a network namespace: sets the fault up with nftables, calls through a mesh, and prints one line. Packets to a
// server pass the output chain of the loopback, so the fault is there.
import { execFileSync } from 'node:child_process';
import type * as InmeshGrpc from '../../../src/grpc.ts';
import type * as Inmesh from '../../../src/index.ts';
import { entryOf } from './build.ts';
import { caller } from './caller.ts';
import { outcomeOf } from './observe.ts';
import { type Protocol, wellServer } from './peers.ts';

const [scenario = '', protocol = 'http1', dist = ''] = process.argv.slice(2);
const { createMesh } = await entryOf<typeof Inmesh>(dist, 'index');
const { grpcClient } = await entryOf<typeof InmeshGrpc>(dist, 'grpc');

/** What is done to packets for a port. */
function spoil(port: number, verdict: string): void {
  const rules = `table inet faults {\n chain out {\n type filter hook output priority 0;\n tcp dport ${port} ${verdict}\n }\n}\n`;
  execFileSync('nft', ['-f', '-'], { input: rules });
}

const VERDICTS: Readonly<Record<string, string>> = {
  'black-hole': 'drop',
  unreachable: 'reject with icmpx type host-unreachable',
  'admin-reset': 'reject with tcp reset',
  loss: 'numgen random mod 100 < 10 drop',
};

execFileSync('ip', ['link', 'set', 'lo', 'up']);
const [ill, well] = [await wellServer(protocol as Protocol), await wellServer(protocol as Protocol)];
const isLoss = scenario === 'loss';
const endpoints = [`127.0.0.1:${ill.port}`, ...(isLoss ? [] : [`127.0.0.1:${well.port}`])];
const service = {
  ...(protocol === 'http2' ? { protocol: 'http2' as const } : {}),
  endpoints,
  timeout: '3s',
  loadBalancer: 'roundRobin' as const,
  outlierDetection: false as const,
  retries: { attempts: 1, perTryTimeout: '500ms' },
};
const mesh = await createMesh({
  config: { services: { it: service, alone: { ...service, endpoints: endpoints.slice(0, 1), retries: false, timeout: '700ms' } } },
});
const call = caller({ grpcClient }, mesh, protocol as Protocol);
spoil(ill.port, VERDICTS[scenario] as string);
if (isLoss) {
  const tookMs: number[] = [];
  let failed = 0;
  for (let i = 0; i < 200; i++) {
    const startMs = performance.now();
    if ((await call('it')) !== '200 ok') failed++;
    tookMs.push(performance.now() - startMs);
  }
  const p99 = tookMs.sort((a, b) => a - b)[197] as number;
  process.stdout.write(`${failed} of 200 calls failed, p99 ${p99 <= 1_100 ? 'within two attempts' : `${p99.toFixed(0)} ms`}\n`);
} else {
  const alone = protocol === 'grpc' ? await call('alone') : await outcomeOf(mesh, 'http://alone/', { method: 'POST', body: 'x' });
  const beside = new Set<string>();
  for (let i = 0; i < 4; i++) beside.add(await call('it'));
  process.stdout.write(`alone: ${alone}; beside another: ${[...beside].join(' and ')}\n`);
}
process.exit();
