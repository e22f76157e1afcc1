// Puts a dispatcher in the place that built-in fetch and undici look at, and back again. Both symbols count: `.1` is read
// by built-in fetch of Node 22 and 24 and by undici 6 and 7, `.2` by undici 8 and Node 26.
import { globalDispatcher, replaceGlobalDispatchers } from './before-undici.ts';
import type { MeshDispatcher } from './dispatcher.ts';
import { setGlobalDispatcher } from './undici.ts';

/** Returns the way back, which does nothing if somebody else has replaced the dispatcher meanwhile. */
export function installDispatcher(dispatcher: MeshDispatcher): () => void {
  const before = { current: globalDispatcher('current'), legacy: globalDispatcher('legacy') };
  setGlobalDispatcher(dispatcher);
  return () => {
    if (globalDispatcher('current') === dispatcher) replaceGlobalDispatchers(before);
  };
}
