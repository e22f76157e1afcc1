// What the writer of certificates puts down, extension by extension, and what the development CA asks it for.
import { describe, expect, it } from 'vitest';
import { EXTENSION, KEY_USAGE, readCertificate } from '../../src/identity/certificate.ts';
import { DER, type Der, derAt, derInside, derOid, derValue } from '../../src/identity/der.ts';
import { newAuthority } from '../../src/identity/dev-authority.ts';
import { type CertificateRequest, issueCertificate, issueCrl, newKeyPair } from '../../src/identity/issue-certificate.ts';
import { pathFault } from '../../src/identity/path-check.ts';
import { pemBytes } from '../../src/identity/pem.ts';

/** Whole seconds: certificates have no others. */
const NOW_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const keys = newKeyPair();
const issuer = { subject: 'issuer', keys: newKeyPair() };

function issue(more: Partial<CertificateRequest> = {}): string {
  return issueCertificate({
    subject: '',
    publicKey: keys.publicKey,
    issuer,
    notBeforeMs: NOW_MS,
    notAfterMs: NOW_MS + DAY_MS,
    ...more,
  });
}

function fieldsOf(pem: string): Der[] {
  return derInside(derInside(derAt(pemBytes(pem)), DER.sequence)[0], DER.sequence);
}

interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Uint8Array;
}

function extensionsOf(pem: string): Extension[] {
  const list = fieldsOf(pem).find(({ tag }) => tag === 0xa3);
  return derInside(derAt(derValue(list, 0xa3)), DER.sequence).map((one) => {
    const parts = derInside(one, DER.sequence);
    return { id: derOid(parts[0]), isCritical: parts.length === 3, value: derValue(parts.at(-1), DER.octets) };
  });
}

const IDS = [EXTENSION.subjectKeyId, EXTENSION.authorityKeyId];

describe('extensions', () => {
  it.each<[string, Partial<CertificateRequest>, readonly string[], readonly string[]]>([
    ['nothing is asked for', {}, IDS, []],
    ['it is about itself', { isCa: false }, [...IDS, EXTENSION.basicConstraints], [EXTENSION.basicConstraints]],
    ['it is for something', { keyUsage: KEY_USAGE.digitalSignature }, [...IDS, EXTENSION.keyUsage], [EXTENSION.keyUsage]],
    ['it is for one side', { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }, [...IDS, EXTENSION.extendedKeyUsage], []],
    ['it has names alone', { uris: ['spiffe://a.test/x'] }, [...IDS, EXTENSION.subjectAltName], [EXTENSION.subjectAltName]],
    ['it has names besides', { subject: 'x', dns: ['x'] }, [...IDS, EXTENSION.subjectAltName], []],
  ])('when %s', (_, request, ids, critical) => {
    const found = extensionsOf(issue(request));
    expect(found.map(({ id }) => id)).toEqual(ids);
    expect(found.filter(({ isCritical }) => isCritical).map(({ id }) => id)).toEqual(critical);
  });

  it('name the key and that of the issuer', () => {
    const ofRoot = issueCertificate({
      subject: 'issuer',
      publicKey: issuer.keys.publicKey,
      issuer,
      notBeforeMs: NOW_MS,
      notAfterMs: NOW_MS + DAY_MS,
    });
    const own = (pem: string): string => {
      const [subject] = extensionsOf(pem);
      return Buffer.from(derValue(derAt(subject?.value ?? Buffer.alloc(0)), DER.octets)).toString('hex');
    };
    const above = (pem: string): string => {
      const [, authority] = extensionsOf(pem);
      const [id] = derInside(derAt(authority?.value ?? Buffer.alloc(0)), DER.sequence);
      return Buffer.from(derValue(id, 0x80)).toString('hex');
    };
    expect(own(issue())).toMatch(/^[0-9a-f]{40}$/);
    expect(own(issue())).not.toBe(own(ofRoot));
    expect([above(issue()), above(ofRoot)]).toEqual([own(ofRoot), own(ofRoot)]);
  });

  it('take names as they are, byte by byte', () => {
    const { uris, dns } = readCertificate(issue({ uris: ['spiffe://a.test/é'], dns: ['é'] }));
    expect([uris, dns]).toEqual([['spiffe://a.test/é'], ['é']]);
  });

  it('may let many stand below', () => {
    expect(readCertificate(issue({ isCa: true, pathLength: 300 })).pathLength).toBe(300);
  });
});

describe('the subject', () => {
  it.each([
    ['', 0, undefined],
    ['x', 12, 'CN=x'],
  ])('%j', (subject, bytes, text) => {
    const certificate = readCertificate(issue({ subject }));
    expect([certificate.subject.length, certificate.x509.subject]).toEqual([bytes, text]);
  });
});

describe('a list of revoked certificates', () => {
  it.each<[readonly string[], number]>([
    [[], 6],
    [['4a'], 7],
  ])('%j: RFC 5280 allows no empty list in it', (revoked, fields) => {
    expect(fieldsOf(issueCrl({ issuer, revoked, thisUpdateMs: NOW_MS, nextUpdateMs: NOW_MS + DAY_MS })).length).toBe(fields);
  });
});

describe('the development CA', () => {
  const YEARS_MS = 3_650 * DAY_MS;

  it.each<[number | undefined, number]>([
    [undefined, YEARS_MS],
    [DAY_MS, DAY_MS],
  ])('a root that lives %s ms', (lifeMs, expectedMs) => {
    const root = newAuthority({ trustDomain: 'b.test', nowMs: NOW_MS, ...(lifeMs === undefined ? {} : { lifeMs }) });
    const certificate = readCertificate(root.cert);
    expect(certificate).toMatchObject({
      isCa: true,
      uris: ['spiffe://b.test'],
      keyUsage: KEY_USAGE.keyCertSign | KEY_USAGE.crlSign,
      notBeforeMs: NOW_MS - 5 * MINUTE_MS,
      notAfterMs: NOW_MS + expectedMs,
    });
    expect(certificate.x509.subject).toBe('CN=b.test development root');
  });

  it('an authority below, and one below that', () => {
    const root = newAuthority({ trustDomain: 'b.test', nowMs: NOW_MS });
    const first = root.intermediate({ nowMs: NOW_MS });
    const second = first.intermediate({ nowMs: NOW_MS, lifeMs: DAY_MS });
    const [one, two] = [readCertificate(first.cert), readCertificate(second.cert)];
    for (const [certificate, expectedMs] of [
      [one, YEARS_MS],
      [two, DAY_MS],
    ] as const) {
      expect(certificate).toMatchObject({
        isCa: true,
        uris: ['spiffe://b.test'],
        keyUsage: KEY_USAGE.keyCertSign | KEY_USAGE.crlSign,
        notBeforeMs: NOW_MS - 5 * MINUTE_MS,
        notAfterMs: NOW_MS + expectedMs,
      });
    }
    expect([one.x509.subject, two.x509.subject]).toEqual(['CN=b.test development intermediate 1', 'CN=b.test development intermediate 2']);
    const { chain } = second.issue({ spiffeId: 'spiffe://b.test/x', nowMs: NOW_MS });
    expect(chain.slice(1)).toEqual([second.cert, first.cert]);
    const [leaf, ...intermediates] = chain.map(readCertificate) as [ReturnType<typeof readCertificate>];
    expect(pathFault({ leaf, intermediates, roots: [readCertificate(second.root)], crls: [], nowMs: NOW_MS })).toBeNull();
  });

  it('a leaf says who it is, and nothing else', () => {
    const root = newAuthority({ trustDomain: 'b.test', nowMs: NOW_MS });
    const { chain } = root.issue({ spiffeId: 'spiffe://b.test/x', nowMs: NOW_MS });
    expect(chain.length).toBe(1);
    expect(readCertificate(chain[0] as string)).toMatchObject({
      subject: '',
      uris: ['spiffe://b.test/x'],
      dns: [],
      ips: [],
      isCa: false,
      keyUsage: KEY_USAGE.digitalSignature,
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'],
      notBeforeMs: NOW_MS - 5 * MINUTE_MS,
      notAfterMs: NOW_MS + DAY_MS,
    });
  });
});
