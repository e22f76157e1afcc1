// A reply that copies its body while the caller reads it, and hands the copy over when it is whole. The caller's pauses
// reach the socket as before. Broken off, too long or never read: nothing is handed over.
import type { Reply, ReplyHeaders, Sink } from '../core/call.ts';

export class KeepingReply implements Reply, Sink {
  readonly status: number;
  readonly statusText: string;
  headers: ReplyHeaders;
  rawHeaders: unknown;
  readonly #reply: Reply;
  readonly #bytesMax: number;
  readonly #keep: (body: Uint8Array) => void;
  /** null: nothing will be kept. */
  #chunks: Uint8Array[] | null = [];
  #bytes = 0;
  #sink: Sink | null = null;

  constructor(reply: Reply, bytesMax: number, keep: (body: Uint8Array) => void) {
    this.status = reply.status;
    this.statusText = reply.statusText;
    this.headers = reply.headers;
    this.rawHeaders = reply.rawHeaders;
    this.#reply = reply;
    this.#bytesMax = bytesMax;
    this.#keep = keep;
  }

  get intact(): boolean {
    return this.#reply.intact;
  }

  attach(sink: Sink): void {
    this.#sink = sink;
    this.#reply.attach(this);
  }

  pause(): void {
    this.#reply.pause();
  }

  resume(): void {
    this.#reply.resume();
  }

  discard(): void {
    this.#chunks = null;
    this.#reply.discard();
  }

  hold(): void {
    this.#reply.hold();
  }

  onData(chunk: Uint8Array): boolean {
    if (this.#chunks !== null) {
      this.#bytes += chunk.byteLength;
      if (this.#bytes > this.#bytesMax) this.#chunks = null;
      // A copy, and before anybody reads: who reads may write into the bytes, or give them away.
      else this.#chunks.push(new Uint8Array(chunk));
    }
    return (this.#sink as Sink).onData(chunk);
  }

  onEnd(trailers: Record<string, string | string[]>): void {
    const chunks = this.#chunks;
    this.#chunks = null;
    // First, so that whoever reads to the end and asks again is answered.
    if (chunks !== null && this.#isWhole())
      this.#keep(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, this.#bytes));
    this.#sink?.onEnd(trailers);
  }

  onError(error: unknown): void {
    this.#chunks = null;
    this.#sink?.onError(error);
  }

  #isWhole(): boolean {
    const length = this.#reply.headers['content-length'];
    return length === undefined || Number(length) === this.#bytes;
  }
}
