// One policy written at several levels (defaults, service, route): the nearer level wins, key by key. Remembers which
// level said what, so that an issue can point at it.
import type { ConfigPath } from './issue.ts';

export interface Level<T> {
  readonly value: T | undefined;
  /** Where the policy stands at this level. */
  readonly path: ConfigPath;
}

export interface Merged<T> {
  readonly value: T;
  /** Index of the level that said it; -1 when no level did. */
  levelOf(key: keyof T & string): number;
  /** Where it was said; the nearest level when no level did. */
  pathOf(key: keyof T & string): ConfigPath;
}

/** The nearest level that says anything. */
export function nearestLevel<T>(levels: readonly Level<T>[]): number {
  return levels.findLastIndex((level) => level.value !== undefined);
}

/** Merges farthest first; `false` switches off what stands above it, and null means that it is off in the end. */
export function mergeLevels<T extends object>(levels: readonly Level<T | false>[]): Merged<T> | null {
  let value: Record<string, unknown> | null = {};
  let said = new Map<string, number>();
  for (const [index, level] of levels.entries()) {
    if (level.value === undefined) continue;
    if (level.value === false) {
      value = null;
      continue;
    }
    if (value === null) said = new Map();
    const merged: Record<string, unknown> = { ...value };
    for (const [key, own] of Object.entries(level.value)) {
      if (own === undefined) continue;
      merged[key] = isMapping(own) && isMapping(merged[key]) ? { ...merged[key], ...own } : own;
      said.set(key, index);
    }
    value = merged;
  }
  if (value === null) return null;
  return {
    value: value as T,
    levelOf: (key) => said.get(key) ?? -1,
    pathOf: (key) => pathOf(levels, said.get(key), key),
  };
}

/** One key of a policy, at the levels of the policy; where the policy is off, so is what is in it. */
export function levelsOf<T extends object, K extends keyof T & string>(
  levels: readonly Level<T | false>[],
  key: K,
): Level<Exclude<T[K], undefined> | false>[] {
  return levels.map(({ value, path }) => ({
    value: value === false ? false : (value?.[key] as Exclude<T[K], undefined> | undefined),
    path: [...path, key],
  }));
}

/** A policy that is off until somebody says otherwise: null. `true` is on, with what farther levels say. */
export function mergeOptional<T extends object>(levels: readonly Level<T | boolean>[]): Merged<T> | null {
  if (nearestLevel(levels) < 0) return null;
  return mergeLevels(levels.map(({ value, path }) => ({ value: value === true ? ({} as T) : value, path })));
}

function pathOf<T>(levels: readonly Level<T>[], index: number | undefined, key: string): ConfigPath {
  const level = levels[index ?? levels.length - 1] as Level<T>;
  return index === undefined ? level.path : [...level.path, key];
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
