// What is replayed: a world that is described once, lived through in the simulator and with real processes, and read with
// the same figures. Knows neither of the two.
import type { PolicyInput } from '../../src/model/input-policy.ts';
import type { MeshInput, RouteInput } from '../../src/model/input.ts';
import type { Distribution } from '../../src/sim/distribution.ts';
import type { LoadModel } from '../../src/sim/load.ts';
import type { SimulationResult } from '../../src/testing.ts';

/** The service that is called. */
export const SERVICE = 'target';

/** How the first so many servers misbehave for a while, as in the simulator. */
export interface ReplayFault {
  readonly fromMs: number;
  /** @default until the end */
  readonly untilMs?: number;
  readonly servers: number;
  readonly is: 'failFast' | { readonly slower: number };
}

/** Servers that are alike; each a process. */
export interface ReplayServers {
  readonly count: number;
  readonly workers: number;
  readonly serviceMs: Distribution;
  /** Whether the work for a caller that has gone is dropped. @default false */
  readonly honorsCancel?: boolean;
  /** `createServer` of inmesh with its defaults, instead of that of node:http. */
  readonly admission?: true;
}

/** One figure, read the same way from both worlds. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  /** Differences up to here are none, whatever the ratio. */
  readonly floor: number;
}

export interface ReplayCase {
  readonly scenario: string;
  readonly name: string;
  /** A model of what others do. */
  readonly isControl?: true;
  readonly policies: PolicyInput;
  readonly route?: RouteInput;
  readonly timeoutMs: number;
  /** Processes that call, every other one through mesh.fetch, the rest through undici. */
  readonly clients: number;
  readonly servers: ReplayServers;
  readonly load: LoadModel;
  readonly faults?: readonly ReplayFault[];
  readonly durationMs: number;
  readonly figures: (seen: SimulationResult) => readonly Figure[];
}

export interface ReplayScenario {
  readonly id: string;
  readonly title: string;
  readonly cases: readonly ReplayCase[];
}

/** Name of a server in both worlds. */
export function serverName(index: number): string {
  return `e${index + 1}:80`;
}

/** The same for the simulated clients and for the real ones, but for the addresses. */
export function configOf({ policies, route, timeoutMs }: ReplayCase, endpoints?: readonly string[]): MeshInput {
  const service = { timeout: timeoutMs, ...policies, ...(route === undefined ? {} : { routes: [route] }) };
  return { services: { [SERVICE]: endpoints === undefined ? service : { ...service, endpoints } } };
}
