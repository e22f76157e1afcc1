// Documents that no person would write: whatever the readers take goes out, to every mesh, and what was made is valid.
import { expect, it } from 'vitest';
import { EXPORT_TARGETS, writeConfig } from '../../../src/yaml/export.ts';
import { importConfig } from '../../../src/yaml/import.ts';
import { FuzzRun } from '../fuzz/fuzz-run.ts';
import { loadWorld } from './documents.ts';
import { validateText } from './valid-document.ts';

const SEEDS = 600;

it('nothing throws', async () => {
  const run = await FuzzRun.start();
  let read = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const loaded = await loadWorld({ name: String(seed), text: run.textsOf(seed).join('---\n'), own: 'istio' });
    if (loaded === null) continue;
    read++;
    for (const target of EXPORT_TARGETS) {
      const { documents } = await writeConfig(loaded, target);
      const made = documents.filter(({ origin }) => origin === 'made').map(({ text }) => text);
      expect({ seed, target, faults: (await validateText(made.join('---\n'))).faults }).toEqual({ seed, target, faults: [] });
    }
    await importConfig(loaded);
  }
  expect(read).toBeGreaterThan(100);
});
