// The picker of a policy, whatever its kind.
import type { Random } from '../core/clock.ts';
import { HASH_DEFAULTS } from '../model/balancing.ts';
import type { BalancerPolicy } from '../model/destination.ts';
import { hashPicker } from './hash-picker.ts';
import type { Picker } from './picker.ts';
import { plainPicker } from './plain-picker.ts';

/** A picker of its own for each balancer. `seed` is a number of this process, the same in all its balancers. */
export function makePicker(policy: BalancerPolicy, random: Random, seed: number = 0): Picker {
  if (policy.kind !== 'ringHash' && policy.kind !== 'maglev') return plainPicker(policy, random) as Picker;
  return hashPicker(policy.kind, policy.hash ?? { ...HASH_DEFAULTS, keys: [] }, { random, seed });
}
