// Whatever comes, in whatever order: what must hold of an admission limit at every moment.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADMISSION_DEFAULTS, type AdmissionPolicy } from '../../src/model/inbound.ts';
import { AdmissionLimit } from '../../src/resilience/admission-limit.ts';

type Step =
  | { readonly kind: 'enter'; readonly criticality: number; readonly isRetry: boolean; readonly times: number }
  | { readonly kind: 'leave'; readonly which: number; readonly ok: boolean; readonly times: number }
  | { readonly kind: 'loop'; readonly p99Ms: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'update'; readonly policy: AdmissionPolicy };

const policies: fc.Arbitrary<AdmissionPolicy> = fc
  .record({
    limitMin: fc.integer({ min: 1, max: 20 }),
    more: fc.integer({ min: 0, max: 100 }),
    limitInitial: fc.integer({ min: 1, max: 200 }),
    decrease: fc.double({ min: 0.1, max: 0.99, noNaN: true }),
    eventLoopDelayMs: fc.constantFrom(0, 20, 50),
    latencyFactor: fc.constantFrom(0, 2, 4.5),
    sheddableShare: fc.double({ min: 0.01, max: 1, noNaN: true }),
  })
  .map(({ more, ...policy }) => ({ ...ADMISSION_DEFAULTS, ...policy, limitMax: policy.limitMin + more }));

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('enter' as const),
        criticality: fc.integer({ min: -1, max: 3 }),
        isRetry: fc.boolean(),
        times: fc.integer({ min: 1, max: 30 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('leave' as const),
        which: fc.nat(),
        ok: fc.boolean(),
        times: fc.integer({ min: 1, max: 30 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('loop' as const), p99Ms: fc.integer({ min: 0, max: 2_000 }) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 3_000 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('update' as const), policy: policies }) },
  ),
  { maxLength: 60 },
);

/** Does the steps, and remembers who is in. */
class Run {
  readonly limit: AdmissionLimit;
  readonly inside: number[] = [];
  policy: AdmissionPolicy;
  nowMs = 0;

  constructor(policy: AdmissionPolicy) {
    this.policy = policy;
    this.limit = new AdmissionLimit(policy, 0);
  }

  do(step: Step, onEnter: (criticality: number, isRetry: boolean, isAdmitted: boolean) => void = () => {}): void {
    if (step.kind === 'pass') this.nowMs += step.ms;
    else if (step.kind === 'loop') this.limit.observeLoopDelay(step.p99Ms, this.nowMs);
    else if (step.kind === 'update') {
      this.policy = step.policy;
      this.limit.update(step.policy);
    } else if (step.kind === 'enter') {
      for (let i = 0; i < step.times; i++) {
        const isAdmitted = this.limit.tryEnter(step.criticality, step.isRetry, this.nowMs);
        if (isAdmitted) this.inside.push(this.nowMs);
        onEnter(step.criticality, step.isRetry, isAdmitted);
      }
    } else {
      for (let i = 0; i < step.times && this.inside.length > 0; i++) {
        const [startedMs] = this.inside.splice(step.which % this.inside.length, 1) as [number];
        this.limit.leave(startedMs, this.nowMs, step.ok);
      }
    }
  }
}

const RUNS = { numRuns: 1_000, seed: 1 } as const;

describe('an admission limit', () => {
  it('never has more calls in flight than the class that was admitted last allows', () => {
    fc.assert(
      fc.property(policies, steps, (policy, all) => {
        const run = new Run(policy);
        for (const step of all) {
          run.do(step, (criticality, isRetry, isAdmitted) => {
            if (isAdmitted) expect(run.limit.inFlight).toBeLessThanOrEqual(run.limit.ceiling(criticality, isRetry));
            else expect(run.limit.inFlight).toBeGreaterThanOrEqual(run.limit.ceiling(criticality, isRetry));
          });
        }
      }),
      RUNS,
    );
  });

  it('conserves places: in flight is who came in less who left, and nothing at the end', () => {
    fc.assert(
      fc.property(policies, steps, (policy, all) => {
        const run = new Run(policy);
        for (const step of all) {
          run.do(step);
          expect(run.limit.inFlight).toBe(run.inside.length);
        }
        for (const startedMs of run.inside) run.limit.leave(startedMs, run.nowMs, true);
        expect([run.limit.inFlight, run.limit.utilization]).toEqual([0, 0]);
      }),
      RUNS,
    );
  });

  it('stays within the bounds of its policy', () => {
    fc.assert(
      fc.property(policies, steps, (policy, all) => {
        const run = new Run(policy);
        for (const step of all) {
          run.do(step);
          expect(run.limit.limit).toBeGreaterThanOrEqual(run.policy.limitMin);
          expect(run.limit.limit).toBeLessThanOrEqual(run.policy.limitMax);
          expect(Number.isInteger(run.limit.limit)).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('never refuses a call where it would admit a less critical one', () => {
    fc.assert(
      fc.property(policies, steps, fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), (policy, all, a, b) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        // The same history twice, so that one question does not change the answer to the other.
        for (const isRetry of [false, true]) {
          const [first, second] = [new Run(policy), new Run(policy)];
          for (const step of all) for (const run of [first, second]) run.do(step);
          if (first.limit.tryEnter(less, isRetry, first.nowMs)) expect(second.limit.tryEnter(more, isRetry, second.nowMs)).toBe(true);
        }
        const [retry, plain] = [new Run(policy), new Run(policy)];
        for (const step of all) for (const run of [retry, plain]) run.do(step);
        // A retry is never preferred to the least critical first attempt.
        if (retry.limit.tryEnter(3, true, retry.nowMs)) expect(plain.limit.tryEnter(0, false, plain.nowMs)).toBe(true);
      }),
      RUNS,
    );
  });

  it('is never wedged: whatever was, an empty server takes a call of every class', () => {
    fc.assert(
      fc.property(policies, steps, fc.integer({ min: -1, max: 3 }), fc.boolean(), (policy, all, criticality, isRetry) => {
        const run = new Run(policy);
        for (const step of all) run.do(step);
        for (const startedMs of run.inside) run.limit.leave(startedMs, run.nowMs, false);
        expect(run.limit.tryEnter(criticality, isRetry, run.nowMs)).toBe(true);
      }),
      RUNS,
    );
  });

  it('falls only when something is wrong', () => {
    fc.assert(
      fc.property(policies, steps, (policy, all) => {
        const run = new Run({ ...policy, eventLoopDelayMs: 0, latencyFactor: 0 });
        const first = run.limit.limit;
        for (const step of all) if (step.kind !== 'update') run.do(step);
        expect(run.limit.limit).toBeGreaterThanOrEqual(first);
      }),
      RUNS,
    );
  });
});
