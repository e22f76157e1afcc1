// Which service of one configuration is which of another: by name, else by a host that both have. Names that Kubernetes
// gives to one host are one name.
import type { MeshConfig, ServiceConfig } from '../../model/config.ts';
import { fullHost, kubernetesName } from '../world.ts';

export type ServicePair = readonly [ServiceConfig | undefined, ServiceConfig | undefined];

const CLUSTER_DOMAIN = 'cluster.local';

/** In the order of the first, then what only the second has. */
export function pairServices(a: MeshConfig, b: MeshConfig): ServicePair[] {
  const rest = new Map(Object.values(b.services).map((service) => [service.name, service]));
  const pairs = Object.values(a.services).map((one): [ServiceConfig, ServiceConfig | undefined] => {
    const other = rest.get(one.name);
    if (other !== undefined) rest.delete(one.name);
    return [one, other];
  });
  for (const pair of pairs) {
    if (pair[1] !== undefined) continue;
    const hosts = new Set(canonicalHosts(pair[0], a));
    const other = [...rest.values()].find((service) => canonicalHosts(service, b).some((host) => hosts.has(host)));
    if (other === undefined) continue;
    rest.delete(other.name);
    pair[1] = other;
  }
  return [...pairs, ...[...rest.values()].map((other): ServicePair => [undefined, other])];
}

/** In full and sorted; a host that is meant on every port is not named by port too, nor by what is short for it. */
export function canonicalHosts({ hosts }: ServiceConfig, { self }: MeshConfig): string[] {
  const full = new Set(hosts.map((host) => fullWithPort(host, self.namespace)));
  for (const host of full) {
    const port = /:\d+$/.exec(host)?.[0] ?? '';
    const name = host.slice(0, host.length - port.length);
    if (port !== '' && full.has(name)) full.delete(host);
    const known = kubernetesName(name, CLUSTER_DOMAIN);
    if (known === null) continue;
    const short = `${known.name}.${known.namespace}`;
    for (const alias of [short, `${short}.svc`]) full.delete(`${alias}${port}`);
  }
  return [...full].sort();
}

function fullWithPort(host: string, namespace: string): string {
  const port = host.startsWith('[') ? '' : (/:\d+$/.exec(host)?.[0] ?? '');
  return fullHost(host.slice(0, host.length - port.length), namespace, CLUSTER_DOMAIN) + port;
}
