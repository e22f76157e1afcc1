// The short form of `npm run rotation`: no call fails while certificates and roots change at both ends, under load, and
// connections go with the certificate that they were made with.
import { describe, expect, it } from 'vitest';
import { rotateUnderLoad } from './rotation-rig.ts';

const MAX_AGE_MS = 300;
/** 10 % jitter; what is under way is finished; and the processors of a test have much to do. */
const GONE_MS = MAX_AGE_MS * 1.1 + 5_000;

describe.concurrent('rotation under load', () => {
  it.each(['http1', 'http2'] as const)(
    'of both ends, through three roots: no call fails, no connection outlives its certificate for long: %s',
    { timeout: 60_000 },
    async (protocol) => {
      const { calls, failures, rotations, roots, server } = await rotateUnderLoad({
        protocol,
        forMs: 1_500,
        callsMin: 100,
        rotationsMin: 8,
        everyMs: 150,
        callers: 4,
        maxAgeMs: MAX_AGE_MS,
        rotates: 'both',
      });
      expect([failures, server.refused, server.served]).toEqual([[], {}, calls]);
      expect(roots).toBeGreaterThanOrEqual(3);
      expect(server.generations).toBeGreaterThan(rotations / 2);
      expect(server.outlivedMs).toBeLessThan(GONE_MS);
    },
  );
});
