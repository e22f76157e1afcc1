// The state of a mesh as plain JSON: for a status page, a test, a person.
import type { LiveEndpoint } from '../balance/endpoint.ts';
import type { CircuitState } from '../resilience/breaker.ts';
import { replayBytes } from '../transport/body.ts';
import type { CompiledMesh } from './compile.ts';
import type { ServiceState } from './service-state.ts';

export interface EndpointSnapshot {
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: string;
  readonly weight: number;
  readonly inFlight: number;
  /** Moving average of the time to the response head, ms. */
  readonly latencyMs: number;
  /** in: takes calls. ejected: takes none. probation: takes one at a time. */
  readonly standing: 'in' | 'ejected' | 'probation';
}

export interface ServiceSnapshot {
  readonly endpoints: readonly EndpointSnapshot[];
  readonly circuit: CircuitState | 'off';
  readonly retryBudget: { readonly tokens: number; readonly denied: number };
  readonly inFlight: { readonly requests: number; readonly retries: number };
}

export interface MeshSnapshot {
  /** First characters of the hash of the configuration. */
  readonly config: string;
  readonly services: Readonly<Record<string, ServiceSnapshot>>;
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
    standing: standing.state,
  };
}

function serviceSnapshot(state: ServiceState, nowMs: number): ServiceSnapshot {
  return {
    endpoints: state.set.all.map((endpoint) => endpointSnapshot(endpoint, nowMs)),
    circuit: state.breaker?.state ?? 'off',
    retryBudget: { tokens: Math.round(state.budget.balance(nowMs) * 100) / 100, denied: state.budget.denied },
    inFlight: { requests: state.limits.requests, retries: state.limits.retries },
  };
}

export function snapshot(mesh: CompiledMesh, hash: string, metrics: unknown, nowMs: number): MeshSnapshot {
  const services: Record<string, ServiceSnapshot> = {};
  for (const [name, { state }] of mesh.services) services[name] = serviceSnapshot(state, nowMs);
  return { config: hash, services, replayBytes: replayBytes(), metrics };
}
