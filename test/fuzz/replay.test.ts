import { describe, expect, it } from 'vitest';
import { seededRandom } from '../support/seeded-random.ts';
import { readCorpus } from './corpus.ts';
import { mutate } from './mutate.ts';
import { TARGETS } from './targets.ts';

const MADE = 300;

describe('every input that was ever found by fuzzing, and some made from them', () => {
  it.each(TARGETS.map((target) => [target.name, target.what, target] as const))('%s: %s', async (name, _what, target) => {
    const { seeds, words, isBytes = false, lengthMax = 200 } = target;
    const run = await target.start();
    const known = [...seeds, ...readCorpus(name)];
    expect(known.length).toBeGreaterThan(seeds.length);
    const random = seededRandom(1);
    const stock = { words, others: known, isBytes, lengthMax };
    const made = Array.from({ length: MADE }, (_, i) => mutate(known[i % known.length] as string, stock, random));
    for (const input of [...known, ...made]) {
      try {
        run(input);
      } catch (error) {
        throw new Error(`${JSON.stringify(input)}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  });
});
