// Where a support table and the schemas of its kinds do not say the same.
import type { Schema } from '../../src/model/schema-scalar.ts';
import type { SupportRow } from '../../src/yaml/support-row.ts';
import { fieldsOf } from './schema-fields.ts';

/** Fields that no row is about, and rows that are about no field. */
export function supportGaps(kind: string, schema: () => Schema, rows: readonly SupportRow[]): string[] {
  const own = rows.filter((row) => row.kind === kind);
  const fields = fieldsOf(schema);
  const missing = fields.filter((field) => !own.some((row) => covers(row.field, field))).map((field) => `no row: ${field}`);
  const stale = own.filter((row) => !fields.some((field) => covers(row.field, field))).map(({ field }) => `no field: ${field}`);
  const twice = own.filter(({ field }, i) => own.findIndex((row) => row.field === field) < i).map(({ field }) => `twice: ${field}`);
  return [...missing, ...stale, ...twice];
}

function covers(row: string, field: string): boolean {
  if (!row.endsWith('.**')) return row === field;
  const above = row.slice(0, -'.**'.length);
  return field === above || field.startsWith(`${above}.`) || field.startsWith(`${above}[]`);
}
