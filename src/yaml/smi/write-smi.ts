// From any configuration to SMI: a TrafficSplit for a service whose calls are shared out, and the HTTPRouteGroup that says
// which of them. There is one split for a service, and it knows nothing but weights, paths, methods and headers.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import type { PathMatch, RouteMatch, StringMatch } from '../../model/route.ts';
import type { LossScope } from '../losses.ts';
import { describeMatch } from '../write/describe-match.ts';
import { describeRoute, isAnswering, targetName } from '../write/describe-route.ts';
import { describePolicies } from '../write/describe-service.ts';
import { reportMesh } from '../write/mesh-losses.ts';
import type { Plain, PlainMap } from '../write/plain.ts';
import { reportPolicies as reportOther } from '../write/policy-losses.ts';
import { escapePattern } from '../write/segment-rewrite.ts';
import { ServiceBackends } from '../write/service-backends.ts';
import { splitOf } from '../write/service-place.ts';
import { wholeWeights } from '../write/whole-weights.ts';
import { areRoutesSettled, type DialectWriter, type MadeResource, unsaidFields, type WriteContext, type Written } from '../write/writer.ts';
import { ACCESS_GROUP, type HttpMatchSpec, SPECS_GROUP, SPLIT_GROUP, type TrafficSplitSpec } from './smi-spec.ts';

export const smiWriter: DialectWriter = { groups: [SPLIT_GROUP, SPECS_GROUP, ACCESS_GROUP, ''], write };

const VERSION = 'v1alpha4';
const WHY = 'SMI knows weights, paths, methods and headers';

function write(context: WriteContext): Written {
  reportMesh(context, {
    mesh: 'SMI',
    inbound: 'a TrafficTarget says who may call; how connections are encrypted is left to the mesh',
    unknownHosts: 'SMI does not say what becomes of strangers',
  });
  const backends = new ServiceBackends(context);
  const made: MadeResource[] = [];
  for (const service of Object.values(context.config.services)) {
    if (splitOf(service) !== null || backends.refuses(service)) continue;
    made.push(...backends.service(service), ...writeSplit(service, backends, context));
    reportPolicies(service, context);
  }
  return { made: [...made, ...backends.subsets()], edits: [] };
}

/** All that a service has beside its endpoints is left to the mesh. */
function reportPolicies(service: ServiceConfig, context: WriteContext): void {
  const report = context.report.ofService(service);
  const unsaid = new Set<string>(unsaidFields(service, context));
  if (unsaid.size > 0) report.approximated([...unsaid], 'nobody wrote any', '', 'left to the mesh');
  const { input } = describePolicies(service);
  for (const [key, value] of Object.entries(input)) {
    if (unsaid.has(key) || key === 'timeout' || key === 'retries') continue;
    report.lost(key, value, `${WHY}, and no other policy`);
  }
  reportOther(service, { connections: WHY }, report);
}

function writeSplit(service: ServiceConfig, backends: ServiceBackends, context: WriteContext): MadeResource[] {
  const { report } = context;
  const { name, namespace } = backends.placeOf(service);
  const to = `TrafficSplit ${name}`;
  if (areRoutesSettled(service, to, context)) return [];
  const last = service.routes.findIndex(({ matches }) => matches.length === 0);
  // Rules behind one that takes every call are never asked.
  const routes = last < 0 ? service.routes : service.routes.slice(0, last + 1);
  const chosen = chooseRoute(routes, service);
  const made: MadeResource[] = [];
  for (const route of routes) {
    const scope = report.ofRoute(service, route);
    if (route !== chosen) {
      if (isRoot(route, service)) scope.kept('to', service.name, `${to}: what it does not match goes to ${name}`);
      else scope.lost('', describeMatchOf(route), 'SMI has one split for a service; its calls go by that, or to the service itself');
      if (isRoot(route, service)) {
        scope.approximated('name', route.name, to, 'what a split does not match has no name');
        reportRest(route, service, scope);
      }
      continue;
    }
    const how = 'the split is named after its service';
    scope.approximated('name', route.name, to, how);
    report.ofService(service).approximated(`routes[${name}]`, route.name, to, how);
    made.push(
      ...splitDocuments(route, { name, namespace, port: backends.backendOf({ service: service.name }).port, to, backends, report: scope }),
    );
    reportRest(route, service, scope);
  }
  return made;
}

/** A rule that shares out all calls, else the first that can be said. */
function chooseRoute(routes: readonly RouteConfig[], service: ServiceConfig): RouteConfig | undefined {
  const sending = routes.filter((route) => !isAnswering(route) && !isToItself(route, service));
  const all = sending.find(({ matches }) => matches.length === 0);
  const sayable = sending.find(({ matches }) => matches.length > 0 && matches.some((match) => writeMatch(match, '') !== null));
  // What it does not match must go to the service itself.
  const rest = routes.at(-1);
  return rest !== undefined && isRoot(rest, service) ? (sayable ?? all) : (all ?? sayable);
}

/** What a split does not match goes there anyway. */
function isToItself(route: RouteConfig, { name }: ServiceConfig): boolean {
  const [only, second] = route.targets;
  return second === undefined && only?.service === name && only.subset === undefined && only.fails === undefined;
}

function isRoot(route: RouteConfig, service: ServiceConfig): boolean {
  return route.matches.length === 0 && !isAnswering(route) && isToItself(route, service);
}

function describeMatchOf({ matches }: RouteConfig): Plain {
  return matches.length === 0 ? 'every call' : matches.map((match) => describeMatch(match).input);
}

interface SplitDeps {
  readonly name: string;
  readonly namespace: string;
  readonly port: number;
  readonly to: string;
  readonly backends: ServiceBackends;
  readonly report: LossScope;
}

function splitDocuments(route: RouteConfig, { name, namespace, port, to, backends, report }: SplitDeps): MadeResource[] {
  const { weights, isExact } = wholeWeights(route.targets.map(({ weight }) => weight));
  const shares = Object.fromEntries(route.targets.map((target) => [targetName(target), target.weight]));
  const hasSubset = route.targets.some(({ subset }) => subset !== undefined);
  if (isExact && !hasSubset) report.kept('to', shares, `${to}: backends`);
  else report.approximated('to', shares, `${to}: backends`, isExact ? 'a Service for each subset' : 'weights are whole numbers');
  const ports = new Set([port, ...route.targets.map((target) => backends.backendOf(target).port)]);
  if (ports.size > 1) report.lost('to', shares, `a backend needs the port of the service, ${port}, to get its share`);
  const group = `${name}-calls`;
  const matches = route.matches.flatMap((match, i): HttpMatchSpec[] => {
    const said = writeMatch(match, `match-${i + 1}`);
    if (said === null) report.lost(['match', ''], describeMatch(match).input, `left out: ${WHY}`);
    return said === null ? [] : [said];
  });
  if (route.matches.length > 0)
    report.approximated('match', describeMatchOf(route), `HTTPRouteGroup ${group}`, 'paths and headers as regular expressions');
  for (const target of route.targets) {
    const { requestHeaders, responseHeaders, rewrite, redirect, fails } = target;
    if ((requestHeaders ?? responseHeaders ?? rewrite ?? redirect) !== undefined) report.lost(`to[${targetName(target)}]`, 'changes', WHY);
    if (fails !== undefined)
      report.approximated(
        [`to[${targetName(target)}].fails`, 'to'],
        fails.status,
        `${to}: backends`,
        `a backend that is not there: ${fails.reason}`,
      );
  }
  const spec: TrafficSplitSpec = {
    service: name,
    backends: route.targets.map((target, i) => ({
      service: backends.backendOf(target).name,
      weight: route.targets.length === 1 ? 1 : (weights[i] ?? 0),
    })),
    ...(matches.length === 0 ? {} : { matches: [{ kind: 'HTTPRouteGroup', name: group }] }),
  };
  const split = {
    apiVersion: `${SPLIT_GROUP}/${VERSION}`,
    kind: 'TrafficSplit',
    name,
    namespace,
    parts: { spec: spec as unknown as PlainMap },
  };
  if (matches.length === 0) return [split];
  return [
    {
      apiVersion: `${SPECS_GROUP}/${VERSION}`,
      kind: 'HTTPRouteGroup',
      name: group,
      namespace,
      parts: { spec: { matches: matches as unknown as Plain } },
    },
    split,
  ];
}

/** null: it cannot be said. */
function writeMatch(match: RouteMatch, name: string): HttpMatchSpec | null {
  const { path, method, headers, withoutHeaders = {}, queryParams, scheme, authority, port } = match;
  if ((scheme ?? authority ?? port) !== undefined || Object.keys(queryParams).length + Object.keys(withoutHeaders).length > 0) return null;
  const methods = method === undefined ? [] : writeMethods(method);
  const pathRegex = path === undefined ? '' : writePath(path);
  if (methods === null || pathRegex === null) return null;
  const said: Record<string, string> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (value.invert) return null;
    said[header] =
      value.kind === 'present'
        ? '.*'
        : value.kind === 'regex'
          ? value.value
          : `${escapePattern(value.value)}${value.kind === 'prefix' ? '.*' : ''}`;
  }
  return {
    name,
    ...(methods.length === 0 ? {} : { methods }),
    ...(pathRegex === '' ? {} : { pathRegex }),
    ...(Object.keys(said).length === 0 ? {} : { headers: said }),
  };
}

function writeMethods(method: StringMatch): string[] | null {
  if (method.invert || method.kind === 'prefix') return null;
  if (method.kind === 'present') return [];
  const words = method.value.split('|');
  return method.kind === 'exact' || words.every((word) => /^[A-Z]+$/.test(word)) ? words : null;
}

/** Anchored at the start alone. */
function writePath({ kind, value, invert, ignoreCase }: PathMatch): string | null {
  if (invert) return null;
  const flag = ignoreCase === true ? '(?i)' : '';
  if (kind === 'regex') return `(?:${value})$`;
  if (kind === 'exact') return `${flag}${escapePattern(value)}$`;
  if (value === '/' || value === '') return '';
  return kind === 'prefix' ? `${flag}${escapePattern(value)}` : `${escapePattern(value.replace(/\/$/, ''))}(?:/|$)`;
}

/** All that a rule does beside sharing out. */
function reportRest(route: RouteConfig, service: ServiceConfig, report: LossScope): void {
  const { input } = describeRoute(route, service);
  for (const [key, value] of Object.entries(input)) {
    if (key === 'name' || key === 'match' || key === 'to') continue;
    if (value === false) report.approximated(key, false, '', 'not said; left to the mesh');
    else report.lost(key, value, `${WHY}, and nothing else of a call`);
  }
}
