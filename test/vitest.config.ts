// Three groups, one after the other: what is pure runs side by side; what measures time, or starts many processes, has the
// machine for itself.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));
const ALONE = ['test/interop/**/*.test.ts', 'test/examples/**/*.test.ts'];
const TIMED = ['test/bench/**/*.test.ts'];

export default defineConfig({
  root,
  test: {
    reporters: ['default', fileURLToPath(new URL('reporter.ts', import.meta.url))],
    projects: [
      {
        root,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, ...TIMED],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        root,
        test: { name: 'processes', include: ALONE, testTimeout: 120_000, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
      {
        root,
        test: { name: 'timed', include: TIMED, testTimeout: 120_000, fileParallelism: false, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
