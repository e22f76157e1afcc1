// Lays policies over services: one field, one owner; then what the dialects imply where nobody has said anything; then the
// ports and subsets that are called in their own way. Reports into the resources.
import type { EndpointSourceConfig } from '../model/destination.ts';
import { type BindDeps, settle } from './bind-deps.ts';
import type { Origin, PolicyDraft, PolicyField, PolicyParts, RoutesDraft, ServicePolicyFields } from './draft.ts';
import { describePosition, positionIn } from './resource.ts';
import type { ServiceEntry, ServiceTable } from './service-table.ts';

export function bindPolicies(table: ServiceTable, policies: readonly PolicyDraft[], routes: readonly RoutesDraft[], deps: BindDeps): void {
  for (const draft of policies) carvePorts(table, draft);
  const laid = policies.flatMap((draft) => {
    const entries = table.find(draft);
    if (entries.length === 0) {
      const message = `no service has the host ${draft.host}, so this policy does nothing`;
      draft.resource.report.warn(draft.path, message, { code: 'IST0174' });
    }
    return entries.map((entry) => ({ entry, draft, parts: partsFor(draft, entry) }));
  });
  for (const { entry, draft, parts } of laid) lay(entry, parts, draft, deps);
  for (const { entry, parts } of laid) if (parts.implied !== undefined) imply(entry, parts.implied, deps);
  for (const { routes: rules, implied } of routes) {
    if (implied === undefined) continue;
    const hosts = new Set(rules.flatMap(({ targets }) => targets.map(({ host }) => host)));
    for (const host of hosts) for (const entry of table.find({ host })) imply(entry, implied, deps);
  }
  for (const { entry, draft, parts } of laid) {
    for (const [subset, { policy, implied = {}, origins = {} }] of Object.entries(parts.subsetPolicies ?? {})) {
      const fields = Object.keys(policy) as PolicyField[];
      const sources = Object.fromEntries(fields.map((field) => [field, placeOf(origins[field] ?? draft)]));
      table.split(entry, subset, { ...unsaid(entry, implied, deps), ...policy, sources: { ...entry.config.sources, ...sources } });
    }
  }
}

/** A port that has policies of its own is a service of its own. */
function carvePorts(table: ServiceTable, { host, ports = {} }: PolicyDraft): void {
  for (const port of Object.keys(ports).map(Number)) {
    const found = table.find({ host, port });
    for (const entry of found) if (entry.port === undefined) table.carve(entry, port);
  }
}

function partsFor(draft: PolicyDraft, { port }: ServiceEntry): PolicyParts {
  const own = port === undefined ? undefined : draft.ports?.[port];
  if (own === undefined) return draft;
  const { policy, origins = {} } = draft;
  return {
    ...own,
    policy: { ...own.policy, ...(policy.subsets === undefined ? {} : { subsets: policy.subsets }) },
    origins: { ...own.origins, ...(origins.subsets === undefined ? {} : { subsets: origins.subsets }) },
  };
}

function lay(entry: ServiceEntry, { policy, origins }: PolicyParts, draft: PolicyDraft, deps: BindDeps): void {
  const { subsets = {}, ...blocks } = policy;
  const originOf = (field: PolicyField): Origin => origins?.[field] ?? draft;
  const fields = (Object.keys(blocks) as PolicyField[]).filter((field) => mayDecide(entry, field, originOf(field), deps));
  const own: Partial<ServicePolicyFields> = Object.fromEntries(fields.map((field) => [field, policy[field]]));
  const sources = Object.fromEntries(fields.map((field) => [field, placeOf(originOf(field))]));
  entry.config = {
    ...entry.config,
    ...own,
    subsets: { ...entry.config.subsets, ...newSubsets(entry, subsets, originOf('subsets'), deps) },
    sources: { ...entry.config.sources, ...sources },
  };
}

/** One field, one owner. */
function mayDecide(entry: ServiceEntry, field: PolicyField, origin: Origin, { written, context }: BindDeps): boolean {
  const before = (entry.concise === null ? undefined : written.service(entry.concise, field)) ?? entry.decided.get(field);
  if (before === undefined) {
    entry.decided.set(field, placeOf(origin));
    return true;
  }
  const message = `${field} of ${entry.config.name} is decided twice, first at ${describePosition(before)}; keep one`;
  settle(context, origin, `${message}${context.lenient ? ': the first is used' : ''}`, 'INM0012');
  return false;
}

/** A name stands for one choice of endpoints; said twice, and otherwise, it is a conflict. */
function newSubsets(
  entry: ServiceEntry,
  subsets: ServicePolicyFields['subsets'],
  { resource, path }: Origin,
  { context }: BindDeps,
): ServicePolicyFields['subsets'] {
  const { endpoints, subsets: known, name: service } = entry.config;
  const added: Record<string, Readonly<Record<string, string>>> = Object.create(null) as Record<string, Readonly<Record<string, string>>>;
  for (const [name, labels] of Object.entries(subsets)) {
    const before = Object.hasOwn(known, name) ? known[name] : undefined;
    if (before === undefined) {
      added[name] = labels;
      if (selectsNobody(labels, endpoints)) {
        const message = `subset ${name} selects none of the endpoints of ${service}; check its labels against those of the endpoints`;
        resource.report.warn(path, message, { code: 'IST0173' });
      }
    } else if (JSON.stringify(before) !== JSON.stringify(labels)) {
      settle(context, { resource, path }, `${service} has a subset ${name} already, with other labels; keep one`, 'INM0012');
    }
  }
  return added;
}

/** Only where all endpoints are written down. */
function selectsNobody(labels: Readonly<Record<string, string>>, source: EndpointSourceConfig): boolean {
  if (source.kind !== 'static' || source.endpoints.length === 0) return false;
  const wanted = Object.entries(labels);
  return !source.endpoints.some((endpoint) => wanted.every(([key, value]) => endpoint.labels[key] === value));
}

/** What somebody wrote, be it for all services, counts more than what a mesh means by silence. */
export function imply(entry: ServiceEntry, implied: Partial<ServicePolicyFields>, deps: BindDeps): void {
  const open = Object.entries(unsaid(entry, implied, deps)).filter(([field]) => !entry.decided.has(field));
  entry.config = { ...entry.config, ...Object.fromEntries(open) };
}

/** What the concise form says nothing about. */
function unsaid({ concise }: ServiceEntry, implied: Partial<ServicePolicyFields>, { written }: BindDeps): Partial<ServicePolicyFields> {
  const isSaid = (field: string): boolean =>
    (concise !== null && written.service(concise, field) !== undefined) || written.defaults(field) !== undefined;
  return Object.fromEntries(Object.entries(implied).filter(([field]) => !isSaid(field)));
}

function placeOf({ resource, path }: Origin): ReturnType<typeof positionIn> {
  return positionIn(resource, path, 'key');
}
