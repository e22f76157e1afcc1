// Istio's own validation documents: each is accepted or refused as it is marked.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadText, shown } from './load-text.ts';

const FOLDER = fileURLToPath(new URL('../../../../shared/conformance/istio/crds', import.meta.url));

/** Kinds that this reader is for; the others have readers and tests of their own, or cannot be obeyed by anybody. */
const OURS = ['destinationrule', 'serviceentry', 'telemetry', 'workloadentry'];

interface Case {
  readonly file: string;
  readonly name: string;
  readonly text: string;
  /** What Istio says; null: nothing. */
  readonly fault: string | null;
}

function casesOf(file: string): Case[] {
  const documents = readFileSync(`${FOLDER}/${file}`, 'utf8').split(/^---$/m);
  return documents.flatMap((text) => {
    const name = /^ {2}name: (.+)$/m.exec(text)?.[1];
    if (name === undefined) return [];
    const fault = /^_err: *["']?(.*?)["']?$/m.exec(text)?.[1] ?? null;
    return [{ file, name, text: text.replace(/^_err:.*$/m, ''), fault }];
  });
}

const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((file) => OURS.some((kind) => file.startsWith(`${kind}-`))) : [];
const cases = files.flatMap(casesOf);

describe.skipIf(files.length === 0)('validation documents of Istio (skipped where they do not lie beside the checkout)', () => {
  it.each(cases.map((one, index) => ({ ...one, index })))('$file $name $index', async ({ text, fault, file }) => {
    expect(fault !== null).toBe(file.endsWith('-invalid.yaml'));
    const { config, issues } = await loadText(text);
    if (fault === null) expect(issues.filter(({ severity }) => severity === 'error').map(shown)).toEqual([]);
    expect(config === null).toBe(fault !== null);
  });

  it('are all read', () => {
    const count = (suffix: string): number => cases.filter(({ file }) => file.endsWith(suffix)).length;
    expect([files.length, count('-valid.yaml'), count('-invalid.yaml')]).toEqual([8, 17, 26]);
  });
});
