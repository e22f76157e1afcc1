// To whom: the kind and its numbers, what a hash is taken from, how new endpoints and near ones are treated.
import type { HashKey, HashPolicy, SlowStartPolicy } from './balancing.ts';
import { HASH_DEFAULTS } from './balancing.ts';
import type { BalancerKind, BalancerPolicy } from './destination.ts';
import { BALANCER_DEFAULTS } from './destination.ts';
import type { HashKeyInput, LoadBalancerInput, SlowStartInput } from './input-balancing.ts';
import type { ConfigPath } from './issue.ts';
import { formatPath } from './issue.ts';
import type { Report } from './report.ts';
import type { Level, Merged } from './resolve-levels.ts';
import { levelsOf, mergeLevels } from './resolve-levels.ts';
import type { LocalityDeps } from './resolve-locality.ts';
import { resolveLocality } from './resolve-locality.ts';
import { exactlyOne } from './resolve-match.ts';
import { checkOrder, toMs } from './resolve-scalar.ts';

type Kind = NonNullable<LoadBalancerInput['kind']>;

const POLICY = 'loadBalancer';
const HASHING: ReadonlySet<BalancerKind> = new Set(['ringHash', 'maglev']);
const SLOW_STARTING: ReadonlySet<BalancerKind> = new Set(['roundRobin', 'leastRequest']);

export function resolveBalancer(levels: readonly Level<Kind | LoadBalancerInput>[], deps: LocalityDeps): BalancerPolicy {
  const { report } = deps;
  const whole = levels.map(({ value, path }) => ({ value: typeof value === 'string' ? { kind: value } : value, path }));
  const merged = mergeLevels<LoadBalancerInput>(whole) as Merged<LoadBalancerInput>;
  const input = merged.value;
  const d = BALANCER_DEFAULTS;
  const kind = input.kind ?? d.kind;
  return {
    kind,
    tauMs: toMs(input.tau, d.tauMs),
    failurePenaltyMs: toMs(input.failurePenalty, d.failurePenaltyMs),
    seedFactor: input.seedFactor ?? d.seedFactor,
    seedMs: toMs(input.seed, d.seedMs),
    fullScanMax: input.fullScanMax ?? d.fullScanMax,
    choices: input.choices ?? d.choices,
    hash: resolveHash(kind, merged, whole, report),
    slowStart: resolveSlowStart(kind, merged, levelsOf(whole, 'slowStart'), report),
    locality: resolveLocality(levelsOf(whole, 'locality'), deps),
    panicPercent: input.panicThreshold ?? d.panicPercent,
    subsetSize: input.subsetSize ?? d.subsetSize,
  };
}

function resolveHash(
  kind: Kind,
  merged: Merged<LoadBalancerInput>,
  levels: readonly Level<LoadBalancerInput>[],
  report: Report,
): HashPolicy | null {
  const { hash, minimumRingSize, maximumRingSize, tableSize = HASH_DEFAULTS.maglevTableSize } = merged.value;
  if (!HASHING.has(kind)) {
    warnOfIdle('hash', 'ringHash and maglev', merged, report);
    return null;
  }
  if (hash === undefined) {
    const nearest = levels[merged.levelOf('kind')] as Level<LoadBalancerInput>;
    report.error(nearest.path, `loadBalancer: ${kind} needs hash, what the key is taken from; add it, such as hash: { header: x-user }`);
  }
  const ringSizeMax = maximumRingSize ?? Math.max(HASH_DEFAULTS.ringSizeMax, minimumRingSize ?? 0);
  const ringSizeMin = minimumRingSize ?? Math.min(HASH_DEFAULTS.ringSizeMin, ringSizeMax);
  checkOrder(POLICY, merged, ['minimumRingSize', ringSizeMin], ['maximumRingSize', ringSizeMax], report);
  if (!isPrime(tableSize)) {
    const near = nextPrime(tableSize);
    report.error(merged.pathOf('tableSize'), `loadBalancer: tableSize must be a prime, which ${tableSize} is not; ${near} is one`);
  }
  const list = hash === undefined ? [] : isList(hash) ? hash : [hash];
  const path = merged.pathOf('hash');
  const keys = list.map((key, i) => resolveKey(key, isList(hash) ? [...path, i] : path, report));
  return { keys: keys.filter((key) => key !== null), ringSizeMin, ringSizeMax, maglevTableSize: tableSize };
}

function isList<T>(value: T | readonly T[] | undefined): value is readonly T[] {
  return Array.isArray(value);
}

function resolveKey(input: HashKeyInput, path: ConfigPath, report: Report): HashKey | null {
  const kind = exactlyOne(input, ['header', 'cookie', 'query', 'source'], path, report);
  if (kind === undefined) return null;
  if (kind === 'source') return { source: true };
  if (kind === 'header') return { header: (input.header as string).toLowerCase() };
  if (kind === 'query') return { query: input.query as string };
  const cookie = typeof input.cookie === 'string' ? { name: input.cookie } : (input.cookie as Exclude<HashKeyInput['cookie'], string> & {});
  for (const key of ['attributes', 'path'] as const) {
    if (cookie[key] === undefined || cookie.ttl !== undefined) continue;
    const at = [...path, 'cookie', key];
    report.warn(
      at,
      `${formatPath(at)} is that of the cookie that is made, and without ttl none is made; add ttl, such as 0s for the session`,
    );
  }
  return {
    cookie: cookie.name,
    path: cookie.path ?? '/',
    ttlMs: cookie.ttl === undefined ? null : toMs(cookie.ttl, 0),
    attributes: { ...cookie.attributes },
  };
}

function resolveSlowStart(
  kind: Kind,
  policy: Merged<LoadBalancerInput>,
  levels: readonly Level<SlowStartInput | false>[],
  report: Report,
): SlowStartPolicy | null {
  const merged = mergeLevels(levels);
  const isWritten = levels.some(({ value }) => value !== undefined);
  if (merged === null || !isWritten) return null;
  if (!SLOW_STARTING.has(kind)) {
    warnOfIdle('slowStart', 'roundRobin and leastRequest', policy, report);
    return null;
  }
  const { window, minimumPercent = 10, aggression = 1 } = merged.value;
  if (window === undefined) {
    report.error(
      policy.pathOf('slowStart'),
      'loadBalancer: slowStart needs window, how long an endpoint is new; add it, such as window: 30s',
    );
  }
  return { windowMs: toMs(window, 0), minPercent: minimumPercent, aggression };
}

/** What comes from farther away than the kind is nothing odd. */
function warnOfIdle(key: 'hash' | 'slowStart', kinds: string, merged: Merged<LoadBalancerInput>, report: Report): void {
  const level = merged.levelOf(key);
  if (level < 0 || level < merged.levelOf('kind')) return;
  const kind = merged.value.kind ?? BALANCER_DEFAULTS.kind;
  report.warn(merged.pathOf(key), `loadBalancer: ${key} is for ${kinds}, so ${kind} ignores it; change kind, or remove ${key}`);
}

function isPrime(n: number): boolean {
  if (n < 4) return n > 1;
  if (n % 2 === 0) return false;
  for (let d = 3; d * d <= n; d += 2) if (n % d === 0) return false;
  return true;
}

function nextPrime(n: number): number {
  let next = n + 1;
  while (!isPrime(next)) next++;
  return next;
}
