// A layer of the user, and the place in our stacks that it asks for.
import type { Clock } from '../core/clock.ts';
import type { Layer } from '../core/service.ts';
import { type IPolicy, policyLayer } from './policy-layer.ts';
import { STACKS, type UserLayer } from './stack.ts';

/** Where a layer of yours stands: next to one of the roles in stack.ts (`npx inmesh explain` lists them). */
export interface UseOptions {
  /** Name of your layer. */
  readonly role: string;
  readonly above?: string;
  readonly below?: string;
}

/** Each ends its stack. */
const BRANCHES: ReadonlySet<string> = new Set(STACKS.map(({ entries }) => entries.at(-1)?.role ?? ''));

/** Throws a TypeError for a place that does not exist. */
export function userLayer(layer: Layer | IPolicy, { role, above, below }: UseOptions, clock: Clock): UserLayer {
  const of = above ?? below;
  if (of === undefined || (above !== undefined && below !== undefined)) throw new TypeError('use: name exactly one role, above or below');
  const roles = STACKS.flatMap(({ entries }) => entries.map((entry) => entry.role));
  if (!roles.includes(of)) throw new TypeError(`use: no role ${JSON.stringify(of)}; there are ${roles.join(', ')}`);
  if (below !== undefined && BRANCHES.has(below))
    throw new TypeError(`use: nothing stands below ${below} in its stack; say above the next role`);
  const made = typeof layer === 'function' ? layer : policyLayer(layer, clock);
  return { layer: made, role, of, place: above === undefined ? 'below' : 'above' };
}
