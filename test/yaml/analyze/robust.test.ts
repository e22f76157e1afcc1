// Whatever the documents hold, the analyzers answer, and soon.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { resolveConfig } from '../../../src/model/resolve.ts';
import { analyze } from '../../../src/yaml/analyze/analyze.ts';
import type { Finding } from '../../../src/yaml/analyze/findings.ts';
import { type DocumentParser, documentParser } from '../../../src/yaml/document.ts';
import { sourceText } from '../../../src/yaml/frame.ts';
import { isResource, readResource, type Resource } from '../../../src/yaml/resource.ts';
import { toValue } from '../../../src/yaml/value.ts';
import { ROOT } from '../../house/tree.ts';
import { checked } from './codes-of.ts';

const EXAMPLES = join(ROOT, 'examples/codes');
const TEXT = readdirSync(EXAMPLES)
  .map((name) => readFileSync(join(EXAMPLES, name), 'utf8'))
  .join('---\n');

const parse: DocumentParser = await documentParser();
const base = resolveConfig({ services: { reviews: { endpoints: ['10.0.0.1:80'] } } });
if ('issues' in base) throw new Error('the base has faults');
const { config } = base;

function resourcesIn(text: string, file = 'mesh.yaml'): Resource[] {
  const source = sourceText(file, text);
  return parse(source)
    .documents.filter(isResource)
    .map((root, order) => readResource({ source, path: '/configs/mesh.yaml', root }, {}, order));
}

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

/** Far above what is measured (see docs/cli.md), far below what a loop within a loop would take. */
const LONGEST_MS = 2_000;

function timed(resources: readonly Resource[]): { readonly findings: number; readonly ms: number } {
  const from = systemClock.now();
  const findings = analyze(config, resources, { isWhole: true }).length;
  return { findings, ms: systemClock.now() - from };
}

/** 1,000 documents are what one text may hold. */
function many(count: number, document: (i: number) => object): Resource[] {
  return Array.from({ length: Math.ceil(count / 1_000) }, (_, part) => part).flatMap((part) => {
    const size = Math.min(1_000, count - part * 1_000);
    return resourcesIn(Array.from({ length: size }, (__, i) => JSON.stringify(document(part * 1_000 + i))).join('\n---\n'), `${part}.yaml`);
  });
}

const route = (host: string): object => ({ route: [{ destination: { host, subset: 'v1' } }] });
const head = (kind: string, name: string, group = 'networking.istio.io/v1'): object => ({ apiVersion: group, kind, metadata: { name } });

describe('10,000 documents', () => {
  it.each<[string, (i: number) => object]>([
    [
      'of 2,500 services',
      (i) => {
        const name = `svc-${Math.floor(i / 4)}`;
        const ports = [{ name: 'http', port: 80 }];
        return [
          { ...head('Service', name, 'v1'), spec: { selector: { app: name }, ports } },
          { ...head('VirtualService', name), spec: { hosts: [name], http: [route(name)] } },
          { ...head('DestinationRule', name), spec: { host: name, subsets: [{ name: 'v1', labels: { version: 'v1' } }] } },
          { ...head('Deployment', name, 'apps/v1'), spec: { template: { metadata: { labels: { app: name, version: 'v1' } } } } },
        ][i % 4] as object;
      },
    ],
    [
      'with rules for one host',
      (i) => ({ ...head('VirtualService', `vs-${i}`), spec: { hosts: ['reviews', `*.d${i}.com`], http: [route('missing')] } }),
    ],
    [
      'with rules for one wildcard, each for another namespace',
      (i) => ({
        ...head('VirtualService', `vs-${i}`),
        spec: { hosts: ['*.com'], exportTo: i % 2 === 0 ? [`ns-${i}`] : ['*'], http: [route('a.com')] },
      }),
    ],
    [
      'that select one another',
      (i) =>
        i % 2 === 0
          ? { apiVersion: 'v1', kind: 'Pod', metadata: { name: `p-${i}`, labels: { app: 'a', one: `l${i % 40}` } } }
          : { ...head('Sidecar', `s-${i}`), spec: { workloadSelector: { labels: { app: 'a' } }, egress: [{ hosts: ['./*'] }] } },
    ],
    [
      'with one port in many protocols',
      (i) => ({
        ...head('ServiceEntry', `se-${i}`),
        spec: { hosts: ['api.example.com'], ports: [{ number: 80, name: 'http', protocol: `P${i}` }] },
      }),
    ],
    [
      'with policies for namespaces that are not there',
      (i) => ({
        ...head('AuthorizationPolicy', `ap-${i}`, 'security.istio.io/v1'),
        spec: { rules: [{ from: [{ source: { namespaces: [`ns-${i}`, '*-x'] } }] }] },
      }),
    ],
  ])('%s', (_what, document) => {
    const { ms } = timed(many(10_000, document));
    expect(ms).toBeLessThan(LONGEST_MS);
  });
});
