// Endpoints in a file that something else writes: a deploy script, a sidecar, a ConfigMap. A broken or missing file
// never takes endpoints away. Must not know the format: the parser is handed in.
import { readFileSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import { type FileWatch, watchFiles } from '../core/file-watch.ts';
import type { EndpointConfig } from '../model/destination.ts';
import { type EndpointSource, REFRESH_MIN_MS } from './endpoint-source.ts';

export interface FileSourceDeps {
  readonly clock: Clock;
  /** Throws or rejects with an Error whose message says what is wrong and where. */
  readonly parseEndpoints: ParseEndpoints;
}

export type ParseEndpoints = (text: string, file: string) => readonly EndpointConfig[] | Promise<readonly EndpointConfig[]>;

export function fileSource(path: string, deps: FileSourceDeps): EndpointSource {
  return new FileSource(path, deps);
}

class FileSource implements EndpointSource {
  readonly #path: string;
  readonly #deps: FileSourceDeps;
  #watch: FileWatch | null = null;
  #update: (endpoints: readonly EndpointConfig[]) => void = () => {};
  #failed: (message: string) => void = () => {};
  /** Text of the last good set, null before the first. */
  #text: string | null = null;
  #count = 0;
  /** A text that took long to parse must not overtake a newer one. */
  #readings = 0;
  #lastFailure = '';
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(path: string, deps: FileSourceDeps) {
    this.#path = path;
    this.#deps = deps;
  }

  start(update: (endpoints: readonly EndpointConfig[]) => void, failed: (message: string) => void): void {
    this.#update = update;
    this.#failed = failed;
    // Watch first: a change between reading and watching would go unseen.
    this.#watch = watchFiles([this.#path], this.#read, { clock: this.#deps.clock });
    this.#read();
  }

  /** Covers file systems that report no events. */
  refresh(): void {
    if (this.#watch !== null && this.#deps.clock.now() - this.#readAtMs >= REFRESH_MIN_MS) this.#read();
  }

  close(): void {
    this.#watch?.close();
    this.#watch = null;
  }

  readonly #read = (): void => {
    this.#readAtMs = this.#deps.clock.now();
    const reading = ++this.#readings;
    try {
      const text = readFileSync(this.#path, 'utf8');
      if (text === this.#text) {
        this.#lastFailure = '';
        return;
      }
      const parsed = this.#deps.parseEndpoints(text, this.#path);
      if (!(parsed instanceof Promise)) {
        this.#accept(text, parsed);
        return;
      }
      parsed.then(
        (endpoints) => reading === this.#readings && this.#accept(text, endpoints),
        (error: unknown) => reading === this.#readings && this.#fail(error as NodeJS.ErrnoException),
      );
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    }
  };

  #accept(text: string, endpoints: readonly EndpointConfig[]): void {
    if (this.#watch === null) return;
    this.#lastFailure = '';
    this.#text = text;
    this.#count = endpoints.length;
    this.#update(endpoints);
  }

  #fail(error: NodeJS.ErrnoException): void {
    // The same failure seen again is no news; another mistake in the same file is.
    if (error.message === this.#lastFailure) return;
    this.#lastFailure = error.message;
    const what = error.code === 'ENOENT' ? `${this.#path}: the endpoint file is missing` : error.message;
    this.#failed(this.#text === null ? `${what}; no endpoints are known yet` : `${what}; the last ${this.#count} endpoints stay in use`);
  }
}
