// Whatever the documents hold, the analyzers answer, and soon.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/yaml/analyze/analyze.ts';
import type { Finding } from '../../../src/yaml/analyze/findings.ts';
import { sourceText } from '../../../src/yaml/frame.ts';
import { isResource } from '../../../src/yaml/resource.ts';
import { toValue } from '../../../src/yaml/value.ts';
import { ROOT } from '../../house/tree.ts';
import { checked } from './codes-of.ts';
import { analysisMs, config, CROWDS, parse, resourcesIn } from './crowds.ts';

const EXAMPLES = join(ROOT, 'examples/codes');
const TEXT = readdirSync(EXAMPLES)
  .map((name) => readFileSync(join(EXAMPLES, name), 'utf8'))
  .join('---\n');

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const DOCUMENTS: readonly Json[] = parse(sourceText('mesh.yaml', TEXT))
  .documents.filter(isResource)
  .map((root) => JSON.parse(JSON.stringify(toValue(root, {}, () => undefined))) as Json);

function kindOf(document: Json): Json {
  return (document as { kind: Json }).kind;
}

function metadataOf(document: Json): Json {
  const { name = '', namespace = 'default' } = (document as { metadata: { name?: Json; namespace?: Json } }).metadata;
  return [name, namespace];
}

/** Puts something else at one place of the document; the place is drawn by the numbers. */
function mutated(document: Json, turns: readonly number[], value: Json): Json {
  const [turn, ...rest] = turns;
  if (turn === undefined || typeof document !== 'object' || document === null) return value;
  if (Array.isArray(document)) {
    if (document.length === 0) return [value];
    const at = turn % document.length;
    return document.map((item, i) => (i === at ? mutated(item, rest, value) : item));
  }
  const keys = Object.keys(document);
  const key = keys[turn % Math.max(keys.length, 1)] ?? 'new';
  return { ...document, [key]: mutated(document[key] ?? null, rest, value) };
}

const ANYTHING = fc.oneof(
  fc.constantFrom<Json>(null, '', '*', '*.', '.', 0, -1, 1e308, true, [], {}, [[]], [null], 'a'.repeat(300), { host: { host: {} } }),
  fc.jsonValue({ maxDepth: 3 }).map((value) => value as Json),
);

describe('mutated documents', () => {
  it('make no analyzer throw', () => {
    expect(DOCUMENTS.length).toBeGreaterThan(60);
    let count = 0;
    const mutation = fc.tuple(fc.nat(DOCUMENTS.length - 1), fc.array(fc.nat(20), { minLength: 1, maxLength: 9 }), ANYTHING);
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), fc.boolean(), (mutations, isWhole) => {
        const texts = mutations.map(([index, turns, value]) => JSON.stringify(mutated(DOCUMENTS[index] as Json, turns, value)));
        const findings = analyze(config, resourcesIn(texts.join('\n---\n')), { isWhole });
        count += findings.length;
        for (const { message, fix, position } of findings) {
          expect([message, fix].every((text) => text.length > 0 && !text.includes('[object'))).toBe(true);
          expect(position === undefined || (position.line >= 1 && position.column >= 1)).toBe(true);
        }
      }),
      { numRuns: 1_000, seed: 1 },
    );
    expect(count).toBeGreaterThan(200);
  });

  it('make no check throw, from the text on', async () => {
    const letters = fc.constantFrom('', '*', '-', '[', '{', ': ', '\n', '  ', 'null', '0', '"');
    await fc.assert(
      fc.asyncProperty(fc.nat(DOCUMENTS.length - 1), fc.nat(1_000), fc.nat(12), letters, async (index, at, length, put) => {
        const text = JSON.stringify(DOCUMENTS[index], null, 1);
        const from = at % text.length;
        await checked(text.slice(0, from) + put + text.slice(from + length), { lenient: true });
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});

const nameOf = ({ code, resource }: Finding): string => `${code} ${resource?.kind} ${resource?.namespace}/${resource?.name}`;
const found = (documents: readonly Json[]): string[] =>
  analyze(config, resourcesIn(documents.map((one) => JSON.stringify(one)).join('\n---\n')), { isWhole: true })
    .map(nameOf)
    .sort();

describe('what is found', () => {
  const unique = [...new Map(DOCUMENTS.map((one) => [JSON.stringify([kindOf(one), metadataOf(one)]), one])).values()];

  it('does not depend on the order of the documents', () => {
    const some = fc.shuffledSubarray(unique, { minLength: 2 });
    fc.assert(
      fc.property(some, (documents) => {
        expect(found(documents.toReversed())).toEqual(found(documents));
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('is not less when documents of another namespace come along', () => {
    const some = fc.subarray(unique, { minLength: 1 });
    const elsewhere = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'stranger', namespace: 'elsewhere', labels: { app: 'stranger' } },
    };
    fc.assert(
      fc.property(some, (documents) => {
        expect(found([...documents, elsewhere])).toEqual(found(documents));
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

describe('1,000 documents', () => {
  it.each(CROWDS)('%s', (_what, document) => {
    // robust.long.test.ts has ten times as many.
    expect(analysisMs(1_000, document)).toBeLessThan(1_000);
  });
});
