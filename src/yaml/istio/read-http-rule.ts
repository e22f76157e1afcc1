// From one rule to ours: as many as it has ways to name its calls or to replace a prefix, mostly one.
// Source: Istio, TranslateRoute.
import type { RouteConfig, SelfConfig } from '../../model/config.ts';
import type { PathRewrite } from '../../model/rewrite.ts';
import type { HeaderOperations, RouteMatch, SourcePosition } from '../../model/route.ts';
import type { DirectResponsePolicy } from '../../model/traffic.ts';
import type { RouteDraft, TargetDraft } from '../draft.ts';
import { positionIn, type Resource } from '../resource.ts';
import { fullHost } from '../world.ts';
import { msOf } from './check-duration.ts';
import { type HttpRule, originOf } from './http-rule.ts';
import type { RuleMatch } from './merge-match.ts';
import { readFault } from './read-fault.ts';
import { asOneList, inTurn, isEmpty, type Operations, readOperations, share } from './read-headers.ts';
import { isForSelf, readMatch, takesEverything } from './read-match.ts';
import { readMirrors } from './read-mirrors.ts';
import { readRetries } from './read-retries.ts';
import { pathRewrite, readRedirect, redirectPath } from './read-rewrite.ts';
import type { DestinationSpec, DirectResponseSpec, HttpRouteSpec, RouteDestinationSpec } from './virtual-service-spec.ts';

export interface HttpRuleDeps {
  readonly self: SelfConfig;
  readonly lenient: boolean;
  readonly clusterDomain: string;
  /** Name of a rule that has none is made from it. */
  readonly name: string;
  /** Whether the destination is chosen by consistent hashing. Hosts in full. */
  readonly isHashed: (host: string, subset: string | undefined, port: number | undefined) => boolean;
}

/** Empty when none of its matches is meant for this process. */
export function readHttpRule(rule: HttpRule, deps: HttpRuleDeps): RouteDraft[] {
  const { origin, spec } = rule;
  const matches = rule.matches.filter((match) => isForSelf(match.spec, deps.self));
  if (rule.matches.length > 0 && matches.length === 0) return [];
  const effect = { ...routing(rule, deps), source: positionIn(origin.resource, origin.path), sources: sourcesOf(rule) };
  const name = (spec.name ?? '') === '' ? `${deps.name}-${rule.index}` : (spec.name as string);
  return groupsOf(rule, matches).map(({ path, suffix, matches: own }) => ({
    ...effect,
    name: suffix === '' ? name : `${name}.${suffix}`,
    matches: own,
    ...withPath(rule, effect, path),
  }));
}

interface Group {
  readonly suffix: string;
  readonly path: PathRewrite | undefined;
  readonly matches: RouteMatch[];
}

/** Neighbours that differ in nothing but what they match stay together. One that takes every call ends the rule. */
function groupsOf({ spec }: HttpRule, matches: readonly RuleMatch[]): Group[] {
  const groups: Group[] = [];
  const pathFor = (match: RuleMatch | undefined): PathRewrite | undefined => {
    if (spec.redirect !== undefined) return redirectPath(spec.redirect, match?.spec);
    return spec.rewrite === undefined ? undefined : pathRewrite(spec.rewrite, match?.spec);
  };
  if (matches.length === 0) return [{ suffix: '', path: pathFor(undefined), matches: [] }];
  for (const match of matches) {
    const own = { suffix: match.spec.name ?? '', path: pathFor(match) };
    const last = groups.at(-1);
    const group =
      last !== undefined && JSON.stringify([last.suffix, last.path]) === JSON.stringify([own.suffix, own.path])
        ? last
        : { ...own, matches: [] };
    if (group !== last) groups.push(group);
    const read = readMatch(match.spec);
    if (takesEverything(read)) {
      group.matches.length = 0;
      return groups;
    }
    group.matches.push(read);
  }
  return groups;
}

type Effect = Omit<RouteDraft, 'name' | 'matches'>;

/** Path and host have one policy. */
function withPath({ spec }: HttpRule, { rewrite }: Effect, path: PathRewrite | undefined): Pick<RouteConfig, 'redirect' | 'rewrite'> {
  if (spec.redirect !== undefined) return { redirect: readRedirect(spec.redirect, path) };
  return path === undefined ? {} : { rewrite: { ...rewrite, path } };
}

/** All that does not depend on the match. */
function routing(rule: HttpRule, deps: HttpRuleDeps): Effect {
  const { spec } = rule;
  const { timeout, fault, directResponse, redirect } = spec;
  const base = { dialect: 'istio' as const, idempotent: false };
  const headers = headersOf(rule, deps);
  const injected = fault === undefined ? undefined : readFault(fault);
  if (redirect !== undefined || directResponse !== undefined) {
    return {
      ...base,
      targets: [],
      mirrors: [],
      ...definedHeaders({ response: inTurn([headers.response]) }),
      ...(redirect !== undefined || directResponse === undefined ? {} : { directResponse: readDirectResponse(directResponse) }),
    };
  }
  const { targets, ...changes } = targetsOf(rule, headers, deps);
  return {
    ...base,
    targets,
    mirrors: readMirrors(spec, (destination, at) =>
      targetDraft(destination, originOf(rule, at[0] as keyof HttpRouteSpec).resource, placeOf(rule, at), deps),
    ),
    timeoutMs: msOf(timeout),
    retries: readRetries(
      spec.retries,
      targets.length === 1 && targets.every(({ host, subset, port }) => deps.isHashed(host, subset, port)),
    ),
    ...(injected === undefined ? {} : { fault: injected }),
    ...changes,
  };
}

function placeOf(rule: HttpRule, at: readonly (string | number)[]): (string | number)[] {
  const [field, ...more] = at;
  return [...originOf(rule, field as keyof HttpRouteSpec).path, ...more];
}

interface RuleHeaders {
  readonly request: Operations;
  readonly response: Operations;
}

function headersOf(rule: HttpRule, { lenient }: HttpRuleDeps): RuleHeaders {
  const { resource, path } = originOf(rule, 'headers');
  const { request, response } = rule.spec.headers ?? {};
  return {
    request: readOperations(request, { resource, path: [...path, 'request'] }, lenient),
    response: readOperations(response, { resource, path: [...path, 'response'] }, lenient),
  };
}

function definedHeaders({
  request,
  response,
}: {
  request?: HeaderOperations | undefined;
  response?: HeaderOperations | undefined;
}): Pick<TargetDraft, 'requestHeaders' | 'responseHeaders'> {
  return {
    ...(request === undefined ? {} : { requestHeaders: request }),
    ...(response === undefined ? {} : { responseHeaders: response }),
  };
}

/** Where the calls go, with what the rule and its destinations change in them. */
function targetsOf(
  rule: HttpRule,
  whole: RuleHeaders,
  deps: HttpRuleDeps,
): Pick<Effect, 'targets' | 'requestHeaders' | 'responseHeaders' | 'rewrite'> {
  const { resource, path } = originOf(rule, 'route');
  const destinations = rule.spec.route ?? [];
  const own = destinations.map(({ headers = {} }, i) => {
    const at = [...path, i, 'headers'];
    return {
      request: readOperations(headers.request, { resource, path: [...at, 'request'] }, deps.lenient),
      response: readOperations(headers.response, { resource, path: [...at, 'response'] }, deps.lenient),
    };
  });
  const host = rule.spec.rewrite?.authority || whole.request.authority;
  const [only] = own;
  const target = ({ destination, weight = 0 }: RouteDestinationSpec, i: number): TargetDraft => ({
    ...targetDraft(destination, resource, [...path, i, 'destination'], deps),
    // One that stands alone takes all, whatever is left of its weight.
    weight: destinations.length === 1 ? weight || 1 : weight,
  });
  if (own.length === 1 && only !== undefined) {
    const authority = host || only.request.authority;
    return {
      targets: destinations.map(target),
      ...definedHeaders({ request: asOneList([whole.request, only.request]), response: asOneList([whole.response, only.response]) }),
      ...(authority === '' ? {} : { rewrite: { authority } }),
    };
  }
  // Envoy begins with those of the destination. Where the order matters, all is said at the destination.
  const isMixed = own.some(({ request }) => share(request, whole.request));
  return {
    targets: destinations.map((destination, i) => {
      const { request, response } = own[i] as RuleHeaders;
      const { authority } = request;
      return {
        ...target(destination, i),
        ...definedHeaders({
          request: inTurn(isMixed ? [request, whole.request] : [request]),
          response: isEmpty(response) ? undefined : inTurn([response]),
        }),
        ...(authority === '' || host !== '' ? {} : { rewrite: { authority } }),
      };
    }),
    ...definedHeaders({ request: isMixed ? undefined : inTurn([whole.request]), response: inTurn([whole.response]) }),
    ...(host === '' ? {} : { rewrite: { authority: host } }),
  };
}

function targetDraft(
  { host, subset = '', port }: DestinationSpec,
  resource: Resource,
  path: (string | number)[],
  { clusterDomain }: HttpRuleDeps,
): TargetDraft {
  return {
    host: fullHost(host, resource.namespace, clusterDomain),
    ...(port?.number === undefined ? {} : { port: port.number }),
    ...(subset === '' ? {} : { subset }),
    weight: 1,
    path,
    resource,
  };
}

/** Source: Envoy, which gives its own answers as plain text. */
function readDirectResponse({ status, body = {} }: DirectResponseSpec): DirectResponsePolicy {
  const text = body.string ?? (body.bytes === undefined ? '' : Buffer.from(body.bytes, 'base64').toString('utf8'));
  return { status, headers: text === '' ? {} : { 'content-type': 'text/plain' }, body: text };
}

/** Our fields by the fields that decide them. */
const FIELDS: Readonly<Record<string, keyof HttpRouteSpec>> = {
  targets: 'route',
  timeoutMs: 'timeout',
  retries: 'retries',
  fault: 'fault',
  rewrite: 'rewrite',
  redirect: 'redirect',
  directResponse: 'directResponse',
  requestHeaders: 'headers',
  responseHeaders: 'headers',
};

function sourcesOf(rule: HttpRule): Readonly<Record<string, SourcePosition>> {
  const { spec, matches } = rule;
  const sources: Record<string, SourcePosition> = {};
  for (const [field, key] of Object.entries(FIELDS)) {
    if ((spec as HttpRouteSpec)[key] === undefined) continue;
    const { resource, path } = originOf(rule, key);
    sources[field] = positionIn(resource, path, 'key');
  }
  const [match] = matches;
  if (match !== undefined) sources.matches = positionIn(match.origin.resource, match.origin.path.slice(0, -1), 'key');
  const copies = spec.mirror === undefined ? 'mirrors' : 'mirror';
  if (spec[copies] !== undefined) sources.mirrors = positionIn(originOf(rule, copies).resource, originOf(rule, copies).path, 'key');
  return sources;
}
