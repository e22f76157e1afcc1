// Request bodies: what is in memory is replayed as it is, what flows is copied while it is sent the first time, up to a
// limit per call and one for the process. Beyond it the call has one attempt.
import type { Body } from '../core/call.ts';
import { FormData as UndiciFormData } from './undici.ts';

/** Copied bytes of all calls of the process; gRPC's 16 MiB per channel, as one pot. */
export const PROCESS_BYTES_MAX: number = 16 * 1024 * 1024;

let processBytes = 0;

/** Bytes held for replay right now. */
export function replayBytes(): number {
  return processBytes;
}

/** In memory: string, bytes, FormData, Blob. */
class FixedBody implements Body {
  readonly length: number;
  readonly replayable: boolean;
  readonly failure: unknown = undefined;
  readonly #value: unknown;

  constructor(value: unknown, length: number, bytesMax: number) {
    this.#value = value;
    this.length = length;
    this.replayable = length <= bytesMax;
  }

  open(): unknown {
    return this.#value;
  }

  release(): void {}
}

type ChunkSource = AsyncIterator<unknown> | Iterator<unknown>;

/**
 * A source that can be read once. The first attempt reads it and leaves a copy; a later attempt replays the copy and goes
 * on where the first one stopped. An attempt that ends never closes the source: the call does, by `release`.
 */
class StreamBody implements Body {
  readonly length: number;
  failure: unknown = undefined;
  replayable: boolean;
  readonly #open: () => ChunkSource;
  readonly #bytesMax: number;
  #source: ChunkSource | null = null;
  /** Chunks read and not yet let go; the first of them is number `#base` of the source. */
  #chunks: Uint8Array[] = [];
  #base = 0;
  #copied = 0;
  #isDone = false;
  #reader = 0;
  #pull: Promise<void> | null = null;

  constructor(open: () => ChunkSource, length: number, bytesMax: number) {
    this.#open = open;
    this.length = length;
    this.#bytesMax = bytesMax;
    this.replayable = length <= bytesMax;
  }

  open(): unknown {
    const reader = ++this.#reader;
    if (reader > 1 && !this.replayable) throw new TypeError('the request body was sent once and is too long to be sent again');
    return this.#read(reader);
  }

  release(): void {
    this.#reader++;
    this.#giveUpCopy();
    this.#chunks = [];
    if (this.#source === null || this.#isDone) return;
    this.#isDone = true;
    // A source that fails while it is given up has nobody left to tell.
    Promise.resolve(this.#source.return?.()).catch(() => {});
  }

  async *#read(reader: number): AsyncGenerator<Uint8Array> {
    let position = 0;
    while (reader === this.#reader) {
      if (position < this.#base + this.#chunks.length) {
        const chunk = this.#chunks[position - this.#base] as Uint8Array;
        position++;
        if (!this.replayable) {
          this.#chunks.splice(0, position - this.#base);
          this.#base = position;
        }
        yield chunk;
      } else if (this.#isDone) {
        if (this.failure !== undefined) throw this.failure;
        return;
      } else {
        // Two readers may wait for the same chunk: an abandoned attempt, and its successor.
        await (this.#pull ??= this.#pullOne());
      }
    }
  }

  async #pullOne(): Promise<void> {
    try {
      this.#source ??= this.#open();
      const step = await this.#source.next();
      if (step.done === true) {
        this.#isDone = true;
        return;
      }
      this.#keep(toBytes(step.value));
    } catch (error) {
      this.#isDone = true;
      this.failure = error;
    } finally {
      this.#pull = null;
    }
  }

  #keep(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    if (!this.replayable) return;
    const bytes = chunk.byteLength;
    if (this.#copied + bytes > this.#bytesMax || processBytes + bytes > PROCESS_BYTES_MAX) {
      this.#giveUpCopy();
    } else {
      this.#copied += bytes;
      processBytes += bytes;
    }
  }

  #giveUpCopy(): void {
    this.replayable = false;
    processBytes -= this.#copied;
    this.#copied = 0;
  }
}

function toBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError('a chunk of the request body is neither string nor bytes');
}

function isFormData(value: object): value is FormData {
  const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return tag === 'FormData' && typeof (value as FormData).entries === 'function';
}

/** undici takes only its own FormData; others are copied entry by entry. */
function ownFormData(form: FormData): { form: unknown; length: number } {
  const own = new UndiciFormData();
  let length = 0;
  for (const [name, value] of form.entries()) {
    if (typeof value === 'string') {
      own.append(name, value);
      length += value.length;
    } else {
      own.append(name, value, value.name);
      length += value.size;
    }
  }
  return { form: own, length };
}

/** Turns what a dispatcher is given into a Body, or null when there is none. `declaredLength` is the content-length header, -1 if absent. */
export function requestBody(value: unknown, declaredLength: number, bytesMax: number): Body | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value.length === 0 ? null : new FixedBody(value, Buffer.byteLength(value), bytesMax);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return value.byteLength === 0 ? null : new FixedBody(value, value.byteLength, bytesMax);
  }
  if (typeof value !== 'object') throw new TypeError('body must be a string, bytes, FormData, Blob, or (async) iterable');
  if (isFormData(value)) {
    const { form, length } = ownFormData(value);
    return new FixedBody(form, length, bytesMax);
  }
  if (value instanceof Blob) return new FixedBody(value, value.size, bytesMax);
  const source = value as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
  const open = (): ChunkSource => {
    if (typeof source[Symbol.asyncIterator] === 'function') return (source as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    if (typeof source[Symbol.iterator] === 'function') return (source as Iterable<unknown>)[Symbol.iterator]();
    throw new TypeError('body must be a string, bytes, FormData, Blob, or (async) iterable');
  };
  return new StreamBody(open, declaredLength, bytesMax);
}
