// Worlds that are not of one dialect alone, so that no mesh can give all of them back; what is lost is in the report.

const OURS = 'services of the concise form have policies that the mesh has no word for';
const ENTRIES = 'a ServiceEntry is a document of Istio';

export const MIXED: Readonly<Record<string, string>> = {
  'gateway-api/mesh.md': OURS,
  'gateway-api/services.md': OURS,
  'istio/delegate.md': OURS,
  'istio/destination-rule.md': 'the further port of a service of the concise form is in no document',
  'istio/virtual-service.md': OURS,
  'linkerd/profile-and-split.md': 'a TrafficSplit is a document of SMI',
  'linkerd/profile-overrides.md': OURS,
  'gateway-golden/foreign-waypoint.yaml': ENTRIES,
  'gateway-golden/serviceentry.yaml': ENTRIES,
  'gateway-golden/valid-invalid-parent-ref.yaml': ENTRIES,
  'services, allow-reviews.yaml': OURS,
  'services, my-app-smi.yaml': OURS,
  'services, my-app-split.yaml': OURS,
  'services, my-service.yaml': OURS,
  'services, reviews-canary-mobile.yaml': OURS,
  'services, reviews-progressive.yaml': OURS,
  'services, strict-mtls.yaml': OURS,
};
