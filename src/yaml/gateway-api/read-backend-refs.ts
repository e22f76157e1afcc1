// From references to targets by host. A reference that leads nowhere keeps its share, which is answered with an error: 500
// for HTTP, UNAVAILABLE for gRPC. Source: HTTPRouteRule.backendRefs, GRPCRouteRule.backendRefs.
import type { ConfigPath } from '../../model/issue.ts';
import type { TargetFailure } from '../../model/route.ts';
import type { Registry, TargetDraft } from '../draft.ts';
import type { Resource } from '../resource.ts';
import { fullHost } from '../world.ts';
import { isService } from './check-backend-refs.ts';
import type { MayRefer } from './reference-grants.ts';
import type { BackendObjectSpec, BackendRefSpec } from './route-spec.ts';
import { readFilters } from './read-filters.ts';

export interface BackendDeps {
  /** The route. */
  readonly resource: Resource;
  readonly registry: Registry;
  readonly clusterDomain: string;
  /** Of routes that a Gateway serves; a mesh asks nobody. Source: GEP-1294. */
  readonly mayRefer: MayRefer;
  /** Why nothing may be sent to a Service, or null. */
  readonly trustFault: (host: string, port: number | undefined) => string | null;
}

/** Envoy's flag for "no cluster". */
const FLAG = 'NC';
/** A gRPC client makes UNAVAILABLE of 503, and UNKNOWN of 500. Source: gRPC, http-grpc-status-mapping. */
const GRPC_STATUS = 503;
const HTTP_STATUS = 500;

export function failureOf({ kind }: Pick<Resource, 'kind'>, reason: string): TargetFailure {
  return { status: kind === 'GRPCRoute' ? GRPC_STATUS : HTTP_STATUS, flag: FLAG, reason };
}

export function readBackendRefs(refs: readonly BackendRefSpec[], path: ConfigPath, prefix: string, deps: BackendDeps): TargetDraft[] {
  return refs.map((ref, i) => readBackendRef(ref, [...path, i], prefix, deps));
}

function readBackendRef(ref: BackendRefSpec, path: ConfigPath, prefix: string, deps: BackendDeps): TargetDraft {
  const { weight = 1, filters } = ref;
  const { resource } = deps;
  const { requestHeaders, responseHeaders, rewrite, redirect, fault } = readFilters(filters, [...path, 'filters'], prefix, resource);
  const found = findBackend(ref, path, deps);
  const reason = fault ?? ('fault' in found ? found.fault : undefined);
  return {
    ...('fault' in found ? { host: '' } : found),
    weight,
    path,
    resource,
    ...(requestHeaders === undefined ? {} : { requestHeaders }),
    ...(responseHeaders === undefined ? {} : { responseHeaders }),
    ...(rewrite === undefined ? {} : { rewrite }),
    ...(redirect === undefined ? {} : { redirect }),
    ...(reason === undefined ? {} : { fails: failureOf(resource, reason) }),
  };
}

type Found = { readonly host: string; readonly port?: number } | { readonly fault: string };

/** Reports what is wrong. */
export function findBackend(ref: BackendObjectSpec, path: ConfigPath, deps: BackendDeps, isCopy = false): Found {
  const { resource } = deps;
  const found = lookUp(ref, deps);
  if (!('fault' in found)) return found;
  const effect = isCopy ? 'it gets no copies' : `its share is answered ${failureOf(resource, '').status}`;
  resource.report.warn(path, `${found.fault}; ${effect}`);
  return found;
}

/** A host of Istio's registry by its name. Source: Istio, backendRef kind Hostname. */
const ISTIO_GROUP = 'networking.istio.io';

function lookUp(ref: BackendObjectSpec, { resource, registry, clusterDomain, mayRefer, trustFault }: BackendDeps): Found {
  const { group = '', kind = 'Service', name, namespace = resource.namespace, port } = ref;
  const isHost = group === ISTIO_GROUP && kind === 'Hostname';
  if (!isService(ref) && !isHost) return { fault: `a backend of kind ${kind}${group === '' ? '' : ` of ${group}`} is not known here` };
  if (!isHost && !mayRefer({ from: resource, to: { group, kind, namespace, name } })) {
    return { fault: `no ReferenceGrant in ${namespace} allows ${resource.kind}s of ${resource.namespace} to name the ${kind} ${name}` };
  }
  const host = isHost ? name.toLowerCase() : fullHost(name, namespace, clusterDomain);
  const at = port === undefined ? {} : { port };
  if (registry.find({ host, ...at }).length === 0) {
    return { fault: registry.find({ host }).length === 0 ? `no service has the host ${host}` : `${host} has no port ${port}` };
  }
  const fault = trustFault(host, port);
  return fault === null ? { host, ...at } : { fault };
}
