import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { EnvoyOutlier } from '../../src/balance/envoy-outlier.ts';
import { LinkerdOutlier } from '../../src/balance/linkerd-outlier.ts';
import { type AnyOutlierPolicy, makeOutlier, reloadOutlier } from '../../src/balance/make-outlier.ts';
import { Outlier } from '../../src/balance/outlier.ts';
import type { OutlierDetector } from '../../src/balance/outlier-detector.ts';
import type { Call } from '../../src/core/call.ts';
import { ENVOY_OUTLIER_DEFAULTS, type EnvoyOutlierPolicy, LINKERD_OUTLIER_DEFAULTS } from '../../src/model/balancing.ts';
import { OUTLIER_DEFAULTS, type OutlierPolicy } from '../../src/model/destination.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { DetectorRig, OutlierRig } from './outlier-rig.ts';

const RUNS = { numRuns: 1_000, seed: 1 } as const;

const step = fc.record({
  act: fc.constantFrom(
    'good',
    'bad',
    'bad',
    'bad',
    'lost',
    'refused',
    'ignored',
    'start',
    'end',
    'wait',
    'resize',
    'policy',
    'check',
    'pause',
  ),
  index: fc.nat(7),
  sign: fc.constantFrom('+', '-', 'x', 'c', '5', '9', '?'),
});
const SIGNS: Readonly<Record<string, string>> = { good: '+', bad: '-', lost: 'x', refused: 'c', ignored: '?' };

interface Flight {
  readonly endpoint: LiveEndpoint;
  readonly call: Call;
  readonly detector: OutlierDetector;
}

/** Plays a history of calls that begin and end in any order, probes as the balancer would send them, checks, reloads. */
class History<Detector extends OutlierDetector> {
  readonly rig: DetectorRig<Detector>;
  readonly flights: Flight[] = [];

  constructor(rig: DetectorRig<Detector>) {
    this.rig = rig;
  }

  play({ act, index, sign }: { act: string; index: number; sign: string }, reload: (index: number) => void): void {
    const { rig } = this;
    const endpoint = rig.at(index % rig.set.all.length);
    if (act === 'wait') rig.advance(index * 700);
    else if (act === 'resize') rig.resize(index + 1);
    else if (act === 'policy') reload(index);
    else if (act === 'check') rig.outlier.checked(endpoint, index % 2 === 0, rig.nowMs);
    else if (act === 'pause') rig.outlier.pushBack(endpoint, index * 1_000, rig.nowMs);
    else if (act === 'start') {
      const call = rig.start();
      if (!rig.outlier.isIn(endpoint) && rig.outlier.mayProbe(endpoint, true)) rig.outlier.beginProbe(endpoint, call);
      this.flights.push({ endpoint, call, detector: rig.outlier });
    } else if (act === 'end') {
      const [flight] = this.flights.splice(index % Math.max(1, this.flights.length), 1);
      flight?.detector.record(flight.endpoint, flight.call, rig.ending(sign));
    } else rig.outlier.record(endpoint, rig.start(), rig.ending(SIGNS[act] ?? '+'));
  }

  get out(): number {
    return this.rig.set.all.filter(({ standing }) => standing.state !== 'in').length;
  }

  /** Of the calls in flight, those that hold the permit of an endpoint: never more than one each. */
  expectOneProbeEach(): void {
    for (const one of this.rig.set.all) {
      const probes = this.flights.filter(({ endpoint, call }) => endpoint === one && call.startedAtMs === one.standing.probeAtMs);
      expect(probes.length).toBeLessThanOrEqual(1);
    }
  }

  /** Whatever is in flight never ends: good probes, and time, bring everybody back. */
  expectAllReturn(): void {
    const { rig } = this;
    for (let round = 0; round < 4; round++) {
      rig.advance(700_000);
      for (const [index, endpoint] of rig.set.all.entries()) {
        if (rig.outlier.mayProbe(endpoint, true)) rig.probe(index, '+');
      }
    }
    expect(rig.states).toBe('+'.repeat(rig.set.all.length));
  }
}

describe('our rule', () => {
  it('ejects within the limit, never the last, probes one at a time, and nobody stays out for ever', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 0, max: 100 }), fc.nat(), (steps, maxEjectionPercent, seed) => {
        let isChecking = false;
        const rig = new OutlierRig(6, { maxEjectionPercent }, seededRandom(seed), { askCheck: () => isChecking });
        const history = new History(rig);
        for (const one of steps) {
          rig.advance(0.25);
          isChecking = one.index > 3;
          const outBefore = history.out;
          const eventsBefore = rig.events.length;
          history.play(one, (index) => rig.outlier.update({ ...OUTLIER_DEFAULTS, maxEjectionPercent, consecutiveErrors: index }));
          const { all } = rig.set;
          if (one.act !== 'resize' && history.out > outBefore) {
            expect(history.out).toBeLessThanOrEqual(Math.max(1, Math.floor((all.length * maxEjectionPercent) / 100)));
            expect(history.out).toBeLessThan(all.length);
            expect(rig.events.length).toBeGreaterThan(eventsBefore);
          }
          history.expectOneProbeEach();
        }
        history.expectAllReturn();
      }),
      RUNS,
    );
  });

  const peers = fc.array(fc.record({ good: fc.nat(60), bad: fc.nat(60) }), { minLength: 1, maxLength: 5 });

  it('a run ejects exactly when the share of failures among the peers would make it less than once in 100 000 times', () => {
    fc.assert(
      fc.property(peers, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 8 }), (others, length, consecutiveErrors) => {
        const policy: Partial<OutlierPolicy> = { margin: 1, consecutiveErrors };
        const rig = new OutlierRig(others.length + 1, policy);
        let good = 0;
        let bad = 0;
        for (const [index, one] of others.entries()) {
          rig.burst(index + 1, '+'.repeat(one.good) + '5'.repeat(one.bad));
          good += one.good;
          bad += one.bad;
        }
        rig.burst(0, '-'.repeat(length));
        const isKnown = good + bad >= OUTLIER_DEFAULTS.callsMin;
        // Compared as logarithms: powers would round to zero.
        const isRare = (run: number): boolean => !isKnown || run * Math.log((good + bad) / bad) >= Math.log(100_000);
        const isExpected = length >= consecutiveErrors && isRare(length);
        expect(rig.at(0).standing.state).toBe(isExpected ? 'ejected' : 'in');
        expect(rig.at(0).standing.run).toBe(
          isExpected ? [...Array(length + 1).keys()].find((run) => run >= consecutiveErrors && isRare(run)) : length,
        );
      }),
      RUNS,
    );
  });
});

const envoyPolicies: fc.Arbitrary<EnvoyOutlierPolicy> = fc.record({
  kind: fc.constant('envoy' as const),
  consecutive5xx: fc.nat(4),
  consecutiveGatewayErrors: fc.nat(4),
  consecutiveLocalOriginErrors: fc.nat(4),
  splitLocalOrigin: fc.boolean(),
  errorStatuses: fc.constantFrom(null, [[429, 429] as const], [[500, 599] as const]),
  intervalMs: fc.integer({ min: 100, max: 5_000 }),
  baseEjectionMs: fc.integer({ min: 100, max: 5_000 }),
  maxEjectionMs: fc.integer({ min: 100, max: 20_000 }),
  jitterMs: fc.nat(1_000),
  maxEjectionPercent: fc.nat(100),
  alwaysEjectOne: fc.boolean(),
  capCheck: fc.constantFrom('after' as const, 'before' as const),
  successRate: fc.constantFrom(null, { hostsMin: 3, callsMin: 2, factor: 1 }),
  failurePercentage: fc.constantFrom(null, { threshold: 50, hostsMin: 2, callsMin: 2 }),
});

describe('Envoy’s rule', () => {
  const noReload = (): void => {};

  it('ejects within the limit, for base · multiplier within its bounds, and returns at sweeps alone', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), envoyPolicies, fc.nat(), (steps, policy, seed) => {
        const rig = new DetectorRig(6, (deps, nowMs) => new EnvoyOutlier(policy, deps, nowMs), { random: seededRandom(seed) });
        const history = new History(rig);
        const longestMs = Math.max(policy.maxEjectionMs, policy.baseEjectionMs);
        for (const one of steps) {
          if (one.act === 'check' || one.act === 'resize') continue;
          const outBefore = history.out;
          const eventsBefore = rig.events.length;
          rig.advance(0.25);
          history.play(one, noReload);
          const { all } = rig.set;
          const ejected = rig.events.slice(eventsBefore).filter(({ type }) => type === 'endpointEjected').length;
          const { maxEjectionPercent: percent, capCheck, alwaysEjectOne } = policy;
          if (ejected > 0 && history.out > outBefore) {
            const last = history.out;
            if (capCheck === 'before') expect(last === 1 || (100 * (last - 1)) / all.length < percent).toBe(true);
            else expect((alwaysEjectOne && last === 1) || (100 * last) / all.length <= percent).toBe(true);
          }
          for (const event of rig.events.slice(eventsBefore)) {
            if (event.type !== 'endpointEjected') continue;
            const { multiplier, jitterMs } = rig.set.all.find(({ address }) => address === event.endpoint)?.standing.envoy ?? {
              multiplier: 0,
              jitterMs: 0,
            };
            expect(event.forMs).toBeGreaterThanOrEqual(policy.baseEjectionMs);
            expect(event.forMs).toBeLessThanOrEqual(longestMs + policy.jitterMs);
            expect(jitterMs).toBeLessThanOrEqual(policy.jitterMs);
            expect(multiplier * policy.baseEjectionMs).toBeLessThan(longestMs + 2 * policy.baseEjectionMs);
          }
          for (const { standing } of all) {
            if (standing.envoy === null || standing.state !== 'in' || !(standing.envoy.returnedAtMs > 0)) continue;
            expect((standing.envoy.returnedAtMs - 1_000) % policy.intervalMs).toBe(0);
            expect(standing.envoy.returnedAtMs - standing.envoy.ejectedAtMs).toBeGreaterThanOrEqual(policy.baseEjectionMs);
          }
        }
        history.expectAllReturn();
      }),
      RUNS,
    );
  });

  it('sweeps that are made up for come to the same as sweeps in time', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), envoyPolicies, fc.nat(), (steps, policy, seed) => {
        const make = (): DetectorRig<EnvoyOutlier> =>
          new DetectorRig(6, (deps, nowMs) => new EnvoyOutlier(policy, deps, nowMs), { random: seededRandom(seed) });
        const [lazy, prompt] = [new History(make()), new History(make())];
        for (const one of steps) {
          if (one.act === 'wait') {
            // The one hears of the time when it has passed, the other of every sweep.
            const untilMs = lazy.rig.nowMs + one.index * 700;
            lazy.rig.nowMs = untilMs;
            while (prompt.rig.nowMs < untilMs) prompt.rig.advance(Math.min(policy.intervalMs / 2, untilMs - prompt.rig.nowMs));
          } else {
            lazy.play(one, noReload);
            prompt.play(one, noReload);
          }
        }
        lazy.rig.advance(60_000);
        for (let i = 0; i < 120; i++) prompt.rig.advance(500);
        expect(lazy.rig.nowMs).toBeCloseTo(prompt.rig.nowMs, 6);
        const told = ({ rig }: History<EnvoyOutlier>): unknown => [
          rig.events,
          rig.set.all.map(({ standing }) => [standing.state, standing.envoy?.multiplier, standing.envoy?.returnedAtMs]),
        ];
        expect(told(lazy)).toEqual(told(prompt));
      }),
      RUNS,
    );
  });
});

describe('Linkerd’s rule', () => {
  it('keeps every penalty within its bounds, doubles it while probes fail, and probes one at a time', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(),
        (steps, isUnified, failuresMax, seed) => {
          const policy = {
            ...LINKERD_OUTLIER_DEFAULTS,
            failuresMax,
            penaltyMaxMs: 9_000,
            successRate: isUnified ? { threshold: 0.8, windowMs: 10_000, callsMin: 5 } : null,
          };
          const rig = new DetectorRig(4, (deps) => new LinkerdOutlier(policy, deps), { random: seededRandom(seed) });
          const history = new History(rig);
          const inRow = new Map<string, number>();
          for (const one of steps) {
            rig.advance(0.25);
            const eventsBefore = rig.events.length;
            if (one.act === 'resize' || one.act === 'policy') continue;
            history.play(one, () => {});
            for (const event of rig.events.slice(eventsBefore)) {
              if (event.type === 'endpointReturned') inRow.delete(event.endpoint);
              if (event.type !== 'endpointEjected') continue;
              const times = (inRow.get(event.endpoint) ?? 0) + 1;
              inRow.set(event.endpoint, times);
              expect(event.rule === 'probe').toBe(times > 1);
              const baseMs = Math.min(9_000, 1_000 * 2 ** (times - 1));
              expect(event.forMs).toBeGreaterThanOrEqual(baseMs);
              // The longest pause that the history asks for is 7 s.
              expect(event.forMs).toBeLessThanOrEqual(Math.max(isUnified ? 7_000 : 0, Math.min(9_000, baseMs * 1.5)));
            }
            history.expectOneProbeEach();
          }
          history.expectAllReturn();
        },
      ),
      RUNS,
    );
  });
});

describe('a reload of any kind', () => {
  const policies: fc.Arbitrary<AnyOutlierPolicy | null> = fc.constantFrom(
    null,
    OUTLIER_DEFAULTS,
    { ...OUTLIER_DEFAULTS, consecutiveErrors: 2, windowMs: 0 },
    { ...ENVOY_OUTLIER_DEFAULTS, maxEjectionPercent: 100, consecutive5xx: 2 },
    ENVOY_OUTLIER_DEFAULTS,
    LINKERD_OUTLIER_DEFAULTS,
    { ...LINKERD_OUTLIER_DEFAULTS, failuresMax: 2 },
  );

  it.each<[string, AnyOutlierPolicy, AnyOutlierPolicy | null, boolean]>([
    ['our rule for ours', OUTLIER_DEFAULTS, { ...OUTLIER_DEFAULTS, margin: 0.2 }, true],
    ['Envoy’s for Envoy’s', ENVOY_OUTLIER_DEFAULTS, { ...ENVOY_OUTLIER_DEFAULTS, jitterMs: 1 }, true],
    ['Linkerd’s for Linkerd’s', LINKERD_OUTLIER_DEFAULTS, { ...LINKERD_OUTLIER_DEFAULTS, jitter: 0 }, true],
    ['ours for Envoy’s', OUTLIER_DEFAULTS, ENVOY_OUTLIER_DEFAULTS, false],
    ['Envoy’s for Linkerd’s', ENVOY_OUTLIER_DEFAULTS, LINKERD_OUTLIER_DEFAULTS, false],
    ['Linkerd’s for ours', LINKERD_OUTLIER_DEFAULTS, OUTLIER_DEFAULTS, false],
    ['ours for none', OUTLIER_DEFAULTS, null, false],
  ])('%s keeps the detector: or not', (_, before, after, isKept) => {
    const rig = new DetectorRig(2, (deps, nowMs) => makeOutlier(before, deps, nowMs));
    const { set } = rig;
    const deps = { service: 'reviews', set, random: () => 0, emit: () => {} };
    const next = reloadOutlier(rig.outlier, after, deps, rig.nowMs);
    expect(next === rig.outlier).toBe(isKept);
    expect(next === null).toBe(after === null);
    if (after?.kind === 'inmesh' && !isKept) expect(next).toBeInstanceOf(Outlier);
  });

  it('leaves nobody out who is out by a rule that is gone, and no late ending of its calls counts', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, policies), { maxLength: 150 }), fc.nat(), (steps, seed) => {
        const emitted: string[] = [];
        const random = seededRandom(seed);
        const rig = new DetectorRig<OutlierDetector>(5, (deps) => makeOutlier(OUTLIER_DEFAULTS, deps, 1_000), { random });
        const deps = { service: 'reviews', set: rig.set, random, emit: () => void emitted.push('') };
        let detector: OutlierDetector | null = rig.outlier;
        let kind = 'inmesh';
        const flights: Flight[] = [];
        for (const [{ act, index, sign }, policy] of steps) {
          rig.nowMs += 0.25;
          const endpoint = rig.at(index % rig.set.all.length);
          if (act === 'wait') detector?.advance((rig.nowMs += index * 700));
          else if (act === 'policy') {
            const outBefore = rig.states;
            const known: OutlierDetector | null = detector;
            detector = reloadOutlier(detector, policy, deps, rig.nowMs);
            if (policy?.kind !== kind) expect(rig.states).toBe('+++++');
            else expect([rig.states, detector]).toEqual([outBefore, known]);
            kind = policy?.kind ?? '';
          } else if (act === 'start' && detector !== null) {
            const call = rig.start();
            if (detector.mayProbe(endpoint, true)) detector.beginProbe(endpoint, call);
            flights.push({ endpoint, call, detector });
          } else if (act === 'end') {
            const [flight] = flights.splice(index % Math.max(1, flights.length), 1);
            const before = rig.states;
            flight?.detector.record(flight.endpoint, flight.call, rig.ending(sign));
            if (flight !== undefined && flight.detector !== detector) expect(rig.states).toBe(before);
          } else detector?.record(endpoint, rig.start(), rig.ending(SIGNS[act] ?? sign));
          if (detector === null) expect(rig.states).toBe('+++++');
        }
        if (detector === null) return;
        for (let round = 0; round < 4; round++) {
          detector.advance((rig.nowMs += 700_000));
          for (const endpoint of rig.set.all) {
            if (!detector.mayProbe(endpoint, true)) continue;
            const call = rig.start();
            detector.beginProbe(endpoint, call);
            detector.record(endpoint, call, rig.ending('+'));
          }
        }
        expect(rig.states).toBe('+++++');
      }),
      RUNS,
    );
  });
});
