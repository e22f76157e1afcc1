// The rules of a service as what they do to a call, in the form in which equal ones are alike: rules that are never
// reached left out, neighbours that do the same put together, shares instead of weights.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import type { MirrorPolicy } from '../../model/traffic.ts';
import { canonicalMatches, isEverything, type MatchSet, sharedBy, unionOf, withoutTaken } from './canonical-match.ts';
import { describeRoute, isAnswering, routeLabel, targetName } from './describe-route.ts';
import { defined, isPlainMap, type Plain, type PlainMap, plainKey } from './plain.ts';
import { canonicalRewrite } from './segment-rewrite.ts';

export interface CanonicalRoute {
  readonly route: RouteConfig;
  readonly service: ServiceConfig;
  /** Without the document that a reader has put before it. */
  readonly label: string;
  /** The same, when a person gave it; others are made from the place of the rule. */
  readonly name: string | undefined;
  readonly matches: MatchSet;
  /** What becomes of the calls, in the words of the concise form. */
  readonly action: PlainMap;
}

/** Readers number what has no name: `route-2`, `reviews-1`, `default/reviews/0`. */
const GENERATED_NAME = /^(?:default|no-route|\d+)$|-\d+$/;

export interface CanonicalOptions {
  /** Whether rules that are never asked are left out, and neighbours that do the same become one. */
  readonly merge: boolean;
  /** What a service is called; two configurations may call one service by two names. @default as it is */
  readonly nameOf?: (service: string) => string;
}

export function canonicalRoutes(service: ServiceConfig, { merge, nameOf = (name) => name }: CanonicalOptions): CanonicalRoute[] {
  const routes: CanonicalRoute[] = [];
  let taken: MatchSet = [];
  for (const route of service.routes) {
    const whole = canonicalMatches(route.matches);
    const matches = merge ? withoutTaken(whole, taken) : whole;
    if (matches.length === 0) continue;
    taken = [...taken, ...matches];
    const label = routeLabel(route);
    const name = GENERATED_NAME.test(label) ? undefined : label;
    const next: CanonicalRoute = { route, service, label, name, matches, action: actionOf(route, service, nameOf) };
    const last = routes.at(-1);
    if (merge && last !== undefined && doTheSame(last, next)) routes.splice(-1, 1, { ...last, matches: unionOf(last.matches, matches) });
    else routes.push(next);
    if (isEverything(matches)) break;
  }
  return hoisted(routes, merge);
}

/** A rule that does what an earlier one does stands there, when nothing in between would notice; that of another name only on demand. */
function hoisted(routes: readonly CanonicalRoute[], merge: boolean): CanonicalRoute[] {
  const kept: CanonicalRoute[] = [];
  for (const route of routes) {
    const at = kept.findIndex(
      (earlier, i) => (merge || earlier.label === route.label) && doTheSame(earlier, route) && isUnnoticed(route, kept, i),
    );
    if (at < 0) kept.push(route);
    else kept[at] = { ...(kept[at] as CanonicalRoute), matches: unionOf((kept[at] as CanonicalRoute).matches, route.matches) };
  }
  return kept;
}

/** What the rule shares with those behind the place is taken by those before them already. */
function isUnnoticed({ matches }: CanonicalRoute, kept: readonly CanonicalRoute[], at: number): boolean {
  const before = kept.slice(0, at + 1).flatMap((one) => one.matches);
  return kept.slice(at + 1).every((between) => withoutTaken(sharedBy(matches, between.matches), before).length === 0);
}

/** Rules with a bucket of their own stay apart. */
function doTheSame(a: CanonicalRoute, b: CanonicalRoute): boolean {
  if (a.name !== undefined && b.name !== undefined && a.name !== b.name) return false;
  return a.route.rateLimit === undefined && plainKey(a.action) === plainKey(b.action);
}

function actionOf(route: RouteConfig, service: ServiceConfig, nameOf: (service: string) => string): PlainMap {
  const { input, foreign } = describeRoute(withCanonicalParts(route, nameOf), service);
  const { name: _name, match: _match, fault, ...rest } = input;
  const conditions = Object.entries(foreign).filter(([path]) => !path.startsWith('match['));
  return defined({
    ...rest,
    to: isAnswering(route) ? undefined : sharesOf(route, nameOf),
    fault: isPlainMap(fault) && (fault.delay !== undefined || fault.abort !== undefined) ? fault : undefined,
    ...Object.fromEntries(conditions),
  });
}

function withCanonicalParts(route: RouteConfig, nameOf: (service: string) => string): RouteConfig {
  const { rewrite, redirect, fault } = route;
  const mirrors = route.mirrors
    .filter(({ percent, of }) => percent > 0 && (of === undefined || isDrawn(of, route)))
    .map((mirror): MirrorPolicy => {
      const { of, target, ...rest } = mirror;
      const isOfAll =
        of === undefined ||
        route.targets.every((one) => (one.fails === undefined && targetName(one) === targetName(of)) || one.weight === 0);
      const named = { ...rest, target: { ...target, service: nameOf(target.service) } };
      return isOfAll ? named : { ...named, of: { ...of, service: nameOf(of.service) } };
    });
  const { delay, abort, ...more } = fault ?? { delay: undefined, abort: undefined };
  return {
    ...route,
    targets: route.targets.map((target) => ({ ...target, service: nameOf(target.service) })),
    mirrors: mirrors.toSorted((a, b) => (targetName(a.target) < targetName(b.target) ? -1 : 1)),
    ...(rewrite?.path === undefined ? {} : { rewrite: { ...rewrite, path: canonicalRewrite(rewrite.path) } }),
    ...(redirect?.path === undefined ? {} : { redirect: { ...redirect, path: canonicalRewrite(redirect.path) } }),
    ...(fault === undefined
      ? {}
      : {
          // What hits no call is no fault.
          fault: {
            ...(more as typeof fault),
            ...(delay === undefined || delay.percent === 0 ? {} : { delay }),
            ...(abort === undefined || abort.percent === 0 ? {} : { abort }),
          },
        }),
  };
}

function isDrawn(of: NonNullable<MirrorPolicy['of']>, { targets }: RouteConfig): boolean {
  return targets.some(
    (target) => target.fails === undefined && targetName(target) === targetName(of) && (target.weight > 0 || targets.length === 1),
  );
}

/** Percent, rounded to a billionth; what is never drawn is left out. */
function sharesOf({ targets }: RouteConfig, nameOf: (service: string) => string): Plain {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  const shares: Record<string, number> = {};
  for (const target of targets) {
    const share = targets.length === 1 ? 100 : (target.weight / total) * 100;
    if (share === 0) continue;
    const name = target.fails === undefined ? targetName({ ...target, service: nameOf(target.service) }) : `fails ${target.fails.status}`;
    shares[name] = Math.round(((shares[name] ?? 0) + share) * 1e7) / 1e7;
  }
  return shares;
}
