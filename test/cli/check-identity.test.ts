// `inmesh check` and the identity: folders, bundles, lists of revoked certificates.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkIdentity } from '../../src/cli/check-identity.ts';
import { issueCrl } from '../../src/identity/issue-certificate.ts';
import type { IdentityConfig } from '../../src/model/config.ts';
import { authority, HOUR_MS } from '../identity/certificates.ts';
import { cliFolder } from './run-cli.ts';

const SPIFFE = 'spiffe://here/ns/default/sa/a';
const root = authority('root', { notAfterMs: Date.now() + 1_000 * HOUR_MS, notBeforeMs: Date.now() - HOUR_MS });
const old = authority('old root', { notBeforeMs: Date.now() - 100 * HOUR_MS, notAfterMs: Date.now() - HOUR_MS });
const leaf = root.issue({ uris: [SPIFFE] });
const stranger = root.issue({ uris: [SPIFFE] });

const folder = cliFolder({});
afterAll(() => folder.remove());

function directory(name: string, files: { readonly cert: string; readonly key: string; readonly ca?: string }): string {
  const path = join(folder.path, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'tls.crt'), files.cert);
  writeFileSync(join(path, 'tls.key'), files.key);
  if (files.ca !== undefined) writeFileSync(join(path, 'ca.crt'), files.ca);
  return path;
}

const crl = (nextUpdateMs: number): string => issueCrl({ issuer: root.issuer, revoked: [], thisUpdateMs: 0, nextUpdateMs });
const good = directory('good', { ...leaf, ca: root.cert });
const found = (identity: IdentityConfig, afterMs = 0) =>
  checkIdentity(identity, folder.path, Date.now() + afterMs).map(({ status, code = '-', message }) => `${status} ${code} ${message}`);

describe('a folder', () => {
  it('that is whole is said to be', () => {
    expect(found({ directory: good })).toEqual([`ok - good: ${SPIFFE}, for 23 hours, trusts here`]);
  });

  it.each([
    ['an empty one', join(folder.path, 'empty'), /^error INM0305 empty: /],
    ['one whose key is of another certificate', directory('mixed', { ...leaf, key: stranger.key, ca: root.cert }), /does not fit/],
    ['one whose roots are of others', directory('foreign', { ...leaf, ca: old.cert }), /do not vouch for/],
    ['one with garbage', directory('garbage', { cert: 'x', key: 'canary', ca: root.cert }), /^error INM0305 garbage: /],
  ])('%s', (_name, path, message) => {
    const findings = found({ directory: path });
    expect(findings).toEqual([expect.stringMatching(message)]);
    expect(findings.join()).not.toContain('canary');
  });

  it('that nobody has renewed in time', () => {
    expect(found({ directory: good }, 18 * HOUR_MS)).toEqual([expect.any(String)]);
    expect(found({ directory: good }, 20 * HOUR_MS)).toEqual([
      expect.any(String),
      expect.stringMatching(/^warning INM0306 the certificate of this process ends on /),
    ]);
  });
});

describe('beside it', () => {
  it('roots of others that are over', () => {
    expect(found({ directory: good, bundles: { there: old.cert } }).slice(1)).toEqual([
      expect.stringMatching(/^warning INM0306 the root CN=old root of there has ended on /),
    ]);
  });

  it('a bundle map that is none', () => {
    const bundleMap = join(folder.path, 'map.json');
    writeFileSync(bundleMap, '[]');
    expect(found({ directory: good, bundleMap })).toEqual(['error INM0305 good: the bundle map has no "trust_domains"']);
  });

  it.each([
    ['fresh', Date.now() + 48 * HOUR_MS, []],
    ['soon due', Date.now() + HOUR_MS, [expect.stringMatching(/^warning INM0306 the list of revoked certificates must be replaced by /)]],
    ['stale', Date.now() - HOUR_MS, [expect.stringMatching(/^error INM0305 the list of revoked certificates was due on .* is refused$/)]],
  ])('a list of revoked certificates: %s', (_name, dueMs, expected) => {
    expect(found({ directory: good, crl: crl(dueMs) }).slice(1)).toEqual(expected);
  });

  it('an agent is not asked, and files named one by one are looked at elsewhere', () => {
    expect(found({ spiffe: 'unix:///nobody' })).toEqual([]);
    expect(found({ cert: leaf.cert, key: leaf.key, ca: root.cert })).toEqual([]);
  });
});

describe('inmesh check', () => {
  it('says it, and fails', async () => {
    writeFileSync(join(folder.path, 'mesh.yaml'), 'identity: { directory: empty }\nservices: { a: { endpoints: [] } }\n');
    const { code, out } = await folder.run(['check', 'mesh.yaml', '--output', 'short']);
    expect(out).toMatch(/error INM0305: empty: /);
    expect(code).toBe(1);
  });
});
