import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { newAuthority } from '../../src/identity/dev-authority.ts';
import { FilePicture } from '../../src/identity/file-picture.ts';
import { fileSource, type IdentityFiles, type IdentityFolder } from '../../src/identity/file-source.ts';
import type { Identity, IdentitySource } from '../../src/identity/identity-source.ts';
import { pemBytes } from '../../src/identity/pem.ts';
import { sourceFrom } from '../../src/identity/source-from-config.ts';
import { seededRandom } from '../support/seeded-random.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';
import { StrictClock } from './strict-clock.ts';

const NOW_MS = Date.now();
const root = newAuthority({ trustDomain: 'a.test', nowMs: NOW_MS });
const other = newAuthority({ trustDomain: 'b.test', nowMs: NOW_MS });
const ID = 'spiffe://a.test/ns/x/sa/y';
const base = mkdtempSync(join(tmpdir(), 'inmesh-identity-'));
let folders = 0;

afterAll(() => rmSync(base, { recursive: true }));

function folder(): string {
  const path = join(base, String(folders++));
  mkdirSync(path);
  return path;
}

type Names = readonly [cert: string, key: string, ca: string];
const KUBERNETES: Names = ['tls.crt', 'tls.key', 'ca.crt'];

function material(lifeMs = 3_600_000, nowMs = NOW_MS): readonly [cert: string, key: string, ca: string] {
  const { chain, key } = root.issue({ spiffeId: ID, nowMs, lifeMs });
  return [chain.join(''), key, root.cert];
}

function fill(path: string, names: Names = KUBERNETES, texts = material()): void {
  for (const [i, name] of names.entries()) writeFileSync(join(path, name), texts[i] as string);
}

interface Bench {
  readonly source: IdentitySource;
  readonly clock: VirtualClock;
  readonly news: string[];
  /** Polls, as for file systems without events. */
  poll(): void;
}

function bench(files: IdentityFiles | IdentityFolder, jitterMaxMs = 0, pollMs?: number): Bench {
  const clock = new StrictClock(1_000, NOW_MS);
  const source = fileSource(files, { clock, random: seededRandom(3), jitterMaxMs, pollMs });
  const news: string[] = [];
  source.subscribe(
    ({ version }: Identity) => news.push(`version ${version}`),
    ({ message }) => news.push(message),
  );
  return { source, clock, news, poll: () => clock.advance(30_000) };
}

describe('an identity in a folder', () => {
  it.each<[string, Names]>([
    ['cert-manager and its CSI driver', KUBERNETES],
    ["Istio's OUTPUT_CERTS", ['cert-chain.pem', 'key.pem', 'root-cert.pem']],
    ['GKE', ['certificates.pem', 'private_key.pem', 'ca_certificates.pem']],
    ['spiffe-helper', ['svid.pem', 'svid_key.pem', 'svid_bundle.pem']],
  ])('%s', async (_, names) => {
    const path = folder();
    fill(path, names);
    const { source } = bench({ directory: path });
    expect(source.current).toMatchObject({ spiffeId: ID, version: 1 });
    expect([...(source.current?.bundles.keys() ?? [])]).toEqual(['a.test']);
    expect(await source.ready()).toBe(source.current);
    source.close();
  });

  it('the swap of a Secret volume is one rotation', () => {
    const path = folder();
    const generation = (name: string): void => {
      mkdirSync(join(path, name));
      fill(join(path, name));
      symlinkSync(name, join(path, '..data_tmp'));
      renameSync(join(path, '..data_tmp'), join(path, '..data'));
    };
    generation('..one');
    for (const name of KUBERNETES) symlinkSync(join('..data', name), join(path, name));
    const { source, news, poll } = bench({ directory: path });
    generation('..two');
    poll();
    expect(news).toEqual(['version 1', 'version 2']);
    source.close();
  });

  it('names that nobody knows', async () => {
    const path = folder();
    const { source, clock } = bench({ directory: path });
    expect(source.lastError?.message).toContain(`${path} holds no certificate under a known name: tls.crt, cert-chain.pem`);
    expect(source.current).toBeNull();
    fill(path);
    clock.advance(30_000);
    expect((await source.ready()).version).toBe(1);
    source.close();
  });

  it('without roots of its own, when others have them', () => {
    const path = folder();
    fill(path);
    rmSync(join(path, 'ca.crt'));
    const { source } = bench({ directory: path, bundles: { 'a.test': root.cert } });
    expect(source.current?.spiffeId).toBe(ID);
    source.close();
    const map = join(path, 'map.json');
    const x5c = [Buffer.from(pemBytes(root.cert)).toString('base64')];
    writeFileSync(map, JSON.stringify({ trust_domains: { 'a.test': { keys: [{ use: 'x509-svid', x5c }] } } }));
    const mapped = bench({ directory: path, bundleMap: map });
    expect(mapped.source.current?.spiffeId).toBe(ID);
    mapped.source.close();
    const lacking = bench({ directory: path });
    expect(lacking.source.lastError?.message).toContain('the ca cannot be read from');
    lacking.source.close();
  });
});

describe('files that change', () => {
  const expired = material(3_600_000, NOW_MS - 7_200_000);
  const strangers = other.issue({ spiffeId: 'spiffe://b.test/x', nowMs: NOW_MS });

  it.each<[string, () => readonly string[], string]>([
    ['an emptied bundle', () => [...material().slice(0, 2), ''], 'the bundle of roots holds no certificate'],
    ['garbage', () => ['garbage', ...material().slice(1)], 'the certificate chain holds no certificate'],
    [
      'garbage in a block',
      () => ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', ...material().slice(1)],
      'the certificate chain holds garbage',
    ],
    ['an expired certificate', () => expired, 'the certificate has expired ('],
    ['one of the future', () => material(3_600_000, NOW_MS + 7_200_000), 'the certificate is not valid yet ('],
    ['the key of another', () => [material()[0], material()[1], root.cert], 'the private key does not fit the certificate'],
    ['no key', () => [material()[0], 'garbage', root.cert], 'the private key cannot be read'],
    [
      'roots of others',
      () => [...material().slice(0, 2), other.cert],
      'the roots of a.test do not vouch for the certificate of this process',
    ],
    ['a certificate of another domain', () => [strangers.chain.join(''), strangers.key, root.cert], 'the roots of b.test do not vouch'],
  ])('%s: refused, the last good one stays', (_, texts, message) => {
    const path = folder();
    fill(path);
    const { source, clock, news, poll } = bench({ directory: path });
    const first = source.current;
    fill(path, KUBERNETES, texts() as unknown as Names);
    poll();
    // A writer may be between two files: it gets a second.
    expect(news).toEqual(['version 1']);
    clock.advance(1_000);
    expect(news).toEqual(['version 1', expect.stringContaining(message)]);
    expect([source.current, source.lastError?.message]).toEqual([first, expect.stringContaining(message)]);
    fill(path);
    poll();
    expect(news.at(-1)).toBe('version 2');
    expect(source.lastError).toBeNull();
    source.close();
  });

  it('a writer that is between two files is waited for', () => {
    const path = folder();
    fill(path);
    const { source, clock, news, poll } = bench({ directory: path });
    const [cert, key] = material();
    writeFileSync(join(path, 'tls.crt'), cert);
    poll();
    writeFileSync(join(path, 'tls.key'), key);
    clock.advance(200);
    expect(news).toEqual(['version 1', 'version 2']);
    source.close();
  });

  it('another change while it waits begins anew; closed it waits no more', () => {
    const path = folder();
    fill(path);
    const { source, clock, news } = bench({ directory: path }, 0, 100);
    writeFileSync(join(path, 'tls.key'), 'garbage');
    clock.advance(150);
    writeFileSync(join(path, 'tls.key'), 'other garbage');
    clock.advance(100);
    expect(news).toEqual(['version 1']);
    source.close();
    expect([clock.armed, news.length]).toEqual([0, 1]);
  });

  it('a link that moves while the files are read', () => {
    const path = folder();
    for (const name of ['one', 'two']) writeFileSync(join(path, name), name);
    symlinkSync('one', join(path, 'link'));
    const picture = new FilePicture();
    expect(picture.read(join(path, 'link'), 'key')).toBe('one');
    picture.check();
    symlinkSync('two', join(path, 'new'));
    renameSync(join(path, 'new'), join(path, 'link'));
    expect(() => picture.check()).toThrow('was replaced while it was read');
  });

  it('the same again is no rotation', () => {
    const path = folder();
    const texts = material();
    fill(path, KUBERNETES, texts);
    const { source, news, poll } = bench({ directory: path });
    fill(path, KUBERNETES, [texts[0], texts[1], `${texts[2]}\n# a comment\n`]);
    poll();
    expect(news).toEqual(['version 1']);
    source.close();
  });

  it('a fleet does not swap at once', () => {
    const path = folder();
    fill(path);
    const { source, clock, news, poll } = bench({ directory: path }, 10_000);
    fill(path);
    poll();
    expect(news).toEqual(['version 1']);
    fill(path);
    clock.advance(10_000);
    expect(news).toEqual(['version 1', 'version 2']);
    fill(path);
    clock.advance(clock.nextDueMs - clock.now());
    source.close();
    expect([clock.armed, news.length]).toEqual([0, 2]);
  });
});

describe('files by name', () => {
  const [cert, key, ca] = material();
  const bundleMap = (domains: Readonly<Record<string, readonly string[]>>): string =>
    JSON.stringify({
      trust_domains: Object.fromEntries(
        Object.entries(domains).map(([domain, certs]) => [
          domain,
          {
            keys: [
              ...certs.map((pem) => ({ use: 'x509-svid', kty: 'EC', x5c: [Buffer.from(pemBytes(pem)).toString('base64')] })),
              { use: 'jwt-svid' },
              null,
            ],
          },
        ]),
      ),
    });
  const written = (name: string, text: string): string => {
    const path = join(folder(), name);
    writeFileSync(path, text);
    return path;
  };

  it('are followed, each of them', () => {
    const path = folder();
    const [certPath, keyPath, caPath] = KUBERNETES.map((name) => join(path, name)) as [string, string, string];
    const mapPath = written('map.json', bundleMap({ 'b.test': [other.cert] }));
    const bundlePath = written('bundle.pem', other.cert);
    const crlPath = written('crl.pem', root.crl([], { nowMs: NOW_MS }));
    fill(path, KUBERNETES, [cert, key, ca]);
    const { source, news, poll } = bench({
      cert: certPath,
      key: keyPath,
      ca: caPath,
      bundleMap: mapPath,
      bundles: { 'c.test': bundlePath },
      crl: crlPath,
    });
    const next = material();
    const changes: (() => void)[] = [
      () => fill(path, KUBERNETES, next),
      () => writeFileSync(caPath, `${next[2]}${other.cert}`),
      () => writeFileSync(mapPath, bundleMap({ 'd.test': [other.cert] })),
      () => writeFileSync(bundlePath, root.cert),
      () => writeFileSync(crlPath, root.crl([next[0]], { nowMs: NOW_MS })),
    ];
    for (const change of changes) {
      change();
      poll();
    }
    expect(news).toEqual(['version 1', 'version 2', 'version 3', 'version 4', 'version 5', 'version 6']);
    source.close();
  });

  /** Swaps the whole volume while it is read, so many times: between the bundle map, which is read first, and the rest. */
  function swapping(times: number): { readonly files: IdentityFiles; readonly other: () => string; reads: number } {
    const path = folder();
    let generation = 0;
    const roots: string[] = [];
    const swap = (): void => {
      const name = `..${generation++}`;
      mkdirSync(join(path, name));
      fill(join(path, name));
      const { cert: stranger } = newAuthority({ trustDomain: 'b.test', nowMs: NOW_MS });
      roots.push(stranger);
      writeFileSync(join(path, name, 'map.json'), bundleMap({ 'b.test': [stranger] }));
      symlinkSync(name, join(path, '..data_tmp'));
      renameSync(join(path, '..data_tmp'), join(path, '..data'));
    };
    swap();
    const inData = (name: string): string => join(path, '..data', name);
    const made = {
      reads: 0,
      other: () => roots.at(-1) as string,
      files: {
        cert: inData('tls.crt'),
        key: inData('tls.key'),
        ca: inData('ca.crt'),
        bundleMap: inData('map.json'),
        bundles: {
          get 'c.test'(): string {
            if (++made.reads <= times) swap();
            return other.cert;
          },
        },
      },
    };
    return made;
  }

  it.each([0, 1, 2])('swapped %i times while they are read: read again, never half of each', (times) => {
    const made = swapping(times);
    // Where to watch is asked for first.
    made.reads = -1;
    const { source, news } = bench(made.files);
    expect([news, source.lastError, made.reads]).toEqual([['version 1'], null, times + 1]);
    expect(source.current?.bundles.get('b.test')).toEqual([made.other()]);
    source.close();
  });

  it('swapped each time they are read: said so after three times', () => {
    const made = swapping(9);
    made.reads = -1;
    const { source } = bench(made.files);
    expect([source.current, source.lastError?.message, made.reads]).toEqual([
      null,
      expect.stringMatching(/map\.json was replaced while it was read$/),
      3,
    ]);
    source.close();
  });

  it('may be text: then nothing is watched', () => {
    const { source, clock } = bench({ cert, key, ca });
    expect([source.current?.spiffeId, clock.armed]).toEqual([ID, 0]);
    source.close();
  });

  it('bundles of several domains, lists of revoked certificates', () => {
    const crl = root.crl([], { nowMs: NOW_MS });
    const { source } = bench({
      cert,
      key,
      ca,
      crl: written('crl.pem', crl.replaceAll('X509 CRL', 'CRL')),
      bundleMap: written('map.json', bundleMap({ 'b.test': [other.cert], 'a.test': [], 'c.test': [] })),
      bundles: { 'd.test': other.cert },
    });
    expect(source.lastError).toBeNull();
    expect([...(source.current?.bundles ?? [])]).toEqual([
      ['b.test', [other.cert]],
      ['a.test', [root.cert]],
      ['c.test', []],
      ['d.test', [other.cert]],
    ]);
    expect(source.current?.crls).toEqual([crl]);
    source.close();
  });

  it.each<[string, Partial<IdentityFiles>, string]>([
    ['a map that is no JSON', { bundleMap: written('a', '{') }, 'the bundle map is no JSON'],
    ['a map of something else', { bundleMap: written('b', '[]') }, 'the bundle map has no "trust_domains"'],
    ['a domain without keys', { bundleMap: written('c', '{"trust_domains":{"b.test":{}}}') }, 'the bundle map has no "keys" for b.test'],
    [
      'a key with two certificates',
      { bundleMap: written('d', '{"trust_domains":{"b.test":{"keys":[{"use":"x509-svid","x5c":["a","b"]}]}}}') },
      'has not exactly one certificate',
    ],
    [
      'a key without any',
      { bundleMap: written('e', '{"trust_domains":{"b.test":{"keys":[{"use":"x509-svid"}]}}}') },
      'has not exactly one certificate',
    ],
    [
      'a key that is garbage',
      { bundleMap: written('f', '{"trust_domains":{"b.test":{"keys":[{"use":"x509-svid","x5c":["AAAA"]}]}}}') },
      'the bundle of b.test holds garbage',
    ],
    ['a domain that is none', { bundles: { 'B.test': other.cert } }, '"B.test" cannot be a trust domain'],
    ['an emptied bundle', { bundles: { 'b.test': written('g', '') } }, 'the bundle of b.test holds no certificate'],
    ['lists that are none', { crl: written('h', 'garbage') }, 'the lists of revoked certificates hold no block'],
    [
      'lists that are garbage',
      { crl: written('i', '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n') },
      'the list of revoked certificates cannot be read',
    ],
    ['a file that is not there', { key: '/no/such.key' }, 'the key cannot be read from /no/such.key: ENOENT'],
    ['a certificate that is not there', { cert: '/no/such.crt' }, 'the certificate cannot be read from /no/such.crt: ENOENT'],
    ['a map that is not there', { bundleMap: '/no/such.json' }, 'the bundle map cannot be read from /no/such.json: ENOENT'],
  ])('%s', (_, files, message) => {
    const { source } = bench({ cert, key, ca, ...files });
    expect(source.lastError?.message).toContain(message);
    expect(source.current).toBeNull();
    source.close();
  });

  it('an empty file of lists is fine', () => {
    const { source } = bench({ cert, key, ca, crl: written('j', '\n') });
    expect(source.current?.crls).toEqual([]);
    source.close();
  });
});

describe('what a configuration asks for', () => {
  const clock = new StrictClock(1_000, NOW_MS);
  const deps = { clock, random: seededRandom(1) };
  const [cert, key, ca] = material();

  it('files, a folder, an agent', () => {
    const files = sourceFrom({ cert, key, ca, trustDomainAliases: ['old.test'] }, deps);
    expect(files.current).toMatchObject({ spiffeId: ID, trustDomainAliases: ['old.test'] });
    const path = folder();
    fill(path);
    const inFolder = sourceFrom({ directory: path }, deps);
    expect(inFolder.current?.spiffeId).toBe(ID);
    inFolder.close();
    const agent = sourceFrom({ spiffe: `unix://${join(base, 'no.sock')}` }, deps);
    expect(agent.current).toBeNull();
    agent.close();
    expect(() => sourceFrom({ cert }, deps)).toThrow('identity needs cert and key, directory, or spiffe');
    expect(() => sourceFrom({ key }, deps)).toThrow('identity needs cert and key');
    expect(() => sourceFrom({ external: true }, deps)).toThrow('none was handed in');
  });
});
