// Coverage-guided: an input that makes a block run that never ran is kept, and others are made from it. Runs go in batches,
// because a look at the coverage is dear; only a batch that has something new is run again, one input at a time.
import type { Random } from '../../src/core/clock.ts';
import type { BlockCoverage } from './block-coverage.ts';
import { mutate, type Stock } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

/** Longest that one input may take, ms. */
export const INPUT_MS_MAX = 100;

/** While there is much that is new, small batches waste less; where there is little, a look is seldom worth it. */
const BATCH_MIN = 16;
const BATCH_MAX = 512;

export interface Find {
  readonly input: string;
  readonly fault: string;
}

export interface FuzzDeps {
  readonly coverage: BlockCoverage;
  readonly random: Random;
  /** ms */
  readonly now: () => number;
  /** Told before each run, so that an input that never ends is known. @default nobody */
  readonly onInput?: (input: string) => void;
}

export class Fuzzer {
  readonly #target: FuzzTarget;
  readonly #run: (input: string) => void;
  readonly #deps: FuzzDeps;
  /** Each found a block that those before it did not. */
  readonly kept: string[] = [];
  runs = 0;

  constructor(target: FuzzTarget, run: (input: string) => void, deps: FuzzDeps) {
    this.#target = target;
    this.#run = run;
    this.#deps = deps;
  }

  /** Until the first find, `runsMax` or `untilMs`. */
  search(inputs: readonly string[], runsMax: number, untilMs: number): Find | null {
    const { coverage, now } = this.#deps;
    coverage.look();
    coverage.keep();
    for (const input of inputs) {
      const find = this.#keepIfNew(input);
      if (find !== null) return find;
    }
    for (let size = BATCH_MIN; this.runs < runsMax && now() < untilMs; ) {
      const batch = Array.from({ length: size }, () => this.#next());
      for (const input of batch) {
        const find = this.try(input);
        if (find !== null) return find;
      }
      const isNew = coverage.look() > 0;
      const { news } = coverage;
      size = isNew ? BATCH_MIN : Math.min(BATCH_MAX, size * 2);
      if (!isNew) continue;
      for (const input of batch) {
        const find = this.#keepIfNew(input);
        if (find !== null) return find;
      }
      // What no input does again by itself is not looked for again.
      coverage.keep(news);
    }
    return null;
  }

  try(input: string): Find | null {
    const { now, onInput } = this.#deps;
    this.runs++;
    onInput?.(input);
    const start = now();
    try {
      this.#run(input);
    } catch (error) {
      return { input, fault: error instanceof Error ? (error.stack ?? error.message) : `throws ${String(error)}` };
    }
    return now() - start > INPUT_MS_MAX && this.#isSlow(input) ? { input, fault: `takes more than ${INPUT_MS_MAX} ms` } : null;
  }

  /** By the time that this process had of the processor, and not only once: others and the compiler take time, too. */
  #isSlow(input: string): boolean {
    for (let i = 0; i < 4; i++) {
      const before = process.cpuUsage();
      this.#run(input);
      const { user, system } = process.cpuUsage(before);
      if (user + system <= INPUT_MS_MAX * 1_000) return false;
    }
    return true;
  }

  #keepIfNew(input: string): Find | null {
    const find = this.try(input);
    const { coverage } = this.#deps;
    if (find !== null || coverage.look() === 0) return find;
    coverage.keep();
    this.kept.push(input);
    return null;
  }

  /** The newest are most likely to be at the door of something new. */
  #next(): string {
    const { random } = this.#deps;
    const { kept } = this;
    const { words, isBytes = false, lengthMax = 200 } = this.#target;
    const stock: Stock = { words, others: kept, isBytes, lengthMax };
    const share = random();
    return mutate(kept[Math.floor(Math.sqrt(share) * kept.length)] ?? '', stock, random);
  }

  /** The same fault with less: pieces are taken out while it still fails, whatever it says. */
  smaller({ input, fault }: Find): Find {
    let best: Find = { input, fault };
    if (fault.startsWith('takes')) return best;
    for (let size = Math.ceil(input.length / 2); size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0) {
      for (let at = 0; at < best.input.length; ) {
        const less = this.try(best.input.slice(0, at) + best.input.slice(at + size));
        if (less === null) at += size;
        else best = less;
      }
    }
    return best;
  }
}
