// The words of Linkerd's annotations. Each function gives the value, or says what is wrong.
// Source: linkerd2 policy-controller/k8s/index/src/outbound, parse_duration, parse_http_retry, parse_grpc_retry.
import { DURATION_MS_MAX } from '../../model/duration.ts';
import { GRPC_STATUSES } from '../../model/grpc-status.ts';
import { nearest } from '../../model/nearest.ts';
import type { StatusRange } from '../../model/status-range.ts';

export type Parsed<T> = { readonly value: T } | { readonly fault: string };

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** A whole number and one unit; `0` needs none. */
export function parseSpan(text: string): Parsed<number> {
  const match = /^([0-9]+)([a-z]*)$/.exec(text.trim());
  if (match === null) return { fault: 'it is no time such as 500ms or 2s: a whole number and one of ms, s, m, h, d' };
  const [, digits = '', unit = ''] = match;
  const magnitude = Number(digits);
  if (unit === '' && magnitude === 0) return { value: 0 };
  const factor = UNITS.get(unit);
  if (factor === undefined)
    return { fault: unit === '' ? `its unit is missing: ${digits}s or ${digits}ms` : `its unit is none of ms, s, m, h, d` };
  const value = magnitude * factor;
  return value > DURATION_MS_MAX ? { fault: 'it is longer than a year' } : { value };
}

const NAMED: ReadonlyMap<string, StatusRange> = new Map([
  ['5xx', [500, 599]],
  ['gateway-error', [502, 504]],
]);

/** `5xx`, `gateway-error`, statuses and ranges of them, separated by commas without blanks. */
export function parseStatuses(text: string): Parsed<readonly StatusRange[]> {
  const ranges: StatusRange[] = [];
  for (const word of text.split(',')) {
    const named = NAMED.get(word.toLowerCase());
    const [from, to = from, more] = word.split('-').map(statusOf);
    if (named !== undefined) ranges.push(named);
    else if (from !== undefined && to !== undefined && more === undefined && !word.endsWith('-') && from <= to) ranges.push([from, to]);
    else
      return {
        fault: `${JSON.stringify(word)} is no status, range such as 500-504, 5xx or gateway-error${suggestion(word, [...NAMED.keys()])}`,
      };
  }
  return { value: ranges };
}

function statusOf(text: string): number | undefined {
  return /^[1-5][0-9]{2}$/.test(text) ? Number(text) : undefined;
}

/** Those that Linkerd repeats, by their names. */
const REPEATED = ['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable'];

export function parseGrpcStatuses(text: string): Parsed<readonly number[]> {
  const statuses = new Set<number>();
  for (const word of text.split(',')) {
    const name = word.toLowerCase();
    if (!REPEATED.includes(name))
      return { fault: `${JSON.stringify(word)} is none of ${REPEATED.join(', ')}${suggestion(word, REPEATED)}` };
    statuses.add(GRPC_STATUSES.indexOf(name.toUpperCase().replace('-', '_')));
  }
  return { value: [...statuses].sort((a, b) => a - b) };
}

function suggestion(word: string, words: readonly string[]): string {
  const near = nearest(word.trim(), words);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

export function parseCount(text: string, most: number): Parsed<number> {
  const trimmed = text.trim();
  return /^[0-9]{1,10}$/.test(trimmed) && Number(trimmed) <= most
    ? { value: Number(trimmed) }
    : { fault: `it is no whole number from 0 to ${most}` };
}

export function parseShare(text: string, most: number): Parsed<number> {
  const trimmed = text.trim();
  const value = /^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/.test(trimmed) ? Number(trimmed) : Number.NaN;
  return value <= most ? { value } : { fault: `it is no number from 0 to ${most}` };
}

/** What Go's strconv.ParseBool takes. */
export function parseSwitch(text: string): Parsed<boolean> {
  const word = text.trim();
  if (/^(?:1|t|T|true|TRUE|True)$/.test(word)) return { value: true };
  return /^(?:0|f|F|false|FALSE|False)$/.test(word) ? { value: false } : { fault: 'it is neither "true" nor "false"' };
}
