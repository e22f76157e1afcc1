// One quantile, the same for every figure. Pure.

/** Nearest rank of values in order; 0 of nothing. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}
