// What is imported and read again is what it was.
import fc from 'fast-check';
import { expect } from 'vitest';
import type { MeshInput } from '../../../src/model/input.ts';
import { diffConfigs } from '../../../src/yaml/diff.ts';
import { importConfig } from '../../../src/yaml/import.ts';
import { configs, hasVariable } from './generated-config.ts';
import { readBack, writtenConfig } from './written.ts';

/** No file can hold it. */
function hasFunction(input: MeshInput): boolean {
  let found = false;
  JSON.stringify(input, (_key, value: unknown) => {
    found ||= typeof value === 'function';
    return value;
  });
  return found;
}

/** How many configurations made sense. */
export async function importRoundTrips(numRuns: number): Promise<number> {
  let compared = 0;
  const property = fc.asyncProperty(configs, async (input) => {
    const written = hasVariable(input) || hasFunction(input) ? null : writtenConfig(input);
    if (written === null) return;
    const { text, losses } = await importConfig(written);
    expect(losses.filter(({ verdict }) => verdict !== 'kept')).toEqual([]);
    expect(diffConfigs(written, await readBack(text))).toEqual([]);
    compared++;
  });
  await fc.assert(property, { numRuns, seed: 1, endOnFailure: true });
  return compared;
}
