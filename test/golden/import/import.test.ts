import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isUpdate, played, readGolden, writeGolden } from '../golden-file.ts';

const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.md'));

describe('golden: other meshes, in the concise form', () => {
  it.each(files)('%s', async (file) => {
    const golden = readGolden(join(import.meta.dirname, file));
    const now = await played(golden);
    if (isUpdate) writeGolden(now);
    else expect(now).toEqual(golden);
  });
});
