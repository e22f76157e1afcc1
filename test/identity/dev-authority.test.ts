// What our writer of certificates makes, read by others: node:crypto, OpenSSL's command, @peculiar/x509.
import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { createPublicKey, sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { afterAll, describe, expect, it } from 'vitest';
import { readCertificate } from '../../src/identity/certificate.ts';
import { readCrl } from '../../src/identity/crl.ts';
import { DER, DerError, derAt, derInside, derOid, derSeries, derTime, derValue } from '../../src/identity/der.ts';
import { bits, integer, objectId, sequence, time, tlv } from '../../src/identity/der-write.ts';
import { loadAuthority, newAuthority } from '../../src/identity/dev-authority.ts';
import { issueCertificate, issueCrl, keyText, newKeyPair } from '../../src/identity/issue-certificate.ts';
import { pemBlocks, pemBytes, pemText } from '../../src/identity/pem.ts';
import { authority } from './certificates.ts';

const NOW_MS = Date.now();
const DAY_MS = 86_400_000;
const root = newAuthority({ trustDomain: 'a.test', nowMs: NOW_MS });
const middle = root.intermediate({ nowMs: NOW_MS });
const ID = 'spiffe://a.test/ns/default/sa/reviews';
const leaf = middle.issue({ spiffeId: ID, dns: ['reviews', 'reviews.default'], ips: ['127.0.0.1', '::1'], nowMs: NOW_MS });
const [leafPem = '', middlePem = ''] = leaf.chain;
const folder = mkdtempSync(join(tmpdir(), 'inmesh-ca-'));

afterAll(() => rmSync(folder, { recursive: true }));

describe('the development CA, as others read it', () => {
  it('node:crypto', () => {
    const cert = new X509Certificate(leafPem);
    expect(cert.subjectAltName).toBe(`URI:${ID}, DNS:reviews, DNS:reviews.default, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1`);
    expect([cert.ca, new X509Certificate(middlePem).ca, new X509Certificate(root.cert).ca]).toEqual([false, true, true]);
    expect(cert.verify(new X509Certificate(middlePem).publicKey)).toBe(true);
    expect(new X509Certificate(middlePem).checkIssued(new X509Certificate(root.cert))).toBe(true);
    expect([middlePem, middle.root, root.root]).toEqual([middle.cert, root.cert, root.cert]);
  });

  it('@peculiar/x509', async () => {
    const cert = new x509.X509Certificate(leafPem);
    expect(cert.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON()).toContainEqual({ type: 'url', value: ID });
    expect(cert.getExtension(x509.BasicConstraintsExtension)?.ca).toBe(false);
    expect(cert.getExtension(x509.KeyUsagesExtension)?.usages).toBe(x509.KeyUsageFlags.digitalSignature);
    const chain = new x509.X509ChainBuilder({ certificates: [new x509.X509Certificate(middlePem), new x509.X509Certificate(root.cert)] });
    expect((await chain.build(cert)).length).toBe(3);
    const crl = new x509.X509Crl(middle.crl([leafPem], { nowMs: NOW_MS }).replaceAll('X509 CRL', 'CRL'));
    expect(crl.entries.map(({ serialNumber }) => serialNumber)).toEqual([cert.serialNumber]);
    expect(await crl.verify({ publicKey: new x509.X509Certificate(middlePem) })).toBe(true);
  });

  it('openssl, where there is one', ({ skip }) => {
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const all = ['verify', '-x509_strict', '-CAfile', file('root.pem', root.cert), '-untrusted', file('middle.pem', middlePem)];
    const lists = file('crls.pem', middle.crl([], { nowMs: NOW_MS }) + root.crl([], { nowMs: NOW_MS }));
    const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    try {
      openssl('version');
    } catch {
      skip('there is no openssl');
    }
    expect(openssl(...all, file('leaf.pem', leafPem))).toContain('leaf.pem: OK');
    expect(openssl(...all, '-crl_check_all', '-CRLfile', lists, file('leaf.pem', leafPem))).toContain('leaf.pem: OK');
    const revoked = file('revoked.pem', middle.crl([leafPem], { nowMs: NOW_MS }) + root.crl([], { nowMs: NOW_MS }));
    expect(() => openssl(...all, '-crl_check_all', '-CRLfile', revoked, file('leaf.pem', leafPem))).toThrow('certificate revoked');
  });

  it('our own reader', () => {
    expect(readCertificate(leafPem)).toMatchObject({ uris: [ID], dns: ['reviews', 'reviews.default'], isCa: false, keyUsage: 0x8000 });
    expect(readCertificate(root.cert)).toMatchObject({ isCa: true, keyUsage: 0x0600, extendedKeyUsage: null, uris: ['spiffe://a.test'] });
  });
});

describe('the development CA', () => {
  it('can be kept, and issues again', () => {
    const kept = loadAuthority({ cert: root.cert, key: root.key });
    const { chain } = kept.issue({ spiffeId: ID, nowMs: NOW_MS, lifeMs: 1_000 });
    expect(new X509Certificate(chain[0] as string).verify(new X509Certificate(root.cert).publicKey)).toBe(true);
    expect(kept.trustDomain).toBe('a.test');
  });

  it('issues what has expired, for tests', () => {
    const [cert = ''] = root.issue({ spiffeId: ID, nowMs: NOW_MS, lifeMs: -DAY_MS }).chain;
    expect(readCertificate(cert).notAfterMs).toBeLessThan(NOW_MS);
  });

  it.each<[string, () => unknown, string]>([
    [
      'a domain that is none',
      () => newAuthority({ trustDomain: 'A', nowMs: NOW_MS }),
      '"A" cannot be a trust domain: its trust domain may hold',
    ],
    ['an ID that is none', () => root.issue({ spiffeId: 'x', nowMs: NOW_MS }), '"x" is no SPIFFE ID: it does not begin with spiffe://'],
    ['an ID of another domain', () => root.issue({ spiffeId: 'spiffe://b/x', nowMs: NOW_MS }), 'is not of the trust domain a.test'],
    ['a leaf', () => loadAuthority({ cert: leafPem, key: leaf.key }), 'the certificate is not that of a development CA'],
    ['a CA of another kind', () => loadAuthority(authority('x')), 'the certificate is not that of a development CA'],
    ['the key of another', () => loadAuthority({ cert: root.cert, key: leaf.key }), 'does not fit its certificate'],
  ])('%s is refused', (_, run, message) => {
    expect(run).toThrow(message);
  });
});

describe('DER', () => {
  it.each<[string, readonly number[], string]>([
    ['nothing', [], 'ends within an element'],
    ['half a head', [0x30], 'ends within an element'],
    ['a value that is cut', [0x04, 3, 1], 'ends within an element'],
    ['a length that is cut', [0x04, 0x82, 1], 'ends within an element'],
    ['a tag of several bytes', [0x1f, 1, 0], 'a tag of more than one byte'],
    ['an indefinite length', [0x30, 0x80, 0, 0], 'a length that cannot be'],
    ['an enormous length', [0x04, 0x85, 1, 1, 1, 1, 1], 'a length that cannot be'],
    ['a long length for a short value', [0x04, 0x81, 5, 1, 1, 1, 1, 1], 'a length longer than need be'],
    ['a length with zeros in front', [0x04, 0x82, 0, 0x80, ...new Array<number>(128).fill(0)], 'a length longer than need be'],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => derAt(Uint8Array.from(bytes))).toThrow(message);
  });

  it('reads what it writes', () => {
    const body = Buffer.alloc(70_000, 7);
    const written = sequence(integer(5), integer(200), integer(Buffer.from([0x80])), tlv(0x04, body), tlv(0x04, Buffer.alloc(200)));
    const parts = derInside(derAt(written), DER.sequence);
    expect(parts.map(({ value }) => value.length)).toEqual([1, 2, 2, 70_000, 200]);
    expect(derSeries(new Uint8Array())).toEqual([]);
    expect(() => derValue(parts[0], DER.octets)).toThrow('tag 4 expected, 2 found');
    expect(() => derValue(undefined, DER.octets)).toThrow(new DerError('tag 4 expected, nothing found'));
  });

  it.each<[number | Uint8Array, readonly number[]]>([
    [0, [0]],
    [127, [127]],
    [128, [0, 128]],
    [255, [0, 255]],
    [256, [1, 0]],
    [40_000, [0, 156, 64]],
    [Uint8Array.of(1, 2), [1, 2]],
    [Uint8Array.of(0x80), [0, 0x80]],
  ])('integer %j', (value, bytes) => {
    expect([...derValue(derAt(integer(value)), DER.integer)]).toEqual(bytes);
  });

  it.each(['2.5.29.17', '1.2.840.113549.1.1.11', '2.999.3', '0.9.1', '1.3.6.1.4.1.311.20.2.3'])('object identifier %s', (text) => {
    expect(derOid(derAt(objectId(text)))).toBe(text);
  });

  it.each([0, Date.UTC(1999, 11, 31, 23, 59, 59), Date.UTC(2049, 11, 31), Date.UTC(2050, 0, 1), Date.UTC(9999, 11, 31)])(
    'time %i',
    (ms) => {
      expect(derTime(derAt(time(ms)))).toBe(ms);
    },
  );

  it.each([
    [DER.utcTime, '20260101000000Z'],
    [DER.generalizedTime, '260101000000Z'],
    [DER.generalizedTime, '20260101000000+0100'],
    [DER.utcTime, '261301000000Z'],
    [DER.utcTime, ''],
  ])('tag %i, %s is no time', (tag, text) => {
    expect(() => derTime(derAt(tlv(tag, Buffer.from(text))))).toThrow('a time that cannot');
  });

  it.each([
    [0, [0]],
    [0x8000, [7, 0x80]],
    [0x0600, [1, 0x06]],
    [0x8001, [0, 0x80, 0x01]],
  ])('bits of %i', (value, bytes) => {
    expect([...derValue(derAt(bits(value)), DER.bits)]).toEqual(bytes);
  });
});

describe('certificates that cannot be read', () => {
  const keys = newKeyPair();
  const request = {
    subject: 'x',
    publicKey: keys.publicKey,
    issuer: { subject: 'x', keys },
    notBeforeMs: NOW_MS,
    notAfterMs: NOW_MS + DAY_MS,
  };

  it('garbage', () => {
    expect(() => readCertificate('garbage')).toThrow('the certificate cannot be read');
  });

  it('one without any constraint', () => {
    expect(readCertificate(issueCertificate(request))).toMatchObject({
      isCa: false,
      keyUsage: null,
      uris: [],
      pathLength: Number.POSITIVE_INFINITY,
    });
  });

  it('one of the first version, without extensions', () => {
    const algorithm = sequence(objectId('1.2.840.10045.4.3.2'));
    const spki = keys.publicKey.export({ type: 'spki', format: 'der' });
    const body = sequence(integer(1), algorithm, sequence(), sequence(time(NOW_MS), time(NOW_MS + DAY_MS)), sequence(), spki);
    const der = sequence(body, algorithm, tlv(DER.bits, Buffer.from([0]), sign('sha256', body, keys.privateKey)));
    expect(readCertificate(der)).toMatchObject({ isCa: false, keyUsage: null, uris: [], serial: '01' });
  });

  it('an extension that stands twice', () => {
    const der = pemBytes(issueCertificate({ ...request, keyUsage: 0x8000, isCa: false }));
    // Basic constraints get the name of key usage.
    const at = Buffer.from(der).indexOf(objectId('2.5.29.19'));
    der.set(objectId('2.5.29.15'), at);
    expect(() => readCertificate(der)).toThrow('extension 2.5.29.15 stands twice');
  });

  it('a path length', () => {
    expect(readCertificate(issueCertificate({ ...request, isCa: true, pathLength: 3 })).pathLength).toBe(3);
    expect(readCertificate(issueCertificate({ ...request, isCa: true, pathLength: 0 })).pathLength).toBe(0);
  });
});

describe('lists of revoked certificates', () => {
  const issuer = { subject: 'x', keys: newKeyPair() };
  const crl = issueCrl({ issuer, revoked: ['4a'], thisUpdateMs: NOW_MS, nextUpdateMs: NOW_MS + DAY_MS });

  it('are read under both labels', () => {
    expect(readCrl(crl).serials).toEqual(new Set(['4a']));
    expect(readCrl(crl.replaceAll('X509 CRL', 'CRL')).nextUpdateMs).toBe(Math.floor((NOW_MS + DAY_MS) / 1_000) * 1_000);
    expect(readCrl(crl).isSignedBy(issuer.keys.publicKey)).toBe(true);
    expect(readCrl(crl).isSignedBy(newKeyPair().publicKey)).toBe(false);
  });

  it.each([
    ['nothing', '', 'holds no block "X509 CRL"'],
    ['garbage', pemText('X509 CRL', Buffer.from([1])), 'the list of revoked certificates cannot be read'],
    ['a certificate', pemText('X509 CRL', pemBytes(root.cert)), 'the list of revoked certificates cannot be read'],
  ])('%s is none', (_, text, message) => {
    expect(() => readCrl(text)).toThrow(message);
  });

  it('without a version, without a next update, of an algorithm that we do not know', () => {
    const name = sequence();
    const body = (...rest: Buffer[]): Buffer => sequence(sequence(objectId('1.2.3')), name, time(NOW_MS), ...rest);
    const list = sequence(body(), sequence(objectId('1.2.3')), tlv(DER.bits, Buffer.from([0, 1])));
    const read = readCrl(pemText('X509 CRL', list));
    expect([read.nextUpdateMs, read.serials.size, read.isSignedBy(createPublicKey(keyText(issuer.keys)))]).toEqual([
      Number.POSITIVE_INFINITY,
      0,
      false,
    ]);
    const late = sequence(
      body(tlv(DER.generalizedTime, Buffer.from('20500101000000Z'))),
      sequence(objectId('1.2.3')),
      tlv(DER.bits, Buffer.from([0, 1])),
    );
    expect(readCrl(pemText('X509 CRL', late)).nextUpdateMs).toBe(Date.UTC(2050, 0, 1));
  });
});

describe('PEM', () => {
  it('is cut into its blocks, whatever stands between', () => {
    const text = `# a\n${root.cert}\n# b\n${root.key}${leafPem}`;
    expect(pemBlocks(text, 'CERTIFICATE')).toEqual([root.cert, leafPem]);
    expect(pemBlocks('-----BEGIN CERTIFICATE-----\nAA\n-----END OTHER-----', 'CERTIFICATE')).toEqual([]);
    expect(pemText('X', new Uint8Array())).toBe('-----BEGIN X-----\n\n-----END X-----\n');
  });
});
