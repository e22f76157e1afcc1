// The dispatchers that were in force before undici was loaded: loading undici 8 puts an Agent of its own in their place
// (on Node 22 even after the first fetch, losing the proxy settings of the environment). Evaluated before undici, see undici.ts.

const CURRENT = Symbol.for('undici.globalDispatcher.2');
const LEGACY = Symbol.for('undici.globalDispatcher.1');

const slots = globalThis as unknown as Record<symbol, unknown>;

const generation = Number.parseInt(process.versions.undici ?? '', 10);

/** Loads the undici inside Node, which puts its own dispatcher in force unless there is one: 1.7 MB, so only when somebody needs it. */
export function loadBuiltIn(): void {
  void globalThis.Response;
}

// From undici 8 on the one inside Node looks where ours looks, too, and would take ours for its own. Older ones can wait: a proxy that
// the environment names is in force without them.
if (generation >= 8) loadBuiltIn();

const before: { readonly current: unknown; readonly legacy: unknown } = { current: slots[CURRENT], legacy: slots[LEGACY] };

/** Puts back what undici replaced while it was loading; a place that only older ones look at is theirs, though still empty. */
export function restoreGlobalDispatchers(): void {
  if (slots[LEGACY] !== before.legacy) slots[LEGACY] = before.legacy;
  if (before.current !== undefined && slots[CURRENT] !== before.current) slots[CURRENT] = before.current;
}

/** The dispatcher in force for handlers of undici 8 (`current`), or of undici 6 and built-in fetch of Node 22 and 24 (`legacy`). */
export function globalDispatcher(generation: 'current' | 'legacy'): unknown {
  return slots[generation === 'current' ? CURRENT : LEGACY];
}

/** Puts a pair of dispatchers back. */
export function replaceGlobalDispatchers(pair: { readonly current: unknown; readonly legacy: unknown }): void {
  slots[CURRENT] = pair.current;
  slots[LEGACY] = pair.legacy;
}
