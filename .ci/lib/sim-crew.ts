// Several hands for many runs: tasks go to whoever is free, answers come in any order. Knows nothing of what is run.
import { Worker } from 'node:worker_threads';
import type { SimAnswer, SimTask } from './sim-worker.ts';

/** Calls `onAnswer` for each task as it is done. Rejects when a hand dies. */
export async function runAll(
  tasks: readonly SimTask[],
  hands: number,
  onAnswer: (task: SimTask, answer: SimAnswer) => void,
): Promise<void> {
  let next = 0;
  const hand = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('sim-worker.ts', import.meta.url));
      let current: SimTask | undefined;
      const go = (): void => {
        current = tasks[next++];
        if (current === undefined) void worker.terminate().then(() => resolve(), reject);
        else worker.postMessage(current);
      };
      worker.on('message', (answer: SimAnswer) => {
        onAnswer(current as SimTask, answer);
        go();
      });
      worker.on('error', reject);
      go();
    });
  await Promise.all(Array.from({ length: Math.min(hands, tasks.length) }, hand));
}
