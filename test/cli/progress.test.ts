import { describe, expect, it } from 'vitest';
import { Progress } from '../../src/cli/progress.ts';
import { VirtualClock } from '../../src/testing.ts';

async function written(isTerminal: boolean, stepMs: number): Promise<string> {
  const clock = new VirtualClock();
  let text = '';
  const progress = new Progress(3, { clock, isTerminal, write: (more) => (text += more) });
  for (const what of ['one', 'two', 'three']) {
    progress.begin(what);
    await clock.advance(stepMs);
  }
  progress.end();
  return text;
}

describe('a progress line', () => {
  it('says nothing while it is quick, nor where nobody looks', async () => {
    expect(await written(true, 900)).toBe('');
    expect(await written(false, 60_000)).toBe('');
  });

  it('says how far it is after two seconds, and goes in the end', async () => {
    expect(await written(true, 1_000)).toBe('\r\u001b[K3 of 3: three\r\u001b[K');
    expect(await written(true, 2_000)).toBe('\r\u001b[K2 of 3: two\r\u001b[K3 of 3: three\r\u001b[K');
  });
});
