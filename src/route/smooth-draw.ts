// Draws by weight without chance: each target has a deadline, the nearest is drawn and moves on by 1/weight. Over every
// full period the counts are exact, and nobody gets runs of the same target, which per-call chance gives. The start is at
// random, else all processes that start together send their first canary call together. Source: gRFC A58 (EDF scheduler).
import type { Random } from '../core/clock.ts';

/** Index of the next target. `weights` are all above 0. Two targets are never off their exact share by a whole call, `n` by less than n - 1. */
export function smoothDraw(weights: readonly number[], random: Random): () => number {
  const steps = Float64Array.from(weights, (weight) => 1 / weight);
  const deadlines = Float64Array.from(steps, (step) => step * random());
  // Start at the moment of a draw, which falls to a target with the chance of its share: so the very first draw is fair too.
  deadlines[weightedIndex(weights, random())] = 0;
  return () => {
    let drawn = 0;
    let nearest = deadlines[0] as number;
    for (let i = 1; i < deadlines.length; i++) {
      const deadline = deadlines[i] as number;
      if (deadline < nearest) {
        nearest = deadline;
        drawn = i;
      }
    }
    deadlines[drawn] = nearest + (steps[drawn] as number);
    return drawn;
  };
}

function weightedIndex(weights: readonly number[], chance: number): number {
  let left = chance * weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < weights.length - 1; i++) {
    left -= weights[i] as number;
    if (left < 0) return i;
  }
  return weights.length - 1;
}
