// Request bodies: what is in memory is replayed as it is, what flows is copied while it is sent the first time, up to a
// limit per call and one for the process. Beyond it the call has one attempt.
import type { Body } from '../core/call.ts';
import { FormData as UndiciFormData } from './undici.ts';

/** Copied bytes of all calls of the process; gRPC's 16 MiB per channel, as one pot. */
export const PROCESS_BYTES_MAX: number = 16 * 1024 * 1024;

const BODY_KINDS = 'body must be a string, bytes, FormData, Blob, or (async) iterable';

let processBytes = 0;

/** Bytes held for replay right now. */
export function replayBytes(): number {
  return processBytes;
}

/** Takes room for so many copied bytes from the pot of the process; false when it is empty. */
export function takeReplayBytes(bytes: number): boolean {
  if (processBytes + bytes > PROCESS_BYTES_MAX) return false;
  processBytes += bytes;
  return true;
}

export function giveBackReplayBytes(bytes: number): void {
  processBytes -= bytes;
}

/** A body, and who writes its length. */
export interface RequestBody extends Body {
  /** Whether undici counts the bytes itself; else a known `length` belongs into the content-length header. */
  readonly isCounted: boolean;
}

/** In memory: string, bytes, FormData, Blob. */
class FixedBody implements RequestBody {
  readonly length: number;
  readonly replayable: boolean;
  readonly shareable = true;
  readonly failure: unknown = undefined;
  readonly isCounted = true;
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

/** In memory and beyond the limit: sent once, but as long as not a byte of it has left it can go to another endpoint. */
class LargeBody implements RequestBody {
  readonly length: number;
  readonly failure: unknown = undefined;
  readonly isCounted = false;
  replayable = true;
  readonly #value: string | Uint8Array;

  constructor(value: string | Uint8Array, length: number) {
    this.#value = value;
    this.length = length;
  }

  *open(): Generator<string | Uint8Array> {
    const value = this.#value;
    this.replayable = false;
    yield value;
  }

  release(): void {}

  copy(): RequestBody {
    return new LargeBody(this.#value, this.length);
  }
}

function fromMemory(value: string | Uint8Array, length: number, bytesMax: number): RequestBody | null {
  if (length === 0) return null;
  return length <= bytesMax ? new FixedBody(value, length, bytesMax) : new LargeBody(value, length);
}

/** Where the bytes of a streamed body come from. */
interface ChunkSource {
  next(): Promise<IteratorResult<unknown>> | IteratorResult<unknown>;
  /** Nobody reads on: at once, even while a read is pending. */
  close(reason: unknown): void;
}

/** Told to a source that is given up, and to a transport that still reads for an attempt that is over. */
const GIVEN_UP = new DOMException('the request body is not needed any more', 'AbortError');

/**
 * A source that can be read once. The first attempt reads it and leaves a copy; a later attempt replays the copy and goes
 * on where the first one stopped. An attempt that ends never closes the source: the call does, by `release`.
 */
class StreamBody implements RequestBody {
  readonly length: number;
  failure: unknown = undefined;
  readonly isCounted = false;
  readonly #open: () => ChunkSource;
  readonly #bytesMax: number;
  #source: ChunkSource | null = null;
  /** Chunks read and not yet let go; the first of them is number `#base` of the source. */
  #chunks: Uint8Array[] = [];
  #base = 0;
  #copied = 0;
  /** Whether all that was read is still there. */
  #isCopying: boolean;
  #isDone = false;
  #reader = 0;
  #pull: Promise<void> | null = null;
  #isReleased = false;
  /** Whether the last chunk is there, with all before it. */
  #isWhole = false;
  /** Copies that are not released. */
  #followers = 0;
  /** What the copies wait for: more of the body, or its end. */
  #change: PromiseWithResolvers<void> | null = null;

  constructor(open: () => ChunkSource, length: number, bytesMax: number) {
    this.#open = open;
    this.length = length;
    this.#bytesMax = bytesMax;
    this.#isCopying = length <= bytesMax;
  }

  /** What was never read can be read, however long it is. */
  get replayable(): boolean {
    return this.#isCopying || this.#source === null;
  }

  open(): unknown {
    const reader = ++this.#reader;
    if (reader > 1 && !this.replayable) throw new TypeError('the request body was sent once and is too long to be sent again');
    return this.#read(reader);
  }

  release(): void {
    this.#reader++;
    this.#isReleased = true;
    if (this.#followers === 0) this.#letGo();
    if (this.#isDone) return;
    this.#isDone = true;
    this.#changed();
    try {
      // Opened even if nobody has read: a stream that is left alone holds its file or socket.
      (this.#source ?? this.#open()).close(GIVEN_UP);
    } catch {
      // A source that fails while it is given up has nobody left to tell.
    }
  }

  /** For a second call beside the first; null when not all of it is kept. */
  follow(): StreamCopy | null {
    if (this.length < 0 || !this.#isCopying || this.#isReleased) return null;
    this.#followers++;
    return new StreamCopy(this);
  }

  unfollow(): void {
    this.#followers--;
    if (this.#isReleased && this.#followers === 0) this.#letGo();
  }

  /** Never reads ahead of the first call: it must not notice. Throws when the first call sent less than the whole. */
  async *followed(): AsyncGenerator<Uint8Array> {
    for (let position = 0; ; ) {
      if (!this.#isCopying) throw GIVEN_UP;
      if (position < this.#chunks.length) yield this.#chunks[position++] as Uint8Array;
      else if (this.#isWhole) return;
      else if (this.#isDone) throw GIVEN_UP;
      else {
        this.#change ??= Promise.withResolvers();
        await this.#change.promise;
      }
    }
  }

  #changed(): void {
    this.#change?.resolve();
    this.#change = null;
  }

  #letGo(): void {
    this.#giveUpCopy();
    this.#chunks = [];
  }

  async *#read(reader: number): AsyncGenerator<Uint8Array> {
    let position = 0;
    for (;;) {
      // Thrown, not returned: an end here would be written as the end of the body.
      if (reader !== this.#reader) throw GIVEN_UP;
      if (position < this.#base + this.#chunks.length) {
        const chunk = this.#chunks[position - this.#base] as Uint8Array;
        position++;
        if (!this.#isCopying) {
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
      if (this.#isDone) return;
      if (step.done === true) {
        this.#isDone = true;
        this.#isWhole = this.#isCopying;
        return;
      }
      this.#keep(toBytes(step.value));
    } catch (error) {
      if (!this.#isDone) this.failure = error ?? new TypeError('the request body failed without a reason');
      this.#isDone = true;
    } finally {
      this.#pull = null;
      this.#changed();
    }
  }

  #keep(chunk: Uint8Array): void {
    const bytes = chunk.byteLength;
    if (bytes === 0) return;
    this.#chunks.push(chunk);
    if (!this.#isCopying) return;
    if (this.#copied + bytes > this.#bytesMax || !takeReplayBytes(bytes)) this.#giveUpCopy();
    else this.#copied += bytes;
  }

  #giveUpCopy(): void {
    this.#isCopying = false;
    giveBackReplayBytes(this.#copied);
    this.#copied = 0;
  }
}

/** The bytes of a body that another call is sending, as they come. */
class StreamCopy implements RequestBody {
  readonly length: number;
  readonly replayable = true;
  failure: unknown = undefined;
  readonly isCounted = false;
  readonly #of: StreamBody;
  #isReleased = false;

  constructor(of: StreamBody) {
    this.#of = of;
    this.length = of.length;
  }

  async *open(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#of.followed();
    } catch (error) {
      // Whoever was to receive it is not to blame.
      this.failure = error;
      throw error;
    }
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#of.unfollow();
  }
}

/** The same bytes for a second call at the same time, its own to open and release; null when the first call would notice. */
export function copyOf(body: Body): Body | null {
  if (body instanceof FixedBody) return body;
  if (body instanceof LargeBody) return body.copy();
  if (body instanceof StreamBody) return body.follow();
  return body.copy === undefined ? null : body.copy();
}

/** A web stream is read by a reader of our own: the iterator of the stream could not be stopped during a read. */
function readerSource(stream: ReadableStream): ChunkSource {
  const reader = stream.getReader() as ReadableStreamDefaultReader<unknown>;
  return {
    next: () => reader.read() as Promise<IteratorResult<unknown>>,
    close(reason) {
      reader.cancel(reason).catch(() => {});
    },
  };
}

function iteratorSource(value: Partial<AsyncIterable<unknown> & Iterable<unknown>>): ChunkSource {
  const isAsync = typeof value[Symbol.asyncIterator] === 'function';
  const iterator = isAsync ? (value as AsyncIterable<unknown>)[Symbol.asyncIterator]() : (value as Iterable<unknown>)[Symbol.iterator]();
  return {
    next: () => iterator.next(),
    close() {
      const { destroy } = value as { destroy?: () => void };
      // A Node stream that was never read is not closed by its iterator.
      if (typeof destroy === 'function') destroy.call(value);
      Promise.resolve(iterator.return?.()).catch(() => {});
    },
  };
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

const NOTHING = (): void => {};

/** Turns what a dispatcher is given into a body, or null when there is none. `declaredLength` is the content-length header, -1 if absent. */
export function requestBody(value: unknown, declaredLength: number, bytesMax: number): RequestBody | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return fromMemory(value, Buffer.byteLength(value), bytesMax);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return fromMemory(toBytes(value), value.byteLength, bytesMax);
  if (typeof value !== 'object') throw new TypeError(BODY_KINDS);
  if (isFormData(value)) {
    const { form, length } = ownFormData(value);
    return new FixedBody(form, length, bytesMax);
  }
  if (value instanceof Blob) return new FixedBody(value, value.size, bytesMax);
  if (value instanceof ReadableStream) return new StreamBody(() => readerSource(value), declaredLength, bytesMax);
  const source = value as Partial<AsyncIterable<unknown> & Iterable<unknown> & NodeJS.EventEmitter>;
  if (typeof source[Symbol.asyncIterator] !== 'function' && typeof source[Symbol.iterator] !== 'function') throw new TypeError(BODY_KINDS);
  // A stream that fails before anybody reads it must not take the process down; whoever reads it is told.
  source.on?.('error', NOTHING);
  return new StreamBody(() => iteratorSource(source), declaredLength, bytesMax);
}
