// From a match of a rule to ours. What depends on who calls, and not on the call, is answered here and now.
import type { SelfConfig } from '../../model/config.ts';
import type { PathMatch, RouteMatch, StringMatch } from '../../model/route.ts';
import { isPassedOver } from './check-http-match.ts';
import { hasLabels } from './host-name.ts';
import { type HttpMatchSpec, MESH_GATEWAY, type StringMatches, type StringMatchSpec } from './virtual-service-spec.ts';

/** Whether the match is meant for this process at all. With gateways, labels and namespace are not looked at. Source: Istio, sourceMatchHTTP. */
export function isForSelf({ gateways = [], sourceLabels, sourceNamespace = '' }: HttpMatchSpec, self: SelfConfig): boolean {
  if (gateways.length > 0) return gateways.includes(MESH_GATEWAY);
  return hasLabels(self.labels, sourceLabels) && (sourceNamespace === '' || sourceNamespace === self.namespace);
}

export function readMatch(spec: HttpMatchSpec): RouteMatch {
  const path = pathMatch(spec);
  const fields: Record<string, StringMatch> = {};
  for (const key of ['method', 'scheme', 'authority'] as const) {
    const match = spec[key];
    if (match !== undefined && !asksPresence(match)) fields[key] = stringMatch(match);
  }
  const headers = named(spec.headers, stringMatch);
  const withoutHeaders = named(spec.withoutHeaders, inverted);
  // What the call says of itself has fields of its own here; a second condition on the same stays beside the headers.
  for (const names of [headers, withoutHeaders]) {
    for (const name of ['method', 'scheme', 'authority'] as const) {
      const match = names[`:${name}`];
      if (match === undefined || fields[name] !== undefined) continue;
      delete names[`:${name}`];
      if (match.kind !== 'present' || match.invert) fields[name] = match;
    }
  }
  const queryParams = named(spec.queryParams, queryMatch, false);
  return {
    ...(path === undefined ? {} : { path }),
    ...fields,
    headers,
    ...(Object.keys(withoutHeaders).length === 0 ? {} : { withoutHeaders }),
    queryParams,
    ...((spec.port ?? 0) === 0 ? {} : { port: spec.port as number }),
  };
}

/** Whether every call matches, whatever its port. Source: Istio, IsCatchAllRoute. */
export function takesEverything({ headers, withoutHeaders = {}, queryParams, ...more }: RouteMatch): boolean {
  return (
    Object.keys(more).length + Object.keys(headers).length + Object.keys(withoutHeaders).length + Object.keys(queryParams).length === 0
  );
}

/** A prefix that every path has, and a pattern that every path fits, ask for nothing. */
function pathMatch({ uri = {}, ignoreUriCase = false }: HttpMatchSpec): PathMatch | undefined {
  const { exact, prefix, regex } = uri;
  const ignoreCase = ignoreUriCase ? { ignoreCase: true as const } : {};
  if (exact !== undefined) return { kind: 'exact', value: exact, invert: false, ...ignoreCase };
  if (prefix !== undefined)
    return prefix === '' || prefix === '/' ? undefined : { kind: 'prefix', value: prefix, invert: false, ...ignoreCase };
  return regex === undefined || regex === '.*' ? undefined : { kind: 'regex', value: regex, invert: false };
}

/** Nothing is said of the value; a star alone is no pattern. Source: Istio, canBeConvertedToPresentMatch. */
function asksPresence({ exact, prefix, regex }: StringMatchSpec): boolean {
  return (exact === undefined && prefix === undefined && regex === undefined) || regex === '*';
}

function stringMatch(spec: StringMatchSpec): StringMatch {
  const { exact, prefix, regex } = spec;
  if (asksPresence(spec)) return { kind: 'present', invert: false };
  if (exact !== undefined) return { kind: 'exact', value: exact, invert: false };
  return prefix !== undefined ? { kind: 'prefix', value: prefix, invert: false } : { kind: 'regex', value: regex as string, invert: false };
}

/** Envoy compares a missing value as an empty one, when the answer is turned round. */
function inverted(spec: StringMatchSpec): StringMatch {
  const match = stringMatch(spec);
  return match.kind === 'present' ? { kind: 'present', invert: true } : { ...match, invert: true, absentIsEmpty: true };
}

/** `exact: ""` is how `?key` is written. Source: HTTPMatchRequest `queryParams`. */
function queryMatch(spec: StringMatchSpec): StringMatch {
  return spec.exact === '' ? { kind: 'present', invert: false } : stringMatch(spec);
}

/** No prototype: names are the user's. */
function named(
  matches: StringMatches = {},
  convert: (spec: StringMatchSpec) => StringMatch,
  areHeaders = true,
): Record<string, StringMatch> {
  const output = Object.create(null) as Record<string, StringMatch>;
  for (const [name, match] of Object.entries(matches)) {
    if (!areHeaders) output[name] = convert(match);
    else if (!isPassedOver(name)) output[name.toLowerCase()] = convert(match);
  }
  return output;
}
