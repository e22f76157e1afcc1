// Routes of a service: targets that exist, weights that can be drawn, headers that can be sent; the rule that matches
// everything comes last.
import type { RouteConfig } from './config.ts';
import type { RetriesInput } from './input-policy.ts';
import type { MatchInput } from './input-match.ts';
import type { RouteInput } from './input.ts';
import type { ConfigPath } from './issue.ts';
import type { Report } from './report.ts';
import { resolveHeaders } from './resolve-headers.ts';
import type { Level } from './resolve-levels.ts';
import { exactlyOne, matchesEverything, resolveMatch } from './resolve-match.ts';
import { resolveRetries } from './resolve-policy.ts';
import { checkAnswering, resolveDirectResponse, resolveRewrites } from './resolve-rewrite.ts';
import { toMs } from './resolve-scalar.ts';
import { resolveTargets } from './resolve-target.ts';
import type { TrafficDeps } from './resolve-traffic.ts';
import { resolveTraffic } from './resolve-traffic.ts';
import type { RouteMatch, StickyPolicy } from './route.ts';

export interface RouteDeps extends TrafficDeps {
  /** `retries` at the levels above the route. */
  readonly retryLevels: readonly Level<RetriesInput | false>[];
  /** What the service says, ms, and at which level (-1: nowhere). */
  readonly timeoutMs: number;
  readonly timeoutLevel: number;
}

/** `places`: where each was written, when that is not in the list at `path`. */
export function resolveRoutes(
  inputs: readonly RouteInput[],
  path: ConfigPath,
  deps: RouteDeps,
  places: readonly ConfigPath[] = inputs.map((_, index) => [...path, index]),
): RouteConfig[] {
  const routes: RouteConfig[] = [];
  const names = takenNames(inputs, places, deps);
  let everything: ConfigPath | null = null;
  for (const [index, input] of inputs.entries()) {
    const at = places[index] as ConfigPath;
    const expanded = resolveRoute(input, index, at, deps);
    if (everything !== null) {
      deps.report.warn(
        at,
        `this route is never reached: the one at ${deps.report.place(everything)} matches every call; move it up or remove it`,
      );
    } else if (expanded.some(({ matches }) => matches.length === 0)) everything = at;
    routes.push(...expanded.map((route, i) => (i === 0 ? route : { ...route, name: freeName(route.name, names) })));
  }
  if (everything === null) routes.push(catchAll(deps.service, names));
  return routes;
}

/** Of all rules; a name that stands twice is an issue. */
function takenNames(inputs: readonly RouteInput[], paths: readonly ConfigPath[], { report, service }: RouteDeps): Set<string> {
  const places = new Map<string, ConfigPath>();
  for (const [index, input] of inputs.entries()) {
    const at = paths[index] as ConfigPath;
    const name = nameOf(input, index);
    const before = places.get(name);
    if (before === undefined) places.set(name, at);
    else {
      const shown = report.show([...at, 'name'], name);
      report.error([...at, 'name'], `route name ${shown} stands twice in service "${service}", first at ${report.place(before)}`);
    }
  }
  return new Set(places.keys());
}

function nameOf(input: RouteInput, index: number): string {
  return input.name ?? `route-${index + 1}`;
}

/** `name-2`, `name-3`, …; taken from then on. */
function freeName(name: string, taken: Set<string>): string {
  let i = 2;
  while (taken.has(`${name}-${i}`)) i++;
  taken.add(`${name}-${i}`);
  return `${name}-${i}`;
}

/** What no rule of the user matches goes to the whole service. */
function catchAll(service: string, taken: Set<string>): RouteConfig {
  const name = taken.has('default') ? freeName('default', taken) : 'default';
  return { name, dialect: 'inmesh', matches: [], targets: [{ service, weight: 1 }], mirrors: [], idempotent: false };
}

/** One rule, or several that differ in what a prefix becomes. */
function resolveRoute(input: RouteInput, index: number, path: ConfigPath, deps: RouteDeps): RouteConfig[] {
  const { report } = deps;
  const source = report.position(path);
  const { request, response } = input.headers ?? {};
  checkAnswering(input, path, report);
  const sticky = input.sticky === undefined ? undefined : resolveSticky(input.sticky, [...path, 'sticky'], report);
  const groups = resolveRewrites(input, resolveMatches(input.match, [...path, 'match'], deps), path, deps);
  if (groups.length > 1 && input.rateLimit !== undefined) {
    report.warn(
      [...path, 'rateLimit'],
      `rateLimit: this route replaces ${groups.length} prefixes, and each has a bucket of its own; write a route for each to say how large`,
    );
  }
  const targets = resolveTargets(input.to, [...path, 'to'], deps);
  const route: Omit<RouteConfig, 'matches'> = {
    name: nameOf(input, index),
    dialect: 'inmesh',
    targets,
    ...(input.timeout === undefined ? {} : { timeoutMs: toMs(input.timeout, 0) }),
    ...routeRetries(input, sticky !== undefined, path, deps),
    ...(sticky === undefined ? {} : { sticky }),
    ...(request === undefined ? {} : { requestHeaders: resolveHeaders(request, [...path, 'headers', 'request'], report) }),
    ...(response === undefined ? {} : { responseHeaders: resolveHeaders(response, [...path, 'headers', 'response'], report) }),
    ...resolveTraffic(input, path, targets, deps),
    ...(input.directResponse === undefined
      ? {}
      : { directResponse: resolveDirectResponse(input.directResponse, [...path, 'directResponse'], report) }),
    ...(source === undefined ? {} : { source }),
  };
  return groups.map(({ matches, ...rewrites }) => ({ ...route, matches: matches.some(matchesEverything) ? [] : matches, ...rewrites }));
}

/** As written; one that matches everything makes the others idle, and then none is left in the end, as config.ts says it. */
function resolveMatches(match: RouteInput['match'], path: ConfigPath, deps: RouteDeps): RouteMatch[] {
  if (match === undefined) return [];
  return isList(match) ? match.map((one, i) => resolveMatch(one, [...path, i], deps)) : [resolveMatch(match, path, deps)];
}

function isList(match: MatchInput | readonly MatchInput[]): match is readonly MatchInput[] {
  return Array.isArray(match);
}

function routeRetries(input: RouteInput, isSticky: boolean, path: ConfigPath, deps: RouteDeps): { retries?: RouteConfig['retries'] & {} } {
  const timeoutLevel = input.timeout === undefined ? deps.timeoutLevel : deps.retryLevels.length;
  const timeoutMs = toMs(input.timeout, deps.timeoutMs);
  if (input.retries === undefined && !isSticky) return {};
  const resolved = resolveRetries([...deps.retryLevels, { value: input.retries, path: [...path, 'retries'] }], deps.report);
  const { policy, perTryLevel } = resolved;
  warnOfPerTry(policy.perTryTimeoutMs, perTryLevel, resolved.perTryPath, timeoutMs, timeoutLevel, deps.report);
  // The same key must keep drawing the same target, unless the route itself says otherwise.
  const stays = isSticky && resolved.acrossLevel !== deps.retryLevels.length;
  return { retries: stays ? { ...policy, acrossSubsets: false } : policy };
}

/** A short timeout under an inherited perTryTimeout is nothing odd; a perTryTimeout written beside or below the timeout is. */
export function warnOfPerTry(
  perTryMs: number,
  perTryLevel: number,
  perTryPath: ConfigPath,
  timeoutMs: number,
  timeoutLevel: number,
  report: Report,
): void {
  if (perTryLevel < 0 || perTryLevel < timeoutLevel || timeoutMs === 0 || perTryMs <= timeoutMs) return;
  report.warn(
    perTryPath,
    'perTryTimeout is longer than the timeout of the whole call, so it never takes effect; lower it or raise timeout',
  );
}

function resolveSticky(input: NonNullable<RouteInput['sticky']>, path: ConfigPath, report: Report): StickyPolicy | undefined {
  const kind = exactlyOne(input, ['header', 'cookie'], path, report);
  if (kind === undefined) return undefined;
  return kind === 'header' ? { header: (input.header as string).toLowerCase() } : { cookie: input.cookie as string };
}
