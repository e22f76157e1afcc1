// The parser at the size that it still takes.
import { describe, expect, it } from 'vitest';
import { heavyTexts, parseMs } from './heavy-texts.ts';

describe('hostile texts', () => {
  it.each(heavyTexts(1_048_576))('a MiB of %s takes seconds at most', (_name, text) => {
    // Alone it is below two seconds; the machine may be busy.
    expect(parseMs(text)).toBeLessThan(15_000);
  });
});
