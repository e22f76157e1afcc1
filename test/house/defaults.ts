// Holds what the doc comments say of defaults against what the program does: the constants of the model must be the values of
// `@default`, and a configuration that writes out every documented default must be the same as one that writes nothing.
import { aliasesIn, interfacesIn } from '../../.ci/lib/declarations.ts';
import { constantTables, valueText } from '../../.ci/lib/defaults-page.ts';

/** Constants that differ from their `@default`. */
export function constantFaults(models: readonly string[], values: Readonly<Record<string, unknown>>): string[] {
  return constantTables(models, values).flatMap(({ name, rows }) =>
    rows.flatMap(({ path, value, field }) => {
      const said = field.doc.defaultText;
      // What depends on something is no value.
      return said === null || / when /.test(said) || said === valueText(value)
        ? []
        : [`${name}.${path} is ${valueText(value)}, but its comment says ${said}.`];
    }),
  );
}

export interface WrittenDefaults {
  /** The policies of a service with every default written out. */
  readonly policies: Record<string, unknown>;
  /** Fields whose default is a sentence, not a value. */
  readonly sentences: readonly string[];
}

/** Reads `@default` of every field of the input types that stand for a value. What is off by default stays off. */
export function writtenDefaults(source: string, top = 'PolicyInput'): WrittenDefaults {
  const byName = new Map(interfacesIn(source).map((declaration) => [declaration.name, declaration]));
  // Of several modes the first is the default.
  for (const { name, members } of aliasesIn(source)) {
    const first = byName.get(members[0] as string);
    if (first !== undefined) byName.set(name, first);
  }
  const sentences: string[] = [];
  const innerName = (type: string): string => {
    if (!type.startsWith('{')) return /(\w+Input)$/.exec(type)?.[1] ?? '';
    const [inline] = interfacesIn(`export interface Inline ${type}`);
    // What needs something more cannot be written by its defaults alone.
    if (inline?.fields.every(({ isOptional }) => isOptional) === true) byName.set(type, inline);
    return type;
  };
  const read = (name: string, prefix: string): Record<string, unknown> => {
    const values: Record<string, unknown> = {};
    for (const { name: key, type, doc } of byName.get(name)?.fields ?? []) {
      const inner = innerName(type);
      const value = doc.defaultText === null ? undefined : valueOf(doc.defaultText, type);
      const isOpen = value !== false && (doc.defaultText === null || value !== undefined);
      const within = isOpen && byName.has(inner) ? read(inner, `${prefix}${key}.`) : {};
      if (Object.keys(within).length > 0) values[key] = within;
      else if (value !== undefined) values[key] = value;
      if (doc.defaultText !== null && value === undefined) sentences.push(`${prefix}${key}`);
    }
    return values;
  };
  return { policies: read(top, ''), sentences };
}

function valueOf(text: string, type: string): unknown {
  if (type.startsWith('readonly ')) return text.split(', ').map((item) => (/^\d+$/.test(item) ? Number(item) : item));
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return /^(none|empty)$/.test(text) || !/^[\w./-]+$/.test(text) ? undefined : text;
}
