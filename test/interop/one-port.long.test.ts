// One port, every form, while both sides rotate every 250 ms, their authority with every fourth, for a minute, on every
// supported Node: no call fails.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { nodeBinary } from './nodes.ts';
import type { OnePortResult } from './one-port-child.ts';

const CHILD = fileURLToPath(new URL('one-port-child.ts', import.meta.url));

it.each([22, 24, 26] as const)('no call fails under rotation on Node %d', async (major) => {
  const binary = await nodeBinary(major);
  if (binary === null) return;
  const { stdout } = await promisify(execFile)(binary, [CHILD, '60000', '250'], { timeout: 120_000 });
  const result = JSON.parse(stdout) as OnePortResult;
  expect(result).toMatchObject({ failed: [], plainWithPeer: 0 });
  expect(result.seen).toBeGreaterThan(100);
});
