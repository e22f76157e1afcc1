// One port, every form, while both sides rotate: no call fails. The short form, on this Node; the long one runs on all.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { OnePortResult } from './one-port-child.ts';

const CHILD = fileURLToPath(new URL('one-port-child.ts', import.meta.url));

it('no call fails under rotation, in any form', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, '1000', '50'], { timeout: 30_000 });
  const result = JSON.parse(stdout) as OnePortResult;
  expect(result).toMatchObject({ failed: [], plainWithPeer: 0 });
  expect(result.calls).toBeGreaterThan(20);
  expect(result.seen).toBeGreaterThan(3);
});
