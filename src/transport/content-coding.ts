// Decoding of response bodies for mesh.fetch, as built-in fetch does it. The dispatcher edge never decodes.
import type { Transform } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Reply, ReplyHeaders, Sink } from '../core/call.ts';

/** Refused beyond, as in undici: each coding costs a decompressor. */
const CODINGS_MAX = 5;

/** Stands between a reply and its consumer. */
export interface Decoder {
  into(sink: Sink, reply: Reply): Sink;
}

const GZIP_OPTIONS = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const BROTLI_OPTIONS = { flush: constants.BROTLI_OPERATION_FLUSH, finishFlush: constants.BROTLI_OPERATION_FLUSH };

function transformOf(coding: string): Transform | null {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip(GZIP_OPTIONS);
    case 'deflate':
      return createInflate(GZIP_OPTIONS);
    case 'br':
      return createBrotliDecompress(BROTLI_OPTIONS);
    default:
      return null;
  }
}

class TransformSink implements Sink {
  readonly #first: Transform;
  #trailers: Record<string, string | string[]> = {};

  constructor(transforms: readonly Transform[], sink: Sink, reply: Reply) {
    this.#first = transforms[0] as Transform;
    let last = this.#first;
    const fail = (error: unknown): void => sink.onError(error);
    this.#first.on('error', fail);
    for (const next of transforms.slice(1)) {
      next.on('error', fail);
      last = last.pipe(next);
    }
    last.on('data', (chunk: Uint8Array) => sink.onData(chunk));
    last.on('end', () => sink.onEnd(this.#trailers));
    this.#first.on('drain', () => reply.resume());
  }

  onData(chunk: Uint8Array): boolean {
    return this.#first.write(chunk);
  }

  onEnd(trailers: Record<string, string | string[]>): void {
    this.#trailers = trailers;
    this.#first.end();
  }

  onError(error: unknown): void {
    this.#first.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** null when the body is not encoded, or in a coding we do not know (it is handed on as it is). */
export function decoderFor(headers: ReplyHeaders): Decoder | null {
  const value = headers['content-encoding'];
  if (value === undefined) return null;
  const codings = String(value)
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length === 0) return null;
  if (codings.length > CODINGS_MAX)
    throw new TypeError(`too many content-encodings in the response: ${codings.length}, at most ${CODINGS_MAX}`);
  const transforms: Transform[] = [];
  for (const coding of codings.reverse()) {
    const transform = transformOf(coding);
    if (transform === null) return null;
    transforms.push(transform);
  }
  return { into: (sink, reply) => new TransformSink(transforms, sink, reply) };
}
