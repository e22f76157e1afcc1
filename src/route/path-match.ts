// The path of a call against one wanted path; the query is no part of it. Looks at the first character that differs most,
// the last one, before it compares: most rules of a service fail there.
import type { PathMatch } from '../model/route.ts';
import type { TextMatch } from './simple-regex.ts';

const SLASH = 47;
const QUERY = 63;

/** Takes path and query, compares the path. null: every path is as wanted. */
export function compilePath(match: PathMatch, regex: (pattern: string) => TextMatch): TextMatch | null {
  const { value, invert } = match;
  // What has a query in it is the path of no call.
  const test = value.includes('?') && match.kind !== 'regex' ? () => false : positive(match, regex);
  if (test === null) return invert ? () => false : null;
  if (!invert) return test;
  return (path) => !test(path);
}

function positive({ kind, value, ignoreCase }: PathMatch, regex: (pattern: string) => TextMatch): TextMatch | null {
  if (ignoreCase === true && (kind === 'exact' || kind === 'prefix')) {
    const test = positive({ kind, value: value.toLowerCase(), invert: false }, regex);
    return test === null ? null : (path) => test(path.toLowerCase());
  }
  switch (kind) {
    case 'exact':
      return exact(value);
    case 'prefix':
      return value === '' || value === '/' ? null : prefix(value);
    case 'pathPrefix':
      return segments(value.endsWith('/') ? value.slice(0, -1) : value);
    case 'regex': {
      const test = regex(value);
      return (path) => {
        const end = path.indexOf('?');
        return test(end < 0 ? path : path.slice(0, end));
      };
    }
  }
}

function exact(value: string): TextMatch {
  const { length } = value;
  return (path) => path === value || (path.charCodeAt(length) === QUERY && path.startsWith(value));
}

function prefix(value: string): TextMatch {
  const last = value.length - 1;
  const lastCode = value.charCodeAt(last);
  return (path) => path.charCodeAt(last) === lastCode && path.startsWith(value);
}

/** `/foo` takes `/foo`, `/foo/`, `/foo/bar` and not `/foobar`. Source: Gateway API PathPrefix. */
function segments(value: string): TextMatch | null {
  const { length } = value;
  if (length === 0) return null;
  return (path) => {
    if (path.length > length) {
      const code = path.charCodeAt(length);
      return (code === SLASH || code === QUERY) && path.startsWith(value);
    }
    return path === value;
  };
}
