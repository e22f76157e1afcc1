// Endpoints for tests of pickers and layouts: addresses and weights, and nothing behind them.
import { LiveEndpoint } from '../../src/balance/endpoint.ts';
import type { Hash64 } from '../../src/balance/xxhash64.ts';
import { BALANCER_DEFAULTS, type EndpointConfig } from '../../src/model/destination.ts';

export function endpointOf(address: string, more: Partial<EndpointConfig> = {}): LiveEndpoint {
  const config = { address, labels: {}, locality: '', weight: 1, ...more };
  return new LiveEndpoint(config, () => Promise.reject(new Error('no leaf')), BALANCER_DEFAULTS, 30, 0);
}

/** As in Envoy's tests: `127.0.0.1:90`, and so on. */
export function local(ports: readonly number[], weights: readonly number[] = []): LiveEndpoint[] {
  return ports.map((port, i) => endpointOf(`127.0.0.1:${port}`, { weight: weights[i] ?? 1 }));
}

export function hash64(value: bigint): Hash64 {
  return { hi: Number(value >> 32n), lo: Number(value & 0xffffffffn) };
}
