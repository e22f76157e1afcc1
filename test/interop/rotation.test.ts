// The short form of `npm run rotation`: no call fails while certificates and roots change at both ends, under load, and
// connections go with the certificate that they were made with, or when they are old.
import { describe, expect, it } from 'vitest';
import { rotateUnderLoad } from './rotation-rig.ts';

const MAX_AGE_MS = 300;
/** 10 % jitter; what is under way is finished; and two processors have much to do. */
const GONE_MS = MAX_AGE_MS * 1.1 + 1_000;

describe.concurrent.each(['http1', 'http2'] as const)('rotation under load, %s', (protocol) => {
  it('of both ends, through three roots: no call fails, no connection outlives its certificate for long', async () => {
    const { calls, failures, rotations, roots, server } = await rotateUnderLoad({
      protocol,
      forMs: 1_500,
      everyMs: 150,
      callers: 4,
      maxAgeMs: MAX_AGE_MS,
      rotates: 'both',
    });
    expect([failures, server.refused, server.served]).toEqual([[], {}, calls]);
    expect(calls).toBeGreaterThan(100);
    expect([rotations >= 5, roots >= 2]).toEqual([true, true]);
    expect(server.generations).toBeGreaterThanOrEqual(rotations - 2);
    expect(server.outlivedMs).toBeLessThan(GONE_MS);
  });

  it('of the server alone: connections end by their age, and no call fails for it', async () => {
    const { calls, failures, server } = await rotateUnderLoad({
      protocol,
      forMs: 1_200,
      everyMs: 150,
      callers: 4,
      maxAgeMs: MAX_AGE_MS,
      rotates: 'server',
    });
    expect([failures, server.refused, server.served]).toEqual([[], {}, calls]);
    expect(server.connections).toBeGreaterThanOrEqual(2);
    expect(server.longestMs).toBeLessThan(GONE_MS);
  });
});
