// Documents that others wrote, of which a share is looked at here, and all in documents.long.test.ts.
import { describe, expect, it } from 'vitest';
import { EXPORT_TARGETS, writeConfig } from '../../../src/yaml/export.ts';
import { isAnnounced } from '../../../src/yaml/losses.ts';
import { loadWorld, passage } from './documents.ts';
import { MIXED } from './mixed-worlds.ts';
import { goldenWorlds, sharedWorlds, type World } from './worlds.ts';

const WORLDS: readonly World[] = [
  ...goldenWorlds(),
  ...sharedWorlds().filter(({ name }, i) => i % 40 === 0 || name.includes('reviews') || name.includes('my-')),
];

describe('documents of others', () => {
  it.each(WORLDS.map((world) => [world.name, world] as const))('%s', async (name, world) => {
    const loaded = await loadWorld(world);
    if (loaded === null) return;
    const own = await passage(loaded, world.own, world);
    expect(own.faults).toEqual([]);
    if (MIXED[name] === undefined) expect(own.differences).toEqual([]);
    expect(own.differences?.filter((path) => !isAnnounced(path, own.losses))).toEqual([]);
    const concise = await passage(loaded, 'concise', world);
    expect(concise.differences?.filter((path) => !isAnnounced(path, concise.losses))).toEqual([]);
  });

  it('go out in the same way twice', async () => {
    for (const world of WORLDS.filter(({ name }) => name.startsWith('istio/'))) {
      const loaded = await loadWorld(world);
      if (loaded === null) continue;
      for (const target of EXPORT_TARGETS) expect(await writeConfig(loaded, target)).toEqual(await writeConfig(loaded, target));
    }
  });
});
