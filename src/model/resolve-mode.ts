// A policy that can follow the rule of one of several meshes. Each rule has keys of its own, so a level of another mode
// has nothing to say about it.
import type { ConfigPath } from './issue.ts';
import type { Report } from './report.ts';
import type { Level } from './resolve-levels.ts';

export interface Modes<M extends string> {
  /** Name of the policy, for people. */
  readonly policy: string;
  readonly fallback: M;
  /** What each mode takes, `mode` itself left out. */
  readonly keys: Readonly<Record<M, readonly string[]>>;
}

export interface ChosenMode<M extends string, T> {
  readonly mode: M;
  /** Those of other modes are empty. */
  readonly levels: readonly Level<T | false>[];
}

/** The nearest level that names a mode decides. A key of another mode than its level's is an issue. */
export function chooseMode<M extends string, T extends { readonly mode?: M }>(
  levels: readonly Level<T | false>[],
  modes: Modes<M>,
  report: Report,
): ChosenMode<M, T> {
  let mode = modes.fallback;
  let named: ConfigPath | null = null;
  const ofLevels = levels.map(({ value, path }) => {
    if (value === false) [mode, named] = [modes.fallback, null];
    else if (value !== undefined) {
      if (value.mode !== undefined) [mode, named] = [value.mode, [...path, 'mode']];
      checkKeys(value, path, mode, named, modes, report);
    }
    return mode;
  });
  const own = levels.map((level, i) =>
    level.value === undefined || level.value === false || ofLevels[i] === mode ? level : { value: {} as T, path: level.path },
  );
  return { mode, levels: own };
}

/** `named`: where the mode was written, null when nowhere. */
function checkKeys<M extends string>(
  value: object,
  path: ConfigPath,
  mode: M,
  named: ConfigPath | null,
  { policy, keys }: Modes<M>,
  report: Report,
): void {
  const allowed: readonly string[] = keys[mode];
  for (const [key, own] of Object.entries(value)) {
    if (own === undefined || key === 'mode' || allowed.includes(key)) continue;
    const owners = (Object.keys(keys) as M[]).filter((other) => keys[other].includes(key));
    const fix =
      named === null
        ? `which is not set; add it, or remove ${key}`
        : `but the mode is ${mode} (${report.place(named)}); change the mode, or remove ${key}`;
    report.error([...path, key], `${policy}: ${key} belongs to mode: ${owners.join(' or ')}, ${fix}`, { part: 'key', allowed });
  }
}
