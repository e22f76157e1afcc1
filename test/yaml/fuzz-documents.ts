// Loads documents of the golden files of a dialect, with faults put into them: nothing throws, and every fault has a place.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import type { MeshConfig } from '../../src/model/config.ts';
import { readGolden } from '../golden/golden-file.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { loadText } from './istio/load-text.ts';
import { type Json, mutated } from './mutated.ts';
import { takes } from './takes.ts';

const GOLDEN = join(import.meta.dirname, '../golden');

/** With the kinds that are in them. */
export function goldenDocuments(folder: string): { readonly documents: readonly Json[]; readonly kinds: ReadonlySet<string> } {
  const files = readdirSync(join(GOLDEN, folder)).filter((name) => name.endsWith('.md'));
  const texts = files.map((name) => readGolden(join(GOLDEN, folder, name)).input);
  const documents = texts.flatMap((text) => parseAllDocuments(text).map((document): Json => document.toJS())).filter((one) => one !== null);
  return { documents, kinds: new Set(documents.map((one) => String((one as { kind?: unknown }).kind ?? 'concise'))) };
}

/** What is loaded can be run: every match of routes and of policies. */
function compileAll({ services, inbound }: MeshConfig): void {
  for (const { routes } of Object.values(services)) for (const { matches } of routes) takes(matches, {});
  for (const policy of inbound.policies ?? []) {
    if (policy.kind === 'traffic-target') takes(policy.matches, {});
    if (policy.kind === 'linkerd-server') for (const { matches } of policy.routes) takes(matches, {});
  }
}

export async function neverThrows(folder: string): Promise<void> {
  const { documents } = goldenDocuments(folder);
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.boolean(), async (seed, lenient) => {
      const random = seededRandom(seed);
      const chosen = Array.from({ length: 1 + Math.floor(random() * 5) }, () => documents[Math.floor(random() * documents.length)]);
      const faulty = chosen.map((one) => {
        let now = one;
        while (random() < 0.6) now = mutated(now, random);
        return now;
      });
      const { config, issues } = await loadText(faulty.map((one) => stringify(one)).join('---\n'), { lenient });
      for (const { position, message } of issues) {
        expect(message).not.toMatch(/undefined|\[object|NaN/);
        expect(position?.line).toBeGreaterThan(0);
      }
      expect(config === null).toBe(issues.some(({ severity }) => severity === 'error'));
      if (config !== null) compileAll(config);
    }),
    { numRuns: 1000, seed: 1 },
  );
}
