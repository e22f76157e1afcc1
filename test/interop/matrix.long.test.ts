import { describe, expect, it } from 'vitest';
import { CLIENTS, failuresOf, runMatrix } from './matrix-run.ts';
import { otherMajors } from './nodes.ts';

describe('one install serves built-in fetch and undici 6, 7 and 8', () => {
  it.for(otherMajors())('on Node %i', { timeout: 320_000 }, async (major, { skip }) => {
    const cells = await runMatrix(major);
    if (cells === null) return skip(`Node ${major} cannot be had here`);
    expect(cells).toHaveLength(CLIENTS);
    expect(failuresOf(cells)).toEqual([]);
  });
});
