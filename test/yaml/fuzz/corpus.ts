// What the fuzzer starts from: the documents beside this file, the inputs of the golden files, the documents that lie beside
// the checkout if they do, and values of the readers' own schemas.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Schema } from '../../../src/model/schema-scalar.ts';
import { documentParser } from '../../../src/yaml/document.ts';
import { sourceText } from '../../../src/yaml/frame.ts';
import { admitResource, READERS } from '../../../src/yaml/kinds.ts';
import { isResource, readResource } from '../../../src/yaml/resource.ts';
import { toValue } from '../../../src/yaml/value.ts';
import { readGolden } from '../../golden/golden-file.ts';
import { type Draw, isMapping, type Json, valueOf } from './random-value.ts';

const OWN = fileURLToPath(new URL('corpus', import.meta.url));
const SHARED = ['acceptance', 'conformance'].map((name) => fileURLToPath(new URL(`../../../../shared/${name}`, import.meta.url)));
const GOLDEN = fileURLToPath(new URL('../../golden', import.meta.url));
/** Larger ones only take time. */
const DOCUMENT_CHARACTERS_MAX = 6_000;
const DOCUMENTS_MAX = 12;

export interface CorpusText {
  readonly name: string;
  readonly text: string;
}

/** The committed texts, each of which once was, or could be, a find. */
export function ownTexts(): CorpusText[] {
  return textsIn(OWN);
}

function goldenTexts(): CorpusText[] {
  return (readdirSync(GOLDEN, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => ({ name, text: readGolden(join(GOLDEN, name)).input }));
}

function textsIn(folder: string): CorpusText[] {
  if (!existsSync(folder)) return [];
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => /\.(?:ya?ml|golden)$/.test(name))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
}

const parse = await documentParser();

/** Documents that were written together, as plain values. */
export type World = readonly Json[];

export function corpusWorlds(): World[] {
  return [...ownTexts(), ...goldenTexts(), ...SHARED.flatMap(textsIn)].flatMap(({ name, text }) => {
    const documents = parse(sourceText(name, text)).documents.flatMap((root): Json[] => {
      const json = JSON.stringify(toValue(root, {}, () => {}));
      return json.length <= DOCUMENT_CHARACTERS_MAX ? [JSON.parse(json) as Json] : [];
    });
    const parts = Math.ceil(documents.length / DOCUMENTS_MAX);
    return Array.from({ length: parts }, (_, i) => documents.slice(i * DOCUMENTS_MAX, (i + 1) * DOCUMENTS_MAX));
  });
}

const KINDS = READERS.flatMap(({ kinds }) => kinds);
const SCHEMAS: Map<object, Schema> = new Map();

const TRIES = 8;

/** A document of some kind by its schema; mostly one that hangs together. */
export function drawnDocument(draw: Draw): Json {
  const kind = draw.of(KINDS);
  const schema = SCHEMAS.get(kind) ?? kind.schema();
  SCHEMAS.set(kind, schema);
  for (let i = 1; ; i++) {
    const document = drawnOf(kind, schema, draw);
    if (i === TRIES || isSound(document)) return document;
  }
}

function drawnOf(kind: (typeof KINDS)[number], schema: Schema, draw: Draw): Json {
  const value = valueOf(schema, draw);
  if (!isMapping(value) || kind.group === 'appmesh.aws') return value;
  const version = draw.of(kind.versions);
  const metadata = {
    ...(isMapping(value.metadata) && draw.chance(0.3) ? value.metadata : {}),
    name: draw.of(['reviews', 'ratings', 'a', 'b', 'reviews.default.svc.cluster.local']),
    ...(draw.chance(0.3) ? { namespace: draw.of(['default', 'other', 'istio-system']) } : {}),
  };
  return { ...value, apiVersion: kind.group === '' ? version : `${kind.group}/${version}`, kind: kind.kind, metadata };
}

function isSound(document: Json): boolean {
  const source = sourceText('drawn', JSON.stringify(document));
  const [root] = parse(source).documents;
  if (root === undefined || !isResource(root)) return false;
  return admitResource(readResource({ source, path: '/drawn', root }, {}, 0), { lenient: false });
}
