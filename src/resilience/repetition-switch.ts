// The switch that stops retries and hedges at run time, for one service or for all: when an outage is under way, a person
// must be able to take the extra load off without a deployment. One per mesh; survives reloads. Who repeats reads one
// boolean, and only after a failure.
import type { Emit } from '../core/events.ts';

/** What one service sees of the switch. */
export interface RepetitionGate {
  readonly isPaused: boolean;
}

class Gate implements RepetitionGate {
  isPaused = false;
  /** Pauses of this service alone. */
  holds = 0;
}

export class RepetitionSwitch {
  readonly #emit: Emit;
  readonly #gates: Map<string, Gate> = new Map();
  /** Pauses of all services. */
  #holds = 0;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** Looked up when a stack is built; the same object for as long as the mesh lives. */
  gate(service: string): RepetitionGate {
    return this.#gate(service);
  }

  /**
   * No retries and no hedges, free ones neither, until the function returned is called; an empty service means all. Several
   * pauses of one service end with the last of them.
   */
  pause(service: string, reason: string): () => void {
    this.#hold(service, 1);
    this.#emit({ type: 'repetitionPaused', service, reason });
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (this.#hold(service, -1) === 0) this.#emit({ type: 'repetitionResumed', service });
    };
  }

  #gate(service: string): Gate {
    let gate = this.#gates.get(service);
    if (gate === undefined) {
      gate = new Gate();
      gate.isPaused = this.#holds > 0;
      this.#gates.set(service, gate);
    }
    return gate;
  }

  #hold(service: string, change: 1 | -1): number {
    if (service !== '') {
      const gate = this.#gate(service);
      gate.holds += change;
      gate.isPaused = this.#holds + gate.holds > 0;
      return gate.holds;
    }
    this.#holds += change;
    for (const gate of this.#gates.values()) gate.isPaused = this.#holds + gate.holds > 0;
    return this.#holds;
  }
}
