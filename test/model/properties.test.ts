import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MeshInput, RouteInput } from '../../src/model/input.ts';
import type { PolicyInput } from '../../src/model/input-policy.ts';
import { editDistance } from '../../src/model/nearest.ts';
import { resolveConfig } from '../../src/model/resolve.ts';
import type { RouteMatch } from '../../src/model/route.ts';
import { inputSchema } from '../../src/model/schema.ts';
import { good, issuesOf, saidOf, serviceOf } from './resolved.ts';
import { placesOf, valueOf } from './schema-input.ts';
import { budgets, match, outliers, policies, route } from './valid-input.ts';

const RUNS = { numRuns: 1_000, seed: 1 };
const SELF: MeshInput = { self: { locality: 'r/z', labels: { app: 'a' } } };

/** Values that no policy may hold, by path. */
function holes(value: unknown, path = ''): string[] {
  if (value === undefined || (typeof value === 'number' && Number.isNaN(value))) return [`${path}: ${String(value)}`];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, own]) => holes(own, `${path}.${key}`));
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const own of Object.values(Object.freeze(value))) freeze(own);
  return value;
}

describe('an input that makes sense', () => {
  it('resolves, without a hole, without being touched, to the same each time', () => {
    const input = fc.tuple(policies, policies, fc.array(route, { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(input, ([defaults, own, routes]) => {
        const service = freeze({ ...own, routes });
        const resolved = serviceOf(service, freeze(defaults), SELF);
        expect(holes(resolved)).toEqual([]);
        expect(serviceOf(service, defaults, SELF)).toEqual(resolved);
        expect(new Set(resolved.routes.map(({ name }) => name)).size).toBe(resolved.routes.length);
        expect(resolved.routes.at(-1)?.matches).toEqual(
          resolved.routes.some(({ matches }) => matches.length === 0) ? expect.anything() : [],
        );
      }),
      RUNS,
    );
  });

  it('means the same in a service and in defaults', () => {
    fc.assert(
      fc.property(policies, (input) => {
        expect(serviceOf(input, {}, SELF)).toEqual(serviceOf({}, input, SELF));
        expect(serviceOf(input, input, SELF)).toEqual(serviceOf(input, {}, SELF));
      }),
      RUNS,
    );
  });

  it.each([
    ['retryBudget', budgets],
    ['outlierDetection', outliers],
  ] as const)('is not touched by another mode in defaults: %s', (key, modes) => {
    const of = Object.values<fc.Arbitrary<{ readonly mode?: string }>>(modes);
    fc.assert(
      fc.property(fc.oneof(...of), fc.oneof(...of), (near, far) => {
        fc.pre(near.mode !== far.mode);
        const own = { [key]: near } as PolicyInput;
        expect(serviceOf(own, { [key]: far } as PolicyInput)[key]).toEqual(serviceOf(own)[key]);
        expect(serviceOf({ [key]: false }, { [key]: far } as PolicyInput)[key]).toEqual(serviceOf({ [key]: false })[key]);
      }),
      RUNS,
    );
  });
});

describe('an input of the right form', () => {
  const anything = valueOf(inputSchema()) as fc.Arbitrary<MeshInput>;

  it('never throws, and is either taken without a hole or refused with places that are there', () => {
    let taken = 0;
    fc.assert(
      fc.property(anything, (input) => {
        const result = resolveConfig(freeze(input));
        if ('config' in result) {
          taken++;
          expect(holes(result.config)).toEqual([]);
          return;
        }
        expect(result.issues.some(({ severity }) => severity === 'error')).toBe(true);
        for (const { path, message } of result.issues) {
          let holder: unknown = input;
          for (const step of path.slice(0, -1)) holder = (holder as Record<string, unknown>)[step];
          expect(holder, `${path.join('.')}: ${message}`).toBeTypeOf('object');
          expect(message).toMatch(/^\S.*[^.\s]$/);
        }
      }),
      RUNS,
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('with one unknown key is told of it, at its path', () => {
    fc.assert(
      fc.property(anything, fc.nat(), (input, which) => {
        const places = placesOf(inputSchema(), input);
        const { path, holder } = places[which % places.length] as (typeof places)[number];
        holder.nobodyKnowsThis = 1;
        const found = issuesOf(input).filter(({ message }) => message.startsWith('unknown key'));
        expect(found).toMatchObject([{ path: [...path, 'nobodyKnowsThis'], severity: 'error' }]);
      }),
      RUNS,
    );
  });

  it('with two letters swapped in a key is told the key', () => {
    fc.assert(
      fc.property(anything, fc.nat(), fc.nat(), fc.nat(), (input, which, whichKey, at) => {
        const places = placesOf(inputSchema(), input).filter(({ allowed }) => allowed.some((key) => key.length > 4));
        const { path, holder, allowed } = places[which % places.length] as (typeof places)[number];
        const long = allowed.filter((key) => key.length > 4);
        const key = long[whichKey % long.length] as string;
        const i = at % (key.length - 1);
        const wrong = key.slice(0, i) + (key[i + 1] as string) + (key[i] as string) + key.slice(i + 2);
        fc.pre(!allowed.includes(wrong));
        holder[wrong] = 1;
        const found = issuesOf(input).find((issue) => issue.path.length === path.length + 1 && issue.path.at(-1) === wrong);
        expect(editDistance(found?.suggestion ?? '', wrong)).toBeLessThanOrEqual(1);
      }),
      RUNS,
    );
  });
});

describe('a rule with several prefixes', () => {
  /** Only what the generated matches say. */
  const holds = ({ path, method }: RouteMatch, of: { path: string; method: string }): boolean => {
    const { kind, value } = path as NonNullable<RouteMatch['path']>;
    const bare = value === '/' ? '' : value;
    const isPath = kind === 'prefix' ? of.path.startsWith(value) : of.path === bare || of.path.startsWith(`${bare}/`);
    return isPath && (method === undefined || (method.kind === 'exact' && method.value === of.method));
  };

  it('rewrites as the first of its matches says', () => {
    const call = fc.record({
      path: fc.constantFrom('/', '/a', '/ab', '/a/b', '/a/b/c', '/b', '/c'),
      method: fc.constantFrom('GET', 'POST', 'PUT'),
    });
    fc.assert(
      fc.property(fc.array(match, { minLength: 1, maxLength: 6 }), call, (matches, one) => {
        const input = { match: matches, rewrite: { prefix: '/x' } } as RouteInput;
        const plain = matches.map((each) => serviceOf({ routes: [{ match: each, rewrite: { prefix: '/x' } } as RouteInput] }).routes[0]);
        const first = matches.findIndex((_, i) => {
          const found = plain[i]?.matches[0];
          return found === undefined || holds(found, one);
        });
        const rule = serviceOf({ routes: [input] }).routes.find(
          (each) => each.matches.length === 0 || each.matches.some((m) => holds(m, one)),
        );
        expect(rule?.rewrite).toEqual(first < 0 ? undefined : plain[first]?.rewrite);
      }),
      RUNS,
    );
  });
});

describe('shares', () => {
  it('are taken when they sum to a hundred, and only then', () => {
    const shares = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shares, fc.boolean(), (some, isFull) => {
        const sum = some.reduce((a, b) => a + b, 0);
        fc.pre(!isFull || sum <= 100);
        const all = isFull ? [...some, 100 - sum] : some;
        const to = Object.fromEntries(all.map((share, i) => [`r/z${i}`, share]));
        const services = { a: { endpoints: ['x:1'], loadBalancer: { locality: { distribute: [{ from: '*', to }] } } } };
        const isRight = all.reduce((a, b) => a + b, 0) === 100;
        expect(saidOf({ ...SELF, services }).length).toBe(isRight ? 0 : 1);
        if (isRight) expect(good({ ...SELF, services }).services.a?.loadBalancer.locality?.mode).toBe('priority');
      }),
      RUNS,
    );
  });
});
