import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runAt, systemClock } from '../../src/core/clock.ts';

describe('the clock of the process', () => {
  it('fires not early, at most a few ticks late, in order, and never what was disarmed', async () => {
    const startMs = systemClock.now();
    const fired: [number, number][] = [];
    await new Promise<void>((resolve) => {
      for (const delayMs of [50, 0, 20, 35])
        runAt(systemClock, startMs + delayMs, () => fired.push([delayMs, systemClock.now() - startMs]));
      const stopped = runAt(systemClock, startMs + 10, () => fired.push([-1, 0]));
      systemClock.disarm(stopped);
      const moved = runAt(systemClock, startMs + 10, resolve);
      systemClock.arm(moved, startMs + 80);
    });
    expect(fired.map(([delayMs]) => delayMs)).toEqual([0, 20, 35, 50]);
    for (const [delayMs, atMs] of fired) expect(atMs).toBeGreaterThanOrEqual(delayMs);
  });

  it('holds the process while a call waits, and only then', () => {
    const child = fileURLToPath(new URL('clock-child.ts', import.meta.url));
    const { status, stdout } = spawnSync(process.execPath, [child], { encoding: 'utf8', timeout: 10_000 });
    expect(stdout.trim()).toBe('503 deadline_exceeded');
    expect(status).toBe(0);
  });
});
