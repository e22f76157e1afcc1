import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { schemaText } from '../../.ci/schema.ts';
import type { MeshInput } from '../../src/model/input.ts';
import { Report } from '../../src/model/report.ts';
import { checkSchema } from '../../src/model/schema-check.ts';
import { inputSchema } from '../../src/model/schema.ts';

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

/** Every key that a configuration can have, in the types' words. */
const EVERYTHING: Required<MeshInput> = {
  self: { service: 'a', namespace: 'b', serviceAccount: 'c', labels: { x: 'y' }, locality: 'r/z' },
  identity: { cert: 'a', key: 'b', ca: 'c' },
  defaults: { timeout: 5 },
  unknownHosts: 'pass',
  failures: 'throw',
  inbound: { mtls: 'strict' },
  services: {
    a: {
      hosts: ['a.example'],
      endpoints: ['x:1', { address: 'x:2', labels: { v: '1' }, locality: 'r', weight: 2 }],
      endpointsFile: 'f',
      dns: { host: 'x', port: 1, record: 'any' },
      protocol: 'http1',
      tls: { mode: 'mutual', cert: 'a', key: 'b', ca: 'c', serverName: 'd', subjectAltNames: ['e'] },
      timeout: '1s',
      retries: {
        attempts: 1,
        perTryTimeout: '1s',
        retryOn: ['reset', '503', 503],
        backoff: { base: '1s', max: '2s' },
        retryAfterMax: '1s',
        methods: ['GET'],
        acrossSubsets: true,
        bodyLimit: '1KiB',
      },
      retryBudget: { tokens: 1, perSuccess: 1, perSecond: 1 },
      circuitBreaker: {
        failureRatio: 1,
        window: '1s',
        minCalls: 1,
        consecutive: 1,
        count: { failureRatio: 1, size: 1, minCalls: 1 },
        openBase: '1s',
        openMax: '1s',
        successesToClose: 1,
      },
      outlierDetection: {
        consecutiveErrors: 1,
        consecutive5xxErrors: 1,
        consecutiveGatewayErrors: 1,
        window: '1s',
        minCalls: 1,
        margin: 0,
        baseEjectionTime: '1s',
        maxEjectionTime: '1s',
        maxEjectionPercent: 1,
        jitter: 0,
      },
      loadBalancer: { kind: 'random', tau: '1s', failurePenalty: '1s', seedFactor: 1, seed: '1s', fullScanMax: 1 },
      limits: { maxConnections: 1, maxPendingRequests: 1, maxRequests: 1, maxRequestsPerConnection: 1, maxRetries: 1 },
      subsets: { v1: { v: '1' } },
      routes: [
        {
          name: 'n',
          match: {
            path: { exact: '/', prefix: '/', pathPrefix: '/', regex: '/', not: true },
            method: { exact: 'GET', prefix: 'a', regex: 'b', present: true, not: true },
            headers: { h: { exact: 'GET', prefix: 'a', regex: 'b', present: true, not: true } },
            queryParams: { q: { exact: 'GET', prefix: 'a', regex: 'b', present: true, not: true } },
          },
          to: { v1: 1 },
          timeout: 5,
          retries: { attempts: 1 },
          sticky: { header: 'a', cookie: 'b' },
          headers: { request: { set: { a: 'b' }, add: { a: 'b' }, remove: ['a'] }, response: { set: { a: 'b' } } },
        },
      ],
    },
  },
};

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
    const skipped = /^\.defaults\.|\.routes\[0\]\.retries\.|\.response\.|\.endpoints\[0\]/;
    expect(missing(json, EVERYTHING, '').filter((key) => !skipped.test(key))).toEqual([]);
  });

  it('says the same as the validator itself', () => {
    const paths = [
      ['failures'],
      ['self', 'labels'],
      ['services', 'a', 'retries'],
      ['services', 'a', 'routes'],
      ['services', 'a', 'endpoints'],
      ['services', 'a', 'timeout'],
    ];
    const junk = fc.oneof(
      fc.constantFrom<unknown>('reset', false, null, '1s', 0, { attempts: 1 }, { nope: 1 }, [], ['x:1'], [{}]),
      fc.string(),
      fc.double(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...paths), junk, (path, value) => {
        const input = structuredClone(EVERYTHING) as unknown as Record<string, unknown>;
        let holder = input;
        for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
        holder[path.at(-1) as string] = value;
        // The validator takes a list where it wants a mapping.
        const isListForMapping = Array.isArray(value) && path.at(-1) !== 'routes' && path.at(-1) !== 'endpoints';
        return isListForMapping || v.safeParse(inputSchema(), input).success === (issuesOf(input).length === 0);
      }),
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
    expect(json.properties?.identity?.required).toEqual(['cert', 'key', 'ca']);
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
