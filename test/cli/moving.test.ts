// `inmesh export`, `import` and `diff`: documents, report, exit codes. The commands themselves, without a process.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { UsageError, type Run } from '../../src/cli/command.ts';
import { diff } from '../../src/cli/diff.ts';
import { exportCommand } from '../../src/cli/export.ts';
import { importCommand } from '../../src/cli/import.ts';

const folder = mkdtempSync(join(tmpdir(), 'inmesh-moving-'));
const SERVICES = `services:
  reviews:
    endpoints:
      - { address: 10.0.0.1:80, labels: { version: v1 } }
      - { address: 10.0.0.2:80, labels: { version: v2 } }
    subsets: { v1: { version: v1 }, v2: { version: v2 } }
    routes:
      - { name: canary, to: { v1: 90, v2: 10 }, timeout: 2s, retries: false }
`;
const VIRTUAL_SERVICE = `# Who gets the canary.
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews # by hand
  labels: { team: 'on' }
spec:
  hosts: [reviews]
  http:
    - name: canary
      timeout: 2s
      retries: { attempts: 0 }
      route:
        - { destination: { host: ratings }, weight: 90 }
        - { destination: { host: ratings-v2 }, weight: 10 }
`;
const FILES: Readonly<Record<string, string>> = {
  'mesh.yaml': SERVICES,
  'slower.yaml': SERVICES.replace('2s', '3s'),
  'sticky.yaml': SERVICES.replace('retries: false', 'retries: false, sticky: { cookie: sid }'),
  'istio/reviews.yaml': VIRTUAL_SERVICE,
  'broken.yaml': 'services: { reviews: { timeout: soon } }\n',
  'secret.yaml': SERVICES.replace('name: canary', "name: '${RELEASE}'"),
  'strange.yaml': `services:
  reviews:
    endpoints: ['10.0.0.1:80']
    routes: [{ name: 'on', match: { headers: { x-a: 'no', x-b: '0777', x-c: '12:30:45', x-d: '1e3' } }, to: reviews }]
`,
};
for (const [name, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(command: Run, positionals: readonly string[], values: Readonly<Record<string, string | boolean>> = {}): Promise<Result> {
  const written = { out: '', err: '' };
  const terminal = {
    out: (text: string) => void (written.out += text),
    err: (text: string) => void (written.err += text),
    env: { RELEASE: 'release-7' },
    cwd: folder,
  };
  const code = await command({ positionals, values, terminal });
  return { code, ...written };
}

describe('inmesh export', () => {
  it('prints documents, and the report beside them', async () => {
    const { code, out, err } = await run(exportCommand, ['mesh.yaml'], { to: 'istio' });
    expect(code).toBe(0);
    expect(out.match(/^kind: .*$/gm)).toEqual(['kind: ServiceEntry', 'kind: VirtualService', 'kind: DestinationRule']);
    expect(out).toContain('          weight: 90\n');
    expect(err).toContain(
      '√ mesh.yaml:8:25 services.reviews.routes[canary].to: { reviews/v1: 90, reviews/v2: 10 } → VirtualService reviews: route\n',
    );
    expect(err).toMatch(/\nStatus: √ 0 lost, 0 approximated, \d+ kept, \d+ defaults left to the mesh, which --json names\n$/);
  });

  it('ends with 1 when something was lost, unless that is allowed', async () => {
    const lost = await run(exportCommand, ['sticky.yaml'], { to: 'istio' });
    expect(lost.code).toBe(1);
    expect(lost.err).toMatch(
      /^× sticky\.yaml:8:\d+ services\.reviews\.routes\[canary\]\.sticky: \{ cookie: sid \}\n {4}Istio draws for each call/,
    );
    expect((await run(exportCommand, ['sticky.yaml'], { to: 'istio', 'allow-loss': true })).code).toBe(0);
  });

  it('says it in JSON, with the defaults', async () => {
    const { err } = await run(exportCommand, ['sticky.yaml'], { to: 'istio', json: true });
    const report = JSON.parse(err) as { ok: boolean; summary: Record<string, number>; losses: { field: string; verdict: string }[] };
    expect(report).toMatchObject({ ok: false, summary: { lost: 1 } });
    expect(report.losses.find(({ verdict }) => verdict === 'lost')).toMatchObject({
      field: 'services.reviews.routes[canary].sticky',
      position: { file: 'sticky.yaml', line: 8 },
    });
    expect(report.losses.filter((loss) => !('position' in loss)).length).toBe(report.summary.defaults);
  });

  it('gives a document of the mesh back as it was, to the letter', async () => {
    const { out, code } = await run(exportCommand, ['istio'], { to: 'istio' });
    expect(out).toBe(VIRTUAL_SERVICE);
    expect(code).toBe(0);
  });

  it('quotes what an older reader of YAML takes for something else', async () => {
    const { out } = await run(exportCommand, ['strange.yaml'], { to: 'istio', 'allow-loss': true });
    expect(out).toMatch(/name: "on(-idempotent)?"|name: on-idempotent/);
    for (const text of ['no', '0777', '12:30:45', '1e3']) expect(out).toContain(`exact: "${text}"`);
  });

  it.each([
    [
      'gateway-api',
      ['Service', 'EndpointSlice', 'HTTPRoute', 'XBackendTrafficPolicy', 'Service', 'EndpointSlice', 'Service', 'EndpointSlice'],
    ],
    ['linkerd', ['Service', 'EndpointSlice', 'HTTPRoute', 'Service', 'EndpointSlice', 'Service', 'EndpointSlice']],
    ['smi', ['Service', 'EndpointSlice', 'TrafficSplit', 'Service', 'EndpointSlice', 'Service', 'EndpointSlice']],
    ['argo-rollouts', ['ServiceEntry', 'VirtualService', 'DestinationRule', 'Rollout']],
  ])('to %s', async (to, kinds) => {
    const { out } = await run(exportCommand, ['mesh.yaml'], { to });
    expect(out.match(/^kind: .*$/gm)?.map((line) => line.slice(6))).toEqual(kinds);
  });

  it('moves the weights of a canary by a Rollout', async () => {
    const { out } = await run(exportCommand, ['mesh.yaml'], { to: 'argo-rollouts' });
    expect(out).toMatch(/setWeight: 10/);
    expect(out).toMatch(/canarySubsetName: v2/);
  });

  it('writes a file for each document, in a folder that is not read', async () => {
    const { out, code } = await run(exportCommand, ['mesh.yaml'], { to: 'istio', output: 'out' });
    const files = ['default.reviews.destinationrule.yaml', 'default.reviews.serviceentry.yaml', 'default.reviews.virtualservice.yaml'];
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(files);
    expect(out).toContain(`${join('out', files[0] as string)}\n`);
    expect(code).toBe(0);
    const inside = run(exportCommand, ['istio'], { to: 'smi', output: 'istio/out' });
    await expect(inside).rejects.toThrow(
      new UsageError('--output istio/out is inside istio, which is read: the next load would read both; name another folder'),
    );
    expect(existsSync(join(folder, 'istio/out'))).toBe(false);
  });

  it('keeps what came from the environment off the screen, and in the documents', async () => {
    const { out, err } = await run(exportCommand, ['secret.yaml'], { to: 'istio' });
    expect(out).toContain('name: release-7\n');
    expect(err).toContain('routes[${RELEASE}]');
    expect(err).not.toContain('release-7');
  });

  it.each([
    [{}, 'say --to, one of istio, gateway-api, linkerd, smi, argo-rollouts'],
    [{ to: 'consul' }, '--to is one of istio, gateway-api, linkerd, smi, argo-rollouts, not "consul"'],
  ])('%o is wrong use', async (values, message) => {
    await expect(run(exportCommand, ['mesh.yaml'], values as Readonly<Record<string, string>>)).rejects.toThrow(new UsageError(message));
  });

  it('ends with 1 when the configuration has errors', async () => {
    const { code, out, err } = await run(exportCommand, ['broken.yaml'], { to: 'istio' });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('broken.yaml:1:33');
  });
});

describe('inmesh import', () => {
  it('writes the concise form, with where each piece came from', async () => {
    const { code, out } = await run(importCommand, ['istio'], { 'allow-loss': true });
    expect(code).toBe(0);
    expect(out).toMatch(/^# Written by inmesh import\.\n/);
    expect(out).toMatch(/# istio\/reviews\.yaml:10:7\n +- name: canary\n/);
  });

  it('of the concise form is that form again', async () => {
    const { out, err, code } = await run(importCommand, ['mesh.yaml']);
    expect(code).toBe(0);
    expect(err).toMatch(/Status: √ 0 lost, 0 approximated/);
    writeFileSync(join(folder, 'again.yaml'), out);
    expect((await run(diff, ['mesh.yaml', 'again.yaml'])).out).toBe('mesh.yaml and again.yaml mean the same\n');
  });

  it('writes a file', async () => {
    const { out } = await run(importCommand, ['mesh.yaml'], { output: 'concise.yaml', json: true });
    expect(JSON.parse(out)).toMatchObject({ ok: true, files: ['concise.yaml'] });
    expect(readFileSync(join(folder, 'concise.yaml'), 'utf8')).toContain('services:');
  });
});

describe('inmesh diff', () => {
  beforeEach(() => {
    process.env.NO_COLOR = '1';
  });

  it('names what is otherwise, with both places', async () => {
    const { code, out } = await run(diff, ['mesh.yaml', 'slower.yaml']);
    expect(code).toBe(1);
    expect(out).toContain('services.reviews.routes[canary].timeout: 2s → 3s (mesh.yaml:8:49 → slower.yaml:8:49)\n');
  });

  it('says it in JSON', async () => {
    const { out } = await run(diff, ['mesh.yaml', 'slower.yaml'], { json: true });
    expect(JSON.parse(out)).toMatchObject({
      equal: false,
      differences: [{ path: 'services.reviews.routes[canary].timeout', from: '2s', to: '3s', toAt: { file: 'slower.yaml', line: 8 } }],
    });
  });

  it('takes the files of one configuration with commas between them', async () => {
    expect(await run(diff, ['mesh.yaml,istio', 'istio,mesh.yaml'], { lenient: true })).toMatchObject({ code: 0 });
  });

  it('is in trouble with one configuration, or with a broken one', async () => {
    await expect(run(diff, ['mesh.yaml'])).rejects.toThrow(new UsageError('give two configurations'));
    expect((await run(diff, ['mesh.yaml', 'broken.yaml'])).code).toBe(2);
  });
});
