// Every setting that holds for a call, and the line that decided it: of the rule, of the service that is called, and of each
// service that its attempts go to.
import type { RouteConfig, ServiceConfig } from '../model/config.ts';
import { formatDuration } from '../model/duration.ts';
import type { ConfigPath } from '../model/issue.ts';
import type { SourcePosition } from '../model/route.ts';
import { routeRetries } from '../model/route-retries.ts';
import type { LocatePath } from './config-source.ts';
import {
  balancerText,
  breakerText,
  budgetText,
  connectionsText,
  endpointsText,
  extrasOf,
  limitsText,
  outlierText,
  retriesText,
  tlsText,
} from './describe.ts';

export interface ExplainedField {
  readonly name: string;
  readonly value: string;
  /** `file:line:col`; `default`, `default of istio`; `code` for a configuration given as an object. */
  readonly from: string;
  /** The service whose setting it is, when that is not the one that was called. */
  readonly of?: string;
}

export function placeText(position: SourcePosition | undefined): string {
  return position === undefined ? 'code' : `${position.file}:${position.line}:${position.column}`;
}

/** Of the call as a whole. */
export function callFields(service: ServiceConfig, route: RouteConfig, at: LocatePath | undefined): ExplainedField[] {
  const { perTryTimeoutMs, timeoutMs = service.timeoutMs } = route;
  const field = (name: string, value: string, key = name): ExplainedField => {
    const isOwn = Object.hasOwn(route, key);
    const source = isOwn ? route.sources?.[key] : service.sources?.[key];
    const silent = isOwn ? route : undefined;
    return { name, value, from: source === undefined ? originOf(name, routeLevels(service, route, at), at, silent) : placeText(source) };
  };
  const extras = extrasOf(service, route).filter(([name]) => !OF_ATTEMPTS.has(name));
  return [
    field('timeout', timeoutMs > 0 ? formatDuration(timeoutMs) : 'none', 'timeoutMs'),
    ...(perTryTimeoutMs === undefined
      ? []
      : [field('perTryTimeout', perTryTimeoutMs > 0 ? formatDuration(perTryTimeoutMs) : 'none', 'perTryTimeoutMs')]),
    ...extras.map(([name, value]) => field(name, value)),
  ];
}

const OF_ATTEMPTS: ReadonlySet<string> = new Set(['healthCheck', 'throttle']);

export interface AttemptInput {
  /** The service that is called, and its rule. */
  readonly owner: ServiceConfig;
  readonly route: RouteConfig;
  /** The service that the attempts go to. */
  readonly destination: ServiceConfig;
  /** What a service has when nobody says anything. */
  readonly unnamed: ServiceConfig;
  readonly at: LocatePath | undefined;
}

/** Of the attempts at one destination. */
export function attemptFields({ owner, route, destination, unnamed, at }: AttemptInput): ExplainedField[] {
  const of = destination === owner ? {} : { of: destination.name };
  const field = (name: string, text: (service: ServiceConfig) => string | null): ExplainedField[] => {
    const value = text(destination);
    if (value === null) return [];
    const source = destination.sources?.[name];
    // What nobody wrote, and is not ours, is what the mesh means by silence.
    const silent = value === text(unnamed) ? undefined : route;
    return [
      { name, value, from: source === undefined ? originOf(name, serviceLevels(destination), at, silent) : placeText(source), ...of },
    ];
  };
  const extra = (name: string) => (service: ServiceConfig) => extrasOf(service, route).find(([known]) => known === name)?.[1] ?? null;
  return [
    ...(route.retries === undefined
      ? field('retries', (asked) => retriesText(routeRetries(route, asked)))
      : [{ ...ownRetries(owner, route, routeRetries(route, owner), at), ...of }]),
    ...field('retryBudget', budgetText),
    ...field('circuitBreaker', breakerText),
    ...field('outlierDetection', outlierText),
    ...field('loadBalancer', balancerText),
    ...field('limits', limitsText),
    ...field('connections', connectionsText),
    ...field('tls', tlsText),
    ...field('endpoints', endpointsText),
    ...[...OF_ATTEMPTS].flatMap((name) => field(name, extra(name))),
  ];
}

function ownRetries(
  owner: ServiceConfig,
  route: RouteConfig,
  retries: ServiceConfig['retries'],
  at: LocatePath | undefined,
): ExplainedField {
  const source = route.sources?.retries;
  const from = source === undefined ? originOf('retries', routeLevels(owner, route, at), at, route) : placeText(source);
  return { name: 'retries', value: retriesText(retries), from };
}

function serviceLevels({ name }: ServiceConfig): ConfigPath[] {
  return [['services', name], ['defaults']];
}

function routeLevels(service: ServiceConfig, route: RouteConfig, at: LocatePath | undefined): ConfigPath[] {
  return [['services', service.name, 'routes', indexOf(service, route, at)], ...serviceLevels(service)];
}

/** Keys of the concise form that are named otherwise than the fields. */
const CONCISE_KEYS: Readonly<Record<string, readonly string[]>> = {
  mirrors: ['mirror'],
  hedge: ['idempotent'],
  endpoints: ['endpoints', 'endpointsFile', 'dns'],
};

/** Where the nearest level that says something about a policy says it: route, service, defaults; else it is ours, or the mesh's. */
function originOf(name: string, levels: readonly ConfigPath[], at: LocatePath | undefined, route?: RouteConfig): string {
  const otherwise = route === undefined || route.dialect === 'inmesh' ? 'default' : `default of ${route.dialect}`;
  if (at === undefined) return 'code';
  for (const level of levels) {
    const holder = at(level, 'key');
    for (const key of CONCISE_KEYS[name] ?? [name]) {
      const own = at([...level, key], 'key');
      // For a key that is not written, `at` gives what should hold it.
      if (own !== undefined && (holder === undefined || own.line !== holder.line || own.column !== holder.column)) return placeText(own);
    }
  }
  return otherwise;
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
