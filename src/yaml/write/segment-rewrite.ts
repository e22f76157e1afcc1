// A prefix that is replaced by segments, as the regular expression that does the same: for meshes that replace prefixes
// as text, and to see that both are the same.
import type { PathRewrite } from '../../model/rewrite.ts';

export interface PatternRewrite {
  /** RE2. */
  readonly pattern: string;
  /** `\1` is the first group. */
  readonly substitution: string;
}

/** Source: Gateway API HTTPPathModifier `replacePrefixMatch`: `/foo` is `/xyz`, `/foo/` is `/xyz/`, and the root takes no second slash. */
export function segmentRewrite(prefix: string, value: string): PatternRewrite {
  const from = escapePattern(prefix.replace(/\/$/, ''));
  const to = value.replace(/\/$/, '').replace(/\\/g, '\\\\');
  return to === '' ? { pattern: `^${from}(/(.*))?$`, substitution: '/\\2' } : { pattern: `^${from}(/.*)?$`, substitution: `${to}\\1` };
}

export function escapePattern(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

/** A replacement in the form in which equal ones are alike: all of the path, or a pattern. */
export function canonicalRewrite(path: PathRewrite): PathRewrite {
  if (path.kind === 'full') return path;
  if (path.kind === 'regex') {
    const isWhole = path.pattern === '^.*$' && !/\\\d/.test(path.substitution);
    return isWhole ? { kind: 'full', value: path.substitution.replaceAll('\\\\', '\\') } : path;
  }
  if (path.by === 'segment') return { kind: 'regex', ...segmentRewrite(path.prefix, path.value) };
  return { kind: 'regex', pattern: `^${escapePattern(path.prefix)}`, substitution: path.value.replaceAll('\\', '\\\\') };
}
