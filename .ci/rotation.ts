// `npm run rotation`: certificates of client and server every 250 ms for 60 s, the root replaced every fourth time, under load, on
// Node 22, 24 and 26, HTTP/1.1, HTTP/2 and gRPC; then of the server alone for a quarter of that, where connections end by their age.
// Exits with 1 when a call failed, or a connection lived longer than it may. --for SECONDS makes it shorter, --node 24 takes one.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { GrpcRotationResult } from '../test/interop/grpc/rotation-rig.ts';
import { NODE_VERSIONS, nodeBinary, type NodeMajor } from '../test/interop/nodes.ts';
import type { RotationOptions, RotationResult } from '../test/interop/rotation-rig.ts';

const run = promisify(execFile);
const CHILD = fileURLToPath(new URL('../test/interop/rotation-child.ts', import.meta.url));
const GRPC_CHILD = fileURLToPath(new URL('../test/interop/grpc/rotation-child.ts', import.meta.url));
const { values } = parseArgs({ options: { for: { type: 'string', default: '60' }, node: { type: 'string', multiple: true } } });
const wanted = values.node?.map(Number) ?? [];
const forMs = Number(values.for) * 1_000;
const MAX_AGE_MS = 1_000;
/** 10 % jitter, and what is under way is finished. */
const GONE_MS = MAX_AGE_MS * 1.1 + 1_000;

let isGood = true;
for (const major of Object.keys(NODE_VERSIONS).map(Number) as NodeMajor[]) {
  if (wanted.length > 0 && !wanted.includes(major)) continue;
  const binary = await nodeBinary(major);
  if (binary === null) continue;
  for (const rotates of ['both', 'server'] as const) {
    for (const protocol of ['http1', 'http2'] as const) {
      const options: RotationOptions = {
        protocol,
        forMs: rotates === 'both' ? forMs : forMs / 4,
        everyMs: 250,
        callers: 4,
        maxAgeMs: MAX_AGE_MS,
        rotates,
      };
      await report(binary, major, options);
    }
  }
  await reportGrpc(binary, major);
}
process.exitCode = isGood ? 0 : 1;

async function report(binary: string, major: number, options: RotationOptions): Promise<void> {
  const { stdout } = await run(binary, ['--disable-warning=ExperimentalWarning', CHILD, JSON.stringify(options)], {
    timeout: options.forMs + 60_000,
  });
  const { failures, calls, rotations, roots, server } = JSON.parse(stdout) as RotationResult;
  const aliveMs = options.rotates === 'both' ? server.outlivedMs : server.longestMs;
  if (failures.length > 0 || calls === 0 || aliveMs > GONE_MS) isGood = false;
  const life =
    options.rotates === 'both'
      ? `the last outlived its certificate by ${aliveMs} ms`
      : `none older than ${aliveMs} ms (${MAX_AGE_MS} ± 10 %)`;
  process.stdout.write(
    `Node ${major} ${options.protocol}, ${options.rotates === 'both' ? 'both ends' : 'the server alone'}: ${failures.length} of ${calls} calls failed; ${rotations} rotations, ${roots} roots, ${server.generations} certificates of the client seen, ${server.connections} connections, ${life}\n`,
  );
  for (const failure of failures.slice(0, 3)) process.stdout.write(`  ${failure}\n`);
}

/** Unary calls and streams between two ends of inmesh. */
async function reportGrpc(binary: string, major: number): Promise<void> {
  const { stdout } = await run(binary, ['--disable-warning=ExperimentalWarning', GRPC_CHILD, '@grpc/grpc-js', String(forMs)], {
    timeout: forMs + 60_000,
  });
  const { failures, calls, streams, rotations, roots, generations, strangers } = JSON.parse(stdout) as GrpcRotationResult;
  if (failures.length > 0 || calls === 0 || streams === 0 || strangers > 0) isGood = false;
  process.stdout.write(
    `Node ${major} gRPC, both ends: ${failures.length} of ${calls} calls and ${streams} streams failed; ${rotations} rotations, ${roots} roots, ${generations} certificates of the client seen, ${strangers} callers not recognised\n`,
  );
  for (const failure of failures.slice(0, 3)) process.stdout.write(`  ${failure}\n`);
}
