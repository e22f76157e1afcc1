// Single values that the schema has accepted: words become numbers. Also the checks of numbers that belong together.
import { parseBytes } from './bytes.ts';
import { parseDuration } from './duration.ts';
import type { BytesInput, DurationInput, PercentageInput, StatusRangeInput } from './input-scalar.ts';
import { parseInstant } from './instant.ts';
import type { Report } from './report.ts';
import type { Merged } from './resolve-levels.ts';
import type { StatusRange } from './status-range.ts';
import { parseStatusRange } from './status-range.ts';

export function toMs(value: DurationInput | undefined, defaultMs: number): number {
  if (value === undefined) return defaultMs;
  return typeof value === 'number' ? value : (parseDuration(value) ?? defaultMs);
}

export function toBytes(value: BytesInput | undefined, defaultBytes: number): number {
  if (value === undefined) return defaultBytes;
  return typeof value === 'number' ? value : (parseBytes(value) ?? defaultBytes);
}

export function toPercent(value: PercentageInput): number {
  return typeof value === 'number' ? value : value.value;
}

/** ms since 1970. */
export function toInstantMs(value: string | number | undefined, defaultMs: number): number {
  if (value === undefined) return defaultMs;
  return typeof value === 'number' ? value : (parseInstant(value) ?? defaultMs);
}

export function toStatusRanges<D>(value: readonly StatusRangeInput[] | undefined, defaultRanges: D): readonly StatusRange[] | D {
  if (value === undefined) return defaultRanges;
  return value.map((one) => (typeof one === 'number' ? [one, one] : (parseStatusRange(one) ?? [0, 0])));
}

/** Names of headers in lower case, each once. */
export function toHeaderNames(names: readonly string[] | undefined, defaultNames: readonly string[]): readonly string[] {
  return names === undefined ? defaultNames : [...new Set(names.map((name) => name.toLowerCase()))];
}

/** Complains of two values that are the wrong way round, at the one that was written. */
export function checkOrder<T extends object>(
  policy: string,
  merged: Merged<T>,
  low: readonly [key: keyof T & string, value: number],
  high: readonly [key: keyof T & string, value: number],
  report: Report,
): void {
  if (low[1] <= high[1]) return;
  const at = merged.levelOf(high[0]) >= merged.levelOf(low[0]) ? high[0] : low[0];
  report.error(merged.pathOf(at), `${policy}: ${high[0]} is below ${low[0]}; raise ${high[0]} or lower ${low[0]}`);
}

export interface Limits {
  readonly min: number;
  readonly initial: number;
  readonly max: number;
}

/** A limit that moves: what is not written makes room for what is. */
export function resolveRange<T extends object>(
  policy: string,
  merged: Merged<T>,
  keys: Readonly<Record<keyof Limits, keyof T & string>>,
  defaults: Limits,
  report: Report,
): Limits {
  const written = (key: keyof Limits): number | undefined => merged.value[keys[key]] as number | undefined;
  const highest = Math.max(written('min') ?? 0, written('initial') ?? 0);
  const max = written('max') ?? Math.max(defaults.max, highest);
  const min = written('min') ?? Math.min(defaults.min, max, written('initial') ?? max);
  const initial = written('initial') ?? Math.min(Math.max(defaults.initial, min), max);
  checkOrder(policy, merged, [keys.min, min], [keys.max, max], report);
  if (min <= max) {
    checkOrder(policy, merged, [keys.min, min], [keys.initial, initial], report);
    checkOrder(policy, merged, [keys.initial, initial], [keys.max, max], report);
  }
  return { min, initial, max };
}
