// What holds for the process as a whole, in Istio's words: which connections it accepts, and what becomes of strangers.
import { describeMesh } from '../write/describe-service.ts';
import type { PlainMap } from '../write/plain.ts';
import type { MadeResource, WriteContext } from '../write/writer.ts';

export function writeMesh(context: WriteContext): MadeResource[] {
  const { config, report, positions, kept } = context;
  const { self, identity, unknownHosts, failures, inbound } = config;
  const scope = report.ofMesh();
  const made: MadeResource[] = [];
  const hasSelf = Object.keys(self.labels).length > 0;
  const name = self.service === '' ? 'default' : self.service;
  const has = (kind: string): boolean => kept.resources.some((resource) => resource.kind === kind);
  if (unknownHosts === 'refuse' && !has('Sidecar')) {
    const selector = hasSelf ? { workloadSelector: { labels: { ...self.labels } } } : {};
    const spec: PlainMap = { ...selector, outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } };
    made.push({
      apiVersion: 'networking.istio.io/v1',
      kind: 'Sidecar',
      name: hasSelf ? name : 'default',
      namespace: self.namespace,
      parts: { spec },
    });
    if (hasSelf) scope.kept('unknownHosts', unknownHosts, `Sidecar ${name}: outboundTrafficPolicy`);
    else
      scope.approximated(
        'unknownHosts',
        unknownHosts,
        'Sidecar default: outboundTrafficPolicy',
        'without self.labels it holds for the whole namespace',
      );
  }
  const isWritten = positions.ofMesh(['inbound', 'mtls']) !== undefined;
  if (isWritten && !has('PeerAuthentication')) {
    const selector = hasSelf ? { selector: { matchLabels: { ...self.labels } } } : {};
    const spec: PlainMap = { ...selector, mtls: { mode: inbound.mtls.toUpperCase() } };
    made.push({
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      name: hasSelf ? name : 'default',
      namespace: self.namespace,
      parts: { spec },
    });
    scope.approximated(
      ['inbound.mtls', 'inbound.policies'],
      inbound.mtls,
      `PeerAuthentication ${hasSelf ? name : 'default'}`,
      hasSelf ? 'for the workloads with the labels of self' : 'without self.labels it holds for the whole namespace',
    );
  }
  const described = describeMesh(config);
  scope.approximated('self', described.self ?? null, '', 'the mesh takes it from the pod: labels, namespace, service account, node');
  if (identity !== null) scope.approximated('identity', 'a certificate', '', 'the mesh gives every workload a certificate of its own');
  if (failures === 'respond') scope.kept('failures', failures, 'what a sidecar does');
  else scope.approximated('failures', failures, '', 'a sidecar answers 503 or 504 where inmesh rejects');
  scope.lost(
    'inbound.admission',
    (described.inbound as PlainMap).admission ?? false,
    'Istio sheds no load by itself; Sidecar inboundConnectionPool limits it',
  );
  if (config.grpcMetrics === true) scope.lost('telemetry', { grpcMetrics: true }, 'a sidecar has metrics of its own');
  if (positions.ofMesh(['defaults']) !== undefined)
    scope.approximated('defaults', 'policies of all services', '', 'written into each service; what only mesh.call names stays here');
  return made;
}
