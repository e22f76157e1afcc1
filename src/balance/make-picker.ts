// The picker of a policy.
import type { Random } from '../core/clock.ts';
import type { BalancerPolicy } from '../model/destination.ts';
import { leastRequest } from './least-request.ts';
import { peakEwma } from './peak-ewma.ts';
import type { Picker } from './picker.ts';
import { randomPicker } from './random.ts';
import { roundRobin } from './round-robin.ts';

/** A picker of its own for each balancer. */
export function makePicker(policy: BalancerPolicy, random: Random): Picker {
  switch (policy.kind) {
    case 'peakEwma':
      return peakEwma(policy.fullScanMax, random);
    case 'leastRequest':
      return leastRequest(policy.fullScanMax, random);
    case 'roundRobin':
      return roundRobin(random);
    case 'random':
      return randomPicker(random);
  }
}
