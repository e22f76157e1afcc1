// The analyzers at the size that the readers promise: no loop within a loop over documents.
import { describe, expect, it } from 'vitest';
import { analysisMs, CROWDS } from './crowds.ts';

/** Far above what is measured (see docs/cli.md), far below what a loop within a loop would take. */
const LONGEST_MS = 2_000;

describe('10,000 documents', () => {
  it.each(CROWDS)('%s', (_what, document) => {
    expect(analysisMs(10_000, document)).toBeLessThan(LONGEST_MS);
  });
});
