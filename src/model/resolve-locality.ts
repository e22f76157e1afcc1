// Near endpoints first: shares that sum up, localities that exist, and who this process is, without which nothing is near.
import type { LocalityPolicy } from './balancing.ts';
import { LOCALITY_DEFAULTS } from './balancing.ts';
import type { LocalityInput } from './input-balancing.ts';
import type { SelfInput } from './input.ts';
import type { ConfigPath } from './issue.ts';
import type { Report } from './report.ts';
import type { Level, Merged } from './resolve-levels.ts';
import { mergeLevels, nearestLevel } from './resolve-levels.ts';

export interface LocalityDeps {
  readonly report: Report;
  /** Who this process is; undefined: written, but with faults. */
  readonly self: SelfInput | undefined;
}

type LocalityLevel = Level<false | 'zone' | 'priority' | LocalityInput>;

/** Only these say where somebody is in mode: priority. */
const PRIORITY_KEYS = ['distribute', 'failover', 'failoverPriority'] as const;
type PriorityKey = (typeof PRIORITY_KEYS)[number];

const SHARE_ERROR_MAX = 1e-9;

export function resolveLocality(levels: readonly LocalityLevel[], deps: LocalityDeps): LocalityPolicy | null {
  const whole = levels.map(({ value, path }) => ({ value: typeof value === 'string' ? { mode: value } : value, path }));
  const isWritten = nearestLevel(whole) >= 0;
  if (!isWritten) return (deps.self?.locality ?? '') === '' ? null : LOCALITY_DEFAULTS;
  const merged = mergeLevels<LocalityInput>(whole);
  if (merged === null) return null;
  const kept = keysOfMode(merged, deps.report);
  const input = merged.value;
  const d = LOCALITY_DEFAULTS;
  const policy: LocalityPolicy = {
    mode: modeOf(merged),
    overprovisioning: input.overprovisioning ?? d.overprovisioning,
    loadMax: input.maxLoad ?? d.loadMax,
    retriesLeave: input.retriesLeave ?? d.retriesLeave,
    distribute: kept.has('distribute') ? (input.distribute ?? []) : d.distribute,
    failover: kept.has('failover') ? (input.failover ?? []) : d.failover,
    failoverPriority: kept.has('failoverPriority') ? (input.failoverPriority ?? []) : d.failoverPriority,
  };
  checkShares(policy.distribute, merged.pathOf('distribute'), deps.report);
  checkRegions(policy.failover, merged.pathOf('failover'), deps.report);
  const nearest = (whole[nearestLevel(whole)] as Level<LocalityInput>).path;
  warnOfUnknownSelf(policy, merged.pathOf('failoverPriority'), nearest, deps);
  return policy;
}

/** A key that only mode: priority has chooses it, against a mode that is written farther away. */
function modeOf(merged: Merged<LocalityInput>): LocalityPolicy['mode'] {
  const nearest = Math.max(...PRIORITY_KEYS.map((key) => merged.levelOf(key)));
  if (nearest > merged.levelOf('mode')) return 'priority';
  return merged.value.mode ?? LOCALITY_DEFAULTS.mode;
}

/** What is written farther away than what excludes it gives way; what is written beside it is an issue. */
function keysOfMode(merged: Merged<LocalityInput>, report: Report): ReadonlySet<PriorityKey> {
  const kept = new Set<PriorityKey>(PRIORITY_KEYS.filter((key) => merged.levelOf(key) >= 0));
  const drop = (key: PriorityKey, winner: keyof LocalityInput, message: string): void => {
    kept.delete(key);
    if (merged.levelOf(key) >= merged.levelOf(winner)) report.error(merged.pathOf(key), message, { part: 'key' });
  };
  if (modeOf(merged) === 'zone') {
    for (const key of kept) drop(key, 'mode', `locality: ${key} belongs to mode: priority; change the mode, or remove ${key}`);
  }
  for (const key of ['failover', 'failoverPriority'] as const) {
    if (!kept.has(key) || !kept.has('distribute')) continue;
    if (merged.levelOf(key) > merged.levelOf('distribute')) kept.delete('distribute');
    else drop(key, 'distribute', `locality: distribute and ${key} exclude each other; keep one`);
  }
  return kept;
}

function checkShares(distribute: LocalityPolicy['distribute'], path: ConfigPath, report: Report): void {
  const places = new Map<string, ConfigPath>();
  for (const [i, { from, to }] of distribute.entries()) {
    const at = [...path, i];
    const sum = Object.values(to).reduce((total, share) => total + share, 0);
    if (Math.abs(sum - 100) > SHARE_ERROR_MAX) report.error([...at, 'to'], `locality: the shares of distribute sum to ${sum}, not to 100`);
    once(from, [...at, 'from'], places, report);
  }
}

function checkRegions(failover: LocalityPolicy['failover'], path: ConfigPath, report: Report): void {
  const places = new Map<string, ConfigPath>();
  for (const [i, { from, to }] of failover.entries()) {
    const at = [...path, i];
    if (from === to) report.error([...at, 'to'], 'locality: failover from a region to itself; name another region');
    once(from, [...at, 'from'], places, report);
  }
}

/** The first that fits is taken, so a second is never looked at. */
function once(from: string, path: ConfigPath, places: Map<string, ConfigPath>, report: Report): void {
  const before = places.get(from);
  if (before === undefined) places.set(from, path);
  else report.error(path, `locality: ${report.show(path, from)} stands twice, first at ${report.place(before)}; keep one`);
}

function warnOfUnknownSelf(policy: LocalityPolicy, labelsPath: ConfigPath, path: ConfigPath, { self, report }: LocalityDeps): void {
  if (self === undefined) return;
  if ((self.locality ?? '') === '' && policy.failoverPriority.length === 0) {
    report.warn(
      path,
      'locality: it is not known where this process is, so no endpoint is near; add self: { locality: region/zone } at the top',
    );
  }
  for (const [i, label] of policy.failoverPriority.entries()) {
    // Those of the platform say the locality, which self has as such.
    if (label.includes('=') || label.startsWith('topology.') || self.labels?.[label] !== undefined) continue;
    const at = [...labelsPath, i];
    const shown = report.show(at, label);
    report.warn(at, `locality: self has no label ${shown}, so every endpoint misses it; add it to self.labels, or write label=value`);
  }
}
