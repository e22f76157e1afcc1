// Fields that may be left out, for the schemas of resources.
import { field, type Schema } from '../model/schema-scalar.ts';

export function optional(schema: Schema): Schema {
  return field(schema, '');
}

export function optionals(entries: Readonly<Record<string, Schema>>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(entries).map(([key, schema]) => [key, optional(schema)]));
}
