// Matches of a delegate within those of the rule that delegates: each must be a part of one of them, to Istio's rule, which
// is not always that of logic. Source: Istio, mergeHTTPMatchRequests, hasConflict, stringMatchConflict.
import type { Origin } from '../draft.ts';
import type { HttpMatchSpec, StringMatches, StringMatchSpec } from './virtual-service-spec.ts';

/** A match and where it was written. */
export interface RuleMatch {
  readonly spec: HttpMatchSpec;
  readonly origin: Origin;
}

/** null: the delegate's rule asks for calls that the other does not have. */
export function mergeMatches(roots: readonly RuleMatch[], leaves: readonly RuleMatch[]): readonly RuleMatch[] | null {
  if (roots.length === 0) return leaves;
  if (leaves.length === 0) return roots;
  const merged: RuleMatch[] = [];
  for (const leaf of leaves) {
    const fitting = roots.filter((root) => !conflicts(root.spec, leaf.spec));
    if (fitting.length === 0) return null;
    merged.push(...fitting.map((root) => ({ spec: mergeMatch(root.spec, leaf.spec), origin: leaf.origin })));
  }
  return merged;
}

const MAPS = ['headers', 'withoutHeaders', 'queryParams', 'sourceLabels'] as const;

/** What the leaf says counts; names of both are there. */
function mergeMatch(root: HttpMatchSpec, leaf: HttpMatchSpec): HttpMatchSpec {
  const names = [root.name ?? '', leaf.name ?? ''].filter((name) => name !== '');
  const said = Object.entries(leaf).filter(([, value]) => value !== '' && value !== 0 && !isEmptyList(value));
  const maps = MAPS.filter((key) => root[key] !== undefined || leaf[key] !== undefined).map((key) => [key, { ...root[key], ...leaf[key] }]);
  return {
    ...root,
    ...Object.fromEntries(said),
    ...Object.fromEntries(maps),
    ...(names.length === 0 ? {} : { name: names.join('-') }),
    ignoreUriCase: leaf.ignoreUriCase ?? false,
  };
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function conflicts(root: HttpMatchSpec, leaf: HttpMatchSpec): boolean {
  if ((['uri', 'scheme', 'method', 'authority'] as const).some((key) => differ(root[key], leaf[key]))) return true;
  if ((['headers', 'withoutHeaders', 'queryParams'] as const).some((key) => namesDiffer(root[key], leaf[key]))) return true;
  if ((root.ignoreUriCase ?? false) !== (leaf.ignoreUriCase ?? false)) return true;
  if ((root.port ?? 0) > 0 && (leaf.port ?? 0) > 0 && root.port !== leaf.port) return true;
  if ((root.sourceNamespace ?? '') !== '' && leaf.sourceNamespace !== root.sourceNamespace) return true;
  const labels = root.sourceLabels ?? {};
  if (Object.entries(leaf.sourceLabels ?? {}).some(([key, value]) => Object.hasOwn(labels, key) && labels[key] !== value)) return true;
  const gateways = root.gateways ?? [];
  const wanted = leaf.gateways ?? [];
  return gateways.length > 0 && wanted.some((gateway) => !gateways.includes(gateway));
}

function namesDiffer(root: StringMatches = {}, leaf: StringMatches = {}): boolean {
  return Object.entries(leaf).some(([name, match]) => Object.hasOwn(root, name) && differ(root[name], match));
}

/** Whether the leaf may hold where the root does not. What cannot be told counts as if it did. */
function differ(root: StringMatchSpec | undefined, leaf: StringMatchSpec | undefined): boolean {
  if (root === undefined || leaf === undefined) return false;
  const isPattern = (match: StringMatchSpec): boolean => (match.regex ?? '') !== '';
  const saysMore = (match: StringMatchSpec): boolean => isPattern(match) || (match.prefix ?? '') !== '' || (match.exact ?? '') !== '';
  if ((isPattern(root) && saysMore(leaf)) || (isPattern(leaf) && saysMore(root))) return true;
  const { exact = '', prefix = '' } = root;
  if (exact !== '') return (leaf.prefix ?? '') !== '' || leaf.exact !== exact;
  const own = leaf.prefix || leaf.exact || '';
  return prefix === '' || own === '' || !own.startsWith(prefix);
}
