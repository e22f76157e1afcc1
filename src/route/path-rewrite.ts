// What a rule makes of a path. The query is no part of it and stays as it is. A path always comes out with a slash in
// front, whatever the rule says. Must not know what the new path is for: rewrite and redirect share it.
// Source: Istio HTTPRewrite and Envoy's `prefix_rewrite`, `regex_rewrite`; Gateway API HTTPPathModifier (its eleven rows).
import type { PathRewrite } from '../model/traffic.ts';
import type { Replacer } from './regex.ts';

/** Takes and gives path and query. What is no path (`*`) and what lacks the prefix stays as it is. */
export type PathChange = (path: string) => string;

export function compileRewrite(rewrite: PathRewrite, replacer: Replacer): PathChange {
  const change = changeOf(rewrite, replacer);
  return (path) => (path.charCodeAt(0) === SLASH ? rooted(change(path)) : path);
}

const SLASH = 47;
const QUERY = 63;

function changeOf(rewrite: PathRewrite, replacer: Replacer): PathChange {
  switch (rewrite.kind) {
    case 'full':
      return full(rewrite.value);
    case 'prefix':
      return rewrite.by === 'text' ? text(rewrite.prefix, rewrite.value) : segments(withoutLastSlash(rewrite.prefix), rewrite.value);
    case 'regex': {
      const replace = replacer(rewrite.pattern, rewrite.substitution);
      return (path) => {
        const end = pathEnd(path);
        return replace(path.slice(0, end)) + path.slice(end);
      };
    }
  }
}

/** A value with a query of its own replaces that of the call. Source: Envoy `path_redirect`. */
function full(value: string): PathChange {
  if (value.includes('?')) return () => value;
  return (path) => value + path.slice(pathEnd(path));
}

/** As many characters as the prefix has; the case is the business of the match, which may have ignored it. */
function text(prefix: string, value: string): PathChange {
  const { length } = prefix;
  const lower = prefix.toLowerCase();
  return (path) => {
    const isPrefix = path.startsWith(prefix) || path.slice(0, length).toLowerCase() === lower;
    return isPrefix ? value + path.slice(length) : path;
  };
}

/** `/foo` is a prefix of `/foo`, `/foo/` and `/foo/bar`, not of `/foobar`. */
function segments(prefix: string, given: string): PathChange {
  const { length } = prefix;
  const value = withoutLastSlash(given);
  return (path) => {
    const after = path.length > length ? path.charCodeAt(length) : SLASH;
    return (after === SLASH || after === QUERY) && path.startsWith(prefix) ? value + path.slice(length) : path;
  };
}

function withoutLastSlash(value: string): string {
  return value.endsWith('/') ? value.slice(0, -1) : value;
}

function pathEnd(path: string): number {
  const query = path.indexOf('?');
  return query < 0 ? path.length : query;
}

function rooted(path: string): string {
  return path.charCodeAt(0) === SLASH ? path : `/${path}`;
}
