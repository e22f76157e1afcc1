// From a leaf to a root: each limit from both sides, and names that only look alike.
import { describe, expect, it } from 'vitest';
import { type Certificate, KEY_USAGE, readCertificate } from '../../src/identity/certificate.ts';
import { issueCertificate, newKeyPair } from '../../src/identity/issue-certificate.ts';
import { PATH_DEPTH_MAX, type PathCheck, pathFault, timeFault } from '../../src/identity/path-check.ts';
import { authority, HOUR_MS } from './certificates.ts';

const NOW_MS = Date.now();
const root = authority('root');
const uris = ['spiffe://a.test/x'];

function codeOf(leaf: string, more: Partial<Omit<PathCheck, 'leaf'>> = {}): string | null {
  const roots = [readCertificate(root.cert)];
  return pathFault({ leaf: readCertificate(leaf), intermediates: [], roots, crls: [], nowMs: NOW_MS, ...more })?.code ?? null;
}

/** By another key, under a name that may be that of the root. */
function signedAs(subject: string): string {
  const { keys } = root.issuer;
  return authority(subject, {}, { subject, keys }).issue({ uris }).cert;
}

describe('a path', () => {
  it('goes by the name of the issuer, byte by byte', () => {
    expect(codeOf(root.issue({ uris }).cert)).toBeNull();
    const named = (subject: string): string => {
      const { publicKey } = newKeyPair();
      const times = { notBeforeMs: NOW_MS - HOUR_MS, notAfterMs: NOW_MS + HOUR_MS };
      const keyUsage = KEY_USAGE.digitalSignature;
      return issueCertificate({ subject: '', publicKey, issuer: { ...root.issuer, subject }, ...times, keyUsage, uris });
    };
    expect(codeOf(named('root'))).toBeNull();
    // OpenSSL takes these for the same name.
    expect(codeOf(named('ROOT'))).toBe('chain_untrusted');
    expect(codeOf(named(' root'))).toBe('chain_untrusted');
    expect(codeOf(named('other'))).toBe('chain_untrusted');
    expect(codeOf(signedAs('root'))).toBe('chain_untrusted');
  });

  it('has a number of links', () => {
    const chain = [root];
    for (let i = 0; i < PATH_DEPTH_MAX; i++) chain.push((chain.at(-1) as typeof root).below(`link ${i}`));
    const code = (links: number): string | null =>
      codeOf((chain[links] as typeof root).issue({ uris }).cert, {
        intermediates: chain.slice(1, 1 + links).map(({ cert }) => readCertificate(cert)),
      });
    expect(code(PATH_DEPTH_MAX - 1)).toBeNull();
    expect(code(PATH_DEPTH_MAX)).toBe('chain_untrusted');
  });

  it('of authorities that all sign each other costs 64 signatures and no more', () => {
    const keys = newKeyPair();
    const issuer = { subject: 'loop', keys };
    const times = { notBeforeMs: NOW_MS - HOUR_MS, notAfterMs: NOW_MS + HOUR_MS };
    let looks = 0;
    const loop = Array.from({ length: 16 }, () => {
      const certificate = readCertificate(
        issueCertificate({ subject: 'loop', publicKey: keys.publicKey, issuer, ...times, isCa: true, keyUsage: KEY_USAGE.keyCertSign }),
      );
      const { x509 } = certificate;
      const verify = x509.verify.bind(x509);
      Object.assign(x509, { verify: (key: typeof x509.publicKey) => (looks++, verify(key)) });
      return certificate;
    });
    const [leaf, ...intermediates] = loop as [Certificate, ...Certificate[]];
    const fault = pathFault({ leaf, intermediates, roots: [], crls: [], nowMs: NOW_MS });
    expect([fault?.code, looks]).toEqual(['chain_untrusted', 64]);
  });

  it('tells what stopped the first way that came near', () => {
    const late = root.below('same', { notAfterMs: NOW_MS - 1_000 });
    const { publicKey } = newKeyPair();
    const times = { notBeforeMs: NOW_MS - HOUR_MS, notAfterMs: NOW_MS + HOUR_MS };
    const leaf = issueCertificate({ subject: '', publicKey, issuer: late.issuer, ...times, keyUsage: KEY_USAGE.digitalSignature, uris });
    const stranger = authority('stranger');
    const twin = issueCertificate({
      subject: 'same',
      publicKey: late.issuer.keys.publicKey,
      issuer: stranger.issuer,
      ...times,
      isCa: true,
      keyUsage: KEY_USAGE.keyCertSign,
    });
    const intermediates = [late.cert, twin].map(readCertificate);
    expect(codeOf(leaf, { intermediates })).toBe('certificate_expired');
    expect(codeOf(leaf, { intermediates: intermediates.toReversed() })).toBe('certificate_expired');
  });

  it('ends at any of the roots that are one authority, renewed', () => {
    const { keys } = root.issuer;
    const renewed = (notAfterMs: number): Certificate =>
      readCertificate(
        issueCertificate({
          subject: 'root',
          publicKey: keys.publicKey,
          issuer: root.issuer,
          notBeforeMs: NOW_MS - 2 * HOUR_MS,
          notAfterMs,
          isCa: true,
          keyUsage: KEY_USAGE.keyCertSign,
        }),
      );
    const [good, late] = [renewed(NOW_MS + HOUR_MS), renewed(NOW_MS - HOUR_MS)];
    const leaf = root.issue({ uris }).cert;
    expect([[good, late], [late, good], [late]].map((roots) => codeOf(leaf, { roots }))).toEqual([null, null, 'certificate_expired']);
  });
});

describe('the time of a certificate', () => {
  it.each([
    [999, 'certificate_not_yet_valid'],
    [1_000, null],
    [2_000, null],
    [2_001, 'certificate_expired'],
  ])('at %i', (nowMs, expected) => {
    expect(timeFault({ notBeforeMs: 1_000, notAfterMs: 2_000 }, nowMs)).toBe(expected);
  });
});
