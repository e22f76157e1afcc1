// `inmesh check` on documents of meshes: headings, severities, forms, exit codes. The command itself, without a process.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { check } from '../../src/cli/check.ts';
import { UsageError } from '../../src/cli/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'inmesh-check-'));
const FILES: Readonly<Record<string, string>> = {
  'canary/services.yaml': `services:
  reviews:
    endpoints:
      - { address: 10.0.0.1:80, labels: { version: v1 } }
      - { address: 10.0.0.2:80, labels: { version: v2 } }
`,
  'canary/reviews.yaml': `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
    - timeout: 2s
      retries: { attempts: 0 }
      route:
        - destination: { host: reviews, subset: v1 }
          weight: 90
        - destination: { host: reviews, subset: v2 }
          weight: 10
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
spec:
  host: reviews
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: reviews }
`,
  'missing.yaml': `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: my-service }
spec:
  hosts: [my-service.local]
  http:
    - timeout: 1s
      retries: { attempts: 0 }
      route:
        - destination: { host: my-service, subset: v1 }
`,
  'twice.yaml': `services: { reviews: { endpoints: [10.0.0.1:80] } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec: { hosts: [reviews], http: [{ timeout: 1s, retries: { attempts: 0 }, route: [{ destination: { host: reviews } }] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: b }
spec: { hosts: [reviews], http: [{ timeout: 1s, retries: { attempts: 5, retryOn: 5xx }, route: [{ destination: { host: reviews } }] }] }
`,
  'storm.yaml': `services: { reviews: { endpoints: [10.0.0.1:80] } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec: { hosts: [reviews], http: [{ route: [{ destination: { host: reviews } }] }] }
`,
  'typo.yaml': `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec: { hosts: [reviews], http: [{ rout: [] }] }
`,
  'many.yaml': `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec:
  hosts: [reviews]
  http: [{ route: [${Array.from({ length: 90 }, (_, i) => `{ destination: { host: a${i} }, weight: 1 }`).join()}] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: b }
spec:
  hosts: [ratings]
  http: [{ route: [${Array.from({ length: 40 }, (_, i) => `{ destination: { host: b${i} }, weight: 1 }`).join()}] }]
`,
  'filter.yaml': 'apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: { name: f }\nspec: {}\n',
};
for (const [name, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
afterAll(() => rmSync(folder, { recursive: true }));

type Values = Readonly<Record<string, string | boolean>>;

async function run(path: string, values: Values = {}): Promise<{ code: number; out: string }> {
  let out = '';
  const terminal = { out: (text: string) => void (out += text), err: () => undefined, env: {}, cwd: folder };
  const code = await check({ positionals: path === '' ? [] : [path], values, terminal });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is how colours are written.
  return { code, out: out.replace(/\u001b\[\d+m/g, '') };
}

interface Finding {
  readonly group: string;
  readonly status: string;
  readonly code?: string;
  readonly message: string;
  readonly fix?: string;
  readonly frame?: string;
  readonly position?: { readonly file: string; readonly line: number };
}

async function findings(path: string, values: Values = {}): Promise<Finding[]> {
  const { out } = await run(path, { ...values, output: 'json' });
  return (JSON.parse(out) as { findings: Finding[] }).findings;
}

describe('inmesh check, on documents of a mesh', () => {
  it('counts them by mesh', async () => {
    const { code, out } = await run('canary');
    expect(code).toBe(0);
    expect(out).toMatch(/\nistio\n-----\n√ read: 1 VirtualService, 1 DestinationRule\n/);
    expect(out).toMatch(/\nkubernetes\n----------\n√ passed over: 1 Deployment\n/);
    expect(out).toMatch(/√ reviews: 2 endpoints, 2 subsets, 1 route\n/);
    expect(out).toMatch(/Status: √ 1 service, 1 route, 2 endpoints\n$/);
  });

  it('fails where calls are bound to fail, although the configuration loads', async () => {
    const { code, out } = await run('missing.yaml');
    expect(code).toBe(1);
    expect(out).toMatch(
      /× missing\.yaml:10:\d+ no service has the host my-service\.default\.svc\.cluster\.local[^\n]*its calls are answered 503 \[IST0101\]\n +9 \| [^]*fix: Correct the name/,
    );
    expect(out).toMatch(/√ my-service\.local: no endpoints of its own, 1 route/);
    expect((await run('missing.yaml', { lenient: true })).code).toBe(0);
  });

  it('finds more behind what a mesh settles by itself', async () => {
    const strict = await findings('twice.yaml');
    expect(strict.filter(({ status }) => status === 'error').map(({ code, group }) => [code, group])).toEqual([['IST0109', 'istio']]);
    expect(strict.some(({ status }) => status === 'ok')).toBe(false);
    const lenient = await findings('twice.yaml', { lenient: true });
    expect(lenient.find(({ code }) => code === 'IST0109')).toMatchObject({ status: 'warning', position: { file: 'twice.yaml' } });
    expect((await run('twice.yaml')).code).toBe(1);
    expect((await run('twice.yaml', { lenient: true })).code).toBe(0);
  });

  it('counts all, and shows some', async () => {
    expect((await findings('many.yaml')).filter(({ code }) => code === 'IST0101')).toHaveLength(130);
    const { out } = await run('many.yaml');
    expect(out.match(/^×/gm)).toHaveLength(50);
    expect(out).toMatch(/ {2}… and 80 more: --output json has all\n/);
    expect(out).toMatch(/; 130 errors\n$/);
    expect((await run('many.yaml', { output: 'short' })).out.trimEnd().split('\n')).toHaveLength(130);
  });

  it('fails at what it is told to fail at', async () => {
    const exits = async (values: Values): Promise<number> => (await run('storm.yaml', values)).code;
    expect((await findings('storm.yaml')).filter(({ status }) => status !== 'ok').map(({ code, status }) => [code, status])).toEqual([
      ['INM0102', 'warning'],
      ['INM0106', 'info'],
    ]);
    expect([await exits({}), await exits({ 'fail-on': 'error' }), await exits({ 'fail-on': 'warning' })]).toEqual([0, 0, 1]);
    expect((await run('canary', { 'fail-on': 'info' })).code).toBe(0);
  });

  it('names what cannot be read, with the nearest word', async () => {
    expect(await findings('typo.yaml')).toMatchObject([
      { group: 'istio', status: 'error', code: 'IST0106', fix: expect.stringMatching(/^did you mean "route"/) },
    ]);
    const [refused] = await findings('filter.yaml');
    expect(refused).toMatchObject({ group: 'istio', status: 'error', code: 'INM0011' });
    expect(refused?.fix).toMatch(/^keep it out of/);
    expect((await findings('filter.yaml', { lenient: true })).find(({ code }) => code === 'INM0011')).toMatchObject({ status: 'warning' });
  });
});

describe('the forms of inmesh check', () => {
  it('short is a line for each finding, and nothing when all is fine', async () => {
    expect((await run('storm.yaml', { output: 'short' })).out).toMatch(
      /^storm\.yaml:1:\d+: warning INM0102: nothing limits the retries to reviews[^\n]*\nstorm\.yaml:6:\d+: info INM0106: calls to reviews have no timeout\n$/,
    );
    expect(await run('canary', { output: 'short' })).toEqual({ code: 0, out: '' });
  });

  it('wide says why', async () => {
    expect((await run('storm.yaml', { output: 'wide' })).out).toMatch(/\[INM0106\]\n(.*\n)*? {4}why: Nothing bounds the time of a call\./);
    expect((await run('storm.yaml')).out).not.toContain('why:');
  });

  it('json is the same with --json', async () => {
    const { out } = await run('storm.yaml', { json: true });
    expect(out).toBe((await run('storm.yaml', { output: 'json' })).out);
    expect(JSON.parse(out)).toMatchObject({ ok: true, summary: { errors: 0, warnings: 1, infos: 1 } });
  });

  it.each([
    ['output', 'yaml', '--output is one of table, wide, short, json, not "yaml"'],
    ['fail-on', 'never', '--fail-on is one of error, warning, info, not "never"'],
  ])('--%s %s is wrong use', async (name, value, message) => {
    await expect(run('canary', { [name]: value })).rejects.toThrow(new UsageError(message));
  });
});

describe('inmesh check --explain', () => {
  it('prints what a code means, and reads nothing', async () => {
    const { code, out } = await run('', { explain: 'ist0101' });
    expect(code).toBe(0);
    expect(out).toMatch(/^IST0101: Referenced resource not found\n\nA rule names[^]*\nWhat to do: Correct the name/);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(101);
  });

  it('lists all', async () => {
    const { out } = await run('', { explain: 'list' });
    expect(out).toMatch(/^INM0102 {2}warning {2}Retries without a budget$/m);
    expect(out.trimEnd().split('\n').length).toBeGreaterThan(45);
  });

  it('knows the nearest code', async () => {
    await expect(run('', { explain: 'IST01O1' })).rejects.toThrow(/there is no code "IST01O1"; did you mean IST0101\?/);
  });
});
