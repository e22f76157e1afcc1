import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { toValibot } from '../../.ci/lib/valibot-schema.ts';
import { schemaText } from '../../.ci/schema.ts';
import { Report } from '../../src/model/report.ts';
import { checkSchema } from '../../src/model/schema-check.ts';
import { inputSchema } from '../../src/model/schema.ts';
import { EVERYTHING } from './everything.ts';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly description?: string;
}

const VALIBOT = toValibot(inputSchema());
const json = JSON.parse(schemaText()) as JsonSchema;

/** The keys of the schema that a value does not exercise. */
function missing(schema: JsonSchema, value: unknown, path: string): string[] {
  const branches = schema.anyOf ?? [schema];
  const found: string[] = [];
  for (const branch of branches) {
    if (Array.isArray(value))
      found.push(...value.flatMap((item, i) => (branch.items === undefined ? [] : missing(branch.items, item, `${path}[${i}]`))));
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(branch.properties ?? {})) {
        const own = (value as Record<string, unknown>)[key];
        found.push(...(own === undefined ? [`${path}.${key}`] : missing(inner, own, `${path}.${key}`)));
      }
      if (branch.additionalProperties) {
        for (const [key, own] of Object.entries(value)) found.push(...missing(branch.additionalProperties, own, `${path}.${key}`));
      }
    }
  }
  return found;
}

function issuesOf(value: unknown): string[] {
  const report = new Report({});
  checkSchema(inputSchema(), value, [], report);
  return report.issues.map(({ message }) => message);
}

describe('the schema of the loader', () => {
  it('takes everything that the types have', () => {
    expect(issuesOf(EVERYTHING)).toEqual([]);
  });

  it('has no key that the types lack', () => {
    const skipped = /^\.defaults\.|\.routes\[0\]\.retries\.|\.response\./;
    expect(missing(json, EVERYTHING, '').filter((key) => !skipped.test(key))).toEqual([]);
  });

  it('says the same as the validator itself', () => {
    // A function cannot be cloned.
    const routes = EVERYTHING.services.a?.routes?.map((route) => ({ ...route, fallback: { status: 200 } }));
    const plain = { ...EVERYTHING, services: { a: { ...EVERYTHING.services.a, routes } } };
    expect(issuesOf(plain)).toEqual([]);
    const paths = [
      ['failures'],
      ['self', 'labels'],
      ['services', 'a', 'retries'],
      ['services', 'a', 'routes'],
      ['services', 'a', 'endpoints'],
      ['services', 'a', 'timeout'],
      ['services', 'a', 'retryBudget'],
      ['services', 'a', 'healthCheck'],
      ['services', 'a', 'healthCheck', 'grpc'],
      ['services', 'a', 'loadBalancer'],
      ['services', 'a', 'loadBalancer', 'locality'],
      ['services', 'a', 'limits', 'adaptive'],
      ['inbound', 'admission'],
    ];
    const junk = fc.oneof(
      fc.constantFrom<unknown>('reset', 'zone', true, false, null, '1s', 0, { attempts: 1 }, { nope: 1 }, [], ['x:1'], [{}]),
      fc.string(),
      fc.double(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...paths), junk, (path, value) => {
        const input = structuredClone(plain) as unknown as Record<string, unknown>;
        let holder = input;
        for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
        holder[path.at(-1) as string] = value;
        // The validator takes a list where it wants a mapping.
        const isListForMapping = Array.isArray(value) && path.at(-1) !== 'routes' && path.at(-1) !== 'endpoints';
        return isListForMapping || v.safeParse(VALIBOT, input).success === (issuesOf(input).length === 0);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('takes a list for no mapping', () => {
    expect(issuesOf({ self: [] })).toEqual(['self must be a mapping, not an empty list']);
  });
});

describe('schema/mesh.schema.json', () => {
  it('is up to date', () => {
    expect(readFileSync(new URL('../../schema/mesh.schema.json', import.meta.url), 'utf8')).toBe(schemaText());
  });

  it('knows every key of every mapping', () => {
    const open: string[] = [];
    const walk = (schema: JsonSchema, path: string): void => {
      if (schema.properties !== undefined && schema.additionalProperties !== false) open.push(path);
      for (const [key, inner] of Object.entries(schema.properties ?? {})) walk(inner, `${path}.${key}`);
      if (schema.additionalProperties) walk(schema.additionalProperties, `${path}.*`);
      if (schema.items !== undefined) walk(schema.items, `${path}[]`);
      for (const branch of schema.anyOf ?? []) walk(branch, path);
    };
    walk(json, '');
    expect(open).toEqual([]);
  });

  const service = (json.properties?.services?.additionalProperties ?? {}) as JsonSchema;

  it('helps editors: words, patterns, defaults, descriptions', () => {
    expect(json.properties?.unknownHosts).toMatchObject({ enum: ['pass', 'refuse'], default: 'pass' });
    expect(service.properties?.timeout).toMatchObject({ type: 'string', default: '30s' });
    expect(new RegExp(service.properties?.timeout?.pattern ?? '^$').test('1m30s')).toBe(true);
    expect(new RegExp(service.properties?.timeout?.pattern ?? '^$').test('90')).toBe(false);
    expect(service.properties?.protocol?.enum).toEqual(['http1', 'http2']);
    const undescribed = Object.entries(service.properties ?? {}).filter(([, { description }]) => description === undefined);
    expect(undescribed).toEqual([]);
  });

  it('wants exactly one source of endpoints', () => {
    expect(service.oneOf).toEqual([{ required: ['endpoints'] }, { required: ['endpointsFile'] }, { required: ['dns'] }]);
  });
});
