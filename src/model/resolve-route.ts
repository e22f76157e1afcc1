// Routes of a service: targets that exist, weights that can be drawn, headers that can be sent; the rule that matches
// everything comes last.
import type { RouteConfig } from './config.ts';
import type { RetriesInput } from './input-policy.ts';
import type { HeaderOperationsInput, RouteInput } from './input.ts';
import type { ConfigPath } from './issue.ts';
import { formatPath } from './issue.ts';
import { nearest } from './nearest.ts';
import type { Report } from './report.ts';
import type { Level } from './resolve-levels.ts';
import type { MatchDeps } from './resolve-match.ts';
import { exactlyOne, lowerKeys, matchesEverything, resolveMatch } from './resolve-match.ts';
import { resolveRetries, toMs } from './resolve-policy.ts';
import type { HeaderOperations, RouteTarget, StickyPolicy } from './route.ts';

export interface RouteDeps extends MatchDeps {
  readonly service: string;
  /** Subset names of every service; null where the service itself has faults. */
  readonly services: ReadonlyMap<string, ReadonlySet<string> | null>;
  /** `retries` at the levels above the route. */
  readonly retryLevels: readonly Level<RetriesInput | false>[];
  /** What the service says, ms, and at which level (-1: nowhere). */
  readonly timeoutMs: number;
  readonly timeoutLevel: number;
}

/** Set by the transport, framing or routing of a message; changing them would break or smuggle it. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function resolveRoutes(inputs: readonly RouteInput[], path: ConfigPath, deps: RouteDeps): RouteConfig[] {
  const routes: RouteConfig[] = [];
  const places = new Map<string, ConfigPath>();
  let everything: ConfigPath | null = null;
  for (const [index, input] of inputs.entries()) {
    const at = [...path, index];
    const route = resolveRoute(input, index, at, deps);
    const before = places.get(route.name);
    if (before !== undefined) {
      deps.report.error(
        [...at, 'name'],
        `route name ${deps.report.show([...at, 'name'], route.name)} stands twice in service "${deps.service}", first at ${deps.report.place(before)}`,
      );
    }
    places.set(route.name, at);
    if (everything !== null) {
      deps.report.warn(
        at,
        `this route is never reached: the one at ${deps.report.place(everything)} matches every call; move it up or remove it`,
      );
    } else if (route.matches.length === 0) everything = at;
    routes.push(route);
  }
  if (everything === null) routes.push(catchAll(deps.service, places));
  return routes;
}

/** What no rule of the user matches goes to the whole service. */
function catchAll(service: string, taken: ReadonlyMap<string, unknown>): RouteConfig {
  let name = 'default';
  for (let i = 2; taken.has(name); i++) name = `default-${i}`;
  return { name, dialect: 'inmesh', matches: [], targets: [{ service, weight: 1 }] };
}

function resolveRoute(input: RouteInput, index: number, path: ConfigPath, deps: RouteDeps): RouteConfig {
  const { report } = deps;
  const source = report.position(path);
  const sticky = input.sticky === undefined ? undefined : resolveSticky(input.sticky, [...path, 'sticky'], report);
  return {
    name: input.name ?? `route-${index + 1}`,
    dialect: 'inmesh',
    matches: resolveMatches(input, [...path, 'match'], deps),
    targets: resolveTargets(input.to, [...path, 'to'], deps),
    ...(input.timeout === undefined ? {} : { timeoutMs: toMs(input.timeout, 0) }),
    ...routeRetries(input, sticky !== undefined, path, deps),
    ...(sticky === undefined ? {} : { sticky }),
    ...(input.headers?.request === undefined
      ? {}
      : { requestHeaders: resolveHeaders(input.headers.request, [...path, 'headers', 'request'], report) }),
    ...(input.headers?.response === undefined
      ? {}
      : { responseHeaders: resolveHeaders(input.headers.response, [...path, 'headers', 'response'], report) }),
    ...(source === undefined ? {} : { source }),
  };
}

/** One alternative that matches everything makes the others idle: no match is left, as config.ts says it. */
function resolveMatches(input: RouteInput, path: ConfigPath, deps: RouteDeps): RouteConfig['matches'] {
  const { match } = input;
  if (match === undefined) return [];
  const matches = Array.isArray(match)
    ? (match as readonly Parameters<typeof resolveMatch>[0][]).map((one, i) => resolveMatch(one, [...path, i], deps))
    : [resolveMatch(match as Parameters<typeof resolveMatch>[0], path, deps)];
  return matches.some(matchesEverything) ? [] : matches;
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
  if (perTryLevel < 0 || perTryLevel < timeoutLevel || perTryMs <= timeoutMs) return;
  report.warn(
    perTryPath,
    'perTryTimeout is longer than the timeout of the whole call, so it never takes effect; lower it or raise timeout',
  );
}

function resolveTargets(to: RouteInput['to'], path: ConfigPath, deps: RouteDeps): RouteTarget[] {
  if (to === undefined) return [{ service: deps.service, weight: 1 }];
  if (typeof to === 'string') return [{ ...resolveTarget(to, path, 'value', deps), weight: 1 }];
  const targets: RouteTarget[] = [];
  const taken = new Set<string>();
  let sum = 0;
  for (const [key, weight] of Object.entries(to)) {
    const at = [...path, key];
    const target = resolveTarget(key, at, 'key', deps);
    const destination = `${target.service}/${target.subset ?? ''}`;
    if (taken.has(destination)) {
      deps.report.error(at, `"${key}" names a destination that this route already has; keep one weight`, { part: 'key' });
    }
    taken.add(destination);
    targets.push({ ...target, weight });
    sum += weight;
  }
  if (!(sum > 0)) deps.report.error(path, 'the weights sum to 0, so no call could be sent; give at least one a weight above 0');
  return targets;
}

/** A subset of this service first, then a service, then `service/subset`. */
function resolveTarget(text: string, path: ConfigPath, part: 'key' | 'value', deps: RouteDeps): { service: string; subset?: string } {
  const { report, service, services } = deps;
  const own = services.get(service);
  if (own?.has(text) === true) return { service, subset: text };
  if (services.has(text)) return { service: text };
  const slash = text.indexOf('/');
  const name = slash < 0 ? service : text.slice(0, slash);
  const subset = text.slice(slash + 1);
  const subsets = services.get(name);
  // A service with faults of its own may well have the subset.
  if (subsets === null || subsets?.has(subset) === true) return { service: name, subset };
  if (report.isFull) return { service };
  const shown = report.show(path, text);
  const allowed = [
    ...(own ?? []),
    ...services.keys(),
    ...[...services].flatMap(([other, of]) => [...(of ?? [])].map((one) => `${other}/${one}`)),
  ];
  const missing = slash < 0 ? `neither a subset of service "${service}" nor a service` : `not a subset of a service`;
  report.error(path, `${shown} is ${missing}`, { part, suggestion: report.isSecret(path) ? undefined : nearest(text, allowed), allowed });
  return { service };
}

function resolveSticky(input: NonNullable<RouteInput['sticky']>, path: ConfigPath, report: Report): StickyPolicy | undefined {
  const kind = exactlyOne(input, ['header', 'cookie'], path, report);
  if (kind === undefined) return undefined;
  return kind === 'header' ? { header: (input.header as string).toLowerCase() } : { cookie: input.cookie as string };
}

function resolveHeaders(input: HeaderOperationsInput, path: ConfigPath, report: Report): HeaderOperations {
  const check = (name: string, at: ConfigPath, part: 'key' | 'value'): void => {
    if (!RESERVED_HEADERS.has(name.toLowerCase())) return;
    report.error(at, `${formatPath(path)} must not touch ${report.show(at, name)}: the connection sets it`, { part });
  };
  const values = (of: 'set' | 'add'): Record<string, string> =>
    lowerKeys(input[of], [...path, of], report, (value, at) => {
      check(String(at.at(-1)), at, 'key');
      return value;
    });
  const remove = (input.remove ?? []).map((name, i) => {
    check(name, [...path, 'remove', i], 'value');
    return name.toLowerCase();
  });
  return { set: values('set'), add: values('add'), remove };
}
