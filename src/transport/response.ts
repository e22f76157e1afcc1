// The answer of mesh.fetch: a Response by prototype, without a Headers object, a stream or a buffer until somebody asks.
// What needs a true Response (clone, streaming, formData) gets one made from it.
import { Readable } from 'node:stream';
import type { ReadableByteStreamController, UnderlyingByteSource } from 'node:stream/web';
import type { Call, Reply, ReplyHeaders, Sink } from '../core/call.ts';
import { MeshError } from '../core/errors.ts';
import { attachDecoded, type Flow } from './content-coding.ts';

const EMPTY = new Uint8Array(0);
const UTF8 = new TextDecoder();
const BOM = 0xef;
/** A body of which no more than this can come is in memory or on its way there; a longer one may hold its socket. */
const SMALL_BYTES_MAX = 65_536;
/** What a stream of ours keeps for a slow reader before the socket is paused. */
const STREAM_BYTES_MAX = 65_536;

type Settle = (bytes: Uint8Array) => void;

/** Answers that nobody holds any more: the socket of one that nobody has read must not wait for the deadline. */
const unread = new FinalizationRegistry<Reply>((reply) => reply.discard());

/** What the caller's `signal` and our own failures look like to somebody who reads the body. */
function bodyError(error: unknown): unknown {
  return error instanceof MeshError && error.code === 'canceled' ? error.cause : error;
}

/** Collects a whole body. Attached at once, so nothing is streamed that nobody reads as a stream. */
class Collector implements Sink {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  readonly #resolve: Settle;
  readonly #reject: (error: unknown) => void;

  constructor(resolve: Settle, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onData(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    return true;
  }

  onEnd(): void {
    const { length } = this.#chunks;
    this.#resolve(length === 0 ? EMPTY : length === 1 ? (this.#chunks[0] as Uint8Array) : Buffer.concat(this.#chunks, this.#bytes));
  }

  onError(error: unknown): void {
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

/** Whether so much may come that the socket waits for a reader. */
function isLarge(headers: ReplyHeaders): boolean {
  const length = headers['content-length'];
  return length === undefined || Number(length) > SMALL_BYTES_MAX;
}

class MeshResponse {
  readonly #reply: Reply;
  readonly #call: Call;
  readonly #url: string;
  readonly #redirected: boolean;
  readonly #hasBody: boolean;
  #headers: Headers | null = null;
  #isUsed = false;
  #isWatched = false;
  #stream: ReadableStream<Uint8Array> | null = null;

  constructor(reply: Reply, call: Call, url: string, redirected: boolean) {
    this.#reply = reply;
    this.#call = call;
    this.#url = url;
    this.#redirected = redirected;
    const { status } = reply;
    this.#hasBody = call.method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304;
    if (!this.#hasBody) reply.discard();
    else if (call.outcome === null && isLarge(reply.headers)) {
      this.#isWatched = true;
      unread.register(this, reply, this);
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
    // The media type of a blob is written in a way of its own, which a true Response knows.
    return this.#collect().then((bytes) => this.#nativeWith(exactBuffer(bytes)).blob());
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

  #nativeWith(body: ReadableStream<Uint8Array> | ArrayBuffer | null): Response {
    const { status, statusText } = this.#reply;
    const response = new Response(body, { status, statusText, headers: this.headers });
    Object.defineProperties(response, { url: { value: this.#url }, redirected: { value: this.#redirected }, type: { value: this.type } });
    return response;
  }

  #collect(): Promise<Uint8Array> {
    if (this.bodyUsed || this.#stream?.locked === true) {
      return Promise.reject(new TypeError('Body is unusable: Body has already been read'));
    }
    if (!this.#hasBody) return Promise.resolve(EMPTY);
    this.#isUsed = true;
    if (this.#stream !== null) return new Response(this.#stream).arrayBuffer().then((buffer) => new Uint8Array(buffer));
    return new Promise<Uint8Array>((resolve, reject) => {
      this.#attach(new Collector(resolve, reject));
    });
  }

  #attach(sink: Sink): Flow {
    // At once: what is registered outlives every collection of young objects, and the call with it.
    if (this.#isWatched) unread.unregister(this);
    if (this.#reply.headers['content-encoding'] !== undefined) return attachDecoded(this.#reply, sink, (error) => this.#call.cancel(error));
    this.#reply.attach(sink);
    return this.#reply;
  }

  #makeStream(): ReadableStream<Uint8Array> {
    let controller: ReadableByteStreamController | null = null;
    let flow: Flow | null = null;
    const finish = (): ReadableByteStreamController | null => {
      const last = controller;
      controller = null;
      return last;
    };
    const sink: Sink = {
      onData(chunk) {
        if (controller === null || chunk.byteLength === 0) return true;
        // A copy: the stream takes the memory away, and undici cuts many chunks from one piece.
        controller.enqueue(new Uint8Array(chunk));
        return (controller?.desiredSize ?? 0) > -STREAM_BYTES_MAX;
      },
      onEnd() {
        const ending = finish();
        ending?.close();
        (ending?.byobRequest as unknown as { respond(bytes: number): void } | null | undefined)?.respond(0);
      },
      onError(error) {
        finish()?.error(bodyError(error));
      },
    };
    const source: UnderlyingByteSource = {
      type: 'bytes',
      // At the first read and not before: a stream that is only looked at costs nothing, and keeps the response alive.
      pull: (given) => {
        if (flow !== null) {
          flow.resume();
          return;
        }
        controller = given;
        flow = this.#attach(sink);
      },
      cancel: (reason) => {
        controller = null;
        this.#call.cancel(reason ?? new DOMException('The operation was aborted', 'AbortError'));
      },
    };
    return new ReadableStream(source as never, { highWaterMark: 0 }) as ReadableStream<Uint8Array>;
  }
}

let isLinked = false;

/** The answer. The first one loads the Response of the runtime: 1.7 MB in Node, for nobody who does not fetch. */
export function meshResponse(reply: Reply, call: Call, url: string, redirected: boolean): Response {
  if (!isLinked) {
    // `response instanceof Response`, and everything Response.prototype may grow.
    Object.setPrototypeOf(MeshResponse.prototype, Response.prototype);
    isLinked = true;
  }
  return new MeshResponse(reply, call, url, redirected) as unknown as Response;
}

Object.defineProperty(MeshResponse.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: MeshResponse) {
    const { status, statusText, url, redirected, bodyUsed } = this;
    return { status, statusText, url, redirected, bodyUsed, headers: Object.fromEntries(this.headers) };
  },
});
