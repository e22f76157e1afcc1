// The picker of a policy.
import type { Random } from '../core/clock.ts';
import { HASH_DEFAULTS } from '../model/balancing.ts';
import type { BalancerPolicy } from '../model/destination.ts';
import { hashPicker } from './hash-picker.ts';
import { leastRequest } from './least-request.ts';
import { peakEwma } from './peak-ewma.ts';
import type { Picker } from './picker.ts';
import { randomPicker } from './random.ts';
import { roundRobin } from './round-robin.ts';

/** A picker of its own for each balancer. `seed` is a number of this process, the same in all its balancers. */
export function makePicker(policy: BalancerPolicy, random: Random, seed: number = 0): Picker {
  switch (policy.kind) {
    case 'peakEwma':
      return peakEwma(policy.fullScanMax, random);
    case 'leastRequest':
      return leastRequest(policy, random);
    case 'roundRobin':
      return roundRobin(policy.slowStart, random);
    case 'ringHash':
    case 'maglev':
      return hashPicker(policy.kind, policy.hash ?? { ...HASH_DEFAULTS, keys: [] }, { random, seed });
    case 'random':
      return randomPicker(random);
  }
}
