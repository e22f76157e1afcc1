// One service: where its endpoints come from, the names it goes by, its subsets, policies and routes.
import { parseHostPort } from './address.ts';
import type { IdentityConfig, ServiceConfig } from './config.ts';
import { TIMEOUT_MS_DEFAULT } from './config.ts';
import type { EndpointConfig, EndpointSourceConfig, TlsPolicy } from './destination.ts';
import type { PolicyInput, TlsInput } from './input-policy.ts';
import type { DnsInput, EndpointInput, ServiceInput } from './input.ts';
import type { ConfigPath } from './issue.ts';
import { formatPath } from './issue.ts';
import type { Report } from './report.ts';
import type { Level } from './resolve-levels.ts';
import { mergeLevels, nearestLevel } from './resolve-levels.ts';
import { resolveBalancer } from './resolve-balancer.ts';
import { resolveBudget } from './resolve-budget.ts';
import { grpcFields, placed, withGrpc } from './resolve-grpc-service.ts';
import { resolveHealthCheck } from './resolve-health.ts';
import type { LocalityDeps } from './resolve-locality.ts';
import type { MatchDeps } from './resolve-match.ts';
import { resolveOutlier } from './resolve-outlier.ts';
import { resolveBreaker, resolveLimits, resolveRateLimit, resolveRetries, resolveThrottle } from './resolve-policy.ts';
import type { RouteDeps } from './resolve-route.ts';
import { resolveRoutes, warnOfPerTry } from './resolve-route.ts';
import { toMs } from './resolve-scalar.ts';

export interface ServiceDeps extends MatchDeps, LocalityDeps {
  readonly defaults: PolicyInput;
  /** undefined: written, but with faults, so that nothing can be said about it. */
  readonly identity: IdentityConfig | null | undefined;
  readonly services: RouteDeps['services'];
}

export function resolveService(name: string, written: ServiceInput, path: ConfigPath, deps: ServiceDeps): ServiceConfig {
  const { report } = deps;
  const { input, grpc } = withGrpc(written, path, report);
  const of = <K extends keyof PolicyInput>(key: K): Level<NonNullable<PolicyInput[K]>>[] => [
    { value: deps.defaults[key] ?? undefined, path: ['defaults', key] },
    { value: input[key] as NonNullable<PolicyInput[K]> | undefined, path: [...path, key] },
  ];
  const timeoutMs = toMs(input.timeout ?? deps.defaults.timeout, TIMEOUT_MS_DEFAULT);
  const timeoutLevel = nearestLevel(of('timeout'));
  const { policy: retries, perTryLevel, perTryPath } = resolveRetries(of('retries'), report);
  warnOfPerTry(retries.perTryTimeoutMs, perTryLevel, perTryPath, timeoutMs, timeoutLevel, report);
  const endpoints = resolveEndpointSource(name, input, path, report);
  const subsets = resolveSubsets(input, endpoints, [...path, 'subsets'], report);
  const rateLimit = resolveRateLimit(of('rateLimit'), report);
  const source = report.position(path, 'key');
  const routes = resolveRoutes(
    input.routes ?? [],
    [...path, 'routes'],
    { ...deps, service: name, retryLevels: of('retries'), timeoutMs, timeoutLevel },
    grpc?.policies.routes === undefined ? undefined : grpc.places.map((place) => place.path),
  );
  return {
    name,
    hosts: [...new Set([name, ...(input.hosts ?? [])].map(normalHost))],
    endpoints,
    protocol: input.protocol ?? deps.defaults.protocol ?? 'http1',
    tls: resolveTls(of('tls'), deps),
    timeoutMs,
    retries,
    retryBudget: resolveBudget(of('retryBudget'), report),
    circuitBreaker: resolveBreaker(of('circuitBreaker'), report),
    outlierDetection: resolveOutlier(of('outlierDetection'), endpoints.kind === 'static' ? endpoints.endpoints.length : null, report),
    healthCheck: resolveHealthCheck(of('healthCheck'), report),
    loadBalancer: resolveBalancer(of('loadBalancer'), deps),
    limits: resolveLimits(of('limits'), report),
    throttle: resolveThrottle(of('throttle')),
    ...(rateLimit === null ? {} : { rateLimit }),
    subsets,
    routes: grpc === null ? routes : routes.map((route, i) => placed(route, grpc.places[i]?.fields ?? {}, report)),
    ...(source === undefined ? {} : { source }),
    ...(grpc === null ? {} : placed({}, grpcFields(grpc, path), report)),
  };
}

/** Lower case, without the dot of a fully qualified name. */
export function normalHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

const SOURCES = ['endpoints', 'endpointsFile', 'dns'] as const;

function resolveEndpointSource(name: string, input: ServiceInput, path: ConfigPath, report: Report): EndpointSourceConfig {
  const [first, second] = SOURCES.filter((key) => input[key] !== undefined);
  if (second !== undefined) {
    report.error([...path, second], `service "${name}" has both ${first} and ${second}; keep one`, { part: 'key' });
  }
  if (input.endpoints !== undefined) {
    return { kind: 'static', endpoints: resolveEndpoints(input.endpoints, [...path, 'endpoints'], report) };
  }
  if (input.endpointsFile !== undefined) return { kind: 'file', path: input.endpointsFile };
  if (input.dns !== undefined) return resolveDns(input.dns, [...path, 'dns'], report);
  report.error(
    path,
    `service "${name}" does not say who answers for it; add endpoints: [host:port, …], or endpointsFile: path, or dns: ${name}:80, or endpoints: [] for mesh.call alone`,
    { part: 'key', allowed: SOURCES },
  );
  return { kind: 'static', endpoints: [] };
}

function resolveDns(input: string | DnsInput, path: ConfigPath, report: Report): EndpointSourceConfig {
  if (typeof input === 'string') {
    const { host, port } = parseHostPort(input) ?? { host: '', port: 0 };
    return { kind: 'dns', host, port, record: 'any' };
  }
  const { host, port, record = 'any' } = input;
  if (port === undefined && record !== 'SRV') {
    report.error(path, `${formatPath(path)} needs a port; only record: SRV brings its own`);
  }
  return { kind: 'dns', host: normalHost(host), port: port ?? 0, record };
}

/** Fills defaults and refuses an address that stands twice. The list has passed the schema. */
export function resolveEndpoints(inputs: readonly (string | EndpointInput)[], path: ConfigPath, report: Report): EndpointConfig[] {
  const places = new Map<string, ConfigPath>();
  return inputs.map((input, index) => {
    const at = [...path, index];
    const whole: EndpointInput = typeof input === 'string' ? { address: input } : input;
    const { host, port } = parseHostPort(whole.address) ?? { host: '', port: 0 };
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const before = places.get(address);
    const exact = typeof input === 'string' ? at : [...at, 'address'];
    if (before === undefined) places.set(address, exact);
    else
      report.error(
        exact,
        `the endpoint ${report.show(exact, address)} stands twice, first at ${report.place(before)}; use weight for a larger share`,
      );
    const { labels = {}, locality = '', weight = 1, priority } = whole;
    return { address, labels, locality, weight, ...(priority === undefined ? {} : { priority }) };
  });
}

function resolveSubsets(input: ServiceInput, source: EndpointSourceConfig, path: ConfigPath, report: Report): ServiceConfig['subsets'] {
  const subsets: Record<string, Readonly<Record<string, string>>> = Object.create(null) as Record<string, Readonly<Record<string, string>>>;
  for (const [name, labels] of Object.entries(input.subsets ?? {})) {
    subsets[name] = labels;
    if (source.kind !== 'static') continue;
    const wanted = Object.entries(labels);
    if (source.endpoints.some((endpoint) => wanted.every(([key, value]) => endpoint.labels[key] === value))) continue;
    report.error([...path, name], `subset "${name}" selects none of the endpoints; check its labels against those of the endpoints`, {
      part: 'key',
    });
  }
  return subsets;
}

function resolveTls(levels: readonly Level<NonNullable<PolicyInput['tls']>>[], deps: ServiceDeps): TlsPolicy {
  const whole = levels.map(({ value, path }) => ({ value: typeof value === 'string' ? { mode: value } : value, path }));
  const merged = mergeLevels<TlsInput>(whole);
  const nearestPath = (levels[nearestLevel(levels)] ?? levels[0])?.path ?? [];
  if (merged === null || nearestLevel(levels) < 0) return { mode: 'disable' };
  const { mode = merged.value.cert !== undefined && merged.value.key !== undefined ? 'mutual' : 'simple', ...rest } = merged.value;
  if (mode === 'disable') return { mode };
  const { cert, key, ca } = rest;
  if ((cert === undefined) !== (key === undefined)) {
    deps.report.error(
      nearestPath,
      `tls has ${cert === undefined ? 'key without cert' : 'cert without key'}; give both, or neither to use identity`,
    );
  } else if (mode === 'mutual' && deps.identity === null) {
    const missing = [...(cert === undefined ? ['cert', 'key'] : []), ...(ca === undefined ? ['ca'] : [])];
    if (missing.length > 0) deps.report.error(nearestPath, `tls: mutual needs ${missing.join(', ')} here, or identity at the top`);
  }
  if (mode === 'mutual') return { mode, ...rest };
  const { cert: _cert, key: _key, ...simple } = rest;
  // Inherited from defaults it is nothing odd.
  if (cert !== undefined && merged.levelOf('cert') === merged.levelOf('mode')) {
    deps.report.warn(
      merged.pathOf('cert'),
      'tls: simple sends no certificate, so cert and key are ignored; use mode: mutual, or remove them',
    );
  }
  return { mode, ...simple };
}
