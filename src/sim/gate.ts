// The door of a simulated server: the very limit that a real server of inmesh has, or one that somebody hands in. Writes
// what such a server says with its answers: how full it is, and when to come back.
import type { ReplyHeaders } from '../core/call.ts';
import { ERROR_HEADER, LOAD_HEADER } from '../core/headers.ts';
import { ADMISSION_DEFAULTS, type AdmissionPolicy } from '../model/inbound.ts';
import { CRITICALITY_DEFAULT } from '../model/traffic.ts';
import { AdmissionLimit } from '../resilience/admission-limit.ts';

/** How many a server lets in at once, and whom not. */
export interface ServerLimit {
  /** Takes a place, or says no. `criticality` is an index into CRITICALITIES. Every yes is given back by one `leave`. */
  tryEnter(criticality: number, isRetry: boolean, nowMs: number): boolean;
  leave(startedMs: number, nowMs: number, ok: boolean): void;
  readonly limit: number;
  /** In flight ÷ limit, 0 to 1. */
  readonly utilization: number;
}

/** Who asks to be let in. */
interface Visitor {
  readonly criticality: number;
  readonly isRetry: boolean;
  enteredAtMs: number;
}

export class Gate {
  readonly #limit: ServerLimit;
  readonly #retryAfter: string;

  constructor(admission: true | Partial<AdmissionPolicy> | ((nowMs: number) => ServerLimit), nowMs: number) {
    const policy = { ...ADMISSION_DEFAULTS, ...(typeof admission === 'object' ? admission : {}) };
    this.#limit = typeof admission === 'function' ? admission(nowMs) : new AdmissionLimit(policy, nowMs);
    this.#retryAfter = String(Math.max(1, Math.ceil(policy.retryAfterMs / 1_000)));
  }

  get limit(): number {
    return this.#limit.limit;
  }

  enter(visitor: Visitor, nowMs: number): boolean {
    const criticality = visitor.criticality < 0 ? CRITICALITY_DEFAULT : visitor.criticality;
    if (!this.#limit.tryEnter(criticality, visitor.isRetry, nowMs)) return false;
    visitor.enteredAtMs = nowMs;
    return true;
  }

  /** Once for each that entered; for others nothing happens. */
  leave(visitor: Visitor, nowMs: number, ok: boolean): void {
    if (Number.isNaN(visitor.enteredAtMs)) return;
    this.#limit.leave(visitor.enteredAtMs, nowMs, ok);
    visitor.enteredAtMs = Number.NaN;
  }

  /** Headers of an answer, with the load. */
  report(headers: ReplyHeaders): ReplyHeaders {
    return { ...headers, [LOAD_HEADER]: this.#limit.utilization.toFixed(2) };
  }

  /** Headers of a 503. */
  refusal(): ReplyHeaders {
    return this.report({ 'retry-after': this.#retryAfter, 'x-envoy-overloaded': 'true', [ERROR_HEADER]: 'overloaded' });
  }
}
