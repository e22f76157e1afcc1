// Lists of revoked certificates: which of several counts, and what is no list.
import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../src/identity/certificate.ts';
import { readCrl, revocationFault } from '../../src/identity/crl.ts';
import { DER } from '../../src/identity/der.ts';
import { bitBytes, integer, objectId, sequence, time, tlv } from '../../src/identity/der-write.ts';
import { issueCrl } from '../../src/identity/issue-certificate.ts';
import { pemBlocks, pemBytes, pemText } from '../../src/identity/pem.ts';
import { authority, HOUR_MS } from './certificates.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const ours = authority('root');
const theirs = authority('root');
const leaf = readCertificate(ours.issue({ uris: ['spiffe://a.test/x'] }).cert);
const root = readCertificate(ours.cert);

interface List {
  readonly issuer?: typeof ours.issuer;
  readonly revoked?: readonly string[];
  readonly nextUpdateMs?: number;
}

const list = ({ issuer = ours.issuer, revoked = [], nextUpdateMs = NOW_MS + HOUR_MS }: List = {}): string =>
  issueCrl({ issuer, revoked, thisUpdateMs: NOW_MS - HOUR_MS, nextUpdateMs });

const revoking = { revoked: [leaf.serial] };

describe('lists of revoked certificates', () => {
  it.each<[string, List[], string | null]>([
    ['none', [], null],
    ['one that revokes it', [revoking], 'certificate_revoked'],
    ['one that does not', [{ revoked: ['11'] }], null],
    ['one of two revokes it', [{}, revoking], 'certificate_revoked'],
    ['by the name of its issuer, but another key', [{ ...revoking, issuer: theirs.issuer }], null],
    ['by the key of its issuer, but another name', [{ ...revoking, issuer: { ...ours.issuer, subject: 'other' } }], null],
    ['one that is out of date', [{ nextUpdateMs: NOW_MS - 1_000 }], 'crl_expired'],
    ['one that ends now', [{ nextUpdateMs: NOW_MS }], 'crl_expired'],
    ['one of two is fresh', [{ nextUpdateMs: NOW_MS - 1_000 }, {}], null],
    ['one that revokes it, out of date', [{ ...revoking, nextUpdateMs: NOW_MS - 1_000 }], 'certificate_revoked'],
  ])('%s', (_, lists, expected) => {
    const read = lists.map((one) => readCrl(list(one)));
    expect(revocationFault(leaf, root, read, NOW_MS)).toBe(expected);
  });

  it('are nobody’s when they are signed in a way that we do not know', () => {
    const [block = ''] = pemBlocks(list(), 'X509 CRL');
    const known = Buffer.from(pemBytes(block));
    const sha256 = objectId('1.2.840.10045.4.3.2');
    const other = Buffer.from(known);
    objectId('1.2.840.10045.4.3.1').copy(other, other.lastIndexOf(sha256));
    const isOurs = (der: Uint8Array): boolean => readCrl(pemText('X509 CRL', der)).isSignedBy(root.x509.publicKey);
    expect([isOurs(known), isOurs(other)]).toEqual([true, false]);
  });

  const algorithm = sequence(objectId('1.2.840.10045.4.3.2'));
  const signature = bitBytes(Buffer.from('x'));

  it.each([
    ['that begin at no time', sequence(integer(1), algorithm, sequence(), tlv(DER.utcTime, Buffer.from('soon'))), 'a time'],
    ['that hold nothing', sequence(), 'tag '],
  ])('%s are none', (_, body, message) => {
    const text = pemText('X509 CRL', sequence(body, algorithm, signature));
    expect(() => readCrl(text)).toThrow(`the list of revoked certificates cannot be read: ${message}`);
    expect(() => readCrl(text)).toThrow(expect.objectContaining({ cause: expect.objectContaining({ name: 'DerError' }) }));
  });

  it('may say no version, and no end', () => {
    const body = sequence(algorithm, sequence(), time(NOW_MS));
    const read = readCrl(pemText('X509 CRL', sequence(body, algorithm, signature)));
    expect([read.nextUpdateMs, read.serials.size]).toEqual([Number.POSITIVE_INFINITY, 0]);
  });
});
