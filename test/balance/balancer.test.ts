import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BalancerDeps, balancer } from '../../src/balance/balancer.ts';
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { EndpointSet, type Labels } from '../../src/balance/endpoint-set.ts';
import { makePicker } from '../../src/balance/make-picker.ts';
import { Outlier } from '../../src/balance/outlier.ts';
import type { Call, Reply } from '../../src/core/call.ts';
import type { Service } from '../../src/core/service.ts';
import { BALANCER_DEFAULTS, type BalancerKind, OUTLIER_DEFAULTS } from '../../src/model/destination.ts';
import { type FakeServer, pair, type Seen, type TestCallInit, testCall, testError } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const V1: Labels = { version: 'v1' };
const V2: Labels = { version: 'v2' };

interface Options extends Partial<BalancerDeps> {
  readonly kind?: BalancerKind;
  readonly outliers?: boolean;
  readonly seed?: number;
}

/** Endpoints by name and version, e.g. `a1 b1 c2`: a and b of v1, c of v2. */
class Rig {
  readonly clock = new VirtualClock();
  readonly server: FakeServer;
  readonly set: EndpointSet;
  readonly outlier: Outlier;
  readonly drained: string[] = [];
  readonly #leaf: Service;
  readonly #service: Service;

  constructor(names: string, options: Options = {}) {
    [this.#leaf, this.server] = pair({ clock: this.clock });
    const policy = { ...BALANCER_DEFAULTS, kind: options.kind ?? 'roundRobin' };
    this.set = new EndpointSet(policy, { leaf: () => this.#leaf, onDrained: ({ address }) => this.drained.push(address) });
    this.resize(names);
    const random = seededRandom(options.seed ?? 1);
    this.outlier = new Outlier({ ...OUTLIER_DEFAULTS, jitter: 0 }, { service: 'reviews', set: this.set, random, emit: () => {} });
    this.#service = balancer({
      set: this.set,
      labels: options.labels ?? null,
      spillTo: options.spillTo ?? [],
      picker: makePicker(policy, random),
      outlier: options.outliers === false ? null : this.outlier,
      clock: this.clock,
      destinationName: 'reviews/v1',
      ...(options.isRepeatable === undefined ? {} : { isRepeatable: options.isRepeatable }),
    });
  }

  resize(names: string): void {
    const configs = names.split(' ').filter(Boolean);
    const weightOf = (name: string): number => (name.length > 2 ? Number(name.slice(2)) : 1);
    this.set.update(
      configs.map((name) => ({ address: `${name[0]}:1`, labels: { version: `v${name[1]}` }, locality: '', weight: weightOf(name) })),
      this.clock.now(),
    );
  }

  /** Sends an attempt of a new call; `tried` names endpoints of earlier ones. */
  send(tried = '', init: TestCallInit = {}): { attempt: Call; answer: Promise<Reply>; to: string } {
    const call = testCall({
      startedAtMs: this.clock.now(),
      destination: { service: 'reviews', subset: 'v1', name: 'reviews/v1' },
      ...init,
    });
    if (tried !== '') call.tried = [...tried].map((name) => this.get(name));
    const attempt = call.fork(tried.length + 1, this.clock.now());
    const answer = this.#service(attempt);
    answer.catch(() => {});
    return { attempt, answer, to: attempt.endpoint?.host ?? '-' };
  }

  get(name: string): LiveEndpoint {
    return this.set.all.find(({ host }) => host === name) as LiveEndpoint;
  }

  last(): Seen {
    return this.server.seen.at(-1) as Seen;
  }

  /** Where the next calls go; each is answered with 200 after 5 ms. */
  route(times: number, tried = '', init: TestCallInit = {}): string {
    let all = '';
    for (let i = 0; i < times; i++) {
      const { to } = this.send(tried, init);
      all += to;
      if (to === '-') continue;
      this.clock.advance(5);
      this.last().reply(200);
      this.last().end();
    }
    return [...new Set(all)].sort().join('');
  }

  eject(...names: string[]): void {
    for (const name of names) {
      const endpoint = this.get(name);
      Object.assign(endpoint.standing, {
        state: 'ejected',
        sinceMs: this.clock.now(),
        untilMs: this.clock.now() + 1_000,
        ejectedForMs: 1_000,
      });
    }
    this.outlier.update({ ...OUTLIER_DEFAULTS, jitter: 0 });
  }

  get flights(): string {
    return this.set.all.map(({ host, inFlight }) => `${host}${inFlight}`).join(' ');
  }
}

describe('where an attempt goes', () => {
  it.each<[string, string, Options, string[], string, string]>([
    ['all of the service', 'a1 b1 c2', {}, [], '', 'abc'],
    ['only the subset', 'a1 b1 c2', { labels: V1 }, [], '', 'ab'],
    ['only those in good standing', 'a1 b1 c2', {}, ['b'], '', 'ac'],
    ['a retry: not where it was', 'a1 b1 c2', {}, [], 'a', 'bc'],
    ['a retry: not where it was twice', 'a1 b1 c2', {}, [], 'ab', 'c'],
    ['a retry: not to an ejected one', 'a1 b1 c2', {}, ['c'], 'a', 'b'],
    ['a retry, all tried: in the subset again', 'a1 b1', {}, [], 'ab', 'ab'],
    ['a retry, all tried, within its subset', 'a1 b1 c2', { labels: V1 }, [], 'ab', 'ab'],
    ['a retry, all tried, may leave its subset', 'a1 b1 c2', { labels: V1, spillTo: [V2] }, [], 'ab', 'c'],
    ['a retry with an untried one in its subset stays', 'a1 b1 c2', { labels: V1, spillTo: [V2] }, [], 'a', 'b'],
    ['a retry, everything tried: its own subset', 'a1 b1 c2', { labels: V1, spillTo: [V2] }, [], 'abc', 'ab'],
    ['a first attempt does not leave its subset', 'a1 b1 c2', { labels: V1, spillTo: [V2] }, [], '', 'ab'],
    ['the subset is ejected: the other one', 'a1 b1 c2', { labels: V1, spillTo: [V2] }, ['a', 'b'], '', 'c'],
    ['the subset has no endpoint: the other one', 'c2', { labels: V1, spillTo: [V2] }, [], '', 'c'],
    ['the subset is ejected, no other: all of it', 'a1 b1 c2', { labels: V1 }, ['a', 'b'], '', 'ab'],
    ['everything is ejected: all of the subset', 'a1 b1 c2', { labels: V1, spillTo: [V2] }, ['a', 'b', 'c'], '', 'ab'],
    ['a retry, everything else is ejected: again', 'a1 b1 c2', {}, ['b', 'c'], 'a', 'a'],
    ['only the other subset, and ejected', 'c2', { labels: V1, spillTo: [V2] }, ['c'], '', 'c'],
    ['without outlier detection standing means nothing', 'a1 b1', { outliers: false }, ['a'], '', 'ab'],
    ['an endpoint of weight 0 takes nothing', 'a10 b1', {}, [], '', 'b'],
    ['nor in a panic', 'a10 b1', {}, ['b'], '', 'b'],
    ['the subset has no endpoint', 'c2', { labels: V1 }, [], '', '-'],
  ])('%s', (_name, endpoints, options, ejected, tried, expected) => {
    for (const kind of ['roundRobin', 'random', 'peakEwma', 'leastRequest'] as const) {
      const rig = new Rig(endpoints, { ...options, kind });
      rig.eject(...ejected);
      expect(rig.route(40, tried)).toBe(expected);
    }
  });

  it('follows the set', () => {
    const rig = new Rig('a1 b1');
    expect(rig.route(10)).toBe('ab');
    rig.resize('b1 c1');
    expect(rig.route(10)).toBe('bc');
    rig.resize('');
    expect(rig.route(10)).toBe('bc');
  });

  it.each([
    ['', {}, /reviews\/v1 has no endpoint/],
    ['c2', { labels: V1 }, /none of the 1 endpoints of reviews\/v1 has the labels \{"version":"v1"\}/],
  ])('says why there is none: %j', async (endpoints, options, message) => {
    const rig = new Rig(endpoints, options);
    const { attempt, answer } = rig.send();
    await expect(answer).rejects.toMatchObject({
      code: 'no_endpoint',
      family: 'refused',
      where: { destination: 'reviews/v1', route: 'default' },
    });
    await expect(answer).rejects.toThrow(message);
    expect(attempt.outcome).toMatchObject({ kind: 'ignored', endedAtMs: 1_000 });
  });
});

describe('probes', () => {
  function probation(options: Options = {}): Rig {
    const rig = new Rig('a1 b1', options);
    rig.eject('a');
    rig.clock.advance(1_000);
    return rig;
  }

  it('exactly one call is the probe; its success brings all back', () => {
    const rig = probation();
    const sent = Array.from({ length: 6 }, () => rig.send().to);
    expect(sent.filter((to) => to === 'a')).toHaveLength(1);
    for (const seen of rig.server.seen.slice()) {
      seen.reply(200);
      seen.end();
    }
    expect(rig.route(10)).toBe('ab');
  });

  it('its failure ejects again', () => {
    const rig = probation();
    for (let i = 0; i < 2; i++) rig.send();
    for (const seen of rig.server.seen.slice()) seen.fail(testError('connection_lost'));
    expect(rig.get('a').standing.state).toBe('ejected');
    expect(rig.route(10)).toBe('b');
  });

  it('a canceled one lets the next call be the probe', () => {
    const rig = probation();
    for (let i = 0; i < 3; i++) rig.send();
    for (const seen of rig.server.seen.slice()) seen.call.cancel('gone');
    rig.clock.advance(1);
    const sent = Array.from({ length: 4 }, () => rig.send().to);
    expect(sent.filter((to) => to === 'a')).toHaveLength(1);
  });

  it.each<[string, TestCallInit, string, string]>([
    ['a GET may be', {}, '', 'ab'],
    ['a POST may not', { method: 'POST' }, '', 'b'],
    ['a POST that may be repeated', { method: 'POST', idempotent: true }, '', 'ab'],
    [
      'a stream may not',
      { method: 'PUT', body: { length: -1, replayable: false, failure: undefined, open: () => null, release() {} } },
      '',
      'b',
    ],
    ['a retry may not', {}, 'b', 'b'],
  ])('%s', (_name, init, tried, expected) => {
    expect(probation().route(20, tried, init)).toBe(expected);
  });

  it('any call may, when no repeatable one came for the ejection time', () => {
    const rig = probation();
    expect(rig.route(4, '', { method: 'POST' })).toBe('b');
    rig.clock.advance(1_000);
    expect(rig.route(4, '', { method: 'POST' })).toBe('ab');
    expect(rig.get('a').standing.state).toBe('in');
  });

  it('who may be the probe can be said otherwise', () => {
    expect(probation({ isRepeatable: () => false }).route(20)).toBe('b');
    expect(probation({ isRepeatable: () => true }).route(20, '', { method: 'POST' })).toBe('ab');
  });
});

describe('what is learnt', () => {
  function learn(play: (seen: Seen, clock: VirtualClock) => void): Rig {
    const rig = new Rig('a1', { kind: 'peakEwma' });
    rig.send();
    play(rig.last(), rig.clock);
    return rig;
  }

  it.each<[string, (seen: Seen, clock: VirtualClock) => void, number, number]>([
    [
      'the time to the head, not to the last byte',
      (seen, clock) => {
        clock.advance(80);
        seen.reply(200);
        clock.advance(3);
        seen.end();
      },
      80,
      80,
    ],
    [
      'an answer of 404 is an answer',
      (seen, clock) => {
        clock.advance(80);
        seen.reply(404);
        seen.end();
      },
      80,
      80,
    ],
    [
      'a quick 503 is the penalty',
      (seen, clock) => {
        clock.advance(1);
        seen.reply(503);
        seen.end();
      },
      1_000,
      0,
    ],
    [
      'a quick 429 too',
      (seen) => {
        seen.reply(429);
        seen.end();
      },
      1_000,
      0,
    ],
    ['a connection that failed', (seen) => seen.fail(testError('connect_failed')), 1_000, 0],
    [
      'a timeout counts as long as it took',
      (seen, clock) => {
        clock.advance(4_000);
        seen.fail(testError('attempt_timeout'));
      },
      4_000,
      0,
    ],
    ['an untrusted peer is no fast peer', (seen) => seen.fail(testError('peer_untrusted')), 1_000, 0],
    [
      'a cancel before the head is a lower bound',
      (seen, clock) => {
        clock.advance(200);
        seen.call.cancel('gone');
      },
      200,
      0,
    ],
    ['a quick cancel says nothing', (seen) => seen.call.cancel('gone'), 30, 0],
    [
      'a cancel after the head is a measurement',
      (seen, clock) => {
        clock.advance(60);
        seen.reply(200);
        clock.advance(1_000);
        seen.call.cancel('gone');
      },
      60,
      60,
    ],
  ])('%s', (_name, play, latencyMs, fastestMs) => {
    const rig = learn(play);
    expect(rig.get('a').latencyMs(rig.clock.now())).toBeCloseTo(latencyMs, 0);
    expect(rig.set.fastestMs).toBe(fastestMs);
    expect(rig.flights).toBe('a0');
  });
});

describe('calls in flight', () => {
  it('are given back when the whole deadline fires first (regression: leaked)', () => {
    const rig = new Rig('a1', { kind: 'leastRequest' });
    rig.send('', { deadlineMs: rig.clock.now() + 100 });
    expect(rig.flights).toBe('a1');
    rig.clock.advance(100);
    expect(rig.last().call.outcome?.error?.code).toBe('deadline_exceeded');
    expect(rig.flights).toBe('a0');
    expect(rig.clock.armed).toBe(0);
  });

  it('of a removed endpoint are waited for', () => {
    const rig = new Rig('a1 b1');
    const sent = [rig.send(), rig.send()];
    const seen = rig.server.seen[sent.findIndex(({ to }) => to === 'a')] as Seen;
    rig.resize('b1');
    expect(rig.drained).toEqual([]);
    seen.reply(200);
    expect(rig.drained).toEqual([]);
    seen.end();
    expect(rig.drained).toEqual(['a:1']);
  });

  it('are conserved: picks equal attempts, whatever happens', () => {
    const step = fc.record({
      act: fc.constantFrom('send', 'send', 'retry', 'good', 'bad', 'lost', 'cancel', 'wait', 'resize'),
      which: fc.nat(30),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.constantFrom<BalancerKind>('peakEwma', 'leastRequest', 'roundRobin', 'random'),
        (steps, kind) => {
          const rig = new Rig('a1 b1 c1 d2', { kind, labels: V1, spillTo: [V2] });
          const endpoints = new Set<LiveEndpoint>(rig.set.all);
          let sent = 0;
          for (const { act, which } of steps) {
            rig.clock.advance(0.25);
            const open = rig.server.seen.filter(({ call }) => call.outcome === null);
            const seen = open[which % Math.max(1, open.length)];
            if (act === 'send' || act === 'retry') {
              const tried = rig.set.all.slice(0, which % 3).map(({ host }) => host);
              rig.send(act === 'retry' ? tried.join('') : '');
              sent++;
            } else if (act === 'wait') rig.clock.advance(which * 100);
            else if (act === 'resize') rig.resize(['a1 b1 c1 d2', 'a1 d2', 'b1 e1', 'd2'][which % 4] as string);
            else if (seen !== undefined) {
              if (act === 'good' || act === 'bad') {
                if (seen.call.headAtMs === 0) seen.reply(act === 'good' ? 200 : 503);
                seen.end();
              } else if (act === 'lost') seen.fail(testError('connection_lost'));
              else seen.call.cancel('gone');
            }
            for (const endpoint of rig.set.all) endpoints.add(endpoint);
            const flights = [...endpoints].reduce((sum, { inFlight }) => sum + inFlight, 0);
            expect(flights).toBe(rig.server.seen.filter(({ call }) => call.outcome === null).length);
          }
          expect(rig.server.seen).toHaveLength(sent);
          for (const { call } of rig.server.seen) call.cancel('over');
          expect([...endpoints].every(({ inFlight }) => inFlight === 0)).toBe(true);
          expect(rig.drained).toHaveLength([...endpoints].filter(({ removed }) => removed).length);
        },
      ),
      { numRuns: 150 },
    );
  });
});
