// What binding needs to know beside the documents, and how it settles what a mesh settles without a word.
import type { SourcePosition } from '../model/route.ts';
import type { ReadContext } from './dialect.ts';
import type { Origin } from './draft.ts';

/** Where the concise form wrote something itself; undefined when it did not. Fields by their names in the model. */
export interface Written {
  readonly service: (service: string, field: string) => SourcePosition | undefined;
  readonly defaults: (field: string) => SourcePosition | undefined;
  readonly top: (key: string) => SourcePosition | undefined;
}

export interface BindDeps {
  readonly context: ReadContext;
  readonly written: Written;
}

/** An error, or a warning for those who want what the mesh does. */
export function settle({ lenient }: Pick<ReadContext, 'lenient'>, { resource, path }: Origin, message: string, code: string): void {
  if (lenient) resource.report.warn(path, message, { code });
  else resource.report.error(path, message, { code });
}
