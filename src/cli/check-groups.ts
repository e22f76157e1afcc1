// What went well, in lines of `inmesh check`: the documents of each mesh, the services that came of all, and the checks that
// found nothing.
import type { ServiceConfig } from '../model/config.ts';
import { CODES } from '../yaml/analyze/codes.ts';
import type { CodeEntry } from '../yaml/analyze/code.ts';
import { displayName } from '../yaml/files.ts';
import { READERS } from '../yaml/kinds.ts';
import type { Resource } from '../yaml/resource.ts';
import type { CheckFinding, CheckGroup } from './check-finding.ts';

const GROUPS: readonly (readonly [suffix: string, group: CheckGroup])[] = [
  ['istio.io', 'istio'],
  ['gateway.networking.k8s.io', 'gateway-api'],
  ['gateway.networking.x-k8s.io', 'gateway-api'],
  ['smi-spec.io', 'smi'],
  ['linkerd.io', 'linkerd'],
  ['appmesh.k8s.aws', 'app-mesh'],
];

export function groupOf({ group }: Pick<Resource, 'group'>): CheckGroup {
  return GROUPS.find(([suffix]) => group === suffix || group.endsWith(`.${suffix}`))?.[1] ?? 'kubernetes';
}

/** `3 VirtualServices, 1 DestinationRule`, a line for each mesh. */
export function resourceFindings(resources: readonly Resource[]): CheckFinding[] {
  const known = new Set(READERS.flatMap(({ kinds }) => kinds.map(({ group, kind }) => `${group}/${kind}`)));
  const read = new Map<CheckGroup, Map<string, number>>();
  const passed = new Map<string, number>();
  for (const resource of resources) {
    const { group, kind } = resource;
    const counts = known.has(`${group}/${kind}`) ? countsOf(read, groupOf(resource)) : passed;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const lines: CheckFinding[] = [...read].map(([group, counts]) => ({ group, status: 'ok', message: `read: ${countsText(counts)}` }));
  if (passed.size > 0) lines.push({ group: 'kubernetes', status: 'ok', message: `passed over: ${countsText(passed)}` });
  return lines;
}

function countsOf(all: Map<CheckGroup, Map<string, number>>, group: CheckGroup): Map<string, number> {
  const known = all.get(group) ?? new Map<string, number>();
  all.set(group, known);
  return known;
}

function countsText(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([kind, count]) => `${count} ${count === 1 ? kind : kindsOf(kind)}`).join(', ');
}

function kindsOf(kind: string): string {
  if (kind.endsWith('y')) return `${kind.slice(0, -1)}ies`;
  return kind.endsWith('s') ? `${kind}es` : `${kind}s`;
}

/** Subsets that are called in their own way are no services of their own to those who call. */
export function serviceFindings(services: readonly ServiceConfig[], cwd: string): CheckFinding[] {
  return services.filter(({ hosts }) => hosts.length > 0).map((service) => serviceFinding(service, cwd));
}

function serviceFinding(service: ServiceConfig, cwd: string): CheckFinding {
  const parts = [sourceText(service, cwd)];
  const subsets = Object.keys(service.subsets).length;
  if (subsets > 0) parts.push(plural(subsets, 'subset'));
  parts.push(plural(service.routes.length, 'route'));
  if (service.tls.mode !== 'disable') parts.push(`tls ${service.tls.mode}`);
  return { group: 'services', status: 'ok', message: `${service.name}: ${parts.join(', ')}` };
}

function sourceText({ endpoints, routes }: ServiceConfig, cwd: string): string {
  if (endpoints.kind === 'file') return `endpoints from ${displayName(endpoints.path, cwd)}`;
  if (endpoints.kind === 'dns') return `dns ${endpoints.host}${endpoints.port === 0 ? '' : `:${endpoints.port}`}`;
  if (endpoints.endpoints.length > 0) return plural(endpoints.endpoints.length, 'endpoint');
  return routes.some(({ dialect }) => dialect !== 'inmesh') ? 'no endpoints of its own' : 'no endpoints, for mesh.call only';
}

/** Checks that look at every configuration and found nothing. */
export function fineFindings(findings: readonly CheckFinding[]): CheckFinding[] {
  const found = new Set(findings.map(({ code }) => code as string | undefined));
  return Object.entries<CodeEntry>(CODES)
    .filter(([code, { fine }]) => fine !== undefined && !found.has(code))
    .map(([, { group, fine = '' }]) => ({ group, status: 'ok', message: fine }));
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
