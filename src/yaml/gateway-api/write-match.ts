// From a match of ours to matches of a rule: several where a pattern is a list of words.
import type { PathMatch, RouteMatch, StringMatch } from '../../model/route.ts';
import { escapePattern } from '../write/segment-rewrite.ts';
import type { HttpMatchSpec, ValueMatchSpec } from './route-spec.ts';

/** Why it cannot be said. */
export interface Unsaid {
  readonly why: string;
}

/** A match, and what it means: rules are put in order by the one, and compared by the other. */
export interface SaidMatch {
  readonly spec: HttpMatchSpec;
  readonly means: RouteMatch;
}

/** Source: HTTPMethod. */
export const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];
const PATH = /^\/(?!.*(?:\/\/|\/\.\/|\/\.\.\/|%2[fF]|#|\/\.\.$|\/\.$))[^\s]{0,1023}$/;
const HEADER = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}$/;
const VALUE_LENGTH_MAX = 4_096;

export function writeMatch(match: RouteMatch): SaidMatch[] | Unsaid {
  const { scheme, authority, port, method, headers, withoutHeaders = {}, queryParams } = match;
  if (scheme !== undefined) return { why: 'the Gateway API does not look at the scheme' };
  if (authority !== undefined) return { why: 'calls to a Service are not told apart by the host that was called' };
  if (port !== undefined) return { why: 'the port is that of the Service, not of a rule' };
  const methods = method === undefined || (method.kind === 'present' && !method.invert) ? [undefined] : writeMethods(method);
  if (methods === null) return { why: 'a method is compared exactly' };
  const path = match.path === undefined ? undefined : writePath(match.path);
  if (path !== undefined && 'why' in path) return path;
  const names = new Map<string, StringMatch>();
  for (const [name, value] of [...Object.entries(headers), ...Object.entries(withoutHeaders)]) {
    if (names.has(name)) return { why: `the header ${name} has two conditions` };
    names.set(name, value);
  }
  const said = writeValues([...names], 'header');
  if ('why' in said) return said;
  const query = writeValues(Object.entries(queryParams), 'parameter of the query');
  if ('why' in query) return query;
  const { path: asked, ...rest } = match;
  // What is written means this.
  const means: RouteMatch =
    asked?.kind === 'prefix' && path?.type === 'PathPrefix' ? { ...rest, path: { ...asked, kind: 'pathPrefix' } } : match;
  return methods.map((one) => ({
    spec: {
      ...(path === undefined ? {} : { path }),
      ...(said.values.length === 0 ? {} : { headers: said.values }),
      ...(query.values.length === 0 ? {} : { queryParams: query.values }),
      ...(one === undefined ? {} : { method: one }),
    },
    means: one === undefined ? means : { ...means, method: { kind: 'exact', value: one, invert: false } },
  }));
}

/** null: it cannot be said. */
function writeMethods(method: StringMatch): string[] | null {
  if (method.invert) {
    // All others are known by name.
    const not = writeMethods({ ...method, invert: false } as StringMatch);
    return not === null ? null : METHODS.filter((one) => !not.includes(one));
  }
  const words = method.kind === 'exact' ? [method.value] : method.kind === 'regex' ? method.value.split('|') : [];
  return words.length > 0 && words.every((word) => METHODS.includes(word)) ? words : null;
}

type PathSpec = NonNullable<HttpMatchSpec['path']>;

function writePath({ kind, value, invert, ignoreCase }: PathMatch): PathSpec | Unsaid | undefined {
  if (invert) return { why: 'the Gateway API has no word for a path that must not be so' };
  const flag = ignoreCase === true ? '(?i)' : '';
  if (kind === 'regex') return pattern(value);
  if (ignoreCase !== true && kind === 'exact') return PATH.test(value) ? { type: 'Exact', value } : pattern(escapePattern(value));
  if (kind === 'exact') return pattern(`${flag}${escapePattern(value)}`);
  if (value === '/' || value === '') return undefined;
  // A prefix of the Gateway API ends where a segment does; a pattern would say it to the letter, and be asked last of all.
  if (ignoreCase !== true && PATH.test(value)) return { type: 'PathPrefix', value };
  return pattern(kind === 'pathPrefix' ? `${escapePattern(value.replace(/\/$/, ''))}(/.*)?` : `${flag}${escapePattern(value)}.*`);
}

function pattern(value: string): PathSpec | Unsaid {
  return value.length > 1_024 ? { why: 'a path of the Gateway API has at most 1024 characters' } : { type: 'RegularExpression', value };
}

function writeValues(entries: readonly (readonly [string, StringMatch])[], what: string): { readonly values: ValueMatchSpec[] } | Unsaid {
  const values: ValueMatchSpec[] = [];
  for (const [name, match] of entries) {
    if (match.invert) return { why: `the Gateway API has no word for a ${what} (${name}) that must not be so` };
    if (!HEADER.test(name)) return { why: `${JSON.stringify(name)} is no name of a ${what} there` };
    const text = match.kind === 'present' ? '.*' : match.kind === 'prefix' ? `${escapePattern(match.value)}.*` : match.value;
    if (text === '' || text.length > VALUE_LENGTH_MAX)
      return { why: `a value of the ${what} ${name} has 1 to ${VALUE_LENGTH_MAX} characters` };
    values.push(match.kind === 'exact' ? { name, value: text } : { type: 'RegularExpression', name, value: text });
  }
  return values.length > 16 ? { why: `a match has at most 16 conditions of the same kind` } : { values };
}
