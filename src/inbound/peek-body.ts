// Looks at the beginning of a request's body before the handler does, and puts it back: the handler reads all of it, as if nobody had.
// Must not end the stream, so it reads only what is there: who listens for the end later would wait for ever.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallContent, PeekedBody } from '../access/request.ts';
import type { InboundCall } from './inbound-call.ts';

/** All that an authorizer or a function of yours gets to see of the call's own objects. */
export class CallBody implements CallContent {
  readonly #call: InboundCall;

  constructor(call: InboundCall) {
    this.#call = call;
  }

  peek(bytesMax: number): Promise<PeekedBody> {
    const { request, response, awaitsContinue } = this.#call;
    if (awaitsContinue) {
      this.#call.awaitsContinue = false;
      response.writeContinue();
    }
    return peekBody(request, response, bytesMax);
  }
}

/** What the requests of node:http2 have besides. */
interface Http2Request {
  readonly stream: { readonly readableEnded: boolean; readonly endAfterHeaders: boolean };
}

const GONE = 'the caller went away before its body was there';

/** Whether all of it has come. HTTP/2 knows when its own stream has ended; HTTP/1 says so itself. */
function isComplete(request: IncomingMessage): boolean {
  if (request.httpVersionMajor === 1) return request.complete;
  const { stream } = request as unknown as Http2Request;
  return stream.readableEnded || stream.endAfterHeaders;
}

/** Rejects when the caller goes before so much has come. */
function peekBody(request: IncomingMessage, response: ServerResponse, bytesMax: number): Promise<PeekedBody> {
  // Node throws away what no handler has read, but only of requests that nobody has looked into.
  response.once('finish', () => request.resume());
  if (request.destroyed) return Promise.reject(new Error(GONE));
  if (isComplete(request) && request.readableLength === 0) return Promise.resolve({ bytes: Buffer.alloc(0), isWhole: true });
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const stop = (): void => {
      request.off('readable', onReadable);
      request.off('close', onClose);
      request.off('error', onClose);
    };
    const onReadable = (): void => {
      while (request.readableLength > 0 && length <= bytesMax) {
        const chunk = request.read() as Buffer;
        chunks.push(chunk);
        length += chunk.length;
      }
      const isWhole = isComplete(request) && length <= bytesMax;
      if (!isWhole && length <= bytesMax) return;
      stop();
      const bytes = Buffer.concat(chunks);
      // In the same tick: the end is told in the next one, if nothing is there to read by then.
      if (length > 0) request.unshift(bytes);
      resolve({ bytes: bytes.subarray(0, bytesMax), isWhole });
    };
    const onClose = (): void => {
      stop();
      reject(new Error(GONE));
    };
    request.on('readable', onReadable);
    request.on('close', onClose);
    request.on('error', onClose);
  });
}
