// The forms in which `inmesh check` prints: grouped for people, with or without the reasons; a line for each finding, as
// editors read it; JSON for programs.
import { styleText } from 'node:util';
import type { MeshConfig } from '../model/config.ts';
import type { SourcePosition } from '../model/route.ts';
import { CODES } from '../yaml/analyze/codes.ts';
import { CHECK_GROUPS, type CheckFinding, type CheckStatus } from './check-finding.ts';
import { plural } from './check-groups.ts';
import { faint, heading, sign } from './paint.ts';

export interface CheckSummary {
  readonly services: number;
  readonly routes: number;
  /** Known without asking anybody. */
  readonly endpoints: number;
  readonly errors: number;
  readonly warnings: number;
  readonly infos: number;
}

export interface CheckResult {
  readonly paths: readonly string[];
  /** null: it cannot be used. */
  readonly config: MeshConfig | null;
  readonly hash: string | null;
  readonly findings: readonly CheckFinding[];
  readonly summary: CheckSummary;
}

export function summarize(config: MeshConfig | null, findings: readonly CheckFinding[]): CheckSummary {
  const services = Object.values(config?.services ?? {}).filter(({ hosts }) => hosts.length > 0);
  const count = (wanted: CheckStatus): number => findings.filter(({ status }) => status === wanted).length;
  return {
    services: services.length,
    routes: services.reduce((sum, { routes }) => sum + routes.length, 0),
    endpoints:
      services.reduce((sum, { endpoints }) => sum + (endpoints.kind === 'static' ? endpoints.endpoints.length : 0), 0) +
      findings.reduce((sum, { endpoints = 0 }) => sum + endpoints, 0),
    errors: count('error'),
    warnings: count('warning'),
    infos: count('info'),
  };
}

/** Of a group, of what is fine and of what is not; what is beyond is in the other forms. */
const SHOWN_MAX = 50;

function someOf(findings: readonly CheckFinding[]): readonly CheckFinding[] {
  return findings.slice(0, SHOWN_MAX);
}

export function tableText({ findings, summary }: CheckResult, isWide: boolean): string {
  const blocks = CHECK_GROUPS.flatMap((group) => {
    const own = findings.filter((finding) => finding.group === group);
    const shown = [...someOf(own.filter(({ status }) => status !== 'ok')), ...someOf(own.filter(({ status }) => status === 'ok'))];
    const lines = own.filter((finding) => shown.includes(finding)).map((finding) => findingText(finding, isWide));
    if (own.length > shown.length) lines.push(faint(`  … and ${own.length - shown.length} more: --output json has all`));
    return own.length === 0 ? [] : [`${heading(group)}\n${lines.join('\n')}\n`];
  });
  return `${blocks.join('\n')}\nStatus: ${statusText(summary)}\n`;
}

function statusText({ services, routes, endpoints, errors, warnings, infos }: CheckSummary): string {
  const faults = [
    errors > 0 ? plural(errors, 'error') : '',
    warnings > 0 ? plural(warnings, 'warning') : '',
    infos > 0 ? plural(infos, 'remark') : '',
  ].filter((part) => part !== '');
  const found = `${plural(services, 'service')}, ${plural(routes, 'route')}, ${plural(endpoints, 'endpoint')}`;
  // After a fault in the configuration itself there is nothing to count.
  const counts = errors > 0 && services === 0 ? [] : [found];
  return `${sign(errors > 0 ? 'error' : warnings > 0 ? 'warning' : 'ok')} ${[...counts, ...faults].join('; ')}`;
}

function findingText({ status, message, code, position, frame, fix }: CheckFinding, isWide: boolean): string {
  const place = position === undefined ? '' : `${placeText(position)} `;
  const lines = [`${signOf(status)} ${place}${message}${code === undefined ? '' : faint(` [${code}]`)}`];
  if (frame !== undefined) lines.push(faint(frame.replace(/^/gm, '    ')));
  if (isWide && code !== undefined) lines.push(`    why: ${CODES[code].meaning}`);
  if (fix !== undefined) lines.push(`    fix: ${fix}`);
  return lines.join('\n');
}

function signOf(status: CheckStatus): string {
  return status === 'info' ? styleText('cyan', 'i') : sign(status);
}

function placeText({ file, line, column }: SourcePosition): string {
  return `${file}:${line}:${column}`;
}

/** `mesh.yaml:3:5: error IST0101: …`; nothing when all is fine. */
export function shortText({ findings }: CheckResult): string {
  return findings
    .filter(({ status }) => status !== 'ok')
    .map(({ status, message, code, position }) => {
      const place = position === undefined ? '' : `${placeText(position)}: `;
      return `${place}${status}${code === undefined ? '' : ` ${code}`}: ${message}\n`;
    })
    .join('');
}

export function jsonText({ paths, hash, config, findings, summary }: CheckResult): string {
  const services = Object.values(config?.services ?? {}).map(({ name, hosts, endpoints, routes, subsets }) => ({
    name,
    hosts,
    endpoints: endpoints.kind === 'static' ? endpoints.endpoints.map(({ address }) => address) : endpoints,
    routes: routes.map((route) => route.name),
    subsets: Object.keys(subsets),
  }));
  return `${JSON.stringify({ ok: summary.errors === 0, paths, hash, summary, services, findings }, null, 2)}\n`;
}
