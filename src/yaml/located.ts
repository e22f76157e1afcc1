// What a document says, each piece with its offset in the text. Neutral: knows neither the YAML package nor the mesh.
// Aliases point at the very piece they name, so this is a graph without cycles, bounded in depth and in size when spread out.
import type { ConfigPath, PathPart } from '../model/issue.ts';

export interface LocatedMap {
  readonly kind: 'map';
  readonly offset: number;
  readonly entries: ReadonlyMap<string, { readonly keyOffset: number; readonly value: Located }>;
}

export interface LocatedList {
  readonly kind: 'list';
  readonly offset: number;
  readonly items: readonly Located[];
}

export interface LocatedScalar {
  readonly kind: 'scalar';
  readonly offset: number;
  readonly value: string | number | boolean | null;
  /** Unquoted and without a tag, so that its type follows from its text. */
  readonly plain: boolean;
}

export type Located = LocatedMap | LocatedList | LocatedScalar;

/** The offset of a path; for what is not there, that of the key or entry that should hold it. */
export function offsetOf(root: Located, path: ConfigPath, part: PathPart): number {
  let node = root;
  let holder = root.offset;
  for (const [depth, step] of path.entries()) {
    if (node.kind === 'map') {
      const entry = node.entries.get(String(step));
      if (entry === undefined) return holder;
      if (part === 'key' && depth === path.length - 1) return entry.keyOffset;
      node = entry.value;
      holder = entry.keyOffset;
    } else if (node.kind === 'list') {
      const item = node.items[step as number];
      if (item === undefined) return holder;
      node = item;
      holder = item.offset;
    } else return holder;
  }
  return node.offset;
}

export function nodeAt(root: Located, path: ConfigPath): Located | undefined {
  let node: Located | undefined = root;
  for (const step of path) {
    if (node?.kind === 'map') node = node.entries.get(String(step))?.value;
    else if (node?.kind === 'list') node = node.items[step as number];
    else return undefined;
  }
  return node;
}
