// IST0118 and IST0150: ports of Services whose protocol nobody can tell by their name. Source: istio/istio
// pkg/config/analysis/analyzers/service/portname.go, pkg/config/kube/conversion.go.
import type { Resource } from '../resource.ts';
import type { Analyzer } from './analyzer.ts';
import { listOf, mappingOf, shownOf, textOf } from './loose.ts';

const PROTOCOLS: ReadonlySet<string> = new Set([
  'tcp',
  'udp',
  'grpc',
  'grpc-web',
  'http',
  'http_proxy',
  'http2',
  'https',
  'tls',
  'mongo',
  'redis',
  'mysql',
]);

/** Of Kubernetes itself, for appProtocol. */
const APP_PROTOCOLS: ReadonlySet<string> = new Set(['kubernetes.io/h2c', 'kubernetes.io/ws', 'kubernetes.io/wss']);

/** SMTP, DNS, MySQL and MongoDB speak first, or speak no HTTP: a sidecar takes them for TCP. */
const KNOWN_PORTS: ReadonlySet<unknown> = new Set([25, 53, 3306, 27017]);

/** Made by a controller. */
const MANAGERS: ReadonlySet<string> = new Set(['istio.io-gateway-controller', 'istio.io-mesh-controller', 'istio.io-eastwest-controller']);

export const portNames: Analyzer = ({ world }, findings) => {
  for (const service of world.of('', 'Service')) {
    if (isManaged(service)) continue;
    const isExternal = service.spec.type === 'ExternalName';
    for (const [i, one] of listOf(service.spec.ports).entries()) {
      const { name, port, protocol, appProtocol } = mappingOf(one);
      const isNamed = protocol === 'UDP' || isKnown(textOf(appProtocol) || textOf(name)) || KNOWN_PORTS.has(port);
      const shown = textOf(name) === '' ? `port ${shownOf(port)} has no name` : `port name ${textOf(name)} says no protocol`;
      const path = ['spec', 'ports', i];
      if (isExternal && (!isNamed || name === 'tcp'))
        findings.in('IST0150', service, path, `${shown} that can be sent to an external name`);
      else if (!isExternal && !isNamed) findings.in('IST0118', service, path, `${shown}, so HTTP/1.1 is taken`);
    }
  }
};

/** Of Kubernetes itself. */
const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage']);

function isManaged({ labels, namespace }: Resource): boolean {
  if (SYSTEM_NAMESPACES.has(namespace)) return true;
  return 'istio' in labels || labels.release === 'istio' || MANAGERS.has(labels['gateway.istio.io/managed'] ?? '');
}

function isKnown(name: string): boolean {
  const lower = name.toLowerCase();
  return APP_PROTOCOLS.has(name) || lower.startsWith('grpc-web') || PROTOCOLS.has(lower.split('-')[0] ?? '');
}
