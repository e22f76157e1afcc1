import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { makePicker } from '../../src/balance/make-picker.ts';
import type { KeyedRule, Picker, Room } from '../../src/balance/picker.ts';
import type { Call } from '../../src/core/call.ts';
import { HASH_DEFAULTS } from '../../src/model/balancing.ts';
import { BALANCER_DEFAULTS } from '../../src/model/destination.ts';
import { testCall } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { local } from './endpoint-list.ts';

const KEYS = 300;

/** Small tables, so that many can be made. */
function pickerOf(kind: 'ringHash' | 'maglev', seed = 1): Picker & { readonly keyed: KeyedRule } {
  const hash = { ...HASH_DEFAULTS, keys: [{ header: 'x-user' }], ringSizeMin: 256, maglevTableSize: 509 };
  return makePicker({ ...BALANCER_DEFAULTS, kind, hash }, seededRandom(seed)) as Picker & { readonly keyed: KeyedRule };
}

function callOf(key: string): Call {
  return testCall({ headers: ['x-user', key] });
}

describe.each(['ringHash', 'maglev'] as const)('%s', (kind) => {
  const all = local([1, 2, 3, 4, 5]);

  it('picks nothing of nothing, and the only one of one', () => {
    const picker = pickerOf(kind);
    expect(picker.pick([], callOf('a'), 0)).toBeNull();
    expect(picker.pick(all.slice(0, 1), callOf('a'), 0)).toBe(all[0]);
  });

  it('sends a key to the same endpoint, whoever asks and in whatever order they are known', () => {
    const [one, other] = [pickerOf(kind, 1), pickerOf(kind, 2)];
    for (let i = 0; i < KEYS; i++) {
      const call = callOf(`user ${i}`);
      expect(one.pick(all, call, 0)).toBe(other.pick(all.toReversed(), call, 0));
    }
  });

  it('sends calls without a key anywhere', () => {
    const picker = pickerOf(kind);
    expect(new Set(Array.from({ length: 100 }, () => picker.pick(all, testCall(), 0)))).toEqual(new Set(all));
  });

  it('makes a new table when the endpoints or their weights change', () => {
    const picker = pickerOf(kind);
    const share = (of: readonly LiveEndpoint[]): number =>
      Array.from({ length: KEYS }, (_, i) => picker.pick(of, callOf(`user ${i}`), 0)).filter((endpoint) => endpoint === of[0]).length /
      KEYS;
    const two = local([1, 2]);
    expect(share(two)).toBeGreaterThan(0.3);
    (two[0] as LiveEndpoint).weight = 9;
    expect(share([...two])).toBeGreaterThan(0.75);
    expect(share(local([1, 2, 3, 4, 5, 6, 7, 8]))).toBeLessThan(0.35);
  });

  it('draws a number in [0, 1) by the key alone', () => {
    const { keyed } = pickerOf(kind);
    const draws = Array.from({ length: 2_000 }, (_, i) => keyed.draw(callOf(`user ${i}`)));
    expect(keyed.draw(callOf('user 7'))).toBe(draws[7]);
    expect(Math.min(...draws)).toBe(0);
    expect(Math.max(...draws)).toBe(0.99);
    expect(draws.filter((draw) => draw < 0.7).length / 2_000).toBeCloseTo(0.7, 1);
  });

  const masks = fc.array(fc.boolean(), { minLength: 6, maxLength: 6 });
  const six = local([11, 12, 13, 14, 15, 16]);
  const pick = (
    picker: Picker & { readonly keyed: KeyedRule },
    candidates: readonly LiveEndpoint[],
    call: Call,
    tried: readonly LiveEndpoint[] | null,
    room: Room | null,
  ): LiveEndpoint | null => picker.keyed.choose(six, candidates, call, tried, room);

  it('keys of those that are out go on; all other keys stay', () => {
    const picker = pickerOf(kind);
    fc.assert(
      fc.property(masks, fc.string(), (mask, key) => {
        const candidates = six.filter((_, i) => mask[i]);
        const home = pick(picker, six, callOf(key), null, null) as LiveEndpoint;
        const found = pick(picker, candidates, callOf(key), null, null);
        if (candidates.includes(home)) expect(found).toBe(home);
        else if (candidates.length === 0) expect(found).toBeNull();
        else expect(candidates).toContain(found);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('a retry goes on along the way of the key, never to one that was tried or is full', () => {
    const picker = pickerOf(kind);
    fc.assert(
      fc.property(masks, masks, fc.string(), (triedMask, fullMask, key) => {
        const tried = six.filter((_, i) => triedMask[i]);
        const full = six.filter((_, i) => fullMask[i]);
        const call = callOf(key);
        const left = six.filter((endpoint) => !tried.includes(endpoint) && !full.includes(endpoint));
        const found = pick(picker, six, call, tried, (endpoint) => !full.includes(endpoint));
        if (left.length === 0) expect(found).toBeNull();
        else expect(left).toContain(found);
        // The same way for the same key, and for whom the others are out instead.
        expect(pick(picker, left, call, null, null)).toBe(found);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('spreads the keys of one that is out over the others', () => {
    const picker = pickerOf(kind);
    const candidates = six.slice(1);
    const moved = new Map<LiveEndpoint, number>();
    for (let i = 0; i < 2_000; i++) {
      const call = callOf(`user ${i}`);
      if (pick(picker, six, call, null, null) !== six[0]) continue;
      const to = pick(picker, candidates, call, null, null) as LiveEndpoint;
      moved.set(to, (moved.get(to) ?? 0) + 1);
    }
    expect([...moved.keys()].toSorted((a, b) => a.port - b.port)).toEqual(candidates);
    expect(Math.max(...moved.values())).toBeLessThan(4 * Math.min(...moved.values()));
  });
});
