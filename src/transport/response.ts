// The answer of mesh.fetch: a Response by prototype, without a Headers object, a stream or a buffer until somebody asks.
// What needs a true Response (clone, streaming, formData) gets one made from it.
import { Readable } from 'node:stream';
import type { UnderlyingByteSource } from 'node:stream/web';
import type { Call, Reply, ReplyHeaders, Sink } from '../core/call.ts';
import { MeshError } from '../core/errors.ts';
import { decoderFor, type Decoder } from './content-coding.ts';

const EMPTY = new Uint8Array(0);
const UTF8 = new TextDecoder();
const BOM = 0xef;

type Settle = (bytes: Uint8Array) => void;

/** What the caller's `signal` and our own failures look like to somebody who reads the body. */
export function bodyError(error: unknown): unknown {
  return error instanceof MeshError && error.code === 'canceled' ? error.cause : error;
}

/** Collects a whole body. Attached at once, so nothing is streamed that nobody reads as a stream. */
class Collector implements Sink {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  readonly #resolve: Settle;
  readonly #reject: (error: unknown) => void;
  readonly #onDone: () => void;

  constructor(resolve: Settle, reject: (error: unknown) => void, onDone: () => void) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onDone = onDone;
  }

  onData(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    return true;
  }

  onEnd(): void {
    this.#onDone();
    const { length } = this.#chunks;
    this.#resolve(length === 0 ? EMPTY : length === 1 ? (this.#chunks[0] as Uint8Array) : Buffer.concat(this.#chunks, this.#bytes));
  }

  onError(error: unknown): void {
    this.#onDone();
    this.#reject(bodyError(error));
  }
}

function decodeText(bytes: Uint8Array): string {
  // TextDecoder would do the same, at four times the cost for a small text.
  if (bytes.length === 0) return '';
  if (bytes[0] === BOM) return UTF8.decode(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

/** Headers from undici's parsed object; set-cookie stays several. */
export function makeHeaders(from: ReplyHeaders): Headers {
  const headers = new Headers();
  for (const name of Object.keys(from)) {
    const value = from[name];
    if (Array.isArray(value)) for (const one of value) headers.append(name, one);
    else if (value !== undefined) headers.append(name, value);
  }
  return headers;
}

export interface ResponseInit {
  readonly reply: Reply;
  readonly call: Call;
  readonly url: string;
  readonly redirected: boolean;
  /** Lets go of the caller's signal and the request body; called once the body has ended. */
  readonly onDone: () => void;
}

export class MeshResponse {
  readonly #reply: Reply;
  readonly #call: Call;
  readonly #url: string;
  readonly #redirected: boolean;
  readonly #onDone: () => void;
  readonly #hasBody: boolean;
  #headers: Headers | null = null;
  #isUsed = false;
  #stream: ReadableStream<Uint8Array> | null = null;

  constructor(init: ResponseInit) {
    this.#reply = init.reply;
    this.#call = init.call;
    this.#url = init.url;
    this.#redirected = init.redirected;
    this.#onDone = init.onDone;
    const { status } = init.reply;
    this.#hasBody = init.call.method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304;
    if (!this.#hasBody) {
      init.onDone();
      init.reply.discard();
    }
  }

  get status(): number {
    return this.#reply.status;
  }

  get ok(): boolean {
    const { status } = this.#reply;
    return status >= 200 && status < 300;
  }

  get statusText(): string {
    return this.#reply.statusText;
  }

  get url(): string {
    return this.#url;
  }

  get redirected(): boolean {
    return this.#redirected;
  }

  get type(): 'basic' {
    return 'basic';
  }

  get headers(): Headers {
    this.#headers ??= makeHeaders(this.#reply.headers);
    return this.#headers;
  }

  get bodyUsed(): boolean {
    return this.#isUsed || (this.#stream !== null && Readable.isDisturbed(this.#stream as never));
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (!this.#hasBody) return null;
    this.#stream ??= this.#makeStream();
    return this.#stream;
  }

  text(): Promise<string> {
    return this.#collect().then(decodeText);
  }

  json(): Promise<unknown> {
    return this.#collect().then((bytes) => JSON.parse(decodeText(bytes)) as unknown);
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#collect().then(exactBuffer);
  }

  bytes(): Promise<Uint8Array> {
    return this.#collect().then((bytes) => new Uint8Array(exactBuffer(bytes)));
  }

  blob(): Promise<Blob> {
    const type = String(this.#reply.headers['content-type'] ?? '');
    return this.#collect().then((bytes) => new Blob([exactBuffer(bytes)], { type }));
  }

  formData(): Promise<FormData> {
    return this.#native().formData();
  }

  clone(): Response {
    if (this.bodyUsed) throw new TypeError('Response.clone: Body has already been consumed.');
    const body = this.body;
    if (body === null) return this.#nativeWith(null);
    const [mine, other] = body.tee();
    this.#stream = mine as ReadableStream<Uint8Array>;
    return this.#nativeWith(other as ReadableStream<Uint8Array>);
  }

  #native(): Response {
    const { body } = this;
    this.#isUsed = body !== null;
    return this.#nativeWith(body);
  }

  #nativeWith(body: ReadableStream<Uint8Array> | null): Response {
    const { status, statusText } = this.#reply;
    const response = new Response(body, { status, statusText, headers: this.headers });
    Object.defineProperties(response, { url: { value: this.#url }, redirected: { value: this.#redirected } });
    return response;
  }

  #collect(): Promise<Uint8Array> {
    if (this.bodyUsed || this.#stream?.locked === true) {
      return Promise.reject(new TypeError('Body is unusable: Body has already been read'));
    }
    if (!this.#hasBody) return Promise.resolve(EMPTY);
    this.#isUsed = true;
    if (this.#stream !== null) return new Response(this.#stream).arrayBuffer().then((buffer) => new Uint8Array(buffer));
    const decoder = decoderFor(this.#reply.headers);
    return new Promise<Uint8Array>((resolve, reject) => {
      const collector = new Collector(resolve, reject, this.#onDone);
      this.#reply.attach(decoder === null ? collector : decoder.into(collector, this.#reply));
    });
  }

  #makeStream(): ReadableStream<Uint8Array> {
    const reply = this.#reply;
    const call = this.#call;
    const onDone = this.#onDone;
    const decoder: Decoder | null = decoderFor(reply.headers);
    let isOver = false;
    const source: UnderlyingByteSource = {
      type: 'bytes',
      start(controller) {
        const sink: Sink = {
          onData(chunk) {
            if (chunk.byteLength === 0 || isOver) return true;
            controller.enqueue(new Uint8Array(chunk));
            return (controller.desiredSize ?? 0) > 0;
          },
          onEnd() {
            onDone();
            if (isOver) return;
            isOver = true;
            controller.close();
            (controller.byobRequest as unknown as { respond(bytes: number): void } | null)?.respond(0);
          },
          onError(error) {
            onDone();
            if (isOver) return;
            isOver = true;
            controller.error(bodyError(error));
          },
        };
        reply.attach(decoder === null ? sink : decoder.into(sink, reply));
      },
      pull() {
        reply.resume();
      },
      cancel(reason) {
        isOver = true;
        call.cancel(reason ?? new DOMException('The operation was aborted', 'AbortError'));
      },
    };
    return new ReadableStream(source as never, { highWaterMark: 0 }) as ReadableStream<Uint8Array>;
  }
}

// `response instanceof Response`, and everything Response.prototype may grow.
Object.setPrototypeOf(MeshResponse.prototype, Response.prototype);
Object.defineProperty(MeshResponse.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: MeshResponse) {
    const { status, statusText, url, redirected, bodyUsed } = this;
    return { status, statusText, url, redirected, bodyUsed, headers: Object.fromEntries(this.headers) };
  },
});
