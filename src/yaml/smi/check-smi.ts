// How the fields of SMI's documents hang together, version by version. The form has been checked.
// Source: servicemeshinterface/smi-spec; smi-sdk-go crds.
import type { ConfigPath } from '../../model/issue.ts';
import type { CheckContext } from '../dialect.ts';
import { patternFault } from '../match-patterns.ts';
import { milliValue } from '../quantity.ts';
import type { Resource } from '../resource.ts';
import { matchOf } from './read-route-group.ts';
import {
  generation,
  type HttpMatchSpec,
  type IdentityBindingSpec,
  type IdentitySpec,
  type ReferenceSpec,
  type TrafficSplitSpec,
} from './smi-spec.ts';
import { fieldsOf, matchesOf, prefixOf } from './versioned-fields.ts';

const METHOD = /^(?:\*|[!#$%&'+.^_`|~0-9A-Z-]+)$/;

export function checkTrafficSplit(resource: Resource): void {
  const { report, version } = resource;
  const { service, backends, matches } = resource.spec as unknown as TrafficSplitSpec;
  for (const [i, backend] of backends.entries()) {
    checkWeight(backend.weight, ['spec', 'backends', i, 'weight'], resource);
    if (backend.service !== service) continue;
    const message = `${service} is a backend of itself: its share goes to the endpoints of ${service}, whatever the split says`;
    report.warn(['spec', 'backends', i, 'service'], message);
  }
  if (matches === undefined) return;
  if (generation(version) < 3) report.error(['spec', 'matches'], `${version} has no matches; use v1alpha4`, { part: 'key' });
  for (const [i, one] of matches.entries()) checkKind(one.kind, ['HTTPRouteGroup'], ['spec', 'matches', i, 'kind'], resource);
}

/** Quantities are of v1alpha1; the later versions have whole numbers. Both are read wherever they stand. */
function checkWeight(weight: number | string, path: ConfigPath, { report, version }: Resource): void {
  const milli = milliValue(weight);
  if (milli === null || milli < 0) {
    report.error(path, `${report.show(path, weight)} is no weight: a number from 0, or a quantity such as 500m`);
  } else if (generation(version) > 1 && !Number.isInteger(weight)) {
    const message = `${version} takes whole numbers; ${report.show(path, weight)} is read as a quantity, ${milli} thousandths`;
    report.warn(path, message, { code: 'INM0015' });
  }
}

function checkKind(kind: string, allowed: readonly string[], path: ConfigPath, { report }: Resource): void {
  if (allowed.includes(kind)) return;
  report.error(path, `kind must be ${allowed.join(' or ')}, not ${report.show(path, kind)}`, { allowed });
}

export function checkHttpRouteGroup(resource: Resource, { checkRegex }: CheckContext): void {
  const { report, version } = resource;
  const path = prefixOf(resource, 'matches', 3);
  const seen = new Set<string>();
  for (const [i, match] of matchesOf(resource).entries()) {
    const at: ConfigPath = [...path, i];
    if (seen.has(match.name)) report.error([...at, 'name'], `${report.show([...at, 'name'], match.name)} stands twice; names are unique`);
    seen.add(match.name);
    if (match.headers !== undefined && generation(version) < 2) {
      report.error([...at, 'headers'], `${version} has no headers; use v1alpha4`, { part: 'key' });
    }
    checkMatch(match, at, resource);
    const before = report.issues.length;
    for (const [key, pattern] of patternsOf(match)) {
      const fault = pattern === '' ? null : (checkRegex?.(pattern) ?? null);
      if (fault !== null) report.error([...at, ...key], `${report.show([...at, ...key], pattern)} is no regular expression: ${fault}`);
    }
    const fault = report.issues.length > before ? null : patternFault([matchOf(match)], checkRegex);
    if (fault !== null) report.error(at, `this match cannot be kept: ${fault}`, { code: 'INM0011' });
  }
}

function checkMatch({ methods = [] }: HttpMatchSpec, path: ConfigPath, { report }: Resource): void {
  for (const [i, method] of methods.entries()) {
    const at = [...path, 'methods', i];
    if (!METHOD.test(method)) report.error(at, `${report.show(at, method)} is no method: GET and such in upper case, or *`);
  }
}

function patternsOf({ pathRegex, headers = {} }: HttpMatchSpec): [ConfigPath, string][] {
  const ofHeaders = Object.entries(headers).map(([name, pattern]): [ConfigPath, string] => [['headers', name], pattern]);
  return pathRegex === undefined ? ofHeaders : [[['pathRegex'], pathRegex], ...ofHeaders];
}

export function checkTrafficTarget(resource: Resource): void {
  const { report, version } = resource;
  const { destination, sources = [], rules = [] } = fieldsOf(resource);
  const rulesKey = generation(version) === 1 ? 'specs' : 'rules';
  const at = (key: string): ConfigPath => prefixOf(resource, key, 2);
  if (generation(version) > 1 && resource.value.specs !== undefined)
    report.error(['specs'], `${version} has spec.rules instead`, { part: 'key' });
  const kinds = generation(version) > 3 ? ['ServiceAccount', 'IdentityBinding'] : ['ServiceAccount'];
  if (destination === undefined) report.error(at('destination'), 'a TrafficTarget needs a destination');
  else checkDestination(destination, [...at('destination')], kinds, resource);
  if (sources.length === 0) report.error(at('sources'), 'a TrafficTarget needs at least one source');
  for (const [i, { kind }] of sources.entries()) checkKind(kind, kinds, [...at('sources'), i, 'kind'], resource);
  if (rules.length === 0) report.error(at(rulesKey), `a TrafficTarget needs at least one entry in ${rulesKey}`);
  for (const [i, rule] of rules.entries()) checkRule(rule, [...at(rulesKey), i], resource);
}

function checkDestination({ kind, port }: IdentitySpec, path: ConfigPath, kinds: readonly string[], resource: Resource): void {
  checkKind(kind, kinds, [...path, 'kind'], resource);
  if (port === undefined || generation(resource.version) < 3) return;
  resource.report.error([...path, 'port'], `${resource.version} says ports with a TCPRoute`, { part: 'key' });
}

function checkRule({ kind, matches }: ReferenceSpec, path: ConfigPath, resource: Resource): void {
  checkKind(kind, ['HTTPRouteGroup', 'TCPRoute', 'UDPRoute'], [...path, 'kind'], resource);
  if (kind === 'HTTPRouteGroup' || matches === undefined) return;
  resource.report.error([...path, 'matches'], `matches are those of an HTTPRouteGroup, not of a ${kind}`, { part: 'key' });
}

export function checkIdentityBinding(resource: Resource): void {
  const { report, version, spec } = resource;
  const { podLabelSelector, spiffeIdentities = [], serviceAccount } = (spec as unknown as IdentityBindingSpec).schemes;
  const path: ConfigPath = ['spec', 'schemes'];
  if (generation(version) < 4) report.error(['apiVersion'], 'IdentityBinding is of v1alpha4');
  if (podLabelSelector !== undefined && serviceAccount !== undefined) {
    report.error(path, 'podLabelSelector and serviceAccount exclude each other');
  }
  if (podLabelSelector === undefined && spiffeIdentities.length === 0 && serviceAccount === undefined) {
    report.error(path, 'schemes names no identity: podLabelSelector, spiffeIdentities or serviceAccount');
  }
}
