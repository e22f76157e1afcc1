// What would become of a call, and why: the rule, the line that decided each field, the stack with its reasons. A dry
// run over the compiled tables; nothing is sent, nothing is drawn.
import { Call } from '../core/call.ts';
import type { MeshConfig, RouteConfig, ServiceConfig } from '../model/config.ts';
import { formatDuration } from '../model/duration.ts';
import { balancerText, breakerText, budgetText, extrasOf, limitsText, outlierText, retriesText, targetName } from './describe.ts';
import type { ConfigPath } from '../model/issue.ts';
import type { SourcePosition } from '../model/route.ts';
import type { LocatePath } from './config-source.ts';
import { CALL_STACK, DESTINATION_STACK, ENDPOINT_STACK, ROUTE_STACK, type StackListing, type UserLayer } from './stack.ts';

export interface ExplainRequest {
  readonly method?: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One line of the pipeline. */
export interface ExplainedLayer {
  readonly stack: StackListing['name'];
  readonly role: string;
  readonly why: string;
  /** false: the policy is absent, so there is no layer. */
  readonly active: boolean;
  /** The settings in force, in one line. */
  readonly detail: string;
}

export interface Explanation {
  /** null: no service names the host. */
  readonly service: string | null;
  readonly route: { readonly name: string; readonly position?: SourcePosition; readonly reason: string } | null;
  readonly targets: readonly { readonly name: string; readonly percent: number }[];
  /** Every setting that holds, and where it comes from: `file:line:col`, or `default`. */
  readonly fields: readonly { readonly name: string; readonly value: string; readonly from: string }[];
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
}

function place(position: SourcePosition | undefined): string {
  return position === undefined ? 'code' : `${position.file}:${position.line}:${position.column}`;
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
    name: target.fails === undefined ? targetName(target) : `${target.fails.status} (${target.fails.reason})`,
    percent: route.targets.length === 1 ? 100 : Math.round((target.weight / total) * 10_000) / 100,
  }));
}

type Field = Explanation['fields'][number];

/** Where the nearest level that says something about a policy says it: route, service, defaults; else it is ours. */
function originOf(name: string, levels: readonly ConfigPath[], at: LocatePath | undefined): string {
  if (at === undefined) return 'code';
  for (const level of levels) {
    const own = at([...level, name], 'key');
    const holder = at(level, 'key');
    // For a key that is not written, `at` gives what should hold it.
    if (own !== undefined && (holder === undefined || own.line !== holder.line || own.column !== holder.column)) return place(own);
  }
  return 'default';
}

/** Keys of the concise form that are named otherwise than the fields. */
const CONCISE_KEYS: Readonly<Record<string, string>> = { mirrors: 'mirror', hedge: 'idempotent' };

function fieldsOf(service: ServiceConfig, route: RouteConfig, at: LocatePath | undefined): Field[] {
  const serviceLevels = [['services', service.name], ['defaults']];
  const routeLevels = [['services', service.name, 'routes', indexOf(service, route, at)], ...serviceLevels];
  const field = (name: string, value: string, levels: readonly ConfigPath[] = serviceLevels): Field => {
    const source = route.sources?.[name] ?? service.sources?.[name];
    return { name, value, from: source === undefined ? originOf(CONCISE_KEYS[name] ?? name, levels, at) : place(source) };
  };
  const timeoutMs = route.timeoutMs ?? service.timeoutMs;
  return [
    field('timeout', timeoutMs > 0 ? formatDuration(timeoutMs) : 'none', routeLevels),
    field('retries', retriesText(route.retries ?? service.retries), routeLevels),
    field('retryBudget', budgetText(service)),
    field('circuitBreaker', breakerText(service)),
    field('outlierDetection', outlierText(service)),
    field('loadBalancer', balancerText(service)),
    field('limits', limitsText(service)),
    field('tls', service.tls.mode),
    ...extrasOf(service, route).map(([name, value]) => field(name, value, routeLevels)),
  ];
}

/** Place of the rule in the file: one rule with several prefixes may have become several routes. */
function indexOf(service: ServiceConfig, route: RouteConfig, at: LocatePath | undefined): number {
  const { source } = route;
  const index = service.routes.indexOf(route);
  if (at === undefined || source === undefined) return index;
  for (let i = index; i >= 0; i--) {
    const own = at(['services', service.name, 'routes', i]);
    if (own?.line === source.line && own.file === source.file) return i;
  }
  return index;
}

/** Layers that stand there only when their policy does. */
function extraDetails(
  service: ServiceConfig,
  route: RouteConfig,
  fields: ReadonlyMap<string, string>,
): Readonly<Record<string, { active: boolean; detail: string }>> {
  const of = (name: string, active: boolean = fields.has(name)): { active: boolean; detail: string } => ({
    active,
    detail: active ? (fields.get(name) ?? '') : 'none',
  });
  const some = (active: boolean, detail: string): { active: boolean; detail: string } => ({ active, detail: active ? detail : 'none' });
  const { targets } = route;
  return {
    'service-rate-limit': of('rateLimit', service.rateLimit !== undefined),
    'rate-limit': of('rateLimit', route.rateLimit !== undefined),
    fault: of('fault', route.fault?.position === 'call'),
    'attempt-fault': of('fault', route.fault?.position === 'attempt'),
    rewrite: of('rewrite'),
    mirror: of('mirrors'),
    fallback: of('fallback'),
    cache: of('cache'),
    coalesce: of('coalesce'),
    criticality: of('criticality'),
    throttle: of('throttle'),
    'target-headers': some(
      targets.some((target) => target.requestHeaders !== undefined || target.responseHeaders !== undefined),
      'set, add, remove',
    ),
    'target-rewrite': some(
      targets.some((target) => target.rewrite !== undefined),
      'path, host',
    ),
  };
}

function pipelineOf(table: ExplainTable, service: ServiceConfig, route: RouteConfig): ExplainedLayer[] {
  const fields = new Map(fieldsOf(service, route, table.at).map(({ name, value }) => [name, value]));
  const targets = targetsOf(route);
  const details: Readonly<Record<string, { active: boolean; detail: string }>> = {
    ...extraDetails(service, route, fields),
    respond: { active: table.config.failures === 'respond', detail: `failures: ${table.config.failures}` },
    span: { active: table.traced, detail: table.traced ? 'INTERNAL span' : 'no tracer registered: nothing is done' },
    metrics: { active: true, detail: 'inmesh.call.duration' },
    router: { active: true, detail: `${service.routes.length} rules, this is ${route.name}` },
    headers: { active: route.requestHeaders !== undefined || route.responseHeaders !== undefined, detail: 'set, add, remove' },
    deadline: { active: true, detail: fields.get('timeout') ?? '' },
    splitter: { active: targets.length > 1, detail: targets.map(({ name, percent }) => `${name} ${percent} %`).join(', ') },
    retry: { active: (route.retries ?? service.retries).attempts > 0 || route.hedge !== undefined, detail: fields.get('retries') ?? '' },
    'attempt-span': { active: table.traced, detail: table.traced ? 'CLIENT span per attempt' : 'no tracer registered: nothing is done' },
    'attempt-metrics': { active: true, detail: 'http.client.request.duration' },
    admission: { active: true, detail: `circuit: ${fields.get('circuitBreaker')}; limits: ${fields.get('limits')}` },
    balancer: { active: true, detail: `${fields.get('loadBalancer')}; ejection: ${fields.get('outlierDetection')}` },
    transport: { active: true, detail: `${service.protocol}, tls ${service.tls.mode}` },
  };
  const lines: ExplainedLayer[] = [];
  const stacks = [
    ['call', CALL_STACK],
    ['route', ROUTE_STACK],
    ['destination', DESTINATION_STACK],
    ['endpoint', ENDPOINT_STACK],
  ] as const;
  for (const [stack, entries] of stacks) {
    for (const { role, why } of entries) {
      const addUsers = (at: 'above' | 'below'): void => {
        for (const user of table.users) {
          if (user.of === role && user.place === at)
            lines.push({ stack, role: user.role, why: `Yours, ${at} ${role}.`, active: true, detail: '' });
        }
      };
      addUsers('above');
      lines.push({ stack, role, why, ...(details[role] ?? { active: true, detail: '' }) });
      addUsers('below');
    }
  }
  return lines;
}

function textOf(request: ExplainRequest, explanation: Omit<Explanation, 'text'>): string {
  const { service, route, targets, fields, pipeline } = explanation;
  const head = `${request.method ?? 'GET'} ${request.url}`;
  if (service === null || route === null) return `${head}\n  no service of the mesh names this host; ${fields[0]?.value ?? ''}\n`;
  const lines = [head, `  service   ${service}`, `  route     ${route.name} (${place(route.position)}): ${route.reason}`];
  lines.push(`  targets   ${targets.map(({ name, percent }) => `${name} ${percent} %`).join(', ')}`, '');
  for (const { name, value, from } of fields) lines.push(`  ${name.padEnd(17)} ${value}  [${from}]`);
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

export function explain(table: ExplainTable, request: ExplainRequest): Explanation {
  const url = new URL(request.url);
  const found = table.find(url.origin);
  let explanation: Omit<Explanation, 'text'>;
  if (found === null) {
    const { unknownHosts } = table.config;
    const value = unknownHosts === 'pass' ? 'it goes on untouched (unknownHosts: pass)' : 'it is refused (unknownHosts: refuse)';
    explanation = { service: null, route: null, targets: [], fields: [{ name: 'unknownHosts', value, from: 'config' }], pipeline: [] };
  } else {
    const { service, matchers } = found;
    const call = callOf(request, url);
    const index = matchers.findIndex((matches) => matches(call));
    const route = service.routes[index] as RouteConfig;
    explanation = {
      service: service.name,
      route: { name: route.name, reason: reasonOf(route, index), ...(route.source === undefined ? {} : { position: route.source }) },
      targets: targetsOf(route),
      fields: fieldsOf(service, route, table.at),
      pipeline: pipelineOf(table, service, route),
    };
  }
  return { ...explanation, text: textOf(request, explanation) };
}
