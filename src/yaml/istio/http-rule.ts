// The rules of a VirtualService in their order, those of delegates put in their place, each piece with the place where it
// was written. Source: Istio, mergeVirtualServices, MergeHTTPRoutes.
import type { ConfigPath } from '../../model/issue.ts';
import { settle } from '../bind-deps.ts';
import type { Origin } from '../draft.ts';
import { describePosition, fullName, positionIn, type Resource } from '../resource.ts';
import type { World } from '../world.ts';
import { mergeMatches, type RuleMatch } from './merge-match.ts';
import type { HttpRouteSpec, VirtualServiceSpec } from './virtual-service-spec.ts';
import { isVisibleTo } from './visibility.ts';

export interface HttpRule {
  /** Whole. Delegates have no word in it of their own, but by `origins`. */
  readonly spec: Omit<HttpRouteSpec, 'match' | 'delegate'>;
  readonly matches: readonly RuleMatch[];
  /** Of the rule. */
  readonly origin: Origin;
  /** Fields that were written by somebody else than `origin`: those that a delegate took over. */
  readonly origins: ReadonlyMap<keyof HttpRouteSpec, Origin>;
  /** Stands for the rule where it has no name. */
  readonly index: string;
}

export interface RuleDeps {
  readonly world: World;
  readonly lenient: boolean;
}

export const GROUP = 'networking.istio.io';

/** Fields that a rule and the delegate's rule may both have: that of the delegate counts. */
const TAKEN_OVER = [
  'rewrite',
  'directResponse',
  'timeout',
  'retries',
  'fault',
  'mirror',
  'mirrorPercent',
  'mirror_percent',
  'mirrorPercentage',
  'corsPolicy',
  'mirrors',
  'headers',
] as const;

/** Where a field of the rule stands. */
export function originOf({ origin, origins }: HttpRule, field: keyof HttpRouteSpec): Origin {
  const { resource, path } = origins.get(field) ?? origin;
  return { resource, path: [...path, field] };
}

export function rulesOf(resource: Resource, deps: RuleDeps): HttpRule[] {
  return rulesIn(resource).flatMap((rule, i) => {
    const delegate = (httpOf(resource)[i] as HttpRouteSpec).delegate;
    return delegate === undefined ? [rule] : delegated(rule, delegate, deps);
  });
}

function httpOf(resource: Resource): readonly HttpRouteSpec[] {
  return (resource.spec as VirtualServiceSpec).http ?? [];
}

function rulesIn(resource: Resource): HttpRule[] {
  return httpOf(resource).map(({ match = [], delegate: _delegate, ...spec }, i) => {
    const path: ConfigPath = ['spec', 'http', i];
    const matches = match.map((one, j) => ({ spec: one, origin: { resource, path: [...path, 'match', j] } }));
    return { spec, matches, origin: { resource, path }, origins: new Map(), index: String(i + 1) };
  });
}

/** One rule for each of the delegate that asks for no more than this one does; others are dropped. */
function delegated(root: HttpRule, { name = '', namespace = '' }: NonNullable<HttpRouteSpec['delegate']>, deps: RuleDeps): HttpRule[] {
  const { resource } = root.origin;
  const at: Origin = { resource, path: [...root.origin.path, 'delegate'] };
  const own = namespace === '' ? resource.namespace : namespace;
  const found = deps.world.get(GROUP, 'VirtualService', own, name);
  if (found === undefined || ((found.spec as VirtualServiceSpec).hosts ?? []).length > 0) {
    const why = found === undefined ? 'there is none' : 'it has hosts, and a delegate has none';
    settle(deps, at, `the delegate ${own}/${name} cannot be had: ${why}; calls of this rule go on to the next`, 'IST0101');
    return [];
  }
  if (!isVisibleTo(resource.namespace, found.spec as VirtualServiceSpec, found.namespace)) {
    settle(
      deps,
      at,
      `the delegate ${fullName(found)} is not exported to ${resource.namespace}; calls of this rule go on to the next`,
      'IST0101',
    );
    return [];
  }
  return rulesIn(found).flatMap((rule) => {
    const matches = mergeMatches(root.matches, rule.matches);
    if (matches !== null) return [taken(root, rule, matches)];
    const place = describePosition(positionIn(resource, root.origin.path));
    const message = `this rule asks for calls that the rule which delegates to it (${place}) does not have, so it is dropped`;
    settle(deps, rule.origin, message, 'INM0012');
    return [];
  });
}

function taken(root: HttpRule, rule: HttpRule, matches: readonly RuleMatch[]): HttpRule {
  const spec: Record<string, unknown> = { ...rule.spec };
  const origins = new Map<keyof HttpRouteSpec, Origin>();
  for (const field of TAKEN_OVER) {
    if (spec[field] !== undefined || root.spec[field] === undefined) continue;
    spec[field] = root.spec[field];
    origins.set(field, root.origin);
  }
  const names = [root.spec.name ?? '', rule.spec.name ?? ''].filter((name) => name !== '');
  if (names.length > 0) spec.name = names.join('-');
  return { ...rule, spec: spec as HttpRule['spec'], matches, origins, index: `${root.index}-${rule.index}` };
}
