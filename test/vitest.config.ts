// Two groups, one after the other: what says the same on a busy machine runs side by side, on every core; what measures time has
// the machine for itself. `npm run test:long` runs the third: long forms of tests that have a short one here.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));
// Rooms of pure code: nothing that one file does can be seen by another, so that they share what they import.
const PURE = 'test/{balance,conformance,core,discovery,golden,identity,model,resilience,route,sim,telemetry,yaml}/**/*.test.ts';
const LONG = 'test/**/*.long.test.ts';
const TIMED = [
  'test/interop/{reload,soak,soak-mixed}.test.ts',
  'test/examples/demo.test.ts',
  'test/bench/gates.test.ts',
  'test/bench/access-speed.test.ts',
];

export default defineConfig({
  root,
  test: {
    reporters: ['default', fileURLToPath(new URL('reporter.ts', import.meta.url))],
    // The default leaves one core to a watching editor, which on a machine of two is half the speed.
    maxWorkers: availableParallelism(),
    // Tests that say so wait for processes side by side.
    maxConcurrency: 3,
    projects: [
      {
        root,
        test: {
          name: 'pure',
          include: [PURE],
          exclude: [LONG],
          isolate: false,
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        root,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [PURE, ...TIMED, LONG],
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        root,
        test: { name: 'timed', include: TIMED, testTimeout: 120_000, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
      {
        root,
        test: { name: 'long', include: [LONG], testTimeout: 300_000, fileParallelism: false, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
