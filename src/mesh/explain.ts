// What would become of a call, and why: the rule, the line that decided each field, the stack with its reasons. A dry
// run over the compiled tables; nothing is sent, nothing is drawn.
import { Call } from '../core/call.ts';
import type { MeshConfig, RouteConfig, ServiceConfig } from '../model/config.ts';
import { formatDuration } from '../model/duration.ts';
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

function targetsOf(route: RouteConfig): { name: string; percent: number }[] {
  const total = route.targets.reduce((sum, target) => sum + target.weight, 0);
  return route.targets.map((target) => ({
    name: target.subset === undefined ? target.service : `${target.service}/${target.subset}`,
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

function fieldsOf(service: ServiceConfig, route: RouteConfig, at: LocatePath | undefined): Field[] {
  const serviceLevels = [['services', service.name], ['defaults']];
  const routeLevels = [['services', service.name, 'routes', service.routes.indexOf(route)], ...serviceLevels];
  const { tokensMax, tokensPerSuccess, tokensPerSecond } = service.retryBudget;
  const field = (name: string, value: string, levels: readonly ConfigPath[] = serviceLevels): Field => ({
    name,
    value,
    from: originOf(name, levels, at),
  });
  return [
    field('timeout', formatDuration(route.timeoutMs ?? service.timeoutMs), routeLevels),
    field('retries', retriesText(route.retries ?? service.retries), routeLevels),
    field('retryBudget', `${tokensMax} tokens, +${tokensPerSuccess} per success, +${tokensPerSecond}/s`),
    field('circuitBreaker', breakerText(service)),
    field('outlierDetection', outlierText(service)),
    field('loadBalancer', service.loadBalancer.kind),
    field('limits', limitsText(service)),
    field('tls', service.tls.mode),
  ];
}

function retriesText(retries: ServiceConfig['retries']): string {
  if (retries.attempts === 0) return 'off';
  const { baseMs, maxMs } = retries.backoff;
  return `${retries.attempts}, per try ${formatDuration(retries.perTryTimeoutMs)}, on ${retries.retryOn.join(', ')}, back-off ${baseMs} to ${maxMs} ms`;
}

function breakerText({ circuitBreaker: breaker }: ServiceConfig): string {
  if (breaker === null) return 'off';
  const open = `opens for up to ${formatDuration(breaker.openBaseMs)}, doubling to ${formatDuration(breaker.openMaxMs)}`;
  if (breaker.kind === 'ratio')
    return `${breaker.failureRatio * 100} % of at least ${breaker.callsMin} calls in ${formatDuration(breaker.windowMs)}, ${open}`;
  if (breaker.kind === 'consecutive') return `${breaker.failures} failures in a row, ${open}`;
  return `${breaker.failureRatio * 100} % of the last ${breaker.size} calls, ${open}`;
}

function outlierText({ outlierDetection: outlier }: ServiceConfig): string {
  if (outlier === null) return 'off';
  return `${outlier.consecutiveErrors} errors in a row, or worse than its peers over ${formatDuration(outlier.windowMs)}; ejects ${formatDuration(outlier.baseEjectionMs)} to ${formatDuration(outlier.maxEjectionMs)}, at most ${outlier.maxEjectionPercent} %`;
}

function limitsText({ limits }: ServiceConfig): string {
  const set = Object.entries(limits).filter(([, value]) => value > 0);
  return set.length === 0 ? 'none' : set.map(([name, value]) => `${name} ${value}`).join(', ');
}

function pipelineOf(table: ExplainTable, service: ServiceConfig, route: RouteConfig): ExplainedLayer[] {
  const fields = new Map(fieldsOf(service, route, table.at).map(({ name, value }) => [name, value]));
  const targets = targetsOf(route);
  const details: Readonly<Record<string, { active: boolean; detail: string }>> = {
    respond: { active: table.config.failures === 'respond', detail: `failures: ${table.config.failures}` },
    span: { active: table.traced, detail: table.traced ? 'INTERNAL span' : 'no tracer registered: nothing is done' },
    metrics: { active: true, detail: 'inmesh.call.duration' },
    router: { active: true, detail: `${service.routes.length} rules, this is ${route.name}` },
    headers: { active: route.requestHeaders !== undefined || route.responseHeaders !== undefined, detail: 'set, add, remove' },
    deadline: { active: true, detail: fields.get('timeout') ?? '' },
    splitter: { active: targets.length > 1, detail: targets.map(({ name, percent }) => `${name} ${percent} %`).join(', ') },
    retry: { active: (route.retries ?? service.retries).attempts > 0, detail: fields.get('retries') ?? '' },
    'attempt-span': { active: table.traced, detail: table.traced ? 'CLIENT span per attempt' : 'no tracer registered: nothing is done' },
    'attempt-metrics': { active: true, detail: 'http.client.request.duration' },
    admission: { active: true, detail: `circuit: ${fields.get('circuitBreaker')}; limits: ${fields.get('limits')}` },
    balancer: { active: true, detail: `${service.loadBalancer.kind}; ejection: ${fields.get('outlierDetection')}` },
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
    lines.push(`    ${layer.active ? '▸' : '·'} ${layer.role.padEnd(16)} ${layer.detail}`, `      ${' '.repeat(16)} ${layer.why}`);
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
