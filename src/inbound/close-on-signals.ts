// The end of a process that an orchestrator ends: not ready at once, as before for a while, because who sends calls learns of
// it late; then no more connections, the last calls, and out.
// Source: Kubernetes pod termination; Istio terminationDrainDuration (5 s), Envoy drain.
import { type Clock, runAt } from '../core/clock.ts';

export interface ClosingMesh {
  readonly clock: Clock;
  readonly inbound: { retire(): void };
  close(options: { readonly drainMs: number }): Promise<void>;
}

export interface CloseOnSignalsOptions {
  /** @default SIGTERM, SIGINT */
  readonly signals?: readonly NodeJS.Signals[];
  /** How long calls are still taken, while `isReady` says no, ms. @default 5000 */
  readonly lameDuckMs?: number;
  /** How long calls under way may take after that, ms. @default 30000 */
  readonly drainMs?: number;
  /** Whether the process exits when all is closed, with code 0. @default true */
  readonly exits?: boolean;
  /** Before the exit: for what is yours to close, such as the spans that are not yet sent. */
  readonly onClosed?: () => unknown;
}

const LAME_DUCK_MS = 5_000;
const DRAIN_MS = 30_000;

/** Closes the mesh, and with it its servers, when the process is told to end. A second signal ends it at once. Gives back how to undo it. */
export function closeOnSignals(mesh: ClosingMesh, options: CloseOnSignalsOptions = {}): () => void {
  const { signals = ['SIGTERM', 'SIGINT'], lameDuckMs = LAME_DUCK_MS, drainMs = DRAIN_MS, exits = true, onClosed } = options;
  const undo = (): void => {
    for (const signal of signals) process.off(signal, begin);
  };
  const end = async (): Promise<void> => {
    await mesh.close({ drainMs });
    await onClosed?.();
    if (exits) process.exit(0);
  };
  function begin(): void {
    // Node's own handling is in force again: whoever signals twice is in a hurry.
    undo();
    mesh.inbound.retire();
    runAt(mesh.clock, mesh.clock.now() + lameDuckMs, () => void end());
  }
  for (const signal of signals) process.on(signal, begin);
  return undo;
}

/** Whether the servers of this process want to be sent calls: the answer to a readiness probe. False from the first signal on. */
export function isReady(mesh: { readonly inbound: { readonly isReady: boolean } }): boolean {
  return mesh.inbound.isReady;
}
