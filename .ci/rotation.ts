// `npm run rotation`: certificates every 250 ms for 60 s, the root replaced every fourth time, under load, on Node 22, 24 and 26,
// HTTP/1.1 and HTTP/2. Exits with 1 when a call failed. --for SECONDS makes it shorter.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { nodeBinary, type NodeMajor } from '../test/interop/nodes.ts';
import type { RotationResult } from '../test/interop/rotation-rig.ts';

const run = promisify(execFile);
const CHILD = fileURLToPath(new URL('../test/interop/rotation-child.ts', import.meta.url));
const MAJORS: readonly NodeMajor[] = [22, 24, 26];
const { values } = parseArgs({ options: { for: { type: 'string', default: '60' } } });
const forMs = Number(values.for) * 1_000;

let isGood = true;
for (const major of MAJORS) {
  const binary = await nodeBinary(major);
  if (binary === null) continue;
  for (const protocol of ['http1', 'http2']) {
    const { stdout } = await run(binary, ['--disable-warning=ExperimentalWarning', CHILD, protocol, String(forMs)], {
      timeout: forMs + 60_000,
    });
    const result = JSON.parse(stdout) as RotationResult;
    const { failures, calls, rotations, roots, generations, connections, oldestMs } = result;
    if (failures.length > 0 || calls === 0) isGood = false;
    process.stdout.write(
      `Node ${major} ${protocol}: ${failures.length} of ${calls} calls failed; ${rotations} rotations, ${roots} roots, ${generations} certificates seen, ${connections} connections, the oldest outlived its certificate by ${oldestMs} ms\n`,
    );
    for (const failure of failures.slice(0, 3)) process.stdout.write(`  ${failure}\n`);
  }
}
process.exitCode = isGood ? 0 : 1;
