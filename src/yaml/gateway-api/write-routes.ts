// HTTPRoutes for all services of a configuration, attached to their Services (GAMMA), and the Services that nobody has
// written yet. What differs between meshes that read them is handed in.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import { routeLabel } from '../write/describe-route.ts';
import { plainKey, type PlainMap } from '../write/plain.ts';
import { ServiceBackends } from '../write/service-backends.ts';
import { portSuffix, splitOf } from '../write/service-place.ts';
import { areRoutesSettled, isConcise, type MadeResource, type WriteContext } from '../write/writer.ts';
import { type FilterSpec, GATEWAY_GROUP, type PathModifierSpec, type RouteSpec } from './route-spec.ts';
import { areTied, isAskedInOrder, withOrder } from './write-order.ts';
import { type RuleDeps, type SaidRule, writeRules } from './write-rule.ts';

export interface RouteWords extends Pick<RuleDeps, 'mesh' | 'refuses' | 'writeTimes'> {
  readonly backends: ServiceBackends;
  /** Said once for each service, after its rules. */
  readonly writePolicies: (service: ServiceConfig) => readonly MadeResource[];
}

const RULES_MAX = 16;
const MATCHES_MAX = 128;
const MATCHES_OF_RULE_MAX = 64;

export function writeRoutes(context: WriteContext, words: RouteWords): MadeResource[] {
  const made: MadeResource[] = [];
  for (const service of Object.values(context.config.services)) {
    if (splitOf(service) !== null || words.backends.refuses(service)) continue;
    made.push(...words.backends.service(service), ...routesOf(service, context, words), ...words.writePolicies(service));
  }
  return [...made, ...words.backends.subsets()];
}

function routesOf(service: ServiceConfig, context: WriteContext, words: RouteWords): MadeResource[] {
  const { report } = context;
  const place = words.backends.placeOf(service);
  const name = `${place.name}${portSuffix(service)}`;
  const to = `HTTPRoute ${name}`;
  if (areRoutesSettled(service, to, context)) return [];
  const rules = reached(service.routes).flatMap((route) =>
    writeRules(route, {
      ...words,
      service,
      inherits: isConcise(service, context),
      report: report.ofRoute(service, route),
      to,
      namespace: place.namespace,
      backendOf: (target) => words.backends.backendOf(target),
      reportVariant: (name, why) => report.ofService(service).approximated(`routes[${routeLabel({ name })}]`, route.name, to, why),
    }),
  );
  if (rules.length === 0) {
    if (service.routes.length > 0)
      report.ofService(service).lost(
        'routes',
        service.routes.map(({ name }) => name),
        'none of its rules can be said',
      );
    return [];
  }
  const parent = { group: '', kind: 'Service', name: place.name, ...(place.port === undefined ? {} : { port: place.port }) };
  const ordered = withOwnNames(inOrder(rules, service, context).flatMap(withOnePrefix), (rule, name) =>
    report.ofService(service).approximated(`routes[${routeLabel({ name })}]`, rule.route.name, to, 'a part of the rule'),
  );
  const isAsItWas = ordered.length === rules.length && ordered.every(({ matches }, i) => matches.length === rules[i]?.matches.length);
  if (!isAsItWas || !isAskedInOrder(ordered.map(({ matches }) => matches))) {
    const how =
      'the Gateway API asks the more specific match first; so that the same rule takes a call, earlier ones also say what they share with later ones';
    report.ofService(service).approximated(
      'routes',
      service.routes.map(({ name }) => name),
      `${to}: ${ordered.length} rules`,
      how,
    );
  }
  for (const route of changedBy(rules, ordered)) {
    const keys = ['match', ...(['rewrite', 'redirect'] as const).filter((key) => route[key] !== undefined)];
    const how = 'several rules, or matches beside its own, that together do this';
    report.ofRoute(service, route).approximated(keys, routeLabel(route), to, how);
  }
  return documents(ordered).map(({ annotations, rules: own }, i): MadeResource => {
    const spec: RouteSpec = {
      parentRefs: [parent],
      rules: own.map((rule) => ({ name: rule.name, ...matchesOf(rule), ...rule.spec })),
    };
    return {
      apiVersion: `${GATEWAY_GROUP}/v1`,
      kind: 'HTTPRoute',
      // Of equal matches the document whose name comes first is asked first.
      name: i === 0 ? name : `${name}-${String(i + 1).padStart(2, '0')}`,
      namespace: place.namespace,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      parts: { spec: spec as unknown as PlainMap },
    };
  });
}

/** Rules of ours that have become several, or are asked for by other matches. */
function changedBy(rules: readonly SaidRule[], ordered: readonly SaidRule[]): RouteConfig[] {
  const ofRoute = (list: readonly SaidRule[], { name }: RouteConfig): SaidRule[] => list.filter(({ route }) => route.name === name);
  const countOf = (list: readonly SaidRule[]): number => list.reduce((sum, { matches }) => sum + matches.length, 0);
  return rules.flatMap(({ route }) => {
    const own = ofRoute(ordered, route);
    return own.length > 1 || countOf(own) !== countOf(ofRoute(rules, route)) ? [route] : [];
  });
}

/** A rule that takes every call says nothing of matches, unless it replaces a prefix. */
function matchesOf(rule: SaidRule): { readonly matches?: readonly object[] } {
  const specs = rule.matches.map(({ spec }) => spec);
  const isEverything = specs.length === 1 && Object.keys(specs[0] as object).length === 0;
  if (isEverything && !isReplacing(rule)) return {};
  return { matches: specs.map((spec) => ({ path: { type: 'PathPrefix', value: '/' }, ...spec })) };
}

function isReplacing({ spec }: SaidRule): boolean {
  return (spec.filters ?? []).some(
    ({ urlRewrite, requestRedirect }) => (urlRewrite ?? requestRedirect)?.path?.type === 'ReplacePrefixMatch',
  );
}

function reached(routes: readonly RouteConfig[]): readonly RouteConfig[] {
  const last = routes.findIndex(({ matches }) => matches.length === 0);
  return last < 0 ? routes : routes.slice(0, last + 1);
}

function inOrder(rules: readonly SaidRule[], service: ServiceConfig, { report }: WriteContext): SaidRule[] {
  const ordered = withOrder(rules.map(({ matches }) => matches));
  return rules.map((rule, i) => {
    const { matches, losesTo } = ordered[i] as (typeof ordered)[number];
    for (const rival of losesTo) {
      const other = rules[rival]?.name ?? '';
      report
        .ofRoute(service, rule.route)
        .lost('', `before ${other}`, `calls that ${other} means too go there: the Gateway API asks the more specific match first`);
    }
    return { ...rule, matches };
  });
}

/** A rule that replaces a prefix has one match; what was put in for the order is a rule of its own, which replaces as much. */
function withOnePrefix(rule: SaidRule): SaidRule[] {
  const [first, ...added] = rule.matches;
  const prefix = first?.spec.path?.value ?? '/';
  if (!isReplacing(rule) || first === undefined) return [rule];
  const rules = added.map((match) => {
    const { type = 'PathPrefix', value = '/' } = match.spec.path ?? {};
    const filters = (rule.spec.filters ?? []).map((filter) => below(filter, prefix, value, type === 'PathPrefix'));
    return { ...rule, matches: [match], spec: { ...rule.spec, filters } };
  });
  return [...rules, { ...rule, matches: [first] }];
}

/** The same change of the path, for calls that are known by more of it. */
function below(filter: FilterSpec, prefix: string, path: string, isPrefix: boolean): FilterSpec {
  const key = filter.urlRewrite === undefined ? 'requestRedirect' : 'urlRewrite';
  const changes = filter[key];
  if (changes?.path?.type !== 'ReplacePrefixMatch') return filter;
  const value = `${(changes.path.replacePrefixMatch ?? '').replace(/\/$/, '')}${path.slice(prefix.replace(/\/$/, '').length)}`;
  const modifier: PathModifierSpec = isPrefix
    ? { type: 'ReplacePrefixMatch', replacePrefixMatch: value }
    : { type: 'ReplaceFullPath', replaceFullPath: value === '' ? '/' : value };
  return { ...filter, [key]: { ...changes, path: modifier } };
}

/** Of a document; one rule may have become several. */
function withOwnNames(rules: readonly SaidRule[], reportVariant: (rule: SaidRule, name: string) => void): SaidRule[] {
  const names = new Set<string>();
  return rules.map((rule) => {
    let name = rule.name;
    const isTaken = (one: string): boolean => names.has(one) || (one !== rule.route.name && isOfAnother(one, rule, rules));
    for (let i = 2; isTaken(name); i++) name = `${rule.name}-${i}`;
    names.add(name);
    if (name !== rule.name) reportVariant(rule, name);
    return { ...rule, name };
  });
}

/** Names that rules have from the start are for these alone. */
function isOfAnother(name: string, rule: SaidRule, rules: readonly SaidRule[]): boolean {
  return rules.some(({ route }) => route.name === name) || (name !== rule.name && rules.some((other) => other.name === name));
}

interface RouteDocument {
  readonly annotations: Readonly<Record<string, string>>;
  readonly rules: SaidRule[];
}

/** Rules with the same annotations together, unless that changes who is asked first; as many as a document holds. */
function documents(rules: readonly SaidRule[]): RouteDocument[] {
  const groups = new Map<string, SaidRule[]>();
  for (const rule of rules) {
    const key = plainKey(rule.annotations);
    groups.set(key, [...(groups.get(key) ?? []), rule]);
  }
  const together = [...groups.values()].flat();
  return chunked(isSameOrder(rules, together) ? together : rules);
}

/** Of equal matches the first that stands is asked first; all others know their place. */
function isSameOrder(rules: readonly SaidRule[], other: readonly SaidRule[]): boolean {
  const places = new Map(other.map((rule, i) => [rule, i]));
  return rules.every((rule, i) =>
    rules
      .slice(i + 1)
      .every(
        (later) =>
          (places.get(rule) ?? 0) < (places.get(later) ?? 0) ||
          !rule.matches.some((one) => later.matches.some((match) => areTied(one, match))),
      ),
  );
}

function chunked(rules: readonly SaidRule[]): RouteDocument[] {
  const found: RouteDocument[] = [];
  for (const rule of rules.flatMap(asManyAs)) {
    const last = found.at(-1);
    const count = last?.rules.reduce((sum, { matches }) => sum + matches.length, 0) ?? 0;
    const isRoom = last !== undefined && last.rules.length < RULES_MAX && count + rule.matches.length <= MATCHES_MAX;
    if (isRoom && plainKey(last.annotations) === plainKey(rule.annotations)) last.rules.push(rule);
    else found.push({ annotations: rule.annotations, rules: [rule] });
  }
  return found;
}

/** A rule with too many matches, as several. */
function asManyAs(rule: SaidRule): SaidRule[] {
  const { matches, name } = rule;
  if (matches.length <= MATCHES_OF_RULE_MAX) return [rule];
  const parts = Array.from({ length: Math.ceil(matches.length / MATCHES_OF_RULE_MAX) }, (_, i) =>
    matches.slice(i * MATCHES_OF_RULE_MAX, (i + 1) * MATCHES_OF_RULE_MAX),
  );
  return parts.map((own, i) => ({ ...rule, name: i === 0 ? name : `${name}-${i + 1}`, matches: own }));
}
