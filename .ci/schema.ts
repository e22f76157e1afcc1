// Writes schema/mesh.schema.json from the schema that checks every file, so that editors say what the loader says.
// With --check: compares instead, and exits 1 when the file is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toJsonSchema } from '@valibot/to-json-schema';
import { fileSchema } from '../src/model/schema.ts';
import { toValibot } from './lib/valibot-schema.ts';

const FILE = new URL('../schema/mesh.schema.json', import.meta.url);

/** The text of the file, always the same for the same schema. */
export function schemaText(): string {
  const schema = toJsonSchema(toValibot(fileSchema()), { target: 'draft-07', typeMode: 'input', ignoreActions: ['check'] });
  const { $schema, ...rest } = schema;
  return `${JSON.stringify({ $schema, title: 'inmesh', ...rest }, null, 1)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = schemaText();
  if (!process.argv.includes('--check')) writeFileSync(FILE, text);
  else if (readFileSync(FILE, 'utf8') !== text) {
    console.error('schema/mesh.schema.json is out of date; run: node .ci/schema.ts');
    process.exitCode = 1;
  }
}
