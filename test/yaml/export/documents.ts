// Documents of others, taken in and written again: as they are, as any other mesh's, and in the concise form.
import { exportConfig, type ExportTarget } from '../../../src/yaml/export.ts';
import { diffConfigs } from '../../../src/yaml/diff.ts';
import { importConfig } from '../../../src/yaml/import.ts';
import type { Loss } from '../../../src/yaml/losses.ts';
import { loadConfig, type LoadedConfig } from '../../../src/yaml/load.ts';
import { selfText, withoutVariables } from '../../../src/yaml/read-back.ts';
import { validateText } from './valid-document.ts';
import { regex } from './written.ts';
import type { World } from './worlds.ts';

/** null: it has errors, or nothing of a mesh is in it. What a mesh settles by itself is settled. */
export async function loadWorld({ text }: World): Promise<LoadedConfig | null> {
  const loaded = await loadTexts([text]);
  return loaded === null || loaded.resources.length === 0 ? null : loaded;
}

/** Each as a file of its own; null: there are errors. */
export async function loadTexts(texts: readonly string[]): Promise<LoadedConfig | null> {
  const result = await loadConfig(
    texts.map((_, i) => `${i}.yaml`),
    {
      env: {},
      cwd: '/',
      lenient: true,
      checkRegex: (pattern) => regex.check(pattern),
      readFile: (path) => Promise.resolve(texts[Number(/(\d+)\.yaml$/.exec(path)?.[1])] ?? ''),
    },
  );
  return 'issues' in result ? null : result;
}

export interface Passage {
  readonly text: string;
  readonly losses: readonly Loss[];
  /** Paths of what reads back otherwise; null: it cannot be read. */
  readonly differences: readonly string[] | null;
  /** What its schemas say against it, and did not say against what it was made of. */
  readonly faults: readonly string[];
  readonly validated: number;
}

export async function passage(loaded: LoadedConfig, target: ExportTarget | 'concise', world: World): Promise<Passage> {
  const { text, losses } = target === 'concise' ? await importConfig(loaded) : await exported(loaded, target);
  const before = target === 'concise' ? [] : (await validateText(world.text)).faults;
  const { faults, checked } = target === 'concise' ? { faults: [], checked: 0 } : await validateText(text);
  const back = target === 'concise' ? await loadTexts([text]) : await loadTexts([selfText(loaded.config), withoutVariables(text)]);
  const differences = back === null ? null : diffConfigs(loaded, back, { together: false }).map(({ path }) => path);
  return { text, losses, differences, faults: faults.filter((fault) => !before.includes(fault)), validated: checked };
}

async function exported(loaded: LoadedConfig, target: ExportTarget): Promise<{ readonly text: string; readonly losses: readonly Loss[] }> {
  const { documents, losses } = await exportConfig(loaded, target);
  return { text: documents.map(({ text }) => text).join('---\n'), losses };
}
