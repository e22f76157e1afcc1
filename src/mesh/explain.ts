// What would become of a call, and why: the rule and those before it, the line that decided each field, the stack with its
// reasons. A dry run over the compiled tables; nothing is sent, nothing is drawn.
import { Call } from '../core/call.ts';
import type { MeshConfig, RouteConfig, ServiceConfig } from '../model/config.ts';
import type { Dialect, SourcePosition } from '../model/route.ts';
import type { LocatePath } from './config-source.ts';
import { targetName } from './describe.ts';
import { attemptFields, callFields, type ExplainedField, placeText } from './explain-fields.ts';
import { type ExplainedLayer, explainPipeline } from './explain-pipeline.ts';
import { type Matches, reasonNotTaken } from './explain-skipped.ts';
import { HostTable } from './host-table.ts';
import type { UserLayer } from './stack.ts';

export interface ExplainRequest {
  readonly method?: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A rule that did not take the call. */
export interface SkippedRoute {
  readonly name: string;
  readonly position?: SourcePosition;
  /** What does not hold. */
  readonly reason: string;
}

export interface Explanation {
  /** null: no service names the host. */
  readonly service: string | null;
  /** The rule that takes the call, and the mesh whose semantics it obeys. */
  readonly route: { readonly name: string; readonly dialect: Dialect; readonly position?: SourcePosition; readonly reason: string } | null;
  /** The rules before it, in their order. */
  readonly skipped: readonly SkippedRoute[];
  /** Where calls go; empty when the mesh itself answers. */
  readonly targets: readonly { readonly name: string; readonly percent: number }[];
  /** Every setting that holds, and where it comes from: `file:line:col`, or `default`. Those of the attempts belong to the service that is asked. */
  readonly fields: readonly ExplainedField[];
  readonly pipeline: readonly ExplainedLayer[];
  /** All of it for a terminal. */
  readonly text: string;
}

/** What compile keeps for explain. */
export interface ExplainTable {
  readonly config: MeshConfig;
  readonly users: readonly UserLayer[];
  readonly traced: boolean;
  readonly at: LocatePath | undefined;
  find(origin: string): { readonly service: ServiceConfig; readonly matchers: readonly ((call: Call) => boolean)[] } | null;
  readonly takes: Matches;
}

function callOf(request: ExplainRequest, url: URL): Call {
  const headers = Object.entries(request.headers ?? {}).flat();
  const init = {
    scheme: url.protocol.slice(0, -1),
    authority: url.host,
    method: request.method ?? 'GET',
    path: url.pathname + url.search,
    headers,
    body: null,
  };
  return new Call(init, 0);
}

/** Where calls go; nowhere, when the mesh itself answers. */
function targetsOf(route: RouteConfig): { name: string; percent: number }[] {
  if (route.redirect !== undefined || route.directResponse !== undefined) return [];
  const total = route.targets.reduce((sum, target) => sum + target.weight, 0);
  return route.targets.map((target) => ({
    name: target.fails === undefined ? targetName(target) : `${target.fails.status} ${target.fails.flag} (${target.fails.reason})`,
    percent: route.targets.length === 1 ? 100 : Math.round((target.weight / total) * 10_000) / 100,
  }));
}

/** The services that attempts go to, each once. */
function destinationsOf(route: RouteConfig, services: MeshConfig['services']): ServiceConfig[] {
  if (route.redirect !== undefined || route.directResponse !== undefined) return [];
  const names = route.targets.filter(({ fails }) => fails === undefined).map(({ service }) => service);
  return [...new Set(names)].flatMap((name) => services[name] ?? []);
}

/** A terminal shows the nearest ones. */
const SKIPPED_SHOWN_MAX = 10;
const LABEL = 9;

function headOf({ service, route, skipped, targets }: Omit<Explanation, 'text'>): string[] {
  const line = (label: string, text: string): string => `  ${label.padEnd(LABEL)} ${text}`;
  const lines = [line('service', service ?? 'none')];
  if (route === null) return lines;
  const { name, dialect, position, reason } = route;
  lines.push(line('route', `${name} (${placeText(position)}${dialect === 'inmesh' ? '' : `, ${dialect}`}): ${reason}`));
  const shown = skipped.slice(-SKIPPED_SHOWN_MAX);
  if (shown.length < skipped.length) lines.push(line('before it', `… ${skipped.length - shown.length} more`));
  for (const [i, one] of shown.entries()) {
    const label = i === 0 && shown.length === skipped.length ? 'before it' : '';
    lines.push(line(label, `${one.name} (${placeText(one.position)}): ${one.reason}`));
  }
  const shares = targets.map((target) => `${target.name} ${target.percent} %`).join(', ');
  return [...lines, line('targets', shares === '' ? 'none: the mesh itself answers' : shares)];
}

function textOf(request: ExplainRequest, explanation: Omit<Explanation, 'text'>): string {
  const { service, route, fields, pipeline } = explanation;
  const head = `${request.method ?? 'GET'} ${request.url}`;
  if (service === null || route === null) return `${head}\n  no service of the mesh names this host; ${fields[0]?.value ?? ''}\n`;
  const lines = [head, ...headOf(explanation), ''];
  let destination: string | undefined;
  for (const { name, value, from, of } of fields) {
    if (of !== destination) lines.push('', `  to ${of}`);
    destination = of;
    lines.push(`  ${name.padEnd(17)} ${value}  [${from}]`);
  }
  lines.push('');
  let stack = '';
  for (const layer of pipeline) {
    if (layer.stack !== stack) lines.push(`  per ${layer.stack}`);
    stack = layer.stack;
    lines.push(`    ${layer.active ? '▸' : '·'} ${layer.role.padEnd(18)} ${layer.detail}`.trimEnd());
    // What does nothing here needs no reason.
    if (layer.active) lines.push(`      ${' '.repeat(18)} ${layer.why}`);
  }
  return `${lines.join('\n')}\n`;
}

function reasonOf(route: RouteConfig, index: number): string {
  const skipped = index === 0 ? 'the first rule' : `rule ${index + 1}, after ${index} that did not match`;
  return route.matches.length === 0 ? `${skipped}; it matches every call` : `${skipped}; all its conditions hold`;
}

const PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** Of a host that no service names. */
function strange({ config }: ExplainTable, { hostname, port, protocol }: URL): Omit<Explanation, 'text'> {
  const passing = new HostTable<string>();
  for (const host of config.passHosts ?? []) passing.add(host, `passHosts: ${host}`);
  const named = passing.find(hostname, port === '' ? (PORTS[protocol] ?? '') : port);
  const passes = config.unknownHosts === 'pass' ? 'unknownHosts: pass' : named;
  const value = passes === null ? 'it is refused (unknownHosts: refuse)' : `it goes on untouched (${passes})`;
  return { service: null, route: null, skipped: [], targets: [], fields: [{ name: 'unknownHosts', value, from: 'config' }], pipeline: [] };
}

export function explain(table: ExplainTable, request: ExplainRequest): Explanation {
  const url = new URL(request.url);
  const found = table.find(url.origin);
  if (found === null) {
    const explanation = strange(table, url);
    return { ...explanation, text: textOf(request, explanation) };
  }
  const { service, matchers } = found;
  const { config, users, traced, at, takes } = table;
  const call = callOf(request, url);
  const index = matchers.findIndex((matches) => matches(call));
  const route = service.routes[index] as RouteConfig;
  const { name, dialect, source } = route;
  const targets = targetsOf(route);
  const destinations = destinationsOf(route, config.services);
  const { unnamed } = config;
  const attempts = destinations.flatMap((one) => attemptFields({ owner: service, route, destination: one, unnamed, at }));
  const fields = [...callFields(service, route, at), ...attempts];
  const [destination = null] = destinations;
  const explanation: Omit<Explanation, 'text'> = {
    service: service.name,
    route: { name, dialect, reason: reasonOf(route, index), ...(source === undefined ? {} : { position: source }) },
    skipped: service.routes.slice(0, index).map((one) => ({
      name: one.name,
      ...(one.source === undefined ? {} : { position: one.source }),
      reason: reasonNotTaken(one.matches, call, takes),
    })),
    targets,
    fields,
    pipeline: explainPipeline({ failures: config.failures, users, traced, service, route, destination, targets, fields }),
  };
  return { ...explanation, text: textOf(request, explanation) };
}
