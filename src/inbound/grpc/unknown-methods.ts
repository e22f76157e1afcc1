// Methods that a server does not have. grpc-js answers them before any interceptor, where nobody would count or refuse them:
// here they get a handler that says the same, so that they come in by the door like all others.
import type { handleBidiStreamingCall, Server } from '@grpc/grpc-js';

const UNIMPLEMENTED = 12;

/** As grpc-js keeps what was registered. */
interface Handler {
  readonly func: handleBidiStreamingCall<Buffer, Buffer>;
  readonly serialize: (bytes: Buffer) => Buffer;
  readonly deserialize: (bytes: Buffer) => Buffer;
  readonly type: 'bidi';
  readonly path: string;
}

/** Private to grpc-js, and the same from 1.12 to 1.14. */
interface Lookup {
  _retrieveHandler?: (path: string) => object | null;
}

/** Never called: the answer is there before the first message. By it such a method is known. */
function undecoded(bytes: Buffer): Buffer {
  return bytes;
}

/** Of both directions, because that one is answered without waiting for a message. */
function unknownMethod(path: string): Handler {
  return {
    func: (call) => void call.emit('error', { code: UNIMPLEMENTED, details: `The server does not implement the method ${path}` }),
    serialize: undecoded,
    deserialize: undecoded,
    type: 'bidi',
    path,
  };
}

/** From now on nothing is answered past the interceptors. Where grpc-js looks methods up in another way, all stays as it was. */
export function admitUnknown(server: Server): void {
  const lookup = server as unknown as Lookup;
  const known = lookup._retrieveHandler;
  if (typeof known === 'function') lookup._retrieveHandler = (path) => known.call(server, path) ?? unknownMethod(path);
}

/** Whether the method, as an interceptor sees it, is none of the server's. */
export function isUnknownMethod(method: { readonly requestDeserialize: unknown }): boolean {
  return method.requestDeserialize === undecoded;
}
