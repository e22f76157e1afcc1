import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { cliFolder, type CliFolder } from './run-cli.ts';

const folders: CliFolder[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

function folder(files: Readonly<Record<string, string>> = {}): CliFolder {
  const made = cliFolder(files);
  folders.push(made);
  return made;
}

describe('inmesh certs dev', () => {
  it('makes a CA and a certificate for each service, and keeps what is still good', async () => {
    const { path, run } = folder();
    const first = await run(['certs', 'dev', 'reviews', 'prod/web', '--life', '1h']);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toContain('certs/prod/web: spiffe://cluster.local/ns/prod/sa/web, issued, until ');
    expect(first.out).toContain('identity: { directory: certs/reviews }');
    expect(statSync(join(path, 'certs/ca.key')).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, 'certs/reviews/tls.key')).mode & 0o777).toBe(0o600);
    const cert = readFileSync(join(path, 'certs/reviews/tls.crt'), 'utf8');
    const again = await run(['certs', 'dev', 'reviews', '--json']);
    expect(JSON.parse(again.out)).toMatchObject({
      certificates: [{ service: 'reviews', spiffeId: 'spiffe://cluster.local/ns/default/sa/reviews', isRenewed: false }],
    });
    expect(readFileSync(join(path, 'certs/reviews/tls.crt'), 'utf8')).toBe(cert);
    writeFileSync(join(path, 'certs/reviews/tls.crt'), 'garbage');
    expect((await run(['certs', 'dev', 'reviews'])).out).toContain('issued');
  });

  it.each<[readonly string[], string]>([
    [['certs'], 'say dev, show or verify'],
    [['certs', 'toString'], 'there is no certs "toString"'],
    [['certs', 'dev'], 'name the services'],
    [['certs', 'dev', '../x'], '"../x" is no name of a service'],
    [['certs', 'dev', 'x', '--life', 'long'], '--life must be a duration of at least 1s'],
    [['certs', 'show'], 'name a file of certificates'],
    [['certs', 'verify'], 'name one folder, or one certificate with --key and --ca'],
    [['certs', 'verify', 'x.crt'], 'give --key and --ca, or name a folder'],
  ])('%j is wrong use', async (args, message) => {
    const { code, err } = await folder().run(args);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  it('the CA of another trust domain is not taken for ours', async () => {
    const { run } = folder();
    await run(['certs', 'dev', 'a', '--trust-domain', 'a.test']);
    const { code, err } = await run(['certs', 'dev', 'a']);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('is of the trust domain a.test; give --trust-domain a.test, or another --out'),
    ]);
  });
});

describe('inmesh certs show and verify', () => {
  it('say what there is', async () => {
    const { run } = folder();
    await run(['certs', 'dev', 'a', 'b', '--out', '.']);
    const shown = await run(['certs', 'show', 'a/tls.crt', 'ca.crt']);
    expect(shown.code).toBe(0);
    expect(shown.out).toContain('ID         spiffe://cluster.local/ns/default/sa/a\nDNS names  a, a.default,');
    expect(shown.out).toContain('kind       authority');
    expect(JSON.parse((await run(['certs', 'show', 'ca.crt', '--json'])).out)).toMatchObject([{ isAuthority: true, status: 'ok' }]);
    const good = await run(['certs', 'verify', 'a', '--expect', 'spiffe://cluster.local/ns/*/sa/a']);
    expect([good.code, good.out]).toEqual([0, expect.stringContaining('chain, key and roots fit')]);
    const other = await run(['certs', 'verify', 'a', '--expect', 'b']);
    expect([other.code, other.err]).toEqual([
      1,
      expect.stringContaining('as a server: the peer shows spiffe://cluster.local/ns/default/sa/a, expected b'),
    ]);
    const mixed = await run(['certs', 'verify', 'a/tls.crt', '--key', 'b/tls.key', '--ca', 'ca.crt', '--json']);
    expect([mixed.code, JSON.parse(mixed.out)]).toEqual([1, { ok: false, fault: 'the private key does not fit the certificate' }]);
    expect(JSON.parse((await run(['certs', 'verify', 'b', '--json'])).out)).toMatchObject({ ok: true, trustDomains: ['cluster.local'] });
  });

  it('a file without certificates', async () => {
    const { code, err } = await folder({ x: 'nothing' }).run(['certs', 'show', 'x']);
    expect([code, err]).toEqual([1, expect.stringContaining('x holds no certificate')]);
  });
});
