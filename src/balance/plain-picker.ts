// The picker of a policy that sends calls by no key; those that do are in make-picker.ts, which knows all.
import type { Random } from '../core/clock.ts';
import type { BalancerPolicy } from '../model/destination.ts';
import { leastRequest } from './least-request.ts';
import { peakEwma } from './peak-ewma.ts';
import type { Picker } from './picker.ts';
import { randomPicker } from './random.ts';
import { roundRobin } from './round-robin.ts';

/** A picker of its own for each balancer; null: the policy wants keys. */
export function plainPicker(policy: BalancerPolicy, random: Random): Picker | null {
  switch (policy.kind) {
    case 'peakEwma':
      return peakEwma(policy.fullScanMax, random);
    case 'leastRequest':
      return leastRequest(policy, random);
    case 'roundRobin':
      return roundRobin(policy.slowStart, random);
    case 'random':
      return randomPicker(random);
    case 'ringHash':
    case 'maglev':
      return null;
  }
}
