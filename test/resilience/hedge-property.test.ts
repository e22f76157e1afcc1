// Hedges, retries, cancels, deadlines and attempts that do not obey, in any order: each call ends once, and whatever was
// taken is given back.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BREAKER_DEFAULTS, BUDGET_DEFAULTS } from '../../src/model/destination.ts';
import {
  ENVOY_BUDGET_DEFAULTS,
  GATEWAY_API_BUDGET_DEFAULTS,
  GRPC_BUDGET_DEFAULTS,
  LINKERD_BUDGET_DEFAULTS,
} from '../../src/model/retry-budget.ts';
import { Breaker } from '../../src/resilience/breaker.ts';
import { loadTrip, type Trip } from '../../src/resilience/breaker-trip.ts';
import type { FakeReply, Seen } from '../support/fake-service.ts';
import { testError } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { type HedgeRig, hedgeRig, type SentCall } from './hedge-rig.ts';

const RUNS = { numRuns: 1_000, seed: 1 };

const BUDGETS = [
  BUDGET_DEFAULTS,
  ENVOY_BUDGET_DEFAULTS,
  LINKERD_BUDGET_DEFAULTS,
  GATEWAY_API_BUDGET_DEFAULTS,
  GRPC_BUDGET_DEFAULTS,
  { kind: 'none' },
] as const;

const ACTS = ['200', '404', '429', '500', '503', 'lost', 'none', 'deaf', 'end', 'break', 'cancel', 'send', 'wait', 'wait', 'wait'] as const;

type Act = (typeof ACTS)[number];

interface Step {
  readonly act: Act;
  /** Which of the attempts, or of the calls. */
  readonly which: number;
  readonly ms: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom(...ACTS),
  which: fc.nat(7),
  ms: fc.integer({ min: 0, max: 300 }),
});

function isOpen({ call }: Seen): boolean {
  return call.outcome === null && call.headAtMs === 0;
}

class Play {
  readonly one: HedgeRig;
  readonly breaker: Breaker;
  readonly calls: SentCall[] = [];
  readonly replies: FakeReply[] = [];

  constructor(budget: (typeof BUDGETS)[number], attempts: number, seed: number) {
    const random = seededRandom(seed);
    this.breaker = new Breaker(BREAKER_DEFAULTS, loadTrip(BREAKER_DEFAULTS) as Trip, { random, onChange() {} });
    this.one = hedgeRig({
      budget,
      breaker: this.breaker,
      limits: { maxRequests: 4 },
      policy: { attempts, perTryTimeoutMs: 400 },
      deps: { random },
    });
  }

  async take({ act, which, ms }: Step): Promise<void> {
    const { clock, server } = this.one;
    const attempts = server.seen.filter(isOpen);
    const seen = attempts[which % Math.max(1, attempts.length)];
    const call = this.calls[which % Math.max(1, this.calls.length)];
    if (act === 'send') this.calls.push(this.one.send({ deadlineMs: clock.now() + 1_500 }));
    else if (act === 'wait') await clock.run(ms);
    else if (act === 'cancel') call?.call.cancel('gone');
    else if (act === 'end') for (const other of server.seen) other.end();
    else if (act === 'break') this.replies.at(-1)?.break(testError('connection_lost', { sent: 'body' }));
    else if (seen === undefined) return;
    else if (act === 'deaf') seen.call.pending = { cancel() {} };
    else if (act === 'lost') seen.fail(testError('connection_lost', { sent: 'head', retryable: true }));
    else if (act === 'none') seen.fail(testError('connect_failed'));
    else this.replies.push(seen.reply(Number(act)));
    // Sometimes several things happen before anybody is told.
    if (which % 2 === 0) await clock.run(0);
  }

  /** Everybody answers in the end, the deaf too; some answers bring more attempts. */
  async finish(): Promise<void> {
    const { clock, server } = this.one;
    for (let round = 0; round < 8; round++) {
      for (const seen of server.seen) {
        if (isOpen(seen)) this.replies.push(seen.reply(200));
        seen.end();
      }
      await clock.run(2_000);
    }
  }
}

describe('whatever happens', () => {
  it('each call ends once and as its answer says, no attempt and no permit is left, and nobody is hedged twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.constantFrom(...BUDGETS),
        fc.integer({ min: 0, max: 2 }),
        fc.nat(),
        async (script, budget, attempts, seed) => {
          const play = new Play(budget, attempts, seed);
          const { one, calls } = play;
          await play.take({ act: 'send', which: 0, ms: 0 });
          for (const each of script) await play.take(each);
          await play.finish();
          for (const { call, ends, settled } of calls) {
            const numbers = one.server.seen.filter((seen) => seen.call.parent === call).map((seen) => seen.call.attempt);
            expect(settled).not.toBe('');
            expect(ends).toHaveLength(1);
            if (/^\d+$/.test(settled)) expect(ends[0]).toMatch(new RegExp(`^\\w+ (${settled}|canceled|deadline_exceeded)$`));
            else expect(ends[0]).toMatch(new RegExp(` ${settled}$`));
            expect(new Set(numbers).size).toBe(numbers.length);
            expect(numbers.length).toBeLessThanOrEqual(2 + attempts + 3);
          }
          expect(one.hedging.sent).toBeLessThanOrEqual(calls.length);
          expect(one.hedging.won).toBeLessThanOrEqual(one.hedging.sent);
          expect(one.server.seen.every(({ call }) => call.outcome !== null)).toBe(true);
          expect([one.limits.requests, one.limits.retries, one.clock.armed]).toEqual([0, 0, 0]);
          if (budget.kind === 'envoy') expect(one.budget.balance(one.clock.now())).toBe(3);
          await one.clock.run(10_000);
          expect(play.breaker.acquire(one.clock.now())).toBe(true);
        },
      ),
      RUNS,
    );
  });
});
