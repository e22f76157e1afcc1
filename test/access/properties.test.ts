// The compiled decision against one that is written as the reference reads: every reading of the path by itself, each rule from its
// text, no index, nothing kept. And what must hold whatever the policies are.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileAccess } from '../../src/access/access.ts';
import type { AccessRequest } from '../../src/access/request.ts';
import { laxOf, readingsOf } from '../../src/access/path-readings.ts';
import type { AuthorizationPolicy, AuthorizationRule, ValueMatch } from '../../src/model/security.ts';
import { peer, policy, request, SELF, type ShortRule } from './cases.ts';

const RUNS = { numRuns: 1_000, seed: 1 };

const NONE: ValueMatch = { values: [], notValues: [] };

function one(value: string, text: string): boolean {
  if (value === '*') return text !== '';
  if (value.startsWith('*')) return text.endsWith(value.slice(1));
  return value.endsWith('*') ? text.startsWith(value.slice(0, -1)) : text === value;
}

/** Positive and negated lists on one text; null: missing. */
function lists({ values, notValues }: ValueMatch, text: string | null): boolean {
  const among = (all: readonly string[]): boolean => text !== null && all.some((value) => one(value, text));
  return (values.length === 0 || among(values)) && !among(notValues);
}

interface World {
  readonly text: string;
  readonly isLax: boolean;
}

function pathIs({ values, notValues }: ValueMatch, { text, isLax }: World): boolean {
  const low = text.toLowerCase();
  const is = (value: string): boolean => {
    if (!isLax) return one(value, text);
    const isWhole = !value.startsWith('*') && !value.endsWith('*');
    const wanted = isWhole ? laxOf(value.toLowerCase()) : value.toLowerCase();
    return one(wanted, low) || one(wanted, laxOf(low));
  };
  return (values.length === 0 || values.some(is)) && !notValues.some(is);
}

function ruleTakes({ from, to, when }: AuthorizationRule, call: AccessRequest, world: World): boolean {
  const { peer: who } = call;
  const source =
    from.length === 0 ||
    from.some(({ principals = NONE, namespaces = NONE, ipBlocks = NONE }) => {
      return (
        lists(principals, who?.spiffeId.slice(9) ?? null) && lists(namespaces, who?.namespace ?? null) && lists(ipBlocks, call.peerAddress)
      );
    });
  const operation =
    to.length === 0 ||
    to.some(({ methods = NONE, hosts = NONE, ports = NONE, paths = NONE }) => {
      return lists(methods, call.method) && lists(hosts, call.authority) && lists(ports, String(call.localPort)) && pathIs(paths, world);
    });
  return source && operation && when.every((match) => lists(match, call.headers[1] ?? null));
}

function allowedIn(policies: readonly AuthorizationPolicy[], call: AccessRequest, world: World): boolean {
  const takes = (action: string): boolean =>
    policies.some((each) => each.action === action && !each.dryRun && each.rules.some((rule) => ruleTakes(rule, call, world)));
  if (takes('deny')) return false;
  return !policies.some(({ action, dryRun }) => action === 'allow' && !dryRun) || takes('allow');
}

function bruteForce(policies: readonly AuthorizationPolicy[], call: AccessRequest): boolean {
  const readings = readingsOf(call.target.split('?')[0] as string);
  return readings !== null && readings.every(({ text }) => [true, false].every((isLax) => allowedIn(policies, call, { text, isLax })));
}

const some = (...values: string[]): fc.Arbitrary<string[]> => fc.subarray(values, { minLength: 1, maxLength: Math.min(2, values.length) });
const PATHS = some('/a', '/A', '/a/*', '*/b', '/a/b', '*', '/', '/a/');
const METHODS = some('GET', 'POST', 'P*', '*');

const shortRule: fc.Arbitrary<ShortRule> = fc.record(
  {
    principals: some('td/ns/a/sa/x', 'td/ns/b/*', '*/sa/x', '*'),
    notPrincipals: some('td/ns/a/sa/x', '*'),
    namespaces: some('a', 'b', '*'),
    notNamespaces: some('a'),
    ipBlocks: some('10.0.0.7', '10.0.0.8'),
    methods: METHODS,
    notMethods: METHODS,
    hosts: some('reviews', 'ratings', 'r*'),
    ports: some('9080', '9081'),
    paths: PATHS,
    notPaths: PATHS,
    'request.headers[x]': some('1', '2', '1*'),
    'not request.headers[x]': some('1', '2'),
  },
  { requiredKeys: [] },
);
const somePolicy = fc
  .record({
    action: fc.constantFrom('allow' as const, 'deny' as const, 'audit' as const),
    rules: fc.array(shortRule, { maxLength: 3 }),
    dryRun: fc.boolean(),
  })
  .map(({ action, rules, dryRun }) => policy(action, rules, { dryRun: dryRun && rules.length === 2 }));
const policies = fc.array(somePolicy, { maxLength: 4 });

const segment = fc.constantFrom('a', 'A', 'b', '%61', '.', '..', '%2e%2e', 'a;v', '', '%2F', 'x');
const target = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
const call = fc
  .record({
    peer: fc.constantFrom(null, peer('td/ns/a/sa/x'), peer('td/ns/b/sa/y')),
    target,
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    authority: fc.constantFrom('reviews', 'ratings', 'other'),
    localPort: fc.constantFrom(9_080, 9_081),
    peerAddress: fc.constantFrom('10.0.0.7', '10.0.0.8'),
    headers: fc.constantFrom([], ['x', '1'], ['x', '2'], ['X', '12']),
  })
  .map((more) => request(more));

const allowed = (all: readonly AuthorizationPolicy[], asked: AccessRequest): boolean => compileAccess(all, SELF).decide(asked).allowed;

describe('decisions', () => {
  it('are those of an evaluator without tricks', () => {
    const seen = new Set<boolean>();
    const check = (all: readonly AuthorizationPolicy[], asked: AccessRequest): boolean => {
      const expected = bruteForce(all, asked);
      seen.add(expected);
      const access = compileAccess(all, SELF);
      // What is kept of the first time changes nothing.
      return access.decide(asked).allowed === expected && access.decide({ ...asked }).allowed === expected;
    };
    fc.assert(fc.property(policies, call, check), RUNS);
    expect(seen.size).toBe(2);
  });

  it('of one access do not depend on the calls before', () => {
    fc.assert(
      fc.property(policies, fc.array(call, { minLength: 2, maxLength: 4 }), (all, asked) => {
        const access = compileAccess(all, SELF);
        return asked.every((each) => access.decide(each).allowed === allowed(all, each));
      }),
      RUNS,
    );
  });

  it('are never widened by one more DENY', () => {
    fc.assert(
      fc.property(policies, shortRule, call, (all, rule, asked) => {
        return !allowed([...all, policy('deny', [rule])], asked) || allowed(all, asked);
      }),
      RUNS,
    );
  });

  it('are never widened by an ALLOW that goes, while one stays', () => {
    fc.assert(
      fc.property(policies, shortRule, call, (all, rule, asked) => {
        const rest = [...all, policy('allow', [])];
        return !allowed(rest, asked) || allowed([...rest, policy('allow', [rule])], asked);
      }),
      RUNS,
    );
  });

  it('do not depend on the order of policies', () => {
    fc.assert(
      fc.property(policies, call, (all, asked) => {
        return allowed(all.toReversed(), asked) === allowed(all, asked);
      }),
      RUNS,
    );
  });

  it('that deny a path deny all ways to write it', () => {
    fc.assert(
      fc.property(target, fc.constantFrom('/./', '//', '/x/../', '/%2e/'), (path, noise) => {
        const last = path.lastIndexOf('/');
        const noisy = `${path.slice(0, last)}${noise}${path.slice(last + 1)}`;
        const clean = readingsOf(path)?.at(-1)?.text ?? '/';
        const denying = [policy('deny', [{ paths: [clean] }])];
        return [path, noisy, clean.toUpperCase(), `${clean}/`, `${clean}?q`, `http://h${clean}`].every((written) => {
          const isOne = readingsOf(written.split('?')[0] as string)?.some(({ lax }) => lax === laxOf(clean.toLowerCase())) ?? false;
          return !isOne || !allowed(denying, request({ target: written }));
        });
      }),
      RUNS,
    );
  });
});

describe('readings', () => {
  it('of a path that is read in one way are that path', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'B', '-', '_', '~', '1', '.x', ':', '@'), { minLength: 1 }), (parts) => {
        const path = `/${parts.join('/')}`.replace(/\/\./g, '/z');
        const readings = readingsOf(path);
        return readings?.length === 1 && readings[0]?.text === path;
      }),
      RUNS,
    );
  });

  it('of the last reading add nothing but a second decoding', () => {
    fc.assert(
      fc.property(target, (path) => {
        const first = readingsOf(path)?.map(({ text }) => text) ?? [];
        return first.every((text) => text.includes('%') || (readingsOf(text) ?? []).every((again) => first.includes(again.text)));
      }),
      RUNS,
    );
  });
});
