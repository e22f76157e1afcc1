// The short form of `npm run rotation`: no call fails while certificates and roots change under load.
import { describe, expect, it } from 'vitest';
import { rotateUnderLoad } from './rotation-rig.ts';

describe.each(['http1', 'http2'] as const)('rotation under load, %s', (protocol) => {
  it('fails no call, and the old generation goes', async () => {
    const result = await rotateUnderLoad({ protocol, forMs: 1_500, everyMs: 150, callers: 4 });
    expect(result.failures).toEqual([]);
    expect(result.calls).toBeGreaterThan(100);
    expect(result.rotations).toBeGreaterThanOrEqual(6);
    expect(result.roots).toBeGreaterThanOrEqual(2);
    expect(result.generations).toBeGreaterThanOrEqual(result.rotations - 2);
    expect(result.oldestMs).toBeLessThan(1_000);
  });
});
