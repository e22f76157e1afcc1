// What the commands answer to what is seldom asked: certificates that are over, variables that are hidden, files that are not there.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { authority, HOUR_MS } from '../identity/certificates.ts';
import { cliFolder } from './run-cli.ts';

const nowMs = Date.now();
const root = authority('root');
const old = root.issue({ commonName: 'old', notBeforeMs: nowMs - 9 * HOUR_MS, notAfterMs: nowMs - HOUR_MS });
const soon = root.issue({ commonName: 'soon', notBeforeMs: nowMs - 90 * HOUR_MS, notAfterMs: nowMs + HOUR_MS });
const plain = root.issue({ commonName: 'plain', dns: ['plain.example'], usage: 'both' });

const folder = cliFolder({
  'old.crt': old.cert,
  'soon.crt': soon.cert,
  'ca.crt': root.cert,
  'tls.crt': plain.cert,
  'tls.key': plain.key,
  'mesh.yaml': "services:\n  a: { endpoints: ['10.0.0.1:80'], routes: [{ name: '${RELEASE}', to: a }] }\n",
  'other.yaml': "services:\n  b: { endpoints: ['10.0.0.2:80'] }\n",
  'bad.yaml': 'services: { a: { timeout: soon } }\n',
  'inbound.yaml': 'self: { service: a }\ninbound: { allow: [{ from: [b] }] }\n',
});
afterAll(() => folder.remove());
const { run } = folder;

describe('inmesh certs', () => {
  it.each([
    ['old.crt', 1, 'error'],
    ['soon.crt', 0, 'warning'],
    ['tls.crt', 0, 'ok'],
  ])('show %s', async (file, code, status) => {
    const result = await run(['certs', 'show', file, '--json']);
    expect([result.code, (JSON.parse(result.out) as { status: string }[]).map((one) => one.status)]).toEqual([code, [status]]);
  });

  it('verify takes a certificate without a SPIFFE ID, and says so', async () => {
    const { code, out } = await run(['certs', 'verify', '.']);
    expect([code, out]).toEqual([0, expect.stringMatching(/^√ a certificate without a SPIFFE ID, until .*: chain, key and roots fit\n$/)]);
  });

  it('dev keeps what is good, and names where it lies', async () => {
    expect((await run(['certs', 'dev', 'a', '--out', 'dev'])).out).toContain(
      '√ dev/a: spiffe://cluster.local/ns/default/sa/a, issued, until ',
    );
    expect((await run(['certs', 'dev', 'a', '--out', 'dev'])).out).toContain(
      '√ dev/a: spiffe://cluster.local/ns/default/sa/a, kept, until ',
    );
  });

  it('dev renews what has little left', async () => {
    await run(['certs', 'dev', 'b', '--out', 'dev', '--life', '1s']);
    const first = readFileSync(join(folder.path, 'dev/b/tls.crt'), 'utf8');
    writeFileSync(join(folder.path, 'dev/b/tls.key'), 'garbage');
    const { code } = await run(['certs', 'dev', 'b', '--out', 'dev', '--life', '24h']);
    expect([code, readFileSync(join(folder.path, 'dev/b/tls.crt'), 'utf8') === first]).toEqual([0, false]);
  });
});

describe('inmesh export, import and diff', () => {
  it.each([
    ['export', 1, ['export', '--to', 'istio', 'bad.yaml']],
    ['import', 1, ['import', 'bad.yaml']],
    ['diff', 2, ['diff', 'mesh.yaml', 'bad.yaml']],
  ])('%s tells what is wrong, and does nothing', async (_name, code, args) => {
    const { err, ...result } = await run(args, { RELEASE: 'canary-7' });
    expect(result).toEqual({ code, out: '' });
    expect(err).toContain('services.a.timeout must be a duration');
  });

  it('import into a file', async () => {
    const { code, out } = await run(['import', 'other.yaml', '--output', 'imported.yaml', '--json']);
    expect([code, existsSync(join(folder.path, 'imported.yaml')), (JSON.parse(out) as { files: string[] }).files]).toEqual([
      0,
      true,
      ['imported.yaml'],
    ]);
    expect((await run(['import', 'other.yaml', '--output', 'imported.yaml'])).out).toMatch(/^imported\.yaml\n/);
  });

  it('hides what came from variables, when it is long enough to be a secret', async () => {
    const { err } = await run(['import', 'mesh.yaml'], { RELEASE: 'canary-secret' });
    expect(err).not.toContain('canary-secret');
  });

  it('export says in JSON what it wrote, each file with a name of its own', async () => {
    const { out } = await run(['export', '--to', 'linkerd', '--output', 'out', '--json', '--lenient', 'other.yaml', 'mesh.yaml'], {
      RELEASE: 'one',
    });
    const { files } = JSON.parse(out) as { files: string[] };
    expect([new Set(files).size, files.every((file) => existsSync(join(folder.path, file)))]).toEqual([files.length, true]);
    expect(files.length).toBeGreaterThan(1);
  });

  it('diff shows what is there on one side alone', async () => {
    const { code, out } = await run(['diff', 'other.yaml', 'inbound.yaml']);
    expect(code).toBe(1);
    expect(out).toMatch(/services\.b: .* → – \(other\.yaml:2:3 → (–|inbound\.yaml:\d+:\d+)\)/);
  });
});

describe('inmesh explain', () => {
  it.each([
    [
      'GET /x',
      ['explain', '--inbound', 'inbound.yaml', '/x'],
      0,
      'GET /x by somebody without a certificate\n  403, what lets callers in does not take it: ',
    ],
    ['a method by itself', ['explain', '--inbound', 'inbound.yaml', 'post'], 0, 'POST / by'],
    [
      'a principal that is no SPIFFE ID of Istio',
      ['explain', '--inbound', 'inbound.yaml', '/x', '--principal', 'spiffe://x.org/other'],
      0,
      'by spiffe://x.org/other',
    ],
    ['a principal that is none', ['explain', '--inbound', 'inbound.yaml', '/x', '--principal', '/'], 0, 'GET /x by /'],
    ['two dots', ['explain', '--inbound', 'inbound.yaml', '/a/%2e%2e%2fb%00'], 0, '400'],
    ['a wrong port', ['explain', '--inbound', 'inbound.yaml', '/x', '--port', '0'], 2, '--port takes a port, not 0'],
    ['three words', ['explain', '--inbound', 'inbound.yaml', 'GET', '/x', '/y'], 2, 'give a path or a URL, or a method before it'],
  ])('%s', async (_name, args, code, text) => {
    const [command = '', inbound = '', file = '', ...rest] = args;
    const result = await run([command, inbound, ...rest, '--config', file]);
    expect([result.code, result.out + result.err]).toEqual([code, expect.stringContaining(text)]);
  });
});

describe('inmesh', () => {
  it.each([
    [['help'], 0, 'Usage: inmesh <command>'],
    [['-h'], 0, 'Usage: inmesh <command>'],
    [['-v'], 0, /^\d+\.\d+\.\d+/],
    [[], 2, 'Usage: inmesh <command>'],
    [['chek'], 2, 'there is no command "chek"'],
    [['check', '--version'], 0, /^\d+\.\d+\.\d+/],
    [['check', '--no-such'], 2, "Unknown option '--no-such'"],
    [['certs', 'show', 'gone.crt'], 1, 'ENOENT'],
  ] as const)('%j', async (args, code, text) => {
    const result = await run(args);
    expect([result.code, result.out + result.err]).toEqual([
      code,
      typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text),
    ]);
  });
});
