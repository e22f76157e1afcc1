// One hand of `npm run sim`: runs what it is told, one case with one seed at a time, and gives the figures back. Simulated
// figures do not depend on the machine, so as many hands as there are cores may work side by side.
import { parentPort } from 'node:worker_threads';
import { SCENARIOS } from '../../test/sim/scenarios/all.ts';
import type { Figure, Scenario } from '../../test/sim/scenarios/scenario.ts';
import type { Picture } from '../../src/testing.ts';

export interface SimTask {
  readonly scenario: number;
  /** -1: the picture. */
  readonly case: number;
  readonly seed: number;
}

export interface SimAnswer {
  readonly figures: readonly Figure[];
  readonly picture: Picture | readonly Picture[] | null;
  readonly tookMs: number;
  /** '' when all went well. */
  readonly failure: string;
}

async function run({ scenario, case: index, seed }: SimTask): Promise<SimAnswer> {
  const startedAt = performance.now();
  const { cases, picture } = SCENARIOS[scenario] as Scenario;
  const took = (): number => performance.now() - startedAt;
  try {
    if (index < 0) return { figures: [], picture: (await picture?.(seed)) ?? null, tookMs: took(), failure: '' };
    return { figures: (await cases[index]?.run(seed)) ?? [], picture: null, tookMs: took(), failure: '' };
  } catch (error) {
    return { figures: [], picture: null, tookMs: took(), failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

parentPort?.on('message', (task: SimTask) => {
  void run(task).then((answer) => parentPort?.postMessage(answer));
});
