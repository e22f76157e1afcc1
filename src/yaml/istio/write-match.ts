// From a match of ours to matches of a rule: several where a prefix goes by segments, which Istio compares as text.
import type { PathMatch, RouteMatch, StringMatch } from '../../model/route.ts';
import type { HttpMatchSpec, StringMatches, StringMatchSpec } from './virtual-service-spec.ts';

/** Why it cannot be said. */
export interface Unsaid {
  readonly why: string;
}

/** Any of them must hold. */
export function writeMatch(match: RouteMatch): HttpMatchSpec[] | Unsaid {
  const { headers, withoutHeaders = {}, queryParams, method, scheme, authority, port } = match;
  const paths = match.path === undefined ? [{}] : writePath(match.path);
  if (!Array.isArray(paths)) return paths;
  const said: { headers: Record<string, StringMatchSpec>; withoutHeaders: Record<string, StringMatchSpec> } = {
    headers: {},
    withoutHeaders: {},
  };
  const conditions: [name: string, match: StringMatch][] = [...Object.entries(headers), ...Object.entries(withoutHeaders)];
  const words: Record<string, StringMatchSpec> = {};
  for (const [key, value] of Object.entries({ method, scheme, authority })) {
    // Turned round it is a header that must not be so; its own field has no word for that.
    if (value?.invert === true) conditions.push([`:${key}`, value]);
    else if (value !== undefined && value.kind !== 'present') words[key] = writeString(value);
  }
  for (const [name, value] of conditions) {
    const side = value.invert ? said.withoutHeaders : said.headers;
    if (said.headers[name] !== undefined && !value.invert) return { why: `the header ${name} has two conditions` };
    if (side[name] !== undefined) return { why: `the header ${name} has two conditions` };
    const fault = headerFault(name, value);
    if (fault !== null) return { why: fault };
    side[name] = writeString(value);
  }
  const query = writeQuery(queryParams);
  if ('why' in query) return query as Unsaid;
  return paths.map((path) => ({
    ...path,
    ...words,
    ...(Object.keys(said.headers).length === 0 ? {} : { headers: said.headers }),
    ...(Object.keys(said.withoutHeaders).length === 0 ? {} : { withoutHeaders: said.withoutHeaders }),
    ...(Object.keys(query).length === 0 ? {} : { queryParams: query as StringMatches }),
    ...(port === undefined ? {} : { port }),
  }));
}

/** Source: Istio reads an empty text as "is there", and refuses empty prefixes. */
function headerFault(name: string, match: StringMatch): string | null {
  if (match.kind === 'present') return null;
  if (match.kind === 'regex') return match.value === '*' ? `the pattern * of the header ${name} means that it is there` : null;
  if (match.value === '') return `an empty value of the header ${name} means that it is there`;
  return null;
}

function writeString(match: StringMatch): StringMatchSpec {
  return match.kind === 'present' ? {} : { [match.kind]: match.value };
}

function writeQuery(params: Readonly<Record<string, StringMatch>>): StringMatches | Unsaid {
  const said: Record<string, StringMatchSpec> = {};
  for (const [name, match] of Object.entries(params)) {
    if (match.invert) return { why: `Istio has no word for a parameter of the query (${name}) that must not be so` };
    if (match.kind !== 'present' && match.value === '') return { why: `an empty value of the parameter ${name} means that it is there` };
    said[name] = writeString(match);
  }
  return said;
}

function writePath({ kind, value, invert, ignoreCase }: PathMatch): HttpMatchSpec[] | Unsaid {
  if (invert) return { why: 'Istio has no word for a path that must not be so' };
  const more = ignoreCase === true ? { ignoreUriCase: true } : {};
  if (kind !== 'pathPrefix') return [{ uri: { [kind]: value }, ...more }];
  const prefix = value.replace(/\/$/, '');
  if (prefix === '') return [{ uri: { prefix: '/' } }];
  return [{ uri: { exact: prefix } }, { uri: { prefix: `${prefix}/` } }];
}
