// The fields of a schema as the support tables name them: `spec.rules[].from`, `spec.ports.*.mode`. Leaves alone; a list or
// a mapping of plain values is a leaf.
import type { Schema } from '../../src/model/schema-scalar.ts';

interface Node {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly wrapped?: Node;
  readonly item?: Node;
  readonly value?: Node;
  readonly options?: readonly Node[];
}

/** Of every document. */
const COMMON: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status']);

export function fieldsOf(schema: () => Schema): string[] {
  const { entries = {} } = schema() as unknown as Node;
  return Object.entries(entries).flatMap(([key, node]) => (COMMON.has(key) ? [] : leaves(node, key)));
}

function leaves(node: Node, path: string): string[] {
  switch (node.type) {
    case 'optional':
      return leaves(node.wrapped as Node, path);
    case 'strict_object': {
      const below = Object.entries(node.entries ?? {}).flatMap(([key, one]) => leaves(one, `${path}.${key}`));
      return below.length === 0 ? [path] : below;
    }
    case 'array':
      return listed(leaves(node.item as Node, `${path}[]`), path);
    case 'record':
      return listed(leaves(node.value as Node, `${path}.*`), path);
    case 'union':
      return [...new Set((node.options ?? []).flatMap((one) => leaves(one, path)))];
    default:
      return [path];
  }
}

function listed(below: readonly string[], path: string): string[] {
  return below.length === 1 &&
    !(below[0] as string)
      .slice(path.length)
      .replace(/^(\[\]|\.\*)/, '')
      .includes('.')
    ? [path]
    : [...below];
}
