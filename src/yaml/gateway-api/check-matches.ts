// What a rule may ask of a call. Source: validation rules of HTTPPathMatch, HTTPHeaderMatch, GRPCMethodMatch.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { CheckContext } from '../dialect.ts';
import { checkCount, checkPattern, pathFault } from './check-text.ts';
import type { GrpcMatchSpec, HttpMatchSpec, ValueMatchSpec } from './route-spec.ts';

const VALUES_MAX = 16;

export function checkHttpMatch(match: HttpMatchSpec, path: ConfigPath, report: Report, context: CheckContext): void {
  const { type = 'PathPrefix', value = '/' } = match.path ?? {};
  const at = [...path, 'path', 'value'];
  const fault = type === 'RegularExpression' ? null : pathFault(value);
  if (type === 'RegularExpression') checkPattern(value, at, report, context);
  if (fault !== null) report.error(at, `${report.show(at, value)} is the path of no call: ${fault}`);
  checkValues(match.headers, [...path, 'headers'], report, context, (name) => name.toLowerCase());
  checkValues(match.queryParams, [...path, 'queryParams'], report, context, (name) => name);
}

const SERVICE = /^\.?[a-z_][a-z_0-9]*(?:\.[a-z_][a-z_0-9]*)*$/i;
const METHOD = /^[a-z_][a-z_0-9]*$/i;

export function checkGrpcMatch({ method, headers }: GrpcMatchSpec, path: ConfigPath, report: Report, context: CheckContext): void {
  checkValues(headers, [...path, 'headers'], report, context, (name) => name.toLowerCase());
  if (method === undefined) return;
  const at = [...path, 'method'];
  if ((method.service ?? '') === '' && (method.method ?? '') === '') report.error(at, 'a match of a method names service, method, or both');
  for (const [key, form] of [['service', SERVICE] as const, ['method', METHOD] as const]) {
    const value = method[key] ?? '';
    if (value === '') continue;
    if (method.type === 'RegularExpression') checkPattern(value, [...at, key], report, context);
    else if (!form.test(value)) report.error([...at, key], `${report.show([...at, key], value)} is no name of a gRPC ${key}`);
  }
}

/** Of values with one name only the first counts; the others were hardly meant to be ignored. */
function checkValues(
  values: readonly ValueMatchSpec[] = [],
  path: ConfigPath,
  report: Report,
  context: CheckContext,
  nameOf: (name: string) => string,
): void {
  checkCount(values, VALUES_MAX, path, report);
  const seen = new Map<string, ConfigPath>();
  for (const [i, { type, name, value }] of values.entries()) {
    const at = [...path, i];
    if (type === 'RegularExpression') checkPattern(value, [...at, 'value'], report, context);
    const before = seen.get(nameOf(name));
    if (before === undefined) seen.set(nameOf(name), at);
    else report.warn(at, `${report.show([...at, 'name'], name)} is asked for at ${report.place(before)} already; only the first counts`);
  }
}
