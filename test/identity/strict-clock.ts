// A virtual clock that, like the real one, cannot disarm a timer that there never was.
import type { Timer } from '../../src/core/clock.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export class StrictClock extends VirtualClock {
  override disarm(timer: Timer): void {
    if (timer === null) throw new TypeError('there is no timer to disarm');
    super.disarm(timer);
  }
}
