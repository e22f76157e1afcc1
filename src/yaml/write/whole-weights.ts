// Weights as whole numbers, which is all that meshes take: 0.5 and 1.5 become 1 and 3.

const DIGITS_MAX = 6;

export interface WholeWeights {
  readonly weights: readonly number[];
  /** Whether the shares are the same. */
  readonly isExact: boolean;
}

export function wholeWeights(weights: readonly number[], max: number = 1_000_000): WholeWeights {
  for (let digits = 0; digits <= DIGITS_MAX; digits++) {
    const scaled = weights.map((weight) => Number(`${weight}e${digits}`));
    if (!scaled.every(Number.isInteger)) continue;
    const divisor = Math.max(1, digits === 0 ? 1 : scaled.reduce(divisorOf, 0));
    const whole = scaled.map((weight) => weight / divisor);
    if (whole.every((weight) => weight <= max)) return { weights: whole, isExact: true };
    break;
  }
  const most = Math.max(...weights);
  const rounded = weights.map((weight) => (weight === 0 ? 0 : Math.max(1, Math.round((weight / most) * max))));
  return { weights: rounded, isExact: false };
}

function divisorOf(a: number, b: number): number {
  return b === 0 ? a : divisorOf(b, a % b);
}
