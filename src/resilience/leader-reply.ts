// The reply of the call that began a flight: it gets the bytes as they come, while the flight keeps a copy for those who
// wait. Once nobody waits any more, its pauses reach the socket again.
import type { Reply, ReplyHeaders, Sink } from '../core/call.ts';

export class LeaderReply implements Reply {
  readonly status: number;
  readonly statusText: string;
  headers: ReplyHeaders;
  rawHeaders: unknown;
  readonly #source: Reply;
  readonly #onDiscard: () => void;
  #sink: Sink | null = null;
  #queue: Uint8Array[] = [];
  #isPaused = false;
  #isUnwanted = false;
  #trailers: Record<string, string | string[]> | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(source: Reply, onDiscard: () => void) {
    this.status = source.status;
    this.statusText = source.statusText;
    // Those who wait share the head, and layers further out may write into theirs.
    this.headers = { ...source.headers };
    this.rawHeaders = source.rawHeaders;
    this.#source = source;
    this.#onDiscard = onDiscard;
  }

  get intact(): boolean {
    return this.#failure === null && !this.#isUnwanted;
  }

  /** Whether the body was let go of. */
  get isUnwanted(): boolean {
    return this.#isUnwanted;
  }

  attach(sink: Sink): void {
    this.#sink = sink;
    if (!this.#isPaused) this.resume();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#sink === null) return;
    this.#deliver();
    if (!this.#isPaused) this.#source.resume();
  }

  discard(): void {
    this.#isUnwanted = true;
    this.#queue = [];
    this.#onDiscard();
  }

  /** What has come waits here anyway. */
  hold(): void {}

  /** From the flight. False: not before `resume`, if nobody else wants more. */
  push(chunk: Uint8Array): boolean {
    if (this.#isUnwanted) return true;
    if (this.#sink === null || this.#isPaused || this.#queue.length > 0) {
      this.#queue.push(chunk);
      return false;
    }
    if (!this.#sink.onData(chunk)) this.#isPaused = true;
    return !this.#isPaused;
  }

  /** From the flight: that was the last byte. */
  end(trailers: Record<string, string | string[]>): void {
    this.#trailers = trailers;
    if (this.#sink !== null && !this.#isPaused) this.#deliver();
  }

  /** From the flight: no more will come, and what waits is worth nothing to a reader who has begun. */
  fail(error: unknown): void {
    this.#failure = { error };
    const sink = this.#sink;
    this.#sink = null;
    sink?.onError(error);
  }

  #deliver(): void {
    const sink = this.#sink as Sink;
    while (this.#queue.length > 0) {
      if (!sink.onData(this.#queue.shift() as Uint8Array)) this.#isPaused = true;
      if (this.#isPaused || this.#sink !== sink) return;
    }
    if (this.#failure !== null) {
      this.#sink = null;
      sink.onError(this.#failure.error);
    } else if (this.#trailers !== null) {
      this.#sink = null;
      sink.onEnd(this.#trailers);
    }
  }
}
