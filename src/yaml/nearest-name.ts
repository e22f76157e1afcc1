// The document that was probably meant, where a reference names one that is not there.
import { nearest } from '../model/nearest.ts';
import type { World } from './world.ts';

/** Comparing a name with all others is slow: beyond, nobody is told. */
const NAMES_MAX = 200;

export function nearestName(world: World, group: string, kind: string, name: string): string | undefined {
  const resources = world.of(group, kind);
  if (resources.length > NAMES_MAX) return undefined;
  return nearest(
    name,
    resources.map((one) => one.name),
  );
}
