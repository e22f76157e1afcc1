// What holds for the process as a whole, for meshes that have hardly a word for it.
import { describeMesh } from './describe-service.ts';
import type { PlainMap } from './plain.ts';
import type { WriteContext } from './writer.ts';

export interface MeshWords {
  readonly mesh: string;
  /** Why it is not said who may call, and what is nearest. */
  readonly inbound: string;
  readonly unknownHosts: string;
}

export function reportMesh({ config, report, positions }: WriteContext, { mesh, inbound, unknownHosts }: MeshWords): void {
  const scope = report.ofMesh();
  const described = describeMesh(config);
  scope.approximated('self', described.self ?? null, '', 'the mesh takes it from the pod: labels, namespace, service account, node');
  if (config.identity !== null)
    scope.approximated('identity', 'a certificate', '', 'the mesh gives every workload a certificate of its own');
  if (config.failures === 'respond') scope.kept('failures', config.failures, 'what a proxy does');
  else scope.approximated('failures', config.failures, '', 'a proxy answers 503 or 504 where inmesh rejects');
  if (config.unknownHosts === 'refuse') scope.lost('unknownHosts', config.unknownHosts, unknownHosts);
  if (positions.ofMesh(['inbound', 'mtls']) !== undefined) scope.lost('inbound.mtls', config.inbound.mtls, inbound);
  scope.lost(
    'inbound.admission',
    (described.inbound as PlainMap).admission ?? false,
    `${mesh} has its own limits for what a workload takes on`,
  );
  if (config.grpcMetrics === true) scope.lost('telemetry', { grpcMetrics: true }, 'a proxy has metrics of its own');
  if (positions.ofMesh(['defaults']) !== undefined) {
    scope.approximated('defaults', 'policies of all services', '', 'written into each service; what only mesh.call names stays here');
  }
}
