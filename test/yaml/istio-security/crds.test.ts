// Istio's own validation documents of its security kinds: each is accepted or refused as it is marked.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadText, shown } from '../istio/load-text.ts';

const FOLDER = fileURLToPath(new URL('../../../../shared/conformance/istio/crds', import.meta.url));
const OURS = ['authz', 'peerauth', 'reqauth'];

interface Case {
  readonly file: string;
  readonly name: string;
  readonly text: string;
  /** Whether Istio refuses it. */
  readonly isWrong: boolean;
}

function casesOf(file: string): Case[] {
  const documents = readFileSync(`${FOLDER}/${file}`, 'utf8').split(/^---$/m);
  return documents.flatMap((text) => {
    const name = /^ {2}name: (.+)$/m.exec(text)?.[1];
    return name === undefined ? [] : [{ file, name, text: text.replace(/^_err:.*$/m, ''), isWrong: /^_err:/m.test(text) }];
  });
}

const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((file) => OURS.some((kind) => file.startsWith(`${kind}-`))) : [];
const cases = files.flatMap(casesOf);

describe.skipIf(files.length === 0)('security documents of Istio (skipped where they do not lie beside the checkout)', () => {
  it.each(cases.map((one, index) => ({ ...one, index })))('$file $name $index', async ({ text, isWrong, file }) => {
    expect(isWrong).toBe(file.endsWith('-invalid.yaml'));
    const { config, issues } = await loadText(text);
    if (!isWrong) expect(issues.filter(({ severity }) => severity === 'error').map(shown)).toEqual([]);
    expect(config === null).toBe(isWrong);
    if (!isWrong) expect(config?.inbound.policies).toHaveLength(1);
  });

  it('are all read', () => {
    const wrong = cases.filter(({ isWrong }) => isWrong).length;
    expect([files.length, cases.length - wrong, wrong]).toEqual([6, 5, 28]);
  });
});
