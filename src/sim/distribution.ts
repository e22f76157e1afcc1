// How long things take: draws of times with a given mean. Pure; chance is handed in.
import type { Random } from '../core/clock.ts';

/** Times, ms. A number stands for `lognormal` with that mean. */
export type Distribution =
  | number
  | { readonly kind: 'lognormal'; readonly meanMs: number /** @default 0.6 */; readonly sigma?: number }
  | { readonly kind: 'exponential'; readonly meanMs: number }
  /** `share` of the draws have the mean `slowMs`, the others `meanMs`; both lognormal, or exponential. */
  | {
      readonly kind: 'bimodal';
      readonly meanMs: number;
      readonly slowMs: number;
      readonly share: number;
      readonly sigma?: number;
      /** @default lognormal */
      readonly shape?: 'lognormal' | 'exponential';
    }
  | { readonly kind: 'fixed'; readonly meanMs: number };

const SIGMA_DEFAULT = 0.6;

/** A source of draws, ms. */
export function drawer(distribution: Distribution, random: Random): () => number {
  if (typeof distribution === 'number') return () => lognormal(distribution, SIGMA_DEFAULT, random);
  const { meanMs } = distribution;
  switch (distribution.kind) {
    case 'fixed':
      return () => meanMs;
    case 'exponential':
      return () => meanMs * exponential(random);
    case 'lognormal': {
      const { sigma = SIGMA_DEFAULT } = distribution;
      return () => lognormal(meanMs, sigma, random);
    }
    case 'bimodal': {
      const { slowMs, share, sigma = SIGMA_DEFAULT, shape = 'lognormal' } = distribution;
      const draw =
        shape === 'lognormal'
          ? (mean: number): number => lognormal(mean, sigma, random)
          : (mean: number): number => mean * exponential(random);
      return () => draw(random() < share ? slowMs : meanMs);
    }
  }
}

/** Mean 1. */
export function exponential(random: Random): number {
  return -Math.log(1 - random());
}

function lognormal(meanMs: number, sigma: number, random: Random): number {
  const normal = Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random());
  return meanMs * Math.exp(sigma * normal - (sigma * sigma) / 2);
}
