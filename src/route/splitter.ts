// The branch that picks the destination of a route: by key when the route is sticky and the call has one, by weight
// otherwise. Drawn once per call, above the retries, which stay with it. Must not know what a destination consists of.
import type { DestinationRef } from '../core/call.ts';
import type { Random } from '../core/clock.ts';
import type { Service } from '../core/service.ts';
import type { StickyPolicy } from '../model/route.ts';
import { smoothDraw } from './smooth-draw.ts';
import { stickyDraw } from './sticky-draw.ts';
import { NO_KEY, stickyKey } from './sticky-key.ts';

export interface SplitterTarget {
  readonly ref: DestinationRef;
  /** Relative; a target of weight 0 is never drawn, unless it is the only one. */
  readonly weight: number;
  /** The stack of the destination. */
  readonly service: Service;
}

export interface SplitterDeps {
  readonly random: Random;
  readonly sticky?: StickyPolicy | undefined;
}

/** The weights must not all be 0 (refused at load), except with a single target. */
export function splitter(targets: readonly SplitterTarget[], deps: SplitterDeps): Service {
  const drawable = targets.length === 1 ? targets : targets.filter((target) => target.weight > 0);
  const [only] = drawable;
  if (only === undefined) throw new Error('a route needs a target with a weight above 0');
  if (drawable.length === 1) {
    const { ref, service } = only;
    return (call) => {
      call.destination = ref;
      return service(call);
    };
  }
  const refs = drawable.map((target) => target.ref);
  const services = drawable.map((target) => target.service);
  const draw = smoothDraw(
    drawable.map((target) => target.weight),
    deps.random,
  );
  if (deps.sticky === undefined) {
    return (call) => {
      const index = draw();
      call.destination = refs[index] as DestinationRef;
      return (services[index] as Service)(call);
    };
  }
  const keyOf = stickyKey(deps.sticky);
  const drawFor = stickyDraw(drawable.map(({ ref, weight }) => ({ name: ref.name, weight })));
  return (call) => {
    const key = keyOf(call.headers);
    const index = key === NO_KEY ? draw() : drawFor(key);
    call.destination = refs[index] as DestinationRef;
    return (services[index] as Service)(call);
  };
}
