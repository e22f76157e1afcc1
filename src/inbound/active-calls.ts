// The calls whose response is not over. A list through the calls themselves and no Set: a Set that calls enter and leave all the time
// makes a new table for every few of them, each known to the one before, so that V8 keeps and copies calls that have long ended.
// That cost more than all the rest of the inbound stack.
import type { InboundCall } from './inbound-call.ts';

export class ActiveCalls {
  #newest: InboundCall | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** At most once for each call. */
  add(call: InboundCall): void {
    const older = this.#newest;
    call.older = older;
    if (older !== null) older.newer = call;
    this.#newest = call;
    this.#size++;
  }

  /** Nothing happens when it is not among them. */
  delete(call: InboundCall): void {
    const { newer, older } = call;
    if (newer === null && call !== this.#newest) return;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    if (older !== null) older.newer = newer;
    // What has ended must not keep what has not.
    call.newer = null;
    call.older = null;
    this.#size--;
  }

  *[Symbol.iterator](): Generator<InboundCall> {
    for (let call = this.#newest; call !== null; call = call.older) yield call;
  }
}
