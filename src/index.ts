// The public face. For applications: a mesh, a client, the policies, the errors. For other libraries: the types that a
// layer of theirs needs.
export { MeshError, type MeshErrorCode } from './core/errors.ts';
export type { MeshEvent } from './core/events.ts';
export { createClient, type Client, type ClientOptions } from './mesh/client.ts';
export type { Explanation } from './mesh/explain.ts';
export type { CallContext, FunctionCallOptions } from './mesh/function-call.ts';
export { createMesh } from './mesh/create-mesh.ts';
export type { Mesh } from './mesh/mesh.ts';
export type { MeshOptions } from './mesh/mesh-options.ts';
export type { UseOptions } from './mesh/user-layer.ts';
export {
  cache,
  canary,
  circuitBreaker,
  coalesce,
  criticality,
  fallback,
  fault,
  healthCheck,
  idempotent,
  limits,
  loadBalancer,
  mirror,
  mtls,
  outlierDetection,
  type Policy,
  rateLimit,
  retry,
  retryBudget,
  sticky,
  throttle,
  timeout,
} from './mesh/policies.ts';
export type { MeshSnapshot } from './mesh/snapshot.ts';
export type { MeshInput, RouteInput, ServiceInput } from './model/input.ts';
export type { ConfigIssue } from './model/issue.ts';
export type { MeshFetch, MeshFetchInit } from './transport/fetch.ts';
export type { CallOptions } from './transport/outbound.ts';

// For layers of your own.
export type { Call, Endpoint, Outcome, Reply } from './core/call.ts';
export type { Clock, Random } from './core/clock.ts';
export type { Layer, Service } from './core/service.ts';
