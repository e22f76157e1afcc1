// The state of a mesh as plain JSON: for a status page, a test, a person.
import type { LiveEndpoint } from '../balance/endpoint.ts';
import type { CircuitState } from '../resilience/breaker.ts';
import { replayBytes } from '../transport/body.ts';
import type { CompiledMesh } from './compile.ts';
import type { InboundSnapshot } from './inbound.ts';
import type { IdentitySnapshot } from './mesh-identity.ts';
import type { ServiceState } from './service-state.ts';

export interface EndpointSnapshot {
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: string;
  readonly weight: number;
  readonly inFlight: number;
  /** Moving average of the time to the response head, ms. */
  readonly latencyMs: number;
  /** in: takes calls. ejected: takes none. probation: takes one at a time. unhealthy: takes none until health checks pass. */
  readonly standing: 'in' | 'ejected' | 'probation' | 'unhealthy';
  /** Load that it reports, 0 to 1; null when it does not. */
  readonly load: number | null;
  /** Attempts that it may have in flight, learnt by `limits.adaptive`; null without it. */
  readonly limit: number | null;
}

export interface ServiceSnapshot {
  readonly endpoints: readonly EndpointSnapshot[];
  readonly circuit: CircuitState | 'off';
  /** `tokens` null: nothing limits retries but their number. */
  readonly retryBudget: { readonly tokens: number | null; readonly denied: number };
  /** Load × attempts per call under total failure; above 1 an outage feeds itself. null while no endpoint reports its load. */
  readonly retryMargin: number | null;
  readonly inFlight: { readonly requests: number; readonly retries: number };
}

export interface MeshSnapshot {
  /** First characters of the hash of the configuration. */
  readonly config: string;
  readonly services: Readonly<Record<string, ServiceSnapshot>>;
  /** What the servers of this process have taken on. */
  readonly inbound: InboundSnapshot;
  /** The certificate of this process; null without one. */
  readonly certs: IdentitySnapshot | null;
  /** Request body bytes kept for replay, in the whole process. */
  readonly replayBytes: number;
  /** Counts and latencies per service, destination and route. */
  readonly metrics: unknown;
}

function endpointSnapshot(endpoint: LiveEndpoint, nowMs: number): EndpointSnapshot {
  const { address, labels, locality, weight, inFlight, standing } = endpoint;
  return {
    address,
    labels,
    locality,
    weight,
    inFlight,
    latencyMs: Math.round(endpoint.latencyMs(nowMs) * 100) / 100,
    standing: standing.unhealthy ? 'unhealthy' : standing.state,
    load: Number.isNaN(endpoint.load) ? null : endpoint.load,
    limit: standing.limit?.limit ?? null,
  };
}

function serviceSnapshot(state: ServiceState, nowMs: number): ServiceSnapshot {
  const tokens = state.budget.balance(nowMs);
  return {
    endpoints: state.set.all.map((endpoint) => endpointSnapshot(endpoint, nowMs)),
    circuit: state.breaker?.state ?? 'off',
    retryBudget: { tokens: Number.isFinite(tokens) ? Math.round(tokens * 100) / 100 : null, denied: state.budget.denied },
    retryMargin: state.margin.product(nowMs),
    inFlight: { requests: state.limits.requests, retries: state.limits.retries },
  };
}

export interface SnapshotParts {
  readonly hash: string;
  readonly metrics: unknown;
  readonly inbound: InboundSnapshot;
  readonly certs: IdentitySnapshot | null;
  readonly nowMs: number;
}

export function snapshot(mesh: CompiledMesh, { hash, metrics, inbound, certs, nowMs }: SnapshotParts): MeshSnapshot {
  const services: Record<string, ServiceSnapshot> = {};
  for (const [name, { state }] of mesh.services) services[name] = serviceSnapshot(state, nowMs);
  return { config: hash, services, inbound, certs, replayBytes: replayBytes(), metrics };
}
