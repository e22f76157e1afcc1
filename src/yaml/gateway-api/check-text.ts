// Single values and lists as the Gateway API's CRDs take them. Each finding has its own place.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { CheckContext } from '../dialect.ts';
import { parseGatewayDuration } from './gateway-duration.ts';

const HOSTNAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const NAME_LENGTH_MAX = 253;
const IPV4 = /^[0-9.]+$/;

/** A name that stands for one host. Source: PreciseHostname. */
export function checkHostname(name: string, path: ConfigPath, report: Report): void {
  if (name.length > NAME_LENGTH_MAX || !HOSTNAME.test(name) || IPV4.test(name)) {
    report.error(path, `${report.show(path, name)} is no host name: lower-case letters, digits, "-" and "."; no address, no port`);
  }
}

/** May begin with `*.`. Source: Hostname. */
export function checkWildcardHostname(name: string, path: ConfigPath, report: Report): void {
  if (name.includes('*') && !name.startsWith('*.')) {
    report.error(path, `${report.show(path, name)}: a star stands for the whole first part of a name, as in *.example.com`);
  } else if (name.startsWith('*.')) {
    if (!HOSTNAME.test(name.slice(2))) report.error(path, `${report.show(path, name)} is no host name behind its star`);
  } else checkHostname(name, path, report);
}

/** Milliseconds; null when it is absent, or reported. */
export function checkSpan(value: string | undefined, path: ConfigPath, report: Report): number | null {
  if (value === undefined) return null;
  const ms = parseGatewayDuration(value);
  if (ms !== null) return ms;
  const form = 'one to four whole numbers of at most five digits, each with h, m, s or ms, such as 1h30m or 500ms';
  report.error(path, `${report.show(path, value)} is no duration of the Gateway API: ${form}`);
  return null;
}

export function checkCount(list: readonly unknown[] | undefined, most: number, path: ConfigPath, report: Report): void {
  if (list !== undefined && list.length > most) report.error(path, `${list.length} entries, the Gateway API takes at most ${most}`);
}

const PATTERN_LENGTH_MAX = 1_024;

export function checkPattern(pattern: string, path: ConfigPath, report: Report, { checkRegex }: CheckContext): void {
  if (pattern.length > PATTERN_LENGTH_MAX) {
    report.error(path, `a regular expression of ${pattern.length} characters; at most ${PATTERN_LENGTH_MAX}`);
    return;
  }
  const fault = checkRegex?.(pattern) ?? null;
  if (fault !== null) report.error(path, `${report.show(path, pattern)} is not a regular expression in RE2 syntax: ${fault}`);
}

const PATH_CHARACTERS = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/;
const PATH_LENGTH_MAX = 1_024;

/** Why no call has such a path, or null. Source: validation rules of HTTPPathMatch. */
export function pathFault(value: string): string | null {
  if (!value.startsWith('/')) return 'it does not begin with "/"';
  if (value.length > PATH_LENGTH_MAX) return `it is longer than ${PATH_LENGTH_MAX} characters`;
  if (value.includes('//')) return 'it holds "//"';
  if (/\/\.{1,2}(?:\/|$)/.test(value)) return 'it holds a step "." or ".."';
  if (/%2f/i.test(value)) return 'it holds an encoded "/"';
  return PATH_CHARACTERS.test(value) ? null : 'it holds a character that no path has; the query is matched by queryParams';
}
