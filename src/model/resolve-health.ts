// Whether endpoints are asked if they live, and how. One probe of three; a nearer level that names another probe drops
// what farther ones say of theirs.
import type { HealthCheckPolicy } from './balancing.ts';
import { HEALTH_CHECK_DEFAULTS } from './balancing.ts';
import type { GrpcProbeInput, HealthCheckInput, HttpProbeInput, TcpProbeInput } from './input-balancing.ts';
import type { Report } from './report.ts';
import type { Level } from './resolve-levels.ts';
import { mergeOptional, nearestLevel } from './resolve-levels.ts';
import { toMs, toStatusRanges } from './resolve-scalar.ts';

type Kind = HealthCheckPolicy['kind'];
type Probe = HttpProbeInput & TcpProbeInput & GrpcProbeInput;

const KINDS: readonly Kind[] = ['http', 'tcp', 'grpc'];

export function resolveHealthCheck(levels: readonly Level<HealthCheckInput | boolean>[], report: Report): HealthCheckPolicy | null {
  const merged = mergeOptional(levels);
  if (merged === null) return null;
  const { kind, probe } = resolveProbe(levels, report);
  const input = merged.value;
  const d = HEALTH_CHECK_DEFAULTS;
  return {
    kind,
    path: probe.path ?? d.path,
    statuses: toStatusRanges(probe.statuses, d.statuses),
    service: probe.service ?? d.service,
    port: probe.port ?? d.port,
    intervalMs: toMs(input.interval, d.intervalMs),
    timeoutMs: toMs(input.timeout, d.timeoutMs),
    unhealthyThreshold: input.unhealthyThreshold ?? d.unhealthyThreshold,
    healthyThreshold: input.healthyThreshold ?? d.healthyThreshold,
    always: input.always ?? d.always,
  };
}

function resolveProbe(levels: readonly Level<HealthCheckInput | boolean>[], report: Report): { kind: Kind; probe: Probe } {
  const kinds = levels.map(({ value, path }) => {
    if (typeof value !== 'object') return value === false ? 'none' : undefined;
    const [first, second] = KINDS.filter((kind) => value[kind] !== undefined);
    if (second !== undefined) report.error([...path, second], `healthCheck has both ${first} and ${second}; keep one`, { part: 'key' });
    return first;
  });
  const said = kinds.slice(kinds.lastIndexOf('none') + 1);
  const kind = (said.findLast((one) => one !== undefined) as Kind | undefined) ?? HEALTH_CHECK_DEFAULTS.kind;
  const probes = levels.slice(kinds.length - said.length).map(({ value, path }) => ({
    value: typeof value === 'object' ? whole(kind, value[kind]) : undefined,
    path: [...path, kind],
  }));
  return { kind, probe: nearestLevel(probes) < 0 ? {} : (mergeOptional<Probe>(probes)?.value ?? {}) };
}

/** A path of http, a name of grpc, or all of it. */
function whole(kind: Kind, value: HealthCheckInput[Kind]): Probe | undefined {
  if (typeof value === 'string') return kind === 'http' ? { path: value } : { service: value };
  return value === true ? {} : value;
}
