// A case in the simulator: the same configuration, servers, load and faults, in virtual time.
import { type SimulationResult, simulate } from '../../src/testing.ts';
import { configOf, type ReplayCase, SERVICE } from './replay-case.ts';

export function simulated(one: ReplayCase, seed: number): Promise<SimulationResult> {
  const { clients, servers, load, faults = [], durationMs } = one;
  return simulate({
    config: configOf(one),
    service: SERVICE,
    clients,
    endpoints: servers,
    load,
    faults: faults.map(({ servers: endpoints, ...fault }) => ({ ...fault, endpoints })),
    durationMs,
    seed,
  });
}
