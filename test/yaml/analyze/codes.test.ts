import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { unionMembers } from '../../../.ci/lib/declarations.ts';
import { snippetOf } from '../../../.ci/lib/snippets.ts';
import type { CodeEntry } from '../../../src/yaml/analyze/code.ts';
import { CODES, isCodeName } from '../../../src/yaml/analyze/codes.ts';
import { ROOT } from '../../house/tree.ts';
import { checked } from './codes-of.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const codes = Object.entries<CodeEntry>(CODES);

/** Said by the load of the concise form in words; `inmesh check` gives them the code. */
const IN_WORDS: Readonly<Record<string, RegExp>> = {
  INM0202: /^this route is never reached/,
  INM0205: /its share is answered 500$/,
};

/** Of files beside the configuration: test/cli/check-identity.test.ts. */
const OF_FILES: ReadonlySet<string> = new Set(['INM0305', 'INM0306']);

function regionOf(code: string, region: string): string {
  const found = snippetOf(`examples/codes/${code.toLowerCase()}.yaml`, region, read);
  if ('fault' in found) throw new Error(found.fault);
  return found.code.join('\n');
}

describe('the table of codes', () => {
  it('is the union type, no more and no less', () => {
    const source = read('src/yaml/analyze/code.ts');
    const members = [...unionMembers(source, 'IstioCode'), ...unionMembers(source, 'OwnCode')];
    expect(members.sort()).toEqual(Object.keys(CODES).sort());
  });

  it('has every code that the source names', () => {
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const named = new Set(files.flatMap((name) => read(join('src', name)).match(/(?<=')(?:IST|INM)\d{4}(?=')/g) ?? []));
    expect([...named].filter((code) => !isCodeName(code))).toEqual([]);
    expect(named.size).toBeGreaterThan(40);
  });

  it.each(codes)('%s speaks in whole sentences, and says what to do in one line', (_code, { title, meaning, fix, fine }) => {
    expect(title).toMatch(/^[A-Z][^.]+$/);
    expect(meaning).toMatch(/^[A-Z][^\n]+\.$/);
    expect(fix).toMatch(/^[A-Z][^\n]+\.$/);
    expect(fine ?? 'a').toMatch(/^[a-z][^.\n]*$/);
  });
});

describe('the examples of the codes', () => {
  it('are there for each', () => {
    const files = readdirSync(join(ROOT, 'examples/codes')).map((name) => name.replace('.yaml', '').toUpperCase());
    expect(files.sort()).toEqual(Object.keys(CODES).sort());
  });

  it.each(Object.keys(CODES))('%s is found in the wrong one, and not in the right one', async (code) => {
    const wrong = await checked(regionOf(code, 'wrong'));
    const right = await checked(regionOf(code, 'right'));
    const words = IN_WORDS[code];
    if (OF_FILES.has(code)) expect(wrong.loaded).not.toBeNull();
    else if (words === undefined)
      expect({ code, codes: wrong.codes, messages: wrong.messages }).toMatchObject({ codes: expect.arrayContaining([code]) });
    else expect(wrong.messages.filter((message) => words.test(message))).not.toEqual([]);
    expect(right.codes).not.toContain(code);
    expect({ messages: right.messages, loaded: right.loaded !== null }).toMatchObject({ loaded: true });
    if (words !== undefined) expect(right.messages.filter((message) => words.test(message))).toEqual([]);
  });
});
