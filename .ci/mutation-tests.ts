// The tests that a mutant is tried with: those of its own group, which `.ci/mutation.ts` hands over in MUTATION_TESTS. A mutant
// that only a test of the whole mesh would notice counts as one that nobody noticed.
import { defineConfig } from 'vitest/config';

const include = JSON.parse(process.env['MUTATION_TESTS'] ?? '[]') as string[];

export default defineConfig({
  test: { include, exclude: ['test/**/*.long.test.ts'], testTimeout: 60_000, maxWorkers: 1 },
});
