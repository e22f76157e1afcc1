// Which documents of a load go out as they came in, and what they have already said, so that nobody writes it again.
import type { SourcePosition } from '../../model/route.ts';
import { positionAt } from '../frame.ts';
import type { Located } from '../located.ts';
import type { Resource } from '../resource.ts';

interface Span {
  readonly file: string;
  readonly from: number;
  readonly to: number;
  readonly resource: Resource;
}

export class KeptResources {
  readonly resources: readonly Resource[];
  readonly #spans: readonly Span[];

  constructor(resources: readonly Resource[]) {
    this.resources = resources;
    this.#spans = resources.map((resource) => spanOf(resource));
  }

  /** The document that holds the place; undefined when it does not go out as it is. */
  at(position: SourcePosition | undefined): Resource | undefined {
    if (position === undefined) return undefined;
    const { file, line } = position;
    return this.#spans.find((span) => span.file === file && span.from <= line && line <= span.to)?.resource;
  }
}

function spanOf(resource: Resource): Span {
  const { source, root } = resource.document;
  return {
    file: source.file,
    from: positionAt(source, root.offset).line,
    to: positionAt(source, lastOffset(root)).line,
    resource,
  };
}

/** Of the piece that stands last; aliases point back. */
function lastOffset(node: Located): number {
  if (node.kind === 'scalar') return node.offset;
  const inner = node.kind === 'list' ? node.items : [...node.entries.values()].map(({ value }) => value);
  return inner.reduce((last, one) => Math.max(last, lastOffset(one)), node.offset);
}
