// How far a dialect is obeyed, field by field: the data of the support tables in the docs. A test holds the fields equal to
// those of the schema.

/**
 * `supported`: to the letter. `kept`: read, checked and carried into the configuration, for who lets callers in. `approximated`:
 * nearly, and the note says how. `ignored`: read over, which is safe; a warning says so where somebody may count on it.
 * `refused`: an error, by name.
 */
export type SupportLevel = 'supported' | 'kept' | 'approximated' | 'ignored' | 'refused';

export interface SupportRow {
  readonly kind: string;
  /** From `spec` on; `[]` is every entry, `*` every key. Fields below a row that ends in `.**` are meant with it. */
  readonly field: string;
  readonly level: SupportLevel;
  readonly note?: string;
}

/** Rows of one kind. In `a.{b,c}.d` two fields share one level and one note. */
export type SupportLine = readonly [fields: string, level: SupportLevel, note?: string];

export function supportRows(kind: string, lines: readonly SupportLine[]): SupportRow[] {
  return lines.flatMap(([fields, level, note]) =>
    spread(fields).map((field) => ({ kind, field, level, ...(note === undefined ? {} : { note }) })),
  );
}

function spread(fields: string): string[] {
  const [, before = '', words, after = ''] = /^(.*?)\{([^}]*)\}(.*)$/.exec(fields) ?? [];
  return words === undefined ? [fields] : words.split(',').flatMap((word) => spread(`${before}${word}${after}`));
}
