// From a target by host to a service and subset. One that nobody answers for stays, and says what its calls are answered:
// that is what a mesh does, too.
import type { Dialect, RouteTarget, TargetFailure } from '../model/route.ts';
import type { TargetDraft } from './draft.ts';
import type { Resource } from './resource.ts';
import type { ServiceEntry, ServiceTable } from './service-table.ts';

export interface TargetDeps {
  readonly table: ServiceTable;
  readonly dialect: Dialect;
  readonly resource: Resource;
  /** The service whose route it is. */
  readonly owner: ServiceEntry;
  /** A copy that cannot be sent is left out without a word to the caller. */
  readonly isCopy?: boolean;
}

/** What a mesh answers for a target that it does not know. Source: Istio NC; Gateway API ResolvedRefs=False. */
const UNKNOWN_TARGET: Readonly<Record<Dialect, { status: number; flag: string; code?: string }>> = Object.freeze({
  istio: { status: 503, flag: 'NC', code: 'IST0101' },
  'gateway-api': { status: 500, flag: 'NC' },
  smi: { status: 503, flag: 'NC' },
  linkerd: { status: 503, flag: 'NC' },
  'app-mesh': { status: 503, flag: 'NC' },
  grpc: { status: 503, flag: 'NC' },
  inmesh: { status: 503, flag: 'NC' },
});

/** Where nobody names a port, a call to a virtual host has this one. */
const PORT_DEFAULT = 80;

export function bindTarget(target: TargetDraft, deps: TargetDeps): RouteTarget {
  const { dialect, owner, table, isCopy = false } = deps;
  const { host, port, path, resource = deps.resource, ...rest } = target;
  const service = owner.config.name;
  if (rest.fails !== undefined) return { ...rest, service };
  const { status, flag, code } = UNKNOWN_TARGET[dialect];
  const fail = (reason: string): RouteTarget => {
    const effect = isCopy ? 'it gets no copies' : `its calls are answered ${status}`;
    resource.report.warn(path, `${reason}; ${effect}`, code === undefined ? {} : { code });
    const fails: TargetFailure = { status, flag, reason };
    return { ...rest, service, fails };
  };
  if (table.find({ host }).length === 0)
    return fail(`no service has the host ${host}${rest.subset === undefined ? '' : `, so there is no subset ${rest.subset}`}`);
  const entry = port === undefined ? onOwnPort(target, deps) : table.find({ host, port })[0];
  if (entry === undefined) return fail(`${host} has no port ${port ?? owner.port ?? PORT_DEFAULT}`);
  if (entry.isVirtual) return fail(`nothing says who answers for ${host}`);
  const { subset, ...whole } = rest;
  if (subset === undefined) return { ...whole, service: entry.config.name };
  const split = table.splitOf(entry, subset);
  if (split !== undefined) return { ...whole, ...split };
  if (Object.hasOwn(entry.config.subsets, subset)) return { ...rest, service: entry.config.name };
  return fail(`${host} has no subset ${subset}`);
}

/** A host with one port is called there; one with several on the port of the call. Source: Istio, GetDestinationCluster. */
function onOwnPort(target: TargetDraft, { table, owner, dialect, ...deps }: TargetDeps): ServiceEntry | undefined {
  const { host, path, resource = deps.resource } = target;
  const entries = table.find({ host });
  const whole = entries.find(({ port }) => port === undefined);
  if (entries.length === 1) return entries[0];
  const wanted = owner.port ?? PORT_DEFAULT;
  if (whole === undefined && dialect === 'istio') {
    const ports = entries.map(({ port }) => port).join(', ');
    const message = `${host} has several ports (${ports}) and no port is named, so the port of the call decides; add port.number`;
    resource.report.warn(path, message, { code: 'IST0112' });
  }
  return entries.find(({ port }) => port === wanted) ?? whole;
}
