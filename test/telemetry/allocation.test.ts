import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

describe('without a provider', () => {
  it('the span layers allocate nothing', async () => {
    const child = fileURLToPath(new URL('./allocation-child.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', '--expose-gc', child]);
    const bytes = JSON.parse(stdout) as Record<'callSpan' | 'attemptSpan' | 'allocating', number> & { hasTracer: boolean };
    expect(bytes.hasTracer).toBe(false);
    // The measure itself: an object per call shows.
    expect(bytes.allocating).toBeGreaterThan(1_000_000);
    expect(bytes.callSpan).toBeLessThan(20_000);
    expect(bytes.attemptSpan).toBeLessThan(20_000);
  });
});
