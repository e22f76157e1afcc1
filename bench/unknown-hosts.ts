// Calls to hosts that no service names, each host once. The dispatcher that was there before the mesh is a fake that answers at
// once, so that only what the mesh itself remembers of a host is measured.
import { createRequire } from 'node:module';
import { loadLibrary } from './library.ts';
import type { LeakCall } from './leak-calls.ts';

interface NewHandler {
  onRequestStart(controller: object, context: object): void;
  onResponseStart(controller: object, status: number, headers: object, statusText: string): void;
  onResponseEnd(controller: object, trailers: object): void;
}

interface OldHandler {
  onConnect(abort: () => void): void;
  onHeaders(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean;
  onComplete(trailers: Buffer[]): void;
}

const CONTROLLER = { abort() {}, pause() {}, resume() {}, aborted: false, paused: false, reason: null, rawHeaders: [], rawTrailers: [] };
const nothing = (): void => {};

/** Answers 204 to handlers of undici 6, 7 and 8, and of built-in fetch. */
const fake = {
  dispatch(_options: object, handler: NewHandler | OldHandler): boolean {
    if ('onRequestStart' in handler) {
      handler.onRequestStart(CONTROLLER, {});
      handler.onResponseStart(CONTROLLER, 204, {}, 'No Content');
      handler.onResponseEnd(CONTROLLER, {});
    } else {
      handler.onConnect(nothing);
      handler.onHeaders(204, [], nothing, 'No Content');
      handler.onComplete([]);
    }
    return true;
  },
};

function setGlobalDispatchers(dispatcher: object): void {
  // undici first: it puts an Agent of its own into the slots while it is loading.
  createRequire(import.meta.url)('undici');
  const slots = globalThis as unknown as Record<symbol, object>;
  for (const generation of ['1', '2']) slots[Symbol.for(`undici.globalDispatcher.${generation}`)] = dispatcher;
}

/** Each call names another host. `edge`: through mesh.fetch, or through mesh.dispatcher. */
export async function unknownHostCall(edge: 'fetch' | 'dispatcher'): Promise<LeakCall> {
  await fetch('data:,').catch(nothing);
  setGlobalDispatchers(fake);
  const { createMesh } = await loadLibrary();
  const mesh = await createMesh({ config: { services: { items: { endpoints: ['127.0.0.1:9'] } } } });
  let number = 0;
  if (edge === 'fetch') {
    return async () => {
      // What built-in fetch holds by WeakRef lives until the turn of the event loop ends, and a fake never ends one.
      if (number % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      const { status } = await mesh.fetch(`http://host-${number++}.example/`);
      if (status !== 204) throw new Error(`the fake answered ${status}`);
    };
  }
  const handler = {
    onRequestStart: nothing,
    onResponseStart: nothing,
    onResponseData: nothing,
    onResponseEnd: nothing,
    onResponseError: nothing,
  };
  return async () => {
    mesh.dispatcher.dispatch({ origin: `http://host-${number++}.example`, path: '/', method: 'GET' }, handler);
  };
}
