import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HASH_DEFAULTS, type LocalityPolicy } from '../../src/model/balancing.ts';
import type { BalancerKind, BalancerPolicy } from '../../src/model/destination.ts';
import { PoolRig, PRIORITY, shareOf, ZONE } from './pool-rig.ts';

const BY_USER = { ...HASH_DEFAULTS, keys: [{ header: 'x-user' }], maglevTableSize: 1_009 };
const POST = { method: 'POST' };

/** Endpoints of the own zone in small letters, of the others in capitals. */
const TWO_ZONES = 'a@eu/x b@eu/x C@eu/y D@us/z';

describe('zone', () => {
  it.each<[string, string, (rig: PoolRig) => void, string]>([
    ['all calls stay in the own zone', TWO_ZONES, () => {}, 'ab'],
    ['without anybody there they go anywhere', 'C@eu/y D@us/z', () => {}, 'CD'],
    ['the own zone is out: it spills before it panics', TWO_ZONES, (rig) => rig.eject('ab'), 'CD'],
    ['in probation is no health', TWO_ZONES, (rig) => rig.probation('ab'), 'CD'],
    ['unhealthy is no health', TWO_ZONES, (rig) => rig.sicken('ab'), 'CD'],
    ['everybody is out: a panic, everywhere', TWO_ZONES, (rig) => rig.eject('abCD'), 'CDab'],
    ['everybody is unhealthy: a panic', TWO_ZONES, (rig) => rig.sicken('abCD'), 'CDab'],
    ['the others are out: what is left of the own zone', TWO_ZONES, (rig) => rig.eject('bCD'), 'a'],
  ])('%s', (_name, endpoints, before, expected) => {
    for (const kind of ['roundRobin', 'random', 'peakEwma', 'leastRequest'] as const) {
      const rig = new PoolRig(endpoints, { policy: { kind } });
      before(rig);
      expect(rig.reached(60, '', POST)).toBe(expected);
    }
  });

  // Regression: endpoints in probation counted as health, and a third of the calls went to a dead one.
  it.each<[string, (rig: PoolRig) => void]>([
    ['ejected', (rig) => rig.eject('b')],
    ['in probation', (rig) => rig.probation('b')],
    ['unhealthy', (rig) => rig.sicken('b')],
  ])('spills what the health of the own zone leaves: half of it, the other %s, takes 70 percent', (_name, before) => {
    const rig = new PoolRig(TWO_ZONES);
    before(rig);
    const to = rig.route(4_000, '', POST);
    expect(shareOf('a', to)).toBeCloseTo(0.7, 1);
    expect(shareOf('b', to)).toBe(0);
  });

  it('draws one number for a call, and only while several pools share the calls', () => {
    const rig = new PoolRig(TWO_ZONES);
    rig.route(20);
    expect(rig.draws).toBe(0);
    rig.eject('b');
    rig.route(20, '', POST);
    expect(rig.draws).toBe(20);
    rig.eject('a');
    rig.route(20, '', POST);
    expect(rig.draws).toBe(20);
  });

  it('a probe leads back into a zone that nobody is sent to', () => {
    for (const kind of ['roundRobin', 'random', 'ringHash', 'maglev'] as const) {
      const rig = new PoolRig(TWO_ZONES, { policy: { kind, hash: { ...BY_USER, keys: [] } } });
      rig.eject('ab', 1_000);
      expect(rig.reached(20)).toBe('CD');
      rig.clock.advance(1_000);
      rig.route(60);
      expect(rig.get('a').standing.state + rig.get('b').standing.state).toBe('inin');
      expect(rig.reached(40)).toBe('ab');
    }
  });

  it('a probe also leads back into a zone that is not needed now, but may be', () => {
    const rig = new PoolRig(TWO_ZONES);
    rig.eject('CD', 1_000);
    rig.clock.advance(1_000);
    rig.route(60);
    expect(rig.get('C').standing.state + rig.get('D').standing.state).toBe('inin');
    expect(rig.reached(20)).toBe('ab');
  });

  it.each<[string, string, Partial<LocalityPolicy>, string, string]>([
    ['leaves the zone', TWO_ZONES, {}, 'a', 'CD'],
    ['twice', 'a@eu/x b@eu/x C@eu/y D@us/z E@eu/y', {}, 'aC', 'D'],
    ['when all zones were tried: to whom it was not, the own zone first', TWO_ZONES, {}, 'aCD', 'b'],
    ['stays when it is told to', TWO_ZONES, { retriesLeave: false }, 'a', 'b'],
    ['leaves then, too, when nobody is left', TWO_ZONES, { retriesLeave: false }, 'ab', 'CD'],
    ['without localities: to whom it was not', 'a@ b@ C@', {}, 'a', 'Cb'],
  ])('a retry %s', (_name, endpoints, locality, tried, expected) => {
    expect(new PoolRig(endpoints, { policy: { locality: { ...ZONE, ...locality } } }).reached(40, tried)).toBe(expected);
  });

  it('sends a call to the same zone again when a key decides', () => {
    const rig = new PoolRig(TWO_ZONES, { policy: { kind: 'ringHash', hash: BY_USER } });
    rig.eject('b');
    const routes = Array.from({ length: 200 }, (_, i) => rig.reached(3, '', { headers: ['x-user', `user ${i}`], method: 'POST' }));
    expect(routes.every((to) => to.length === 1)).toBe(true);
    expect(routes.filter((to) => to === 'a').length / 200).toBeCloseTo(0.7, 1);
    expect(rig.draws).toBe(0);
  });
});

describe('the load that a zone reports', () => {
  /** Each answer reports what the endpoint would be at, given its share of the last calls. */
  function run(rig: PoolRig, calls: number, loadOf: (to: string) => string): string {
    let all = '';
    for (let i = 0; i < calls; i++) {
      const { to } = rig.send();
      all += to;
      rig.clock.advance(20);
      rig.answer({ 'x-inmesh-load': loadOf(to) });
    }
    return all;
  }

  it('above the bound spills, and comes back', async () => {
    const rig = new PoolRig(TWO_ZONES);
    const play = async (load: string, calls = 150): Promise<string> => {
      let all = '';
      for (let i = 0; i < calls; i++) {
        all += run(rig, 1, (to) => (to === 'a' || to === 'b' ? load : '0.10'));
        await Promise.resolve();
      }
      return all;
    };
    expect(shareOf('C', await play('0.50'))).toBe(0);
    const busy = await play('0.99');
    expect(shareOf('C', busy.slice(-50)) + shareOf('D', busy.slice(-50))).toBeGreaterThan(0.5);
    expect(rig.get('a').load).toBe(0.99);
    const calm = await play('0.20', 500);
    expect(shareOf('C', calm.slice(-50))).toBe(0);
  });

  it.each([
    ['0.85', 0.85],
    ['3', 1],
    ['-1', Number.NaN],
    ['high', Number.NaN],
    ['', Number.NaN],
    [undefined, Number.NaN],
  ])('%j is read as %d', async (text, load) => {
    const rig = new PoolRig('a@eu/x C@eu/y');
    const { answer } = rig.send();
    rig.last().reply(200, text === undefined ? {} : { 'x-inmesh-load': text });
    await answer;
    expect(rig.get('a').load).toBe(load);
  });

  it('is read a few times a second, and only where it matters', () => {
    const rig = new PoolRig('a@eu/x C@eu/y');
    const first = rig.send().answer;
    const second = rig.send().answer;
    expect(rig.get('a').loadAtMs).toBe(rig.clock.now());
    expect(first).not.toBe(second);
    const off = new PoolRig('a@eu/x C@eu/y', { policy: { locality: { ...ZONE, loadMax: 1 } } });
    off.send();
    expect(off.get('a').loadAtMs).toBe(Number.NEGATIVE_INFINITY);
    const asked = new PoolRig('a@', { policy: { locality: null }, readsLoad: true });
    asked.send();
    expect(asked.get('a').loadAtMs).toBe(asked.clock.now());
  });
});

describe('priority', () => {
  const LEVELS = 'a@eu/x/1 b@eu/x/2 c@eu/y d@us/z';

  it.each<[string, string, string]>([
    ['the nearest take all', '', 'a'],
    ['then those of the zone', 'a', 'b'],
    ['then the region', 'ab', 'c'],
    ['then the rest', 'abc', 'd'],
  ])('%s', (_name, out, expected) => {
    const rig = new PoolRig(LEVELS, { policy: { locality: PRIORITY } });
    rig.eject(out);
    expect(rig.reached(30, '', POST)).toBe(expected);
  });

  it('of the endpoints themselves needs no policy', () => {
    const rig = new PoolRig('a@!1 b@!0 c@!1', { policy: { locality: null } });
    expect(rig.reached(20)).toBe('b');
    rig.eject('b');
    expect(rig.reached(20, '', POST)).toBe('ac');
  });

  it('spills by health', () => {
    const rig = new PoolRig('a@eu/x/1 b@eu/x/1 c@eu/x/1 d@eu/x/1 e@us/z', { policy: { locality: PRIORITY } });
    rig.eject('bcd');
    expect(shareOf('e', rig.route(3_000, '', POST))).toBeCloseTo(0.65, 1);
  });

  it('distribute gives each locality its share, less what its health leaves', () => {
    const locality = { ...PRIORITY, distribute: [{ from: 'eu/*', to: { 'eu/x': 50, 'eu/y': 50 } }] };
    const rig = new PoolRig('a@eu/x b@eu/y c@eu/y d@us/z', { policy: { locality } });
    const sound = rig.route(3_000, '', POST);
    expect(shareOf('a', sound)).toBeCloseTo(0.5, 1);
    expect(shareOf('d', sound)).toBe(0);
    rig.eject('c');
    // 0.5 : 0.5 · 0.7
    expect(shareOf('a', rig.route(3_000, '', POST))).toBeCloseTo(0.59, 1);
    rig.eject('ab');
    expect(rig.reached(20, '', POST)).toBe('abc');
  });

  it('one sound endpoint of very many is used, though it rounds to no health', () => {
    const names = Array.from({ length: 200 }, (_, i) => `n${i}@eu/x/1`).join(' ');
    const rig = new PoolRig(`a@us/z b@us/z ${names}`, { policy: { locality: PRIORITY } });
    for (const endpoint of rig.set.all) if (endpoint.host !== 'n7') endpoint.standing.unhealthy = true;
    rig.set.standingChanged();
    expect(rig.send('', POST).to).toBe('n7');
  });
});

describe('panic', () => {
  it.each<[string, Partial<BalancerPolicy>, boolean, string, string]>([
    ['at 0: only when nobody is in', {}, false, 'abc', 'd'],
    ['at 0: nobody is in', {}, false, 'abcd', 'abcd'],
    ['never: refused', {}, true, 'abcd', '-'],
    ['never, but there is a threshold', { panicPercent: 10 }, true, 'abcd', 'abcd'],
    ['below the threshold all are used', { panicPercent: 50 }, false, 'abc', 'abcd'],
    ['at the threshold only those who are in', { panicPercent: 50 }, false, 'ab', 'cd'],
    ['above it, too', { panicPercent: 50 }, false, 'a', 'bcd'],
  ])('%s', (_name, policy, neverPanics, out, expected) => {
    const rig = new PoolRig('a@ b@ c@ d@', { policy: { locality: null, ...policy }, neverPanics });
    rig.eject(out);
    expect(rig.reached(40, '', POST)).toBe(expected);
  });

  it('says why it refuses', async () => {
    const rig = new PoolRig('a@ b@', { policy: { locality: null }, neverPanics: true });
    rig.eject('a');
    rig.sicken('b');
    await expect(rig.send().answer).rejects.toThrow('all 2 endpoints of reviews are ejected or unhealthy');
    await expect(rig.send().answer).rejects.toMatchObject({ code: 'no_endpoint', family: 'refused' });
  });

  it('of one priority leaves the others alone', () => {
    // Health 35 and 46 of 100: the first is below the threshold, the second is not.
    const rig = new PoolRig('a@!0 b@!0 c@!0 d@!0 e@!1 f@!1 g@!1', { policy: { locality: null, panicPercent: 30 } });
    rig.eject('bcdfg');
    expect(rig.reached(200, '', POST)).toBe('abcde');
  });
});

describe('health checks', () => {
  it('take out and bring back, without any ejection', () => {
    const rig = new PoolRig('a@ b@', { outlier: null, policy: { locality: null } });
    rig.sicken('a');
    expect(rig.reached(10)).toBe('b');
    rig.sicken('a', false);
    expect(rig.reached(10)).toBe('ab');
  });

  it('an unhealthy one is no candidate for a probe', () => {
    const rig = new PoolRig('a@ b@', { policy: { locality: null } });
    rig.eject('a', 1_000);
    rig.sicken('a');
    rig.clock.advance(1_000);
    expect(rig.reached(20)).toBe('b');
  });
});

describe('room', () => {
  const KINDS: BalancerKind[] = ['peakEwma', 'roundRobin', 'random', 'leastRequest', 'ringHash', 'maglev'];

  it.each(KINDS)('%s passes over those that are full', (kind) => {
    const rig = new PoolRig('a@ b@ c@', {
      room: ({ host }) => host !== 'b',
      policy: { kind, locality: null, hash: { ...BY_USER, keys: [] } },
    });
    expect(rig.reached(60)).toBe('ac');
    expect(rig.reached(30, 'a')).toBe('c');
    expect(rig.reached(10, 'ac')).toBe('ac');
  });

  it.each(KINDS)('%s refuses when nobody has any', async (kind) => {
    const rig = new PoolRig('a@ b@', {
      room: ({ inFlight }) => inFlight < 2,
      policy: { kind, locality: null, hash: { ...BY_USER, keys: [] } },
    });
    expect(Array.from({ length: 4 }, () => rig.send().to).sort()).toEqual(['a', 'a', 'b', 'b']);
    const { attempt, answer } = rig.send();
    await expect(answer).rejects.toMatchObject({ code: 'overloaded', family: 'refused' });
    await expect(answer).rejects.toThrow('none of the 2 endpoints of reviews has room');
    expect(attempt.endpoint).toBeNull();
    expect(attempt.outcome?.kind).toBe('ignored');
    rig.server.seen[0]?.reply(200);
    rig.server.seen[0]?.end();
    expect(rig.send().to).not.toBe('-');
  });

  it('in another zone is room', () => {
    expect(new PoolRig(TWO_ZONES, { room: ({ host }) => host > 'Z' === false }).reached(20)).toBe('CD');
  });

  it('is not looked for among those that are out', () => {
    const rig = new PoolRig('a@ b@', { room: ({ host }) => host === 'b', policy: { locality: null } });
    rig.eject('b');
    expect(rig.send('', POST).to).toBe('-');
  });
});

describe('a key', () => {
  const policy: Partial<BalancerPolicy> = { kind: 'maglev', hash: BY_USER, locality: null };
  const by = (user: string): { headers: string[] } => ({ headers: ['x-user', user] });

  it('leads to one endpoint; a retry to the next on its way', () => {
    const rig = new PoolRig('a@ b@ c@ d@', { policy });
    const home = rig.reached(5, '', by('ann'));
    const next = rig.reached(5, home, by('ann'));
    expect(home).toHaveLength(1);
    expect(next).toHaveLength(1);
    expect(next).not.toBe(home);
    rig.eject(home);
    expect(rig.reached(5, '', { ...by('ann'), ...POST })).toBe(next);
  });

  it('leads there again with a retry, where that is the rule', () => {
    const rig = new PoolRig('a@ b@ c@ d@', { policy, retriesStay: true });
    const home = rig.reached(1, '', by('ann'));
    expect(rig.reached(5, home, by('ann'))).toBe(home);
  });

  it('of a session is given with the answer, beside the cookies of the server', async () => {
    const key = { cookie: 'sid', path: '/', ttlMs: 0, attributes: {} };
    const rig = new PoolRig('a@ b@', { policy: { ...policy, hash: { ...BY_USER, keys: [key] } } });
    for (const [headers, expected] of [
      [{}, expect.stringMatching(/^sid="[0-9a-f]{16}"; Path=\/; HttpOnly$/)],
      [{ 'set-cookie': 'x=1' }, ['x=1', expect.stringMatching(/^sid=/)]],
      [{ 'set-cookie': ['x=1', 'y=2'] }, ['x=1', 'y=2', expect.stringMatching(/^sid=/)]],
    ] as const) {
      const { answer } = rig.send();
      const given = rig.last().reply(200, headers as Record<string, string>);
      given.rawHeaders = [Buffer.from('a'), Buffer.from('b')];
      const reply = await answer;
      expect(reply.headers['set-cookie']).toEqual(expected);
      expect((reply.rawHeaders as Buffer[]).slice(2).map(String)).toEqual(['set-cookie', expect.stringMatching(/^sid=/)]);
      rig.last().end();
    }
    const { answer } = rig.send('', { headers: ['cookie', 'sid=7'] });
    rig.answer();
    expect((await answer).headers['set-cookie']).toBeUndefined();
  });
});

describe('the subset of a process', () => {
  it('is all that it uses, the same over time', () => {
    const names = Array.from({ length: 26 }, (_, i) => `${String.fromCharCode(97 + i)}@`).join(' ');
    const rig = new PoolRig(names, { policy: { locality: null, subsetSize: 5 }, seed: 3 });
    const first = rig.reached(60);
    expect(first).toHaveLength(5);
    expect(rig.reached(60)).toBe(first);
    expect(new PoolRig(names, { policy: { locality: null, subsetSize: 5 }, seed: 4 }).reached(60)).not.toBe(first);
  });
});

describe('whatever happens', () => {
  const step = fc.record({
    act: fc.constantFrom('send', 'send', 'retry', 'good', 'bad', 'lost', 'cancel', 'wait', 'resize', 'sicken', 'eject', 'probation'),
    which: fc.nat(40),
  });
  const policies = fc.constantFrom<Partial<BalancerPolicy>>(
    {},
    { kind: 'peakEwma', locality: PRIORITY },
    { kind: 'ringHash', hash: { ...BY_USER, keys: [], ringSizeMin: 64 } },
    { kind: 'maglev', hash: { ...BY_USER, keys: [], maglevTableSize: 127 }, locality: PRIORITY, panicPercent: 50 },
    { kind: 'leastRequest', subsetSize: 2, slowStart: { windowMs: 1_000, minPercent: 10, aggression: 1 } },
    { locality: { ...PRIORITY, distribute: [{ from: '*', to: { 'eu/*': 60, 'us/*': 40 } }] } },
  );

  /** Plays one step; gives whom it sent to, if it sent. */
  function play(rig: PoolRig, act: string, which: number): string | null {
    rig.clock.advance(0.25);
    const open = rig.server.seen.filter(({ call }) => call.outcome === null);
    const seen = open[which % Math.max(1, open.length)];
    const name = rig.set.all[which % rig.set.all.length]?.host ?? '';
    if (act === 'send') return rig.send('', which % 2 === 0 ? POST : {}).to;
    if (act === 'retry') return rig.send(name).to;
    if (act === 'wait') rig.clock.advance(which * 100);
    else if (act === 'resize') rig.resize([TWO_ZONES, 'a@eu/x C@eu/y', 'C@eu/y E@us/z', 'a@eu/x b@eu/x/2 F@us/z!1'][which % 4] as string);
    else if (act === 'sicken') rig.sicken(name, which % 3 === 0);
    else if (act === 'eject') rig.eject(name, which * 50);
    else if (act === 'probation') rig.probation(name);
    else if (seen !== undefined && act === 'cancel') seen.call.cancel('gone');
    else if (seen !== undefined) {
      if (seen.call.headAtMs === 0) seen.reply(act === 'bad' ? 503 : 200);
      seen.end();
    }
    return null;
  }

  it('picks equal attempts, and calls in flight are given back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), policies, (steps, policy) => {
        const rig = new PoolRig(TWO_ZONES, { policy });
        const endpoints = new Set(rig.set.all);
        let sent = 0;
        for (const { act, which } of steps) {
          if ((play(rig, act, which) ?? '-') !== '-') sent++;
          for (const endpoint of rig.set.all) endpoints.add(endpoint);
        }
        expect(rig.server.seen).toHaveLength(sent);
        for (const { call } of rig.server.seen) call.cancel('over');
        expect([...endpoints].every(({ inFlight }) => inFlight === 0)).toBe(true);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('nobody is sent to one that is out while somebody is in, but as a probe', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom<LocalityPolicy | null>(ZONE, PRIORITY, null), (steps, locality) => {
        const rig = new PoolRig(TWO_ZONES, { policy: { locality } });
        const isIn = ({ standing }: (typeof rig.set.all)[number]): boolean => standing.state === 'in' && !standing.unhealthy;
        for (const { act, which } of steps) {
          const before = rig.set.all.filter(isIn).map(({ host }) => host);
          const to = play(rig, act, which);
          if (to === null || before.length === 0 || before.includes(to)) continue;
          // As a probe: it waited for one, and now it has it.
          const { standing } = rig.get(to);
          expect([standing.state, standing.unhealthy, standing.probeAtMs]).toEqual(['probation', false, rig.clock.now()]);
        }
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
