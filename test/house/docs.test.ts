import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULTS_SOURCES, generateDocs, INPUTS_SOURCES } from '../../.ci/docs.ts';
import { aliasesIn, constantsIn, docOf, interfacesIn, unionMembers } from '../../.ci/lib/declarations.ts';
import { snippetOf, updateSnippets } from '../../.ci/lib/snippets.ts';
import { ERROR_CODES } from '../../src/core/errors.ts';
import * as balancingModel from '../../src/model/balancing.ts';
import * as configModel from '../../src/model/config.ts';
import * as destinationModel from '../../src/model/destination.ts';
import * as inboundModel from '../../src/model/inbound.ts';
import type { MeshInput } from '../../src/model/input.ts';
import { resolveConfig } from '../../src/model/resolve.ts';
import * as budgetModel from '../../src/model/retry-budget.ts';
import * as trafficModel from '../../src/model/traffic.ts';
import { constantFaults, writtenDefaults } from './defaults.ts';
import { anchorsOf } from './links.ts';
import { ROOT } from './tree.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('the docs', () => {
  it('are what npm run docs writes', async () => {
    const { pages, faults } = await generateDocs();
    const stale = [...pages].filter(([path, text]) => !existsSync(join(ROOT, path)) || read(path) !== text).map(([path]) => path);
    expect({ faults, stale }).toEqual({ faults: [], stale: [] });
  });

  it('hold the error codes of the table and of the union type, no more and no less', () => {
    const codes = Object.keys(ERROR_CODES);
    expect(unionMembers(read('src/core/errors.ts'), 'MeshErrorCode')).toEqual(codes);
    const anchors = [...anchorsOf(read('docs/errors.md'))].filter((anchor) => !['errors', 'families', 'codes'].includes(anchor));
    expect(anchors).toEqual(codes);
  });
});

describe('defaults', () => {
  const values = { ...destinationModel, ...budgetModel, ...balancingModel, ...trafficModel, ...inboundModel, ...configModel };
  const inputs = INPUTS_SOURCES.map(read).join('\n');

  it('of the model are those of its comments', () => {
    expect(constantFaults(DEFAULTS_SOURCES.map(read), values)).toEqual([]);
  });

  it('of the concise form, written out, change nothing', () => {
    const { policies, sentences } = writtenDefaults(inputs);
    const resolve = (more: object): unknown => resolveConfig({ services: { a: { endpoints: ['127.0.0.1:1'], ...more } } });
    expect(resolve(policies)).toEqual(resolve({}));
    expect(Object.keys(policies).length).toBeGreaterThan(7);
    expect(sentences.filter((path) => !/^(tls\.|retries\.acrossSubsets$|loadBalancer\.locality$)/.test(path))).toEqual([]);
  });

  type Off = readonly [type: string, write: (policy: object) => MeshInput, least: object | true];
  const service = (policy: object): MeshInput => ({ services: { a: { endpoints: ['127.0.0.1:1'], ...policy } } });
  const route = (policy: object): MeshInput => service({ routes: [policy] });
  const budget = (mode: string) => (policy: object) => service({ retryBudget: { ...policy, mode } });
  const outlier = (mode: string) => (policy: object) => service({ outlierDetection: { ...policy, mode } });
  it.each<Off>([
    ['EnvoyBudgetInput', budget('envoy'), {}],
    ['LinkerdBudgetInput', budget('linkerd'), {}],
    ['GatewayApiBudgetInput', budget('gateway-api'), {}],
    ['GrpcBudgetInput', budget('grpc'), {}],
    ['EnvoyOutlierInput', outlier('envoy'), {}],
    ['LinkerdOutlierInput', outlier('linkerd'), {}],
    ['EnvoySuccessRateInput', (successRate) => outlier('envoy')({ successRate }), {}],
    ['EnvoyFailurePercentageInput', (failurePercentage) => outlier('envoy')({ failurePercentage }), {}],
    ['LinkerdUnifiedInput', (unified) => outlier('linkerd')({ unified }), {}],
    ['AdaptiveLimitInput', (adaptive) => service({ limits: { adaptive } }), true],
    ['ThrottleInput', (throttle) => service({ throttle }), true],
    ['RateLimitInput', (rateLimit) => service({ rateLimit: { ...rateLimit, requests: 5 } }), {}],
    ['HealthCheckInput', (healthCheck) => service({ healthCheck }), true],
    ['HttpProbeInput', (http) => service({ healthCheck: { http } }), {}],
    ['SlowStartInput', (slow) => service({ loadBalancer: { kind: 'roundRobin', slowStart: { ...slow, window: '1s' } } }), {}],
    ['LocalityInput', (locality) => ({ ...service({ loadBalancer: { locality } }), self: { locality: 'r' } }), {}],
    ['HashCookieInput', (cookie) => service({ loadBalancer: { kind: 'maglev', hash: { cookie: { ...cookie, name: 'a' } } } }), {}],
    ['FaultInput', (fault) => route({ fault: { ...fault, delay: { fixedDelay: '1s', percentage: 1 } } }), {}],
    ['MirrorInput', (mirror) => route({ mirror: { ...mirror, to: 'a' } }), {}],
    ['RedirectInput', (redirect) => route({ redirect: { ...redirect, path: '/' } }), {}],
    ['IdempotentInput', (idempotent) => route({ idempotent: { ...idempotent, extraLoad: 0.1 } }), {}],
    ['CacheInput', (cache) => route({ cache }), true],
    ['CoalesceInput', (coalesce) => route({ coalesce }), true],
    ['FixedFallbackInput', (fallback) => route({ fallback: { ...fallback, body: 'b' } }), {}],
    ['AdmissionInput', (admission) => ({ inbound: { admission } }), true],
    ['EndpointInput', (endpoint) => service({ endpoints: [{ ...endpoint, address: 'x:1' }] }), { priority: 0 }],
  ])('of %s, written out, change nothing', (type, write, least) => {
    const { policies } = writtenDefaults(inputs, type);
    expect(Object.keys(policies)).not.toEqual([]);
    const warningless = (policy: object | true): unknown => ({ ...resolveConfig(write(policy as object)), warnings: [] });
    expect(warningless(policies)).toEqual(warningless(least));
    expect(warningless(policies)).toHaveProperty('config');
  });

  it('that drift are found', () => {
    const model = 'export interface A {\n  /** @default 1 */\n  readonly x: number;\n}\nexport const B: A = { x: 2 };';
    expect(constantFaults([model], { B: { x: 1 } })).toEqual([]);
    expect(constantFaults([model], { B: { x: 2 } })).toEqual(['B.x is 2, but its comment says 1.']);
  });

  it('that are not values are named', () => {
    const source = `export interface PolicyInput { readonly a?: AInput; }
      export interface AInput {
        /** @default 5s */ readonly b?: DurationInput;
        /** @default GET, 200 */ readonly c?: readonly string[];
        /** @default whatever the route says */ readonly d?: string;
      }`;
    expect(writtenDefaults(source)).toEqual({ policies: { a: { b: '5s', c: ['GET', 200] } }, sentences: ['a.d'] });
  });
});

describe('the reader of declarations', () => {
  it('takes a doc comment apart', () => {
    expect(docOf('/** Longest wait,\n   * ms. @default 0: none. Source: Envoy `x`. */')).toEqual({
      text: 'Longest wait, ms.',
      defaultText: '0',
      defaultRemark: 'none',
      source: 'Envoy `x`',
    });
    expect(docOf('/** @default null; Envoy 5 */')).toMatchObject({ defaultText: 'null', defaultRemark: 'Envoy 5' });
    expect(docOf('/** Sockets. Source: `max`. @default 0 */')).toEqual({
      text: 'Sockets.',
      defaultText: '0',
      defaultRemark: null,
      source: '`max`',
    });
  });

  it('reads unions of types, and no others', () => {
    const source = "/** X. */ export type A =\n  | B\n  | C;\nexport type D = B;\nexport type E = 'x' | B;\nexport type F = B | C[];";
    expect(aliasesIn(source).map(({ name, members, doc }) => [name, members, doc.text])).toEqual([['A', ['B', 'C'], 'X.']]);
  });

  it('reads fields and constants', () => {
    const source =
      'export interface A {\n  /** X. */\n  readonly x?: { readonly y: string; };\n  run(): void;\n}\n/** C. */\nexport const C: A = {};';
    const [found] = interfacesIn(source);
    expect(found?.fields.map(({ name, type, isOptional, doc }) => [name, type, isOptional, doc.text])).toEqual([
      ['x', '{ readonly y: string; }', true, 'X.'],
    ]);
    expect(constantsIn(source).map(({ name, type, doc }) => [name, type, doc.text])).toEqual([['C', 'A', 'C.']]);
  });
});

describe('snippets', () => {
  const files: Record<string, string> = {
    'examples/a.ts':
      '// A.\n// #region one\n  const x = 1;\n\n  if (x) {\n    // #region inner\n    y();\n    // #endregion\n  }\n// #endregion\n',
    'examples/b.yaml': '# #region top\na: 1\n# #endregion\n',
    'examples/open.ts': '// #region open\n',
    'src/a.ts': '',
  };
  const find = (path: string): string | null => files[path] ?? null;

  it('are copied from their region, without indentation and markers', () => {
    expect(snippetOf('examples/a.ts', 'one', find)).toEqual({ code: ['const x = 1;', '', 'if (x) {', '  y();', '}'] });
    expect(snippetOf('examples/a.ts', 'inner', find)).toEqual({ code: ['y();'] });
    expect(snippetOf('examples/b.yaml', undefined, find)).toEqual({ code: ['a: 1'] });
  });

  it('replace the block below the marker, and are put there when it is missing', () => {
    const marker = '<!-- snippet: examples/b.yaml#top -->';
    const page = `Text.\n\n${marker}\n\`\`\`yaml\nold: 1\n\`\`\`\n\nMore.\n`;
    const fresh = `Text.\n\n${marker}\n\`\`\`yaml\na: 1\n\`\`\`\n\nMore.\n`;
    expect(updateSnippets('docs/a.md', page, find)).toEqual({ text: fresh, faults: [] });
    expect(updateSnippets('docs/a.md', fresh, find).text).toBe(fresh);
    expect(updateSnippets('docs/a.md', `${marker}\n`, find).text).toBe(`${marker}\n\`\`\`yaml\na: 1\n\`\`\`\n`);
  });

  it.each([
    ['a block of TypeScript that is no copy', '```ts\nx();\n```'],
    ['a block of YAML that is no copy', '- list\n\n  ```yaml\n  a: 1\n  ```'],
    ['a missing file', '<!-- snippet: examples/none.ts -->'],
    ['a missing region', '<!-- snippet: examples/a.ts#none -->'],
    ['a region that is not closed', '<!-- snippet: examples/open.ts#open -->'],
    ['a file that nothing runs', '<!-- snippet: src/a.ts -->'],
  ])('find %s', (_, page) => {
    expect(updateSnippets('docs/a.md', page, find).faults).toHaveLength(1);
  });

  it.each([
    ['commands', '```sh\nnpm test\n```'],
    ['what a terminal shows', '```text\nx\n```'],
    ['a picture', '```mermaid\nx\n```'],
    ['a block within a block', '````md\n```ts\nx\n```\n````'],
  ])('allow %s', (_, page) => {
    expect(updateSnippets('docs/a.md', page, find)).toEqual({ text: page, faults: [] });
  });

  it('name a wrong marker once, and leave its block alone', () => {
    const page = '<!-- snippet: examples/none.ts -->\n```ts\nx();\n```\n';
    const { text, faults } = updateSnippets('docs/a.md', page, find);
    expect(text).toBe(page);
    expect(faults).toHaveLength(1);
  });
});
