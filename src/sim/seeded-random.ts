// Chance that repeats: mulberry32. Every actor has a stream of its own, named by what it is, so that one more actor does
// not shift the draws of the others.
import type { Random } from '../core/clock.ts';

/** Equal seeds give equal sequences. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The stream of one actor. */
export function streamOf(seed: number, actor: string): Random {
  return seededRandom(hash(`${seed}/${actor}`));
}

/** FNV-1a, then murmur's finish: names that differ in one letter must not have streams that are alike. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
