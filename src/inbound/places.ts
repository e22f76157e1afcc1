// Who has a place in this process: the limit (a port; it lives in resilience/, which this floor does not know) together
// with what it is told about the event loop. Survives reloads, so that a call gives its place back where it took it.
import type { Outcome } from '../core/call.ts';
import { CRITICALITY_DEFAULT } from '../model/traffic.ts';
import type { EventLoop } from './event-loop.ts';
import type { InboundCall } from './inbound-call.ts';

/** How many at once, and who not. */
export interface PlaceLimit {
  tryEnter(criticality: number, isRetry: boolean, nowMs: number): boolean;
  leave(startedMs: number, nowMs: number, ok: boolean): void;
  observeLoopDelay(p99Ms: number, nowMs: number): void;
  /** In flight ÷ limit, 0 to 1. */
  readonly utilization: number;
}

/** The event loop is looked at this often, when calls come. */
const LOOK_MS = 100;

export class Places {
  readonly #limit: PlaceLimit;
  readonly #loop: EventLoop;
  #lookAtMs = 0;
  /**
   * Calls that began and ended within one turn of the event loop. A handler that only computes has answered before the
   * next request is even read, so nothing would ever be in flight; but it has taken its turn, and what is read in the same
   * turn has waited for it. So its place is free again only in the next turn.
   */
  readonly #kept: (InboundCall | null)[] = [];
  /** Of them; the array stays as long as it has ever been. */
  #keptCount = 0;
  #keptTurn = -1;

  constructor(limit: PlaceLimit, loop: EventLoop) {
    this.#limit = limit;
    this.#loop = loop;
  }

  /** In flight ÷ limit, 0 to 1. */
  get utilization(): number {
    return this.#limit.utilization;
  }

  /** Takes a place; every yes is given back by one `leave`. */
  tryEnter(call: InboundCall, nowMs: number): boolean {
    this.settle(call.turn);
    if (nowMs >= this.#lookAtMs) {
      this.#lookAtMs = nowMs + LOOK_MS;
      this.#limit.observeLoopDelay(this.#loop.delayMs(), nowMs);
    }
    return this.#limit.tryEnter(call.criticality < 0 ? CRITICALITY_DEFAULT : call.criticality, call.attempt > 1, nowMs);
  }

  /** The call has ended. */
  leave(call: InboundCall, outcome: Outcome): void {
    const { turn } = this.#loop;
    if (call.turn !== turn) {
      giveBack(this.#limit, call, outcome);
      return;
    }
    this.settle(turn);
    this.#keptTurn = turn;
    this.#kept[this.#keptCount++] = call;
  }

  /** Gives back what was kept in an earlier turn. */
  settle(turn: number = this.#loop.turn): void {
    if (this.#keptCount === 0 || this.#keptTurn === turn) return;
    const kept = this.#kept;
    const count = this.#keptCount;
    this.#keptCount = 0;
    for (let i = 0; i < count; i++) {
      const call = kept[i] as InboundCall;
      kept[i] = null;
      giveBack(this.#limit, call, call.outcome as Outcome);
    }
  }
}

function giveBack(limit: PlaceLimit, call: InboundCall, { kind, endedAtMs }: Outcome): void {
  if (call.isStream) limit.leave(endedAtMs, endedAtMs, false);
  else limit.leave(call.startedAtMs, endedAtMs, kind === 'success');
}
