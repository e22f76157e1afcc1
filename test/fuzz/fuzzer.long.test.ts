import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../support/seeded-random.ts';
import { mutate } from './mutate.ts';

describe('the fuzzer', () => {
  const fuzz = (...args: string[]): { status: number | null; stdout: string } => {
    const cli = fileURLToPath(new URL('../../.ci/fuzz.ts', import.meta.url));
    return spawnSync(process.execPath, [cli, '--seed', '1', '--seconds', '30', ...args], { encoding: 'utf8' });
  };

  it('finds a bug five levels deep within 100,000 runs', () => {
    const { status, stdout } = fuzz('--target', 'planted', '--runs', '100000');
    expect(stdout).toContain('the planted bug');
    expect(stdout).toContain('"mesh!"');
    expect(status).toBe(1);
  });

  it('does not find it blindly', () => {
    const { status, stdout } = fuzz('--target', 'planted', '--runs', '100000', '--blind');
    expect(stdout).toContain('nothing found');
    expect(status).toBe(0);
  });

  it('makes inputs of bytes where a target wants bytes, none longer than it may be', () => {
    const random = seededRandom(1);
    let text = 'seed';
    for (let i = 0; i < 2_000; i++) {
      text = mutate(text, { words: ['\u{1f600}'], others: ['\u0130'], isBytes: true, lengthMax: 20 }, random);
      expect(text).toMatch(/^[\0-\xff]{0,20}$/);
    }
  });
});
