// Chance, by weight.
import type { Random } from '../core/clock.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { Picker } from './picker.ts';

export function randomPicker(random: Random): Picker {
  return { pick: (candidates) => (candidates.length <= 1 ? (candidates[0] ?? null) : draw(candidates, random)) };
}

function draw(candidates: readonly LiveEndpoint[], random: Random): LiveEndpoint {
  let total = 0;
  for (let i = 0; i < candidates.length; i++) total += (candidates[i] as LiveEndpoint).weight;
  let left = random() * total;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i] as LiveEndpoint;
    left -= candidate.weight;
    if (left < 0) return candidate;
  }
  return candidates[candidates.length - 1] as LiveEndpoint;
}
