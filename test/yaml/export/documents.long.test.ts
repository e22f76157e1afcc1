// All documents that others wrote, into all meshes and into the concise form. Those of the conformance suites lie beside the
// checkout; without them those of the golden files are left.
import { expect, it } from 'vitest';
import { EXPORT_TARGETS } from '../../../src/yaml/export.ts';
import { isAnnounced } from '../../../src/yaml/losses.ts';
import { loadWorld, passage } from './documents.ts';
import { MIXED } from './mixed-worlds.ts';
import { goldenWorlds, sharedWorlds } from './worlds.ts';

const TARGETS = [...EXPORT_TARGETS.filter((target) => target !== 'argo-rollouts'), 'concise'] as const;

it.each(TARGETS)('%s', async (target) => {
  let read = 0;
  let validated = 0;
  for (const world of [...goldenWorlds(), ...sharedWorlds()]) {
    const loaded = await loadWorld(world);
    if (loaded === null) continue;
    read++;
    const { differences, losses, faults, ...more } = await passage(loaded, target, world);
    validated += more.validated;
    expect({ world: world.name, faults }).toEqual({ world: world.name, faults: [] });
    const silent = differences?.filter((path) => !isAnnounced(path, losses)) ?? ['all: it cannot be read'];
    expect({ world: world.name, silent }).toEqual({ world: world.name, silent: [] });
    if (target === world.own && MIXED[world.name] === undefined)
      expect({ world: world.name, differences }).toEqual({ world: world.name, differences: [] });
  }
  expect(read).toBeGreaterThan(40);
  if (target !== 'concise' && target !== 'smi') expect(validated).toBeGreaterThan(50);
});
