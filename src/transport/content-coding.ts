// Decoding of response bodies for mesh.fetch, as built-in fetch does it. The dispatcher edge never decodes.
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import type { Reply, ReplyHeaders, Sink } from '../core/call.ts';

/** Refused beyond, as in undici: each coding costs a decompressor. */
const CODINGS_MAX = 5;

const GZIP_OPTIONS = { flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH };
const BROTLI_OPTIONS = { flush: zlib.constants.BROTLI_OPERATION_FLUSH, finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH };
/** Source: RFC 9659 §3, which bounds the memory that a sender may ask for. */
const ZSTD_OPTIONS = { params: { [zlib.constants.ZSTD_d_windowLogMax ?? 0]: 23 } };

/** What flows from a reply to its consumer, and can be asked for more. */
export interface Flow {
  resume(): void;
}

type MakeTransform = (firstByte: number) => Transform;

function transformOf(coding: string): MakeTransform | null {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return () => zlib.createGunzip(GZIP_OPTIONS);
    case 'deflate':
      // Some servers leave the zlib header out; its first byte always ends in 8.
      return (firstByte) => ((firstByte & 0x0f) === 0x08 ? zlib.createInflate(GZIP_OPTIONS) : zlib.createInflateRaw(GZIP_OPTIONS));
    case 'br':
      return () => zlib.createBrotliDecompress(BROTLI_OPTIONS);
    case 'zstd':
      // Node 22 has it from 22.15 on.
      return typeof zlib.createZstdDecompress === 'function' ? () => zlib.createZstdDecompress(ZSTD_OPTIONS) : null;
    default:
      return null;
  }
}

/** How to decode, outermost coding first; null when the body is not encoded, or in a coding we do not know. */
function makersOf(headers: ReplyHeaders): MakeTransform[] | null {
  const value = headers['content-encoding'];
  if (value === undefined) return null;
  const codings = String(value)
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length === 0) return null;
  if (codings.length > CODINGS_MAX)
    throw new TypeError(`too many content-encodings in response: ${codings.length}, maximum allowed is ${CODINGS_MAX}`);
  const makers: MakeTransform[] = [];
  for (const coding of codings.reverse()) {
    const make = transformOf(coding);
    if (make === null) return null;
    makers.push(make);
  }
  return makers;
}

/** One decoder. The next of a chain is its sink. */
class Decoder implements Sink, Flow {
  /** Where more can be had: the reply, or the decoder before. */
  source: Flow;
  readonly #make: MakeTransform;
  readonly #sink: Sink;
  readonly #onBroken: (error: unknown) => void;
  #transform: Transform | null = null;
  #trailers: Record<string, string | string[]> = {};
  #isOver = false;

  constructor(make: MakeTransform, sink: Sink, source: Flow, onBroken: (error: unknown) => void) {
    this.source = source;
    this.#make = make;
    this.#sink = sink;
    this.#onBroken = onBroken;
  }

  onData(chunk: Uint8Array): boolean {
    if (this.#isOver || chunk.byteLength === 0) return true;
    this.#transform ??= this.#open(chunk[0] as number);
    return this.#transform.write(chunk);
  }

  onEnd(trailers: Record<string, string | string[]>): void {
    this.#trailers = trailers;
    // A decoder does not like to be given nothing.
    if (this.#transform === null) this.#finish();
    else this.#transform.end();
  }

  onError(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#transform?.destroy();
    this.#sink.onError(error);
  }

  resume(): void {
    if (this.#transform === null) this.source.resume();
    else this.#transform.resume();
  }

  #open(firstByte: number): Transform {
    const transform = this.#make(firstByte);
    transform.on('data', (chunk: Uint8Array) => {
      if (!this.#isOver && !this.#sink.onData(chunk)) transform.pause();
    });
    transform.on('end', () => this.#finish());
    transform.on('drain', () => this.source.resume());
    transform.on('error', (error) => {
      if (this.#isOver) return;
      this.onError(new TypeError('terminated', { cause: error }));
      this.#onBroken(error);
    });
    return transform;
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.onEnd(this.#trailers);
  }
}

/** Hands the decoded body of the reply to the sink. `onBroken`: the body cannot be decoded, the rest of it is not wanted. */
export function attachDecoded(reply: Reply, sink: Sink, onBroken: (error: unknown) => void): Flow {
  let makers: MakeTransform[] | null;
  try {
    makers = makersOf(reply.headers);
  } catch (error) {
    sink.onError(error);
    onBroken(error);
    return reply;
  }
  if (makers === null) {
    reply.attach(sink);
    return reply;
  }
  // From the consumer to the socket: each decoder is the sink of the one before it.
  const nearest = new Decoder(makers.at(-1) as MakeTransform, sink, reply, onBroken);
  let farthest = nearest;
  for (const make of makers.slice(0, -1).reverse()) {
    const decoder = new Decoder(make, farthest, reply, onBroken);
    farthest.source = decoder;
    farthest = decoder;
  }
  reply.attach(farthest);
  return nearest;
}
