// The server alone rotates, its client keeps its certificate: connections end by their age, gracefully.
import { expect, it } from 'vitest';
import { rotateUnderLoad } from './rotation-rig.ts';

const MAX_AGE_MS = 300;
/** 10 % jitter; what is under way is finished; and the processors of a test have much to do. */
const GONE_MS = MAX_AGE_MS * 1.1 + 5_000;

it.each(['http1', 'http2'] as const)(
  'of the server alone: connections end by their age, and no call fails for it: %s',
  { timeout: 60_000 },
  async (protocol) => {
    const { calls, failures, server } = await rotateUnderLoad({
      protocol,
      forMs: 3_000,
      callsMin: 100,
      rotationsMin: 8,
      everyMs: 150,
      callers: 4,
      maxAgeMs: MAX_AGE_MS,
      rotates: 'server',
    });
    expect([failures, server.refused, server.served]).toEqual([[], {}, calls]);
    expect(server.connections).toBeGreaterThanOrEqual(3);
    expect(server.longestMs).toBeLessThan(GONE_MS);
  },
);
