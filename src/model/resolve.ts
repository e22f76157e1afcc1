// From what people write to what is wanted: checks the form, fills every default (mesh, service, route), and checks how
// things hang together. All faults are reported at once. Reads no file and no environment.
import type { IdentityConfig, MeshConfig, SelfConfig, ServiceConfig } from './config.ts';
import { SELF_DEFAULTS } from './config.ts';
import type { MeshInput, ServiceInput } from './input.ts';
import type { ConfigIssue, ConfigPath, PathPart } from './issue.ts';
import type { Origin } from './report.ts';
import { Report } from './report.ts';
import type { CheckRegex } from './resolve-match.ts';
import { resolveIdentity } from './resolve-identity.ts';
import { resolveInbound } from './resolve-inbound.ts';
import { normalHost, resolveService } from './resolve-service.ts';
import { checkSchema } from './schema-check.ts';
import { fileSchema, inputSchema } from './schema.ts';

export interface ResolveOptions extends Origin {
  /** Says why a pattern cannot be used, or null. @default patterns are not checked */
  readonly checkRegex?: CheckRegex;
  /** Whether a duration may be a number of ms. @default true */
  readonly numericDurations?: boolean;
}

export type ResolveResult =
  | { readonly config: MeshConfig; readonly warnings: readonly ConfigIssue[] }
  | { readonly issues: readonly ConfigIssue[] };

/** Never throws for a wrong configuration; `issues` holds at least one error, and the warnings too. */
export function resolveConfig(input: MeshInput, options: ResolveOptions = {}): ResolveResult {
  const report = new Report(options);
  checkSchema(options.numericDurations === false ? fileSchema() : inputSchema(), input, [], report);
  const sound = withoutFaults(input, report.issues);
  const { services, serviceNames } = sound;
  const deps = {
    report,
    checkRegex: options.checkRegex,
    defaults: sound.top('defaults') ?? {},
    self: sound.isFaulty('self') ? undefined : (sound.top('self') ?? {}),
    identity: sound.isFaulty('identity') ? undefined : identityOf(sound.top('identity'), report),
    services: new Map(
      serviceNames.map((name) => [name, Object.hasOwn(services, name) ? new Set(Object.keys(services[name]?.subsets ?? {})) : null]),
    ),
  };
  const resolved: Record<string, ServiceConfig> = Object.create(null) as Record<string, ServiceConfig>;
  for (const [name, service] of Object.entries(services)) resolved[name] = resolveService(name, service, ['services', name], deps);
  checkHosts(services, resolved, report);
  const inbound = resolveInbound(sound.top('inbound') ?? {}, deps.identity, report, {
    ...SELF_DEFAULTS,
    ...definedOnly(sound.top('self')),
  });
  if (report.hasErrors) return { issues: report.issues };
  const config: MeshConfig = {
    self: { ...SELF_DEFAULTS, ...definedOnly(sound.top('self')) },
    identity: deps.identity ?? null,
    unknownHosts: sound.top('unknownHosts') ?? 'pass',
    failures: sound.top('failures') ?? 'throw',
    services: resolved,
    // A report of its own: whatever is wrong with the defaults was said for the services.
    unnamed: resolveService('', { endpoints: [] }, ['defaults'], { ...deps, report: new Report({}) }),
    inbound,
    ...(sound.top('telemetry')?.grpcMetrics === true ? { grpcMetrics: true } : {}),
  };
  return { config, warnings: report.issues };
}

function identityOf(input: MeshInput['identity'], report: Report): IdentityConfig | null {
  return input === undefined ? null : resolveIdentity(input, report);
}

function definedOnly(self: Partial<SelfConfig> | undefined): Partial<SelfConfig> {
  return Object.fromEntries(Object.entries(self ?? {}).filter(([, value]) => value !== undefined));
}

interface Sound {
  /** A top-level section, undefined when it has faults. */
  top<K extends keyof MeshInput>(key: K): MeshInput[K] | undefined;
  isFaulty(key: string): boolean;
  /** Services without faults of form. */
  readonly services: Readonly<Record<string, ServiceInput>>;
  /** All services, faulty ones included: others may point at them. */
  readonly serviceNames: readonly string[];
}

/** What has the right form is checked further even when something else has not, so that people see all faults in one go. */
function withoutFaults(input: MeshInput, issues: readonly ConfigIssue[]): Sound {
  const faulty = new Set(issues.map(({ path }) => String(path[0])));
  const faultyServices = new Set(issues.filter(({ path }) => path[0] === 'services').map(({ path }) => path[1]));
  const isMapping = issues.every(({ path }) => path.length > 0);
  const all = isMapping && !faultyServices.has(undefined) ? Object.entries(input.services ?? {}) : [];
  return {
    top: (key) => (isMapping && !faulty.has(key) ? input[key] : undefined),
    isFaulty: (key) => faulty.has(key),
    services: Object.fromEntries(all.filter(([name, service]) => service !== undefined && !faultyServices.has(name))),
    serviceNames: all.map(([name]) => name),
  };
}

/** A host must mean one service. */
function checkHosts(
  inputs: Readonly<Record<string, ServiceInput>>,
  services: Readonly<Record<string, ServiceConfig>>,
  report: Report,
): void {
  const owners = new Map<string, { service: string; path: ConfigPath }>();
  for (const name of Object.keys(services)) {
    const named: [host: string, path: ConfigPath][] = [[name, ['services', name]]];
    for (const [i, host] of (inputs[name]?.hosts ?? []).entries()) named.push([host, ['services', name, 'hosts', i]]);
    for (const [host, path] of named) {
      const normal = normalHost(host);
      const owner = owners.get(normal);
      if (owner === undefined) owners.set(normal, { service: name, path });
      else if (owner.service !== name) {
        const first = `service "${owner.service}" (${report.place(owner.path, partOf(owner.path))})`;
        const message = `host ${report.show(path, normal)} already means ${first}; a host can mean one service only`;
        report.error(path, message, { part: partOf(path) });
      }
    }
  }
}

/** The name of a service is a key, its other hosts are values. */
function partOf(path: ConfigPath): PathPart {
  return path.length === 2 ? 'key' : 'value';
}
