// New paths and hosts in Istio's words. Its `uri` replaces what the match names: the prefix of a prefix, all of anything
// else; what does not fit is written as a pattern that does the same.
import type { PathRewrite, RedirectPolicy, RewritePolicy } from '../../model/rewrite.ts';
import type { RouteMatch } from '../../model/route.ts';
import { escapePattern, segmentRewrite } from '../write/segment-rewrite.ts';
import type { RedirectSpec, RewriteSpec } from './virtual-service-spec.ts';

export function writeRewrite({ path, authority }: RewritePolicy, matches: readonly RouteMatch[]): RewriteSpec {
  return { ...(path === undefined ? {} : writePath(path, matches)), ...(authority === undefined ? {} : { authority }) };
}

function writePath(path: PathRewrite, matches: readonly RouteMatch[]): RewriteSpec {
  if (path.kind === 'regex') return { uriRegexRewrite: { match: path.pattern, rewrite: path.substitution } };
  if (path.kind === 'full') {
    if (path.value !== '' && replacesAll(matches)) return { uri: path.value };
    return { uriRegexRewrite: { match: '^.*$', rewrite: literal(path.value) } };
  }
  if (path.by === 'segment') {
    const { pattern, substitution } = segmentRewrite(path.prefix, path.value);
    return { uriRegexRewrite: { match: pattern, rewrite: substitution } };
  }
  if (path.value !== '' && replacesPrefix(matches, path.prefix)) return { uri: path.value };
  const ignoresCase = matches.some((match) => match.path?.ignoreCase === true);
  return { uriRegexRewrite: { match: `${ignoresCase ? '(?i)' : ''}^${escapePattern(path.prefix)}`, rewrite: literal(path.value) } };
}

function literal(text: string): string {
  return text.replaceAll('\\', '\\\\');
}

function replacesAll(matches: readonly RouteMatch[]): boolean {
  return (
    matches.length > 0 &&
    matches.every(({ path }) => path !== undefined && !path.invert && (path.kind === 'exact' || path.kind === 'regex'))
  );
}

/** A rule without a path has the prefix "/". */
function replacesPrefix(matches: readonly RouteMatch[], prefix: string): boolean {
  const prefixOf = ({ path }: RouteMatch): string | null =>
    path === undefined ? '/' : path.kind === 'prefix' && !path.invert ? path.value : null;
  return matches.length === 0 ? prefix === '/' : matches.every((match) => prefixOf(match) === prefix);
}

/** null: Istio has no word for this change of the path. */
export function writeRedirect(redirect: RedirectPolicy, matches: readonly RouteMatch[]): RedirectSpec | null {
  const { scheme, host, port, path, status } = redirect;
  const place = path === undefined ? {} : redirectPath(path, matches);
  if (place === null) return null;
  return {
    ...place,
    ...(host === undefined ? {} : { authority: host.includes(':') && !host.startsWith('[') ? `[${host}]` : host }),
    ...(scheme === undefined ? {} : { scheme }),
    ...(typeof port === 'number' ? { port } : { derivePort: port === 'keep' ? 'FROM_REQUEST_PORT' : 'FROM_PROTOCOL_DEFAULT' }),
    redirectCode: status,
  };
}

function redirectPath(path: PathRewrite, matches: readonly RouteMatch[]): RedirectSpec | null {
  if (path.kind === 'full') return path.value === '' ? null : { uri: path.value };
  if (path.kind === 'regex' || path.value === '') return null;
  if (path.by === 'text' && replacesPrefix(matches, path.prefix)) return { prefixRewrite: path.value };
  return null;
}

/**
 * A redirect that replaces a prefix by segments, as two that replace it as text: one for the path that is the prefix, one
 * for what is below it. null: it is no such redirect.
 */
export function splitRedirect(redirect: RedirectPolicy, matches: readonly RouteMatch[]): readonly SplitRedirect[] | null {
  const { path } = redirect;
  if (path?.kind !== 'prefix' || path.by !== 'segment') return null;
  const prefix = path.prefix.replace(/\/$/, '');
  const value = path.value.replace(/\/$/, '');
  const below = (kind: 'exact' | 'prefix', text: string): RouteMatch[] =>
    (matches.length === 0 ? [{ headers: {}, queryParams: {} }] : matches).map((match) => ({
      ...match,
      path: { kind, value: text, invert: false },
    }));
  const root: SplitRedirect = {
    suffix: prefix === '' ? '' : '-below',
    matches: below('prefix', `${prefix}/`),
    redirect: { ...redirect, path: { kind: 'prefix', prefix: `${prefix}/`, value: `${value}/`, by: 'text' } },
  };
  if (prefix === '') return [root];
  return [{ suffix: '', matches: below('exact', prefix), redirect: { ...redirect, path: { kind: 'full', value: value || '/' } } }, root];
}

interface SplitRedirect {
  readonly suffix: string;
  readonly matches: readonly RouteMatch[];
  readonly redirect: RedirectPolicy;
}
