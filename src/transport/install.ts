// Puts a dispatcher in the place that built-in fetch and undici look at, and back again. Both symbols count: `.1` is read
// by built-in fetch of Node 22 and 24 and by undici 6 and 7, `.2` by undici 8 and Node 26.
import { globalDispatcher, loadBuiltIn, replaceGlobalDispatchers } from './before-undici.ts';
import type { MeshDispatcher } from './dispatcher.ts';

/** Returns the way back, which leaves alone what somebody else has put there meanwhile. */
export function installDispatcher(dispatcher: MeshDispatcher): () => void {
  // What it would put there later is what calls are passed on to now.
  loadBuiltIn();
  const before = { current: globalDispatcher('current'), legacy: globalDispatcher('legacy') };
  if (before.current !== dispatcher) dispatcher.passTo(before);
  // The same object in both places: it takes the handlers of every generation, and sees which one they are of.
  replaceGlobalDispatchers({ current: dispatcher, legacy: dispatcher });
  return () => {
    replaceGlobalDispatchers({
      current: globalDispatcher('current') === dispatcher ? before.current : globalDispatcher('current'),
      legacy: globalDispatcher('legacy') === dispatcher ? before.legacy : globalDispatcher('legacy'),
    });
  };
}
