// When a closed circuit opens: one small port, three rules. The ratio rule is ours, on a window that forgets; the run
// and the count rule are cockatiel's, and cockatiel is loaded only when a policy asks for it.
import { RollingWindow } from '../core/window.ts';
import type { BreakerPolicy, ConsecutiveBreakerPolicy, CountBreakerPolicy, RatioBreakerPolicy } from '../model/destination.ts';

/** Counts endings while the circuit is closed. */
export interface Trip {
  /** Whether the circuit must open now. */
  add(isGood: boolean, nowMs: number): boolean;
  /** Forgets everything: the circuit has just closed. */
  reset(): void;
}

/** The rule of a policy. A promise only when cockatiel has to be loaded. */
export function loadTrip(policy: BreakerPolicy): Trip | Promise<Trip> {
  switch (policy.kind) {
    case 'ratio':
      return ratioTrip(policy);
    case 'consecutive':
      return consecutiveTrip(policy);
    case 'count':
      return countTrip(policy);
  }
}

/** Why a policy opened the circuit, for events and messages. */
export function tripReason(policy: BreakerPolicy): string {
  switch (policy.kind) {
    case 'ratio':
      return `${percent(policy.failureRatio)} of the calls of the last ${policy.windowMs} ms failed`;
    case 'consecutive':
      return `${policy.failures} calls in a row failed`;
    case 'count':
      return `${percent(policy.failureRatio)} of the last ${policy.size} calls failed`;
  }
}

/** Whether both policies count alike, so that a reload may keep the counts. */
export function isSameTrip(a: BreakerPolicy, b: BreakerPolicy): boolean {
  return ruleOf(a) === ruleOf(b);
}

/** What counts, without how long the circuit stays open. */
function ruleOf(policy: BreakerPolicy): string {
  switch (policy.kind) {
    case 'ratio':
      return `ratio/${policy.failureRatio}/${policy.windowMs}/${policy.callsMin}`;
    case 'consecutive':
      return `consecutive/${policy.failures}`;
    case 'count':
      return `count/${policy.failureRatio}/${policy.size}/${policy.callsMin}`;
  }
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 1_000) / 10} %`;
}

function ratioTrip(policy: RatioBreakerPolicy): Trip {
  const window = new RollingWindow(policy.windowMs);
  return {
    add(isGood, nowMs) {
      window.add(isGood, nowMs);
      if (isGood) return false;
      const calls = window.good + window.bad;
      return calls >= policy.callsMin && window.bad / calls >= policy.failureRatio;
    },
    reset() {
      window.reset();
    },
  };
}

async function consecutiveTrip(policy: ConsecutiveBreakerPolicy): Promise<Trip> {
  const { CircuitState, ConsecutiveBreaker } = await import('cockatiel');
  const closed = CircuitState.Closed;
  return cockatielTrip(() => {
    const breaker = new ConsecutiveBreaker(policy.failures);
    return { success: () => breaker.success(), failure: () => breaker.failure() };
  }, closed);
}

async function countTrip(policy: CountBreakerPolicy): Promise<Trip> {
  const { CircuitState, CountBreaker } = await import('cockatiel');
  // cockatiel opens above its threshold and refuses a threshold of 1; ours is the share that opens.
  const threshold = Math.max(Number.MIN_VALUE, policy.failureRatio - 1e-9);
  const minimumNumberOfCalls = Math.min(policy.callsMin, policy.size);
  return cockatielTrip(() => new CountBreaker({ threshold, size: policy.size, minimumNumberOfCalls }), CircuitState.Closed);
}

interface CockatielBreaker<State> {
  success(state: State): void;
  failure(state: State): boolean;
}

/** The circuit's own state is kept by us, so cockatiel always counts as if closed; a reset is a new object. */
function cockatielTrip<State>(make: () => CockatielBreaker<State>, closed: State): Trip {
  let breaker = make();
  return {
    add(isGood) {
      if (!isGood) return breaker.failure(closed);
      breaker.success(closed);
      return false;
    },
    reset() {
      breaker = make();
    },
  };
}
