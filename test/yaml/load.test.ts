// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of configuration files.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigIssue } from '../../src/model/issue.ts';
import type { LoadedConfig, LoadResult } from '../../src/yaml/load.ts';
import { formatIssues, loadConfig } from '../../src/yaml/load.ts';

type Files = Readonly<Record<string, string>>;
type Env = Readonly<Record<string, string | undefined>>;

function load(files: Files, env: Env = {}): Promise<LoadResult> {
  const readFile = async (path: string): Promise<string> => {
    const text = files[path.replace(/^\/app\//, '')];
    if (text === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
    return text;
  };
  return loadConfig(Object.keys(files), { env, cwd: '/app', readFile });
}

async function good(files: Files, env: Env = {}): Promise<LoadedConfig> {
  const result = await load(files, env);
  if ('issues' in result) throw new Error(formatIssues(result.issues));
  return result;
}

async function issues(files: Files, env: Env = {}): Promise<readonly ConfigIssue[]> {
  const result = await load(files, env);
  return 'issues' in result ? result.issues : [];
}

describe('loadConfig', () => {
  it('reads the example of the design', async () => {
    const text = `
self: { service: productpage, namespace: default, serviceAccount: productpage, labels: { app: productpage } }
identity: { cert: certs/tls.crt, key: certs/tls.key, ca: certs/ca.crt }
services:
  reviews:
    endpoints:
      - { address: 127.0.0.1:9001, labels: { version: v1 } }
      - { address: 127.0.0.1:9002, labels: { version: v2 } }
    tls: mutual
    timeout: 2s
    retries: { attempts: 2, perTryTimeout: 500ms, retryOn: [connect-failure, reset, '503'] }
    outlierDetection: { consecutive5xxErrors: 5, baseEjectionTime: 30s }
    subsets: { v1: { version: v1 }, v2: { version: v2 } }
    routes:
      - { match: { headers: { user-agent: { regex: '.*mobile.*' } } }, to: v2 }
      - { to: { v1: 80, v2: 20 } }
inbound: { mtls: strict }
`;
    const { config, warnings, hash, files } = await good({ 'conf/mesh.yaml': text });
    expect(warnings).toEqual([]);
    expect(hash).toBe(createHash('sha256').update(text).digest('hex').slice(0, 12));
    expect(files).toEqual(['/app/conf/mesh.yaml']);
    expect(config).toMatchObject({
      self: { service: 'productpage' },
      identity: { cert: '/app/conf/certs/tls.crt', key: '/app/conf/certs/tls.key', ca: '/app/conf/certs/ca.crt' },
      inbound: { mtls: 'strict' },
    });
    expect(config.services.reviews).toMatchObject({
      source: { file: 'conf/mesh.yaml', line: 5, column: 3 },
      tls: { mode: 'mutual' },
      timeoutMs: 2_000,
      routes: [
        { source: { line: 15, column: 9 } },
        {
          source: { line: 16, column: 9 },
          targets: [
            { subset: 'v1', weight: 80 },
            { subset: 'v2', weight: 20 },
          ],
        },
      ],
    });
  });

  it('says where everything was written', async () => {
    const { at } = await good({ 'a.yaml': 'defaults:\n  timeout: 1s', 'b.yaml': "services:\n  a: { dns: 'x:1' }" });
    expect(at(['defaults', 'timeout'])).toEqual({ file: 'a.yaml', line: 2, column: 12 });
    expect(at(['services', 'a'], 'key')).toEqual({ file: 'b.yaml', line: 2, column: 3 });
  });

  it('is content with nothing', async () => {
    expect((await good({ 'mesh.yaml': '' })).config.services).toEqual({});
    expect((await good({ 'mesh.yaml': '# nothing yet\n---\n' })).config.services).toEqual({});
  });

  it('joins files and documents in any order', async () => {
    const parts = [
      "services:\n  a: { dns: 'x:1', routes: [ { to: b } ] }",
      "services: { b: { dns: 'x:2' } }\n---\nself: { service: s }",
      'self: { namespace: n }\nfailures: respond',
    ];
    const names = ['0.yaml', '1.yaml', '2.json'];
    const plain = ({ config }: LoadedConfig): unknown =>
      JSON.parse(JSON.stringify(config, (key, value: unknown) => (key === 'source' ? undefined : value)));
    const first = await good(Object.fromEntries(names.map((name, i) => [name, parts[i] as string])));
    expect(first.config).toMatchObject({ self: { service: 's', namespace: 'n' }, failures: 'respond', services: { a: {}, b: {} } });
    for (const order of [
      [2, 1, 0],
      [1, 0, 2],
    ]) {
      const other = await good(Object.fromEntries(names.map((name, i) => [name, parts[order[i] as number] as string])));
      expect(plain(other)).toEqual(plain(first));
    }
  });

  it('names both places of what stands twice in two files', async () => {
    const text = "services:\n  a: { dns: 'x:1' }";
    expect((await issues({ 'a.yaml': text, 'b.yaml': `# more\n${text}` })).map(({ message, position }) => [message, position])).toEqual([
      ['service "a" stands twice, first at a.yaml:2:3; keep one', { file: 'b.yaml', line: 3, column: 3 }],
    ]);
  });

  it('takes paths from the file they stand in, and PEM text as it is', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\\nx';
    const { config } = await good({
      'a/mesh.yaml': `services:\n  a: { endpointsFile: e.yaml, tls: { ca: ../ca.pem } }\n  b: { endpointsFile: /abs/e.yaml, tls: { ca: "${pem}" } }\ndefaults: { tls: { ca: d.pem } }`,
    });
    expect(config.services.a).toMatchObject({ endpoints: { path: '/app/a/e.yaml' }, tls: { ca: '/app/ca.pem' } });
    expect(config.services.b).toMatchObject({ endpoints: { path: '/abs/e.yaml' }, tls: { ca: pem.replace('\\n', '\n') } });
  });

  it('stops at the first fault of form in any file, so that nothing seems to be missing', async () => {
    const found = await issues({ 'a.yaml': "services: { a: { dns: 'x:1', routes: [ { to: b } ] } }", 'b.yaml': 'services: { b: ' });
    expect(found.map(({ position }) => position?.file)).toEqual(['b.yaml']);
  });

  it('finds the faults of resources beside those of the rest', async () => {
    const found = await issues({ 'a.yaml': 'kind: VirtualService\napiVersion: networking.istio.io/v1\n---\nfailures: x' });
    expect(found.map(({ message, position }) => `${position?.line} ${message}`)).toEqual([
      '1 a VirtualService needs metadata.name',
      '4 failures must be one of throw, respond, not "x"',
    ]);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['bytes that are not UTF-8', new Uint8Array([0x61, 0xff, 0xfe]), 'cannot read m.yaml: it is not UTF-8 text'],
  ])('does not read %s', async (_name, content, message) => {
    const result = await loadConfig('m.yaml', { env: {}, cwd: '/app', readFile: async () => content });
    expect('issues' in result && result.issues).toEqual([{ severity: 'error', path: [], message }]);
  });
});

describe('variables', () => {
  it('are put in with the type that YAML gives the text', async () => {
    const text = `
self:
  service: \${NAME}
  namespace: "\${NUMBER}"
failures: \${FAILURES:-respond}
services:
  a:
    endpoints:
      - address: \${HOST:-10.0.0.1}:\${PORT}
        weight: \${NUMBER}
        labels: { price: '$$\${NUMBER}' }
    timeout: \${TIMEOUT:-2s}
    retries:
      acrossSubsets: \${FLAG}
`;
    const { config } = await good({ 'm.yaml': text }, { NAME: 'shop', NUMBER: '7', PORT: '80', FLAG: 'false' });
    expect(config).toMatchObject({ self: { service: 'shop', namespace: '7' }, failures: 'respond' });
    expect(config.services.a).toMatchObject({
      endpoints: { endpoints: [{ address: '10.0.0.1:80', weight: 7, labels: { price: '$7' } }] },
      timeoutMs: 2_000,
      retries: { acrossSubsets: false },
    });
  });

  it('can add no keys and move no places', async () => {
    const text = "self:\n  service: ${X}\nservices:\n  a: { dns: 'x:1', timout: 1s }";
    const found = await issues({ 'm.yaml': text }, { X: 'a\nfailures: respond\nb: c' });
    expect(found.map(({ position }) => position)).toEqual([
      { file: 'm.yaml', line: 2, column: 12 },
      { file: 'm.yaml', line: 4, column: 20 },
    ]);
  });

  it('are never printed', async () => {
    const secret = 'canary-c0ffee';
    const lines = [
      'self: { service: "${S} x" }',
      'identity: { cert: "${S}", key: "${S}", ca: 1 }',
      'unknownHosts: ${S}',
      'defaults: { timeout: "${S}", tls: "${S}", loadBalancer: "${S}" }',
      'services:',
      '  a: { dns: "${S}" }',
      '  b: { endpoints: ["${S}:80", "${S}:80"], hosts: ["${S}"] }',
      '  c: { endpoints: [], hosts: ["${S}"], routes: [ { to: "${S}" }, { name: "${S}", match: { path: "${S}" } }, { name: "${S}" } ] }',
      '  d: { endpoints: [], routes: [ { match: { path: { regex: "${S}(" } } }, { match: { path: "/${S}?" } }, { headers: { request: { set: { a: "${S}\\n" } } } } ] }',
      '  e: { endpoints: ["x"], retries: { retryOn: ["${S}"], bodyLimit: "${S}", methods: ["${S}"] } }',
    ];
    for (const text of [lines.join('\n'), lines.slice(4).join('\n'), ...lines.slice(5).map((line) => `services:\n${line}`)]) {
      const readFile = async (): Promise<string> => text;
      const result = await loadConfig('m.yaml', { env: { S: secret }, cwd: '/', readFile, checkRegex: (pattern) => `bad ${pattern}` });
      const found = 'issues' in result ? result.issues : result.warnings;
      if (text !== `services:\n${lines[6]}`) expect(found.length).toBeGreaterThan(0);
      expect(`${JSON.stringify(found)}${formatIssues(found)}`).not.toContain(secret);
    }
  });
});

describe('formatIssues', () => {
  it('prints place, message, suggestion and frame', async () => {
    expect(formatIssues(await issues({ 'mesh.yaml': 'services:\n  a:\n    dns: x:1\n    timout: 1s\nfailure: throw\n' }))).toBe(
      `mesh.yaml:4:5 error  unknown key "timout" in services.a; did you mean "timeout"?
  3 |     dns: x:1
  4 |     timout: 1s
    |     ^

mesh.yaml:5:1 error  unknown key "failure" in the configuration; did you mean "failures"?
  4 |     timout: 1s
  5 | failure: throw
    | ^`,
    );
  });

  it('prints what has no place', () => {
    expect(formatIssues([{ severity: 'warning', path: [], message: 'x', allowed: ['a', 'b'] }])).toBe('warning  x; valid are a, b');
  });
});

describe('anything at all', () => {
  const keys = fc.constantFrom(
    'services',
    'a',
    'routes',
    'to',
    'match',
    'endpoints',
    'dns',
    'retries',
    'tls',
    'subsets',
    'self',
    'labels',
    'defaults',
    'headers',
    'x y',
    'toString',
    'hasOwnProperty',
    'kind',
  );
  const leaf = fc.constantFrom<unknown>(null, true, 0, -1, 1e308, '', 'a', 'x:1', '1s', '${X}', '$$', '/', 'v1', 'simple', 'kind');
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof({ maxDepth: 6 }, leaf, fc.dictionary(keys, tie('tree'), { maxKeys: 5 }), fc.array(tie('tree'), { maxLength: 3 })),
  }));
  it('gives a configuration, or issues with places', async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.array(tree, { maxLength: 2 }), async (inner, more) => {
        const texts = [{ services: { a: inner } }, { services: { a: { endpoints: ['x:1'], routes: inner } } }, inner, ...more].map(
          (value) => JSON.stringify(value),
        );
        const result = await load({ 'm.yaml': texts.join('\n---\n') }, { X: 'x' });
        return (
          !('issues' in result) ||
          (result.issues.length > 0 && result.issues.every(({ position, frame }) => position !== undefined && frame !== undefined))
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('folders', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'inmesh-load-'));
    mkdirSync(join(folder, 'sub'));
    mkdirSync(join(folder, 'empty'));
    writeFileSync(join(folder, 'b.yml'), "services: { b: { dns: 'x:1' } }");
    writeFileSync(join(folder, 'a.yaml'), "services: { a: { dns: 'x:1' } }");
    writeFileSync(join(folder, 'c.json'), '{ "services": { "c": { "dns": "x:1" } } }');
    writeFileSync(join(folder, 'notes.txt'), 'no');
    writeFileSync(join(folder, '.hidden.yaml'), 'no: no');
    writeFileSync(join(folder, 'sub', 'd.yaml'), 'no: no');
    symlinkSync(join(folder, 'c.json'), join(folder, 'empty', 'notes'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('stand for their YAML and JSON files, sorted', async () => {
    const result = await loadConfig(folder, { env: {}, cwd: '/' });
    expect('config' in result && Object.keys(result.config.services)).toEqual(['a', 'b', 'c']);
    expect('files' in result && result.files).toEqual(['a.yaml', 'b.yml', 'c.json'].map((name) => join(folder, name)));
  });

  it('may be given with files in them; each counts once', async () => {
    const result = await loadConfig(['.', 'a.yaml'], { env: {}, cwd: folder });
    expect('config' in result && result.config.services.a?.source).toEqual({ file: 'a.yaml', line: 1, column: 13 });
  });

  it('without any, and files that are not there, are said', async () => {
    const result = await loadConfig(['empty', 'nope.yaml'], { env: {}, cwd: folder });
    expect('issues' in result && result.issues.map(({ message }) => message)).toEqual([
      'the folder empty has no .yaml, .yml or .json file',
      'cannot read nope.yaml: there is no such file; give its path, or set INMESH_CONFIG',
    ]);
  });
});
