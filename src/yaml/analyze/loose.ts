// Values of documents that nobody has checked yet: what is not of the wanted form counts as absent. For analyzers, which
// look at every document, those that could not be read included.
import type { Mapping } from '../resource.ts';
import { mappingOf } from '../resource.ts';

export { mappingOf };

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NOTHING;
}

const NOTHING: readonly unknown[] = Object.freeze([]);

/** '' for what is no text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((one): one is string => typeof one === 'string');
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** For messages: whatever it is, it does not throw. */
export function shownOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '?';
}

/** Keys whose value is a text. */
export function labelsOf(value: unknown): Readonly<Record<string, string>> {
  const labels = Object.create(null) as Record<string, string>;
  for (const [key, one] of Object.entries(mappingOf(value))) if (typeof one === 'string') labels[key] = one;
  return labels;
}

/** The mapping at the end of some keys; empty when there is none. */
export function within(value: unknown, ...keys: readonly string[]): Mapping {
  let found = mappingOf(value);
  for (const key of keys) found = mappingOf(found[key]);
  return found;
}
