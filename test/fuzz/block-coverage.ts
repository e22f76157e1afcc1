// Which blocks of which scripts ran, counted by V8 itself, so nothing has to be instrumented. A look costs about a millisecond:
// for many runs at once, not for each.
import { type Profiler, Session } from 'node:inspector';

/** Scripts whose branches are worth an input. */
const GUIDING = /\/src\/(?!sim\/)[^?]+\.ts$|\/test\/fuzz\/planted\.ts$/;

const SCRIPT_LENGTH_MAX = 1_000_000;

/** A character of code. */
export interface News {
  /** Of its script: 1 for each character that ever ran. */
  readonly seen: Uint8Array;
  readonly at: number;
}

export class BlockCoverage {
  readonly #session: Session = new Session();
  /** By script: 1 for each character that ever ran. */
  readonly #seen = new Map<string, Uint8Array>();
  #size = 0;
  #news: News[] = [];

  readonly #isBlind: boolean;

  /** To be made before the scripts are loaded. A blind one sees nothing new. */
  constructor(isBlind: boolean) {
    this.#isBlind = isBlind;
    if (isBlind) return;
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many characters of code ran since the last look and never before it. They stay new until they are kept. */
  look(): number {
    this.#news = [];
    if (this.#isBlind) return 0;
    const { result } = this.#post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType;
    for (const { url, functions } of result) if (GUIDING.test(url)) this.#lookAt(url, functions);
    return this.#news.length;
  }

  /** What the last look found is known from now on; given a list, what an earlier look found. */
  keep(news: readonly News[] = this.#news): void {
    for (const { seen, at } of news) {
      if (seen[at] === 0) this.#size++;
      seen[at] = 1;
    }
  }

  /** What the last look found. */
  get news(): readonly News[] {
    return this.#news;
  }

  /** Ranges nest, functions too, and what ran as often as the range around it is no range of its own: so by the character. */
  #lookAt(url: string, functions: readonly Profiler.FunctionCoverage[]): void {
    const end = functions.reduce((most, { ranges }) => Math.max(most, ranges[0]?.endOffset ?? 0), 0);
    const start = functions.reduce((least, { ranges }) => Math.min(least, ranges[0]?.startOffset ?? end), end);
    const ran = new Uint8Array(end - start);
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset - start, endOffset - start);
    }
    const seen = this.#seenOf(url, end);
    for (let i = 0; i < ran.length; i++) if (ran[i] === 1 && seen[start + i] === 0) this.#news.push({ seen, at: start + i });
  }

  #seenOf(url: string, length: number): Uint8Array {
    const seen = this.#seen.get(url) ?? new Uint8Array(SCRIPT_LENGTH_MAX);
    this.#seen.set(url, seen);
    if (length > seen.length) throw new Error(`${url} is longer than the fuzzer thinks a script can be`);
    return seen;
  }

  /** Characters of code that ever ran. */
  get size(): number {
    return this.#size;
  }

  close(): void {
    this.#session.disconnect();
  }

  /** A session on its own thread answers before `post` returns. */
  #post(method: string, params: object = {}): unknown {
    let answer: unknown;
    let fault: Error | null = null;
    this.#session.post(method, params, (error, result) => {
      fault = error;
      answer = result;
    });
    if (fault !== null) throw fault as Error;
    return answer;
  }
}
