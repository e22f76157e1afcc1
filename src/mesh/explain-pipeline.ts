// The layers that a call passes, outermost first: which of them act, with what settings, and why each stands there.
import type { RouteConfig, ServiceConfig } from '../model/config.ts';
import { routeRetries } from '../model/route-retries.ts';
import type { ExplainedField } from './explain-fields.ts';
import { CALL_STACK, DESTINATION_STACK, ENDPOINT_STACK, ROUTE_STACK, type StackListing, type UserLayer } from './stack.ts';

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

export interface PipelineInput {
  readonly failures: string;
  readonly users: readonly UserLayer[];
  readonly traced: boolean;
  /** The service that is called, and its rule. */
  readonly service: ServiceConfig;
  readonly route: RouteConfig;
  /** The service that the attempts go to; of several the first. null: no endpoint is asked. */
  readonly destination: ServiceConfig | null;
  readonly targets: readonly { readonly name: string; readonly percent: number }[];
  readonly fields: readonly ExplainedField[];
}

/** Layers that stand there only when their policy does. */
function extraDetails(service: ServiceConfig, route: RouteConfig, fields: ReadonlyMap<string, string>): Details {
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

export function explainPipeline(input: PipelineInput): ExplainedLayer[] {
  const details = detailsOf(input);
  const lines: ExplainedLayer[] = [];
  const stacks = [
    ['call', CALL_STACK],
    ['route', ROUTE_STACK],
    ['destination', DESTINATION_STACK],
    ['endpoint', ENDPOINT_STACK],
  ] as const;
  for (const [stack, entries] of stacks) {
    const isReached = input.destination !== null || stack === 'call' || stack === 'route';
    for (const { role, why } of entries) {
      const addUsers = (at: 'above' | 'below'): void => {
        for (const user of input.users) {
          if (user.of === role && user.place === at)
            lines.push({ stack, role: user.role, why: `Yours, ${at} ${role}.`, active: isReached, detail: '' });
        }
      };
      addUsers('above');
      const detail = details[role] ?? { active: true, detail: '' };
      lines.push({ stack, role, why, ...(isReached ? detail : { active: false, detail: 'not reached' }) });
      addUsers('below');
    }
  }
  return lines;
}

type Details = Readonly<Record<string, { active: boolean; detail: string }>>;

function detailsOf({ failures, traced, service, route, destination, targets, fields: all }: PipelineInput): Details {
  const asked = destination ?? service;
  const own = all.filter(({ of }) => of === undefined || of === asked.name);
  const fields = new Map(own.map(({ name, value }) => [name, value]));
  const retries = routeRetries(route, asked);
  return {
    ...extraDetails(service, route, fields),
    respond: { active: failures === 'respond', detail: `failures: ${failures}` },
    span: { active: traced, detail: traced ? 'INTERNAL span' : 'no tracer registered: nothing is done' },
    metrics: { active: true, detail: 'inmesh.call.duration' },
    router: { active: true, detail: `${service.routes.length} rule${service.routes.length === 1 ? '' : 's'}, this is ${route.name}` },
    headers: { active: route.requestHeaders !== undefined || route.responseHeaders !== undefined, detail: 'set, add, remove' },
    deadline: { active: true, detail: fields.get('timeout') ?? '' },
    splitter: { active: targets.length > 1, detail: targets.map(({ name, percent }) => `${name} ${percent} %`).join(', ') },
    retry: { active: retries.attempts > 0 || route.hedge !== undefined, detail: fields.get('retries') ?? '' },
    'attempt-span': { active: traced, detail: traced ? 'CLIENT span per attempt' : 'no tracer registered: nothing is done' },
    'attempt-metrics': { active: true, detail: 'http.client.request.duration' },
    admission: { active: true, detail: `circuit: ${fields.get('circuitBreaker')}; limits: ${fields.get('limits')}` },
    balancer: { active: true, detail: `${fields.get('loadBalancer')}; ejection: ${fields.get('outlierDetection')}` },
    transport: { active: true, detail: `${asked.protocol}, tls ${asked.tls.mode}` },
  };
}
