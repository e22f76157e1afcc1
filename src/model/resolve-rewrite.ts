// Rewrites, redirects and answers of the mesh. A prefix is replaced where a match names one, and each match may name
// another, so a rule may become several.
import type { MatchInput } from './input-match.ts';
import type { RouteInput } from './input.ts';
import type { DirectResponseInput, RedirectInput, RewriteInput } from './input-traffic.ts';
import type { ConfigPath } from './issue.ts';
import type { Report } from './report.ts';
import { resolveAnswerHeaders } from './resolve-headers.ts';
import type { MatchDeps } from './resolve-match.ts';
import { checkPattern } from './resolve-match.ts';
import type { RouteMatch } from './route.ts';
import type { DirectResponsePolicy, PathRewrite, RedirectPolicy, RewritePolicy } from './traffic.ts';

/** What a rule does with the path, with the matches for which it does so. */
export interface RewriteGroup {
  readonly matches: readonly RouteMatch[];
  readonly rewrite?: RewritePolicy;
  readonly redirect?: RedirectPolicy;
}

/** `matches` as written, none left out. In order; the first group that matches a call says what its first match would. */
export function resolveRewrites(input: RouteInput, matches: readonly RouteMatch[], path: ConfigPath, deps: MatchDeps): RewriteGroup[] {
  const { rewrite, redirect } = input;
  const groups = (prefix: string | undefined, at: ConfigPath, make: (by: PathRewrite | undefined) => Omit<RewriteGroup, 'matches'>) =>
    prefix === undefined
      ? [{ matches, ...make(undefined) }]
      : byPrefix(input, matches, prefix, at, path, deps.report).map((group) => ({ matches: group.matches, ...make(group.by) }));
  if (redirect !== undefined) {
    const at = [...path, 'redirect'];
    checkRedirect(redirect, at, deps.report);
    return groups(redirect.prefix, [...at, 'prefix'], (by) => ({ redirect: redirectOf(redirect, by) }));
  }
  if (rewrite !== undefined) {
    const at = [...path, 'rewrite'];
    checkRewrite(rewrite, at, deps);
    return groups(rewrite.prefix, [...at, 'prefix'], (by) => ({ rewrite: rewriteOf(rewrite, by) }));
  }
  return [{ matches }];
}

interface PrefixGroup {
  readonly matches: RouteMatch[];
  readonly by: PathRewrite & { readonly kind: 'prefix' };
}

/** Only neighbours are put together, so that the order of the matches stands. */
function byPrefix(
  input: RouteInput,
  matches: readonly RouteMatch[],
  value: string,
  at: ConfigPath,
  path: ConfigPath,
  report: Report,
): PrefixGroup[] {
  const groups: PrefixGroup[] = [];
  for (const [i, match] of matches.entries()) {
    const kind = match.path?.kind;
    if (match.path === undefined || match.path.invert || (kind !== 'prefix' && kind !== 'pathPrefix')) {
      const isListed = Array.isArray(input.match as MatchInput | readonly MatchInput[]);
      const place = report.place([...path, 'match', ...(isListed ? [i] : [])]);
      report.error(
        at,
        `prefix replaces the prefix that the match names, and the one at ${place} names none; match by pathPrefix, or write path for the whole path`,
      );
      continue;
    }
    const by = kind === 'prefix' ? 'text' : 'segment';
    const last = groups.at(-1);
    if (last !== undefined && last.by.prefix === match.path.value && last.by.by === by) last.matches.push(match);
    else groups.push({ matches: [match], by: { kind: 'prefix', prefix: match.path.value, value, by } });
  }
  if (matches.length === 0) {
    report.error(
      at,
      'prefix replaces the prefix that the match names, and this route has no match; add match: { path: { pathPrefix: … } }',
    );
  }
  return groups;
}

function rewriteOf({ path, regex, authority }: RewriteInput, prefix: PathRewrite | undefined): RewritePolicy {
  const by: PathRewrite | undefined =
    prefix ??
    (path !== undefined
      ? { kind: 'full', value: path }
      : regex !== undefined
        ? { kind: 'regex', pattern: regex.match, substitution: regex.substitution }
        : undefined);
  return { ...(by === undefined ? {} : { path: by }), ...(authority === undefined ? {} : { authority }) };
}

function redirectOf({ scheme, host, port, path, status }: RedirectInput, prefix: PathRewrite | undefined): RedirectPolicy {
  const by = prefix ?? (path === undefined ? undefined : { kind: 'full' as const, value: path });
  return {
    ...(scheme === undefined ? {} : { scheme }),
    ...(host === undefined ? {} : { host }),
    port: port ?? (scheme === undefined ? 'keep' : 'scheme'),
    ...(by === undefined ? {} : { path: by }),
    status: status ?? 302,
  };
}

function checkRewrite(input: RewriteInput, path: ConfigPath, deps: MatchDeps): void {
  const [first, second] = (['path', 'prefix', 'regex'] as const).filter((key) => input[key] !== undefined);
  if (second !== undefined) deps.report.error([...path, second], `rewrite has both ${first} and ${second}; keep one`, { part: 'key' });
  if (first === undefined && input.authority === undefined) {
    deps.report.error(path, 'rewrite does not say what to change; add path, prefix, regex, or authority');
  }
  if (input.regex === undefined) return;
  const at = [...path, 'regex'];
  checkPattern(input.regex.match, [...at, 'match'], deps);
  checkSubstitution(input.regex.match, input.regex.substitution, [...at, 'substitution'], deps.report);
}

/** Source: RE2 Replace: `\0` to `\9` and `\\`. */
function checkSubstitution(pattern: string, substitution: string, path: ConfigPath, report: Report): void {
  const groups = countGroups(pattern);
  for (const [escape, next = ''] of substitution.matchAll(/\\(.?)/gs)) {
    if (next === '\\') continue;
    if (!/[0-9]/.test(next)) {
      report.error(path, `rewrite: in a substitution a backslash stands before a digit or a backslash, not as ${JSON.stringify(escape)}`);
    } else if (Number(next) > groups) {
      const has = groups === 0 ? 'no group' : groups === 1 ? 'one group' : `${groups} groups`;
      report.error(path, `rewrite: ${escape} names a group, but the pattern has ${has}; put ( ) around what it should stand for`);
    }
  }
}

/** Groups that capture. Escapes, classes and \Q…\E hold none. */
function countGroups(pattern: string): number {
  const plain = pattern.replace(/\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]/gs, '');
  return [...plain.matchAll(/\((?!\?)|\(\?P?</g)].length;
}

function checkRedirect(input: RedirectInput, path: ConfigPath, report: Report): void {
  if (input.path !== undefined && input.prefix !== undefined) {
    report.error([...path, 'prefix'], 'redirect has both path and prefix; keep one', { part: 'key' });
  }
  const { status: _, ...changes } = input;
  if (Object.values(changes).every((value) => value === undefined)) {
    report.error(path, 'redirect leads to where the call came from; add scheme, host, port, path, or prefix');
  }
}

export function resolveDirectResponse(input: DirectResponseInput, path: ConfigPath, report: Report): DirectResponsePolicy {
  const { status, body = '', headers } = input;
  checkNoBody(status, body, [...path, 'body'], report);
  return { status, headers: resolveAnswerHeaders(headers, [...path, 'headers'], report), body };
}

/** Source: RFC 9110 §15.3.5, §15.3.6, §15.4.5. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

export function checkNoBody(status: number, body: string | undefined, path: ConfigPath, report: Report): void {
  if (BODILESS.has(status) && body !== undefined && body !== '') {
    report.error(path, `an answer with status ${status} has no body; remove body, or change the status`);
  }
}

/** What asks an endpoint, or does something with its answer. */
const SENDING = [
  'to',
  'timeout',
  'retries',
  'sticky',
  'rewrite',
  'fault',
  'mirror',
  'idempotent',
  'cache',
  'coalesce',
  'fallback',
] as const;

/** A route that answers by itself sends nothing. */
export function checkAnswering(input: RouteInput, path: ConfigPath, report: Report): void {
  const answering = (['redirect', 'directResponse'] as const).filter((key) => input[key] !== undefined);
  const [first, second] = answering;
  if (first === undefined) return;
  const at = report.place([...path, first], 'key');
  if (second !== undefined) {
    report.error([...path, second], `this route has both ${second} and ${first} (${at}); keep one`, { part: 'key' });
  }
  for (const key of SENDING) {
    if (input[key] === undefined || input[key] === false) continue;
    report.error([...path, key], `this route has both ${key} and ${first} (${at}), which asks no endpoint; keep one`, { part: 'key' });
  }
}
