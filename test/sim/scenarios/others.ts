// What others do, as models: layers and limits that stand in for the parts of ours in the control columns. Made after their
// documented rules, not after their programs.
import { Call, type Reply } from '../../../src/core/call.ts';
import { type Clock, runAt } from '../../../src/core/clock.ts';
import { meshError, type MeshErrorCode } from '../../../src/core/errors.ts';
import type { Layer } from '../../../src/core/service.ts';
import { RollingWindow } from '../../../src/core/window.ts';
import type { ServerLimit } from '../../../src/sim/gate.ts';
import type { SimWorld } from '../../../src/testing.ts';

/** A layer for every client, next to a role of ours. */
export function useEverywhere({ meshes }: SimWorld, make: (clock: Clock) => Layer, where: { above: string } | { below: string }): void {
  for (const mesh of meshes) mesh.use(make(mesh.clock), { role: 'other', ...where });
}

function refuseWith(call: Call, code: MeshErrorCode, clock: Clock): Promise<never> {
  const error = meshError({ code, message: 'as others would' });
  call.end({ kind: 'ignored', status: 0, error, endedAtMs: clock.now() });
  return Promise.reject(error);
}

/** gRPC's retry throttle: 10 tokens, one less for each failure, 0.1 more for each success; no retry below half. Source: gRFC A6. */
export function grpcThrottle(clock: Clock): Layer {
  const tokensMax = 10;
  let tokens = tokensMax;
  return (next) => (attempt) => {
    if (attempt.attempt > 1 && tokens <= tokensMax / 2) return refuseWith(attempt, 'overloaded', clock);
    attempt.onEnd((_, { kind }) => {
      tokens = kind === 'failure' ? Math.max(0, tokens - 1) : Math.min(tokensMax, tokens + 0.1);
    });
    return next(attempt);
  };
}

export interface FixedBreaker {
  readonly openMs: number;
  /** Probes that may be under way at once. */
  readonly probes: number;
  readonly successesToClose: number;
  /** Whether a probe that succeeds, but not as the last one that is needed, gives its place back. */
  readonly returnsPermit: boolean;
}

/** A circuit that opens at 70 % failures in 5 s, for a fixed time. Without the permit returned, it is the bug of resilience notes §4.3, 3. */
export function fixedBreaker({ openMs, probes, successesToClose, returnsPermit }: FixedBreaker): (clock: Clock) => Layer {
  return (clock) => {
    const window = new RollingWindow(5_000);
    let openedAtMs = Number.NaN;
    let left = 0;
    let successes = 0;
    const open = (nowMs: number): void => {
      openedAtMs = nowMs;
      left = probes;
      successes = 0;
    };
    const probed = (isGood: boolean, nowMs: number): void => {
      if (!isGood) open(nowMs);
      else if (++successes >= successesToClose) {
        openedAtMs = Number.NaN;
        window.reset();
      } else if (returnsPermit) left++;
    };
    return (next) => (attempt) => {
      const isProbe = !Number.isNaN(openedAtMs);
      if (isProbe && (attempt.startedAtMs - openedAtMs < openMs || left <= 0)) return refuseWith(attempt, 'circuit_open', clock);
      if (isProbe) left--;
      const sinceMs = openedAtMs;
      attempt.onEnd((_, { kind, endedAtMs }) => {
        if (!Object.is(sinceMs, openedAtMs)) return;
        if (isProbe) probed(kind === 'success', endedAtMs);
        else {
          window.add(kind === 'success', endedAtMs);
          const calls = window.good + window.bad;
          if (calls >= 10 && window.bad / calls >= 0.7) open(endedAtMs);
        }
      });
      return next(attempt);
    };
  };
}

/** A second attempt after a fixed time, always. Source: libraries that hedge without a budget. */
export function fixedHedge(delayMs: number): (clock: Clock) => Layer {
  return (clock) => (next) => (call) =>
    new Promise<Reply>((resolve, reject) => {
      const attempts: Call[] = [];
      let failed = 0;
      let isOver = false;
      const send = (): void => {
        const attempt = call.fork(attempts.length + 1, clock.now());
        attempt.attemptDeadlineMs = call.attemptDeadlineMs;
        attempts.push(attempt);
        next(attempt).then(
          (reply) => {
            if (isOver) return;
            isOver = true;
            attempt.commit();
            for (const other of attempts) if (other !== attempt) other.cancel('lost');
            resolve(reply);
          },
          (error: unknown) => {
            failed++;
            if (isOver || failed < attempts.length) return;
            isOver = true;
            attempt.commit();
            reject(error as Error);
          },
        );
      };
      send();
      runAt(clock, clock.now() + delayMs, () => {
        if (!isOver) send();
      });
    });
}

/** Netflix' Gradient2 with its defaults: the limit follows long ÷ short round trip; the long one learns from overload too. */
export function gradient2(): ServerLimit {
  const [min, max, tolerance, queue, smoothing] = [20, 200, 1.5, 4, 0.2];
  let limit = 20;
  let inFlight = 0;
  let longMs = 0;
  let samples = 0;
  return {
    get limit() {
      return Math.floor(limit);
    },
    get utilization() {
      return Math.min(1, inFlight / limit);
    },
    tryEnter() {
      if (inFlight >= Math.floor(limit)) return false;
      inFlight++;
      return true;
    },
    leave(startedMs, nowMs) {
      const shortMs = nowMs - startedMs;
      const before = inFlight--;
      samples = Math.min(600, samples + 1);
      longMs += (shortMs - longMs) * (samples < 10 ? 1 / samples : 2 / 601);
      if (longMs / shortMs > 2) longMs *= 0.95;
      if (before < limit / 2) return;
      const gradient = Math.max(0.5, Math.min(1, (tolerance * longMs) / shortMs));
      limit = Math.max(min, Math.min(max, limit * (1 - smoothing) + smoothing * (limit * gradient + queue)));
    },
  };
}

/** Asks the name before each call and goes nowhere without an answer: what a client does that keeps no set of its own. */
export function lookupEachTime(ask: () => Promise<unknown>): (clock: Clock) => Layer {
  return (clock) => (next) => (call) =>
    ask().then(
      () => next(call),
      () => refuseWith(call, 'no_endpoint', clock),
    );
}
