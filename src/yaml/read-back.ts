// Reads documents that were written, as their mesh would: what they mean otherwise than the configuration they were made of is
// found, whether its writer knew or not.
import type { MeshConfig } from '../model/config.ts';
import { diffConfigs } from './diff.ts';
import { loadConfig } from './load.ts';
import { contradicts, isAnnounced, type Loss } from './losses.ts';
import { type Plain, plainText } from './write/plain.ts';
import type { PlacedConfig } from './write/positions.ts';

const WHY = 'reads back otherwise';

/** What has to be said beside `losses`; and those of them that hold. */
export async function readBackLosses(source: PlacedConfig, texts: readonly string[], losses: readonly Loss[]): Promise<Loss[]> {
  const files = [selfText(source.config), ...texts.map(withoutVariables)];
  const result = await loadConfig(
    files.map((_, i) => `${i}.yaml`),
    { env: {}, cwd: '/', lenient: true, readFile: (path) => Promise.resolve(files[Number(/(\d+)\.yaml$/.exec(path)?.[1])] ?? '') },
  );
  if ('issues' in result) {
    const unread = result.issues.filter(({ severity }) => severity === 'error');
    const said = unread.map(
      ({ message }): Loss => ({ field: 'documents', verdict: 'lost', from: 'a document', to: '', why: `is refused: ${message}` }),
    );
    return [...losses, ...said];
  }
  return withDifferences(source, result.config, losses);
}

export function withDifferences(source: PlacedConfig, config: MeshConfig, losses: readonly Loss[]): Loss[] {
  const unsaid = diffConfigs(source, { config }, { together: false }).filter(({ path }) => !isAnnounced(path, losses));
  const text = (value: Plain | undefined): string => (value === undefined ? 'nothing' : plainText(value));
  return [
    ...losses.filter((loss) => !unsaid.some(({ path }) => contradicts(path, loss))),
    ...unsaid.map(
      ({ path, from, to, fromAt }): Loss => ({
        field: path,
        verdict: from !== undefined && to === undefined ? 'lost' : 'approximated',
        from: text(from),
        to: text(to),
        why: WHY,
        ...(fromAt === undefined ? {} : { position: fromAt }),
      }),
    ),
  ];
}

/** A mesh knows by itself for whom it reads. */
export function selfText({ self }: MeshConfig): string {
  return JSON.stringify({ self: Object.fromEntries(Object.entries(self).filter(([, value]) => value !== '')) });
}

/** No mesh knows any: what looks like one is meant as it stands. */
export function withoutVariables(text: string): string {
  return text.replace(/\$(?=[${])/g, '$$$$');
}
