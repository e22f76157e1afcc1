// Under which name and in which namespace of Kubernetes a service goes out, and by which hosts it is called there.
import type { MeshConfig, ServiceConfig } from '../../model/config.ts';
import type { TargetFailure } from '../../model/route.ts';
import { fullHost, kubernetesName } from '../world.ts';
import { canonicalHosts } from './pair-services.ts';

export interface ServicePlace {
  /** Of the documents about it. */
  readonly name: string;
  readonly namespace: string;
  /** In full. */
  readonly host: string;
  /** The other hosts that mean it, in full. */
  readonly aliases: readonly string[];
  /** Whether the host is one that Kubernetes gives to a service. */
  readonly isKubernetes: boolean;
  /** Only calls to this port are meant; undefined: all. */
  readonly port: number | undefined;
}

export const CLUSTER_DOMAIN = 'cluster.local';

export function placeOf(service: ServiceConfig, config: MeshConfig): ServicePlace {
  const { namespace: home } = config.self;
  const named = fullHost(service.name, home, CLUSTER_DOMAIN);
  const hosts = canonicalHosts(service, config);
  const bare = [...new Set(hosts.map((host) => host.replace(/(?<!^\[[^\]]*):\d+$/, '')))];
  const host = bare.includes(named) ? named : (bare.find((one) => kubernetesName(one, CLUSTER_DOMAIN) !== null) ?? bare[0] ?? named);
  const known = kubernetesName(host, CLUSTER_DOMAIN);
  const ports = new Set(service.hosts.flatMap((one) => (one.startsWith('[') ? [] : (/:(\d+)$/.exec(one)?.[1] ?? []))));
  const [port] = ports;
  return {
    name: resourceName(known?.name ?? service.name),
    namespace: known?.namespace ?? home,
    host,
    aliases: bare.filter((one) => one !== host),
    isKubernetes: known !== null,
    port: ports.size === 1 && port !== undefined ? Number(port) : undefined,
  };
}

/** `-8080` for a port of a Service that is not its first: what is written for it stands beside what the first has. */
export function portSuffix({ name }: ServiceConfig): string {
  const port = /:(\d+)$/.exec(name)?.[1];
  return port === undefined ? '' : `-${port}`;
}

/** A name that Kubernetes takes. Source: RFC 1123. */
export function resourceName(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/^\*/, 'any')
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 253);
  return plain === '' ? 'unnamed' : plain;
}

/** The same, as one label. */
export function labelName(text: string): string {
  return resourceName(text).replaceAll('.', '-').slice(0, 63).replace(/-+$/, '');
}

/** As people write it in a document of the namespace: the short name at home. */
export function hostIn(host: string, namespace: string): string {
  const known = kubernetesName(host, CLUSTER_DOMAIN);
  return known !== null && known.namespace === namespace ? known.name : host;
}

/** `reviews/v1`: a subset with policies of its own is kept as a service beside its service. */
export function splitOf({ name }: ServiceConfig): { readonly service: string; readonly subset: string } | null {
  const slash = name.indexOf('/');
  return slash < 0 ? null : { service: name.slice(0, slash), subset: name.slice(slash + 1) };
}

/** The host that nobody answers for; null when the reason names none. */
export function missingHost({ reason }: TargetFailure): string | null {
  return /\b(?:the host|answers for) (\S+?),?(?: |$)/.exec(reason)?.[1] ?? /^(\S+\.\S+) has no /.exec(reason)?.[1] ?? null;
}
