// `inmesh check`: reads a configuration as a mesh would, and the files it names. One line for each finding, one for what
// to do about it. Opens no socket and asks no name server.
import type { MeshConfig, ServiceConfig } from '../model/config.ts';
import type { ConfigIssue } from '../model/issue.ts';
import type { SourcePosition } from '../model/route.ts';
import { loadRegex } from '../route/regex.ts';
import { displayName } from '../yaml/files.ts';
import { describeIssue } from '../yaml/format.ts';
import { loadConfig } from '../yaml/load.ts';
import type { Finding } from './check-files.ts';
import { checkFiles } from './check-files.ts';
import type { CommandInput } from './command.ts';
import { configPaths } from './command.ts';
import type { Status } from './paint.ts';
import { faint, heading, sign } from './paint.ts';

interface Summary {
  readonly services: number;
  readonly routes: number;
  /** Known without asking anybody. */
  readonly endpoints: number;
  readonly errors: number;
  readonly warnings: number;
}

export async function check({ positionals, values, terminal }: CommandInput): Promise<number> {
  const paths = configPaths(positionals, terminal.env);
  const regex = await loadRegex();
  const result = await loadConfig(paths, { env: terminal.env, cwd: terminal.cwd, checkRegex: (pattern) => regex.check(pattern) });
  const findings: Finding[] = [];
  let config: MeshConfig | null = null;
  let hash: string | null = null;
  if ('issues' in result) findings.push(...result.issues.map(issueFinding));
  else {
    ({ config, hash } = result);
    const count = result.files.length;
    findings.push({
      group: 'configuration',
      status: 'ok',
      message: `${paths.join(', ')} read: ${count} file${count === 1 ? '' : 's'}, hash ${hash}`,
    });
    findings.push(...result.warnings.map(issueFinding));
    for (const service of Object.values(config.services)) findings.push(serviceFinding(service, terminal.cwd));
    findings.push(...(await checkFiles(config, terminal.cwd)));
  }
  const summary = summarize(config, findings);
  terminal.out(values.json === true ? jsonText(paths, hash, config, findings, summary) : humanText(findings, summary));
  return summary.errors > 0 ? 1 : 0;
}

/** Messages say what is wrong, then, after the last semicolon, what to do. */
function issueFinding(issue: ConfigIssue): Finding {
  const text = describeIssue(issue);
  const split = text.lastIndexOf('; ');
  return {
    group: 'configuration',
    status: issue.severity,
    message: split < 0 ? text : text.slice(0, split),
    ...(split < 0 ? {} : { fix: text.slice(split + 2) }),
    ...(issue.position === undefined ? {} : { position: issue.position }),
    ...(issue.frame === undefined ? {} : { frame: issue.frame }),
  };
}

function serviceFinding(service: ServiceConfig, cwd: string): Finding {
  const parts = [sourceText(service, cwd)];
  const subsets = Object.keys(service.subsets).length;
  if (subsets > 0) parts.push(plural(subsets, 'subset'));
  parts.push(plural(service.routes.length, 'route'));
  if (service.tls.mode !== 'disable') parts.push(`tls ${service.tls.mode}`);
  return { group: 'services', status: 'ok', message: `${service.name}: ${parts.join(', ')}` };
}

function sourceText({ endpoints }: ServiceConfig, cwd: string): string {
  if (endpoints.kind === 'file') return `endpoints from ${displayName(endpoints.path, cwd)}`;
  if (endpoints.kind === 'dns') return `dns ${endpoints.host}${endpoints.port === 0 ? '' : `:${endpoints.port}`}`;
  return endpoints.endpoints.length === 0 ? 'no endpoints, for mesh.call only' : plural(endpoints.endpoints.length, 'endpoint');
}

function summarize(config: MeshConfig | null, findings: readonly Finding[]): Summary {
  const services = Object.values(config?.services ?? {});
  return {
    services: services.length,
    routes: services.reduce((sum, { routes }) => sum + routes.length, 0),
    endpoints:
      services.reduce((sum, { endpoints }) => sum + (endpoints.kind === 'static' ? endpoints.endpoints.length : 0), 0) +
      findings.reduce((sum, { endpoints = 0 }) => sum + endpoints, 0),
    errors: findings.filter(({ status }) => status === 'error').length,
    warnings: findings.filter(({ status }) => status === 'warning').length,
  };
}

function humanText(findings: readonly Finding[], summary: Summary): string {
  const blocks = [...new Set(findings.map(({ group }) => group))].map((group) => {
    const lines = findings.filter((finding) => finding.group === group).map(findingText);
    return `${heading(group)}\n${lines.join('\n')}\n`;
  });
  const { services, routes, endpoints, errors, warnings } = summary;
  const status: Status = errors > 0 ? 'error' : warnings > 0 ? 'warning' : 'ok';
  const faults = [errors > 0 ? plural(errors, 'error') : '', warnings > 0 ? plural(warnings, 'warning') : ''].filter((part) => part !== '');
  const found = `${plural(services, 'service')}, ${plural(routes, 'route')}, ${plural(endpoints, 'endpoint')}`;
  // After a fault in the configuration itself there is nothing to count.
  const counts = errors > 0 && services === 0 ? [] : [found];
  return `${blocks.join('\n')}\nStatus: ${sign(status)} ${[...counts, ...faults].join('; ')}\n`;
}

function findingText({ status, message, position, frame, fix }: Finding): string {
  const lines = [`${sign(status)} ${position === undefined ? '' : `${placeText(position)} `}${message}`];
  if (frame !== undefined) lines.push(faint(frame.replace(/^/gm, '    ')));
  if (fix !== undefined) lines.push(`    fix: ${fix}`);
  return lines.join('\n');
}

function placeText({ file, line, column }: SourcePosition): string {
  return `${file}:${line}:${column}`;
}

function jsonText(
  paths: readonly string[],
  hash: string | null,
  config: MeshConfig | null,
  findings: readonly Finding[],
  summary: Summary,
): string {
  const services = Object.values(config?.services ?? {}).map(({ name, hosts, endpoints, routes, subsets }) => ({
    name,
    hosts,
    endpoints: endpoints.kind === 'static' ? endpoints.endpoints.map(({ address }) => address) : endpoints,
    routes: routes.map((route) => route.name),
    subsets: Object.keys(subsets),
  }));
  return `${JSON.stringify({ ok: summary.errors === 0, paths, hash, summary, services, findings }, null, 2)}\n`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
