// What a row of the fault matrix is: a fault, the promise that is given for it, and one cell per protocol. Data alone.
import type { FaultCell, Library } from './observe.ts';
import type { Protocol } from './peers.ts';

/**
 * N: it never left, or was provably not processed; any method may be repeated. U: unknown; only what may be done twice.
 * B: the answer had begun; never repeated. C: configuration or identity; never repeated, always told. A: the word of the server; repeated where
 * `retryOn` says so. –: no call fails.
 */
export type FaultClass = 'N' | 'U' | 'B' | 'C' | 'A' | '–';

export interface ScenarioCell {
  /** What came of it, in one line; equal to `expected` when the promise is kept. Throws when it is not. */
  readonly run: (library: Library) => Promise<string>;
  readonly expected: string;
  /** Is not about time, and so may run beside others. @default false */
  readonly isUntimed?: boolean;
  /** Takes longer than a test may; or wants the machine for itself. @default false */
  readonly isLong?: boolean;
  /** Network namespaces and nftables. @default false */
  readonly needsNamespace?: boolean;
}

export interface FaultRow {
  readonly id: string;
  readonly fault: string;
  readonly class: FaultClass;
  readonly promise: string;
  /** A protocol that is absent: the fault does not exist there, or `notFor` says why there is no cell. */
  readonly cells: Partial<Readonly<Record<Protocol, FaultCell | ScenarioCell>>>;
  readonly notFor?: Partial<Readonly<Record<Protocol, string>>>;
}

export function isScenario(cell: FaultCell | ScenarioCell): cell is ScenarioCell {
  return 'run' in cell;
}
