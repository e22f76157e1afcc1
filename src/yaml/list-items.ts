// `kubectl get -o yaml` prints many resources as one document: `kind: List`, or a kind of its own such as
// VirtualServiceList. Its items are documents. Knows nothing of what they mean.
import type { LocatedList } from './located.ts';
import { nodeAt } from './located.ts';
import type { ConfigDocument } from './merge.ts';

/** Lists within lists are opened, too. */
export function withItems(documents: readonly ConfigDocument[]): readonly ConfigDocument[] {
  if (!documents.some((document) => itemsOf(document) !== null)) return documents;
  return documents.flatMap((document) => {
    const items = itemsOf(document);
    return items === null ? [document] : withItems(items.items.map((root) => ({ ...document, root, isItem: true })));
  });
}

function itemsOf({ root }: ConfigDocument): LocatedList | null {
  const kind = nodeAt(root, ['kind']);
  if (kind?.kind !== 'scalar' || typeof kind.value !== 'string' || !kind.value.endsWith('List')) return null;
  const items = nodeAt(root, ['items']);
  return items?.kind === 'list' && nodeAt(root, ['apiVersion']) !== undefined ? items : null;
}
