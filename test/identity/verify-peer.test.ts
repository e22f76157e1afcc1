// Every rule of X509-SVID with a certificate that breaks it, issued by ourselves.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEY_USAGE } from '../../src/identity/certificate.ts';
import { type ExpectedPeer, expectedHost, expectedNames } from '../../src/identity/expected-peer.ts';
import { isIdentityFailure } from '../../src/identity/identity-failure.ts';
import { issueCrl } from '../../src/identity/issue-certificate.ts';
import { readCertificate } from '../../src/identity/certificate.ts';
import { pemBytes } from '../../src/identity/pem.ts';
import { type Trust, trustOf } from '../../src/identity/trust.ts';
import { chainOf, type PeerChecks, verifyPeer } from '../../src/identity/verify-peer.ts';
import { authority, HOUR_MS, type LeafOptions } from './certificates.ts';

const NOW_MS = Date.now();
const a = authority('root a');
const b = authority('root b');
const ID = 'spiffe://a.test/ns/default/sa/reviews';
const LOCAL = { name: 'a.test', aliases: [] };

function trust(
  bundles: Readonly<Record<string, readonly string[]>> = { 'a.test': [a.cert], 'b.test': [b.cert] },
  crls: readonly string[] = [],
): Trust {
  return trustOf({ bundles: new Map(Object.entries(bundles)), crls, spiffeId: 'spiffe://a.test/me' }, ['alias.test']);
}

function verdict(certs: readonly string[], checks: Partial<PeerChecks> = {}, nowMs = NOW_MS): string {
  const result = verifyPeer(certs.map(pemBytes), { trust: trust(), expected: null, side: 'client', ...checks }, nowMs);
  return isIdentityFailure(result) ? `${result.code}: ${result.message}` : result.spiffeId;
}

const leaf = (options: LeafOptions): string => a.issue({ uris: [ID], ...options }).cert;

describe('a peer', () => {
  it('is who its certificate says', () => {
    const cert = leaf({ dns: ['reviews'] });
    const { x509, notAfterMs } = readCertificate(cert);
    expect(verifyPeer([pemBytes(cert)], { trust: trust(), expected: null, side: 'server' }, NOW_MS)).toEqual({
      spiffeId: ID,
      trustDomain: 'a.test',
      namespace: 'default',
      serviceAccount: 'reviews',
      dns: ['reviews'],
      notAfterMs,
      fingerprint: x509.fingerprint256,
    });
  });

  it.each<[string, LeafOptions, string]>([
    ['no URI', { uris: [], dns: ['reviews'] }, 'spiffe_id_invalid: the certificate of the peer has no SPIFFE ID'],
    ['two URIs', { uris: [ID, ID] }, 'spiffe_id_invalid: the certificate of the peer has more than one URI'],
    ['a URI of another scheme', { uris: ['https://a.test/x'] }, 'it does not begin with spiffe://'],
    ['no path', { uris: ['spiffe://a.test'] }, 'it has no path'],
    ['dot segments', { uris: ['spiffe://a.test/x/../y'] }, 'a segment that may not be'],
    ['an upper-case domain', { uris: ['spiffe://A.test/x'] }, 'lower-case letters'],
    ['a NUL', { uris: ['spiffe://a.test/x\0.b.test'] }, 'a segment that may not be'],
    ['names in the text of another', { uris: [`https://x, URI:${ID}`] }, 'it does not begin with spiffe://'],
    ['the certificate of an authority', { isCa: true }, 'certificate_unfit: the certificate of the peer is that of an authority'],
    ['a key for nothing', { keyUsage: 0 }, 'certificate_unfit: the key of the peer may not be used for signatures'],
    ['a key that signs certificates', { keyUsage: KEY_USAGE.digitalSignature | KEY_USAGE.keyCertSign }, 'may be used to sign certificates'],
    ['a key that signs lists', { keyUsage: KEY_USAGE.digitalSignature | KEY_USAGE.crlSign }, 'may be used to sign certificates'],
    ['only for servers', { usage: 'server' }, 'certificate_unfit: the certificate of the peer is not for a client'],
    ['expired', { notAfterMs: NOW_MS - 1_000 }, 'certificate_expired: the certificate of the peer has expired'],
    ['not valid yet', { notBeforeMs: NOW_MS + HOUR_MS }, 'certificate_not_yet_valid: the certificate of the peer is not valid yet'],
    [
      'of a domain that we do not know',
      { uris: ['spiffe://c.test/x'] },
      'trust_domain_unknown: the peer is spiffe://c.test/x, and no roots',
    ],
    ['minted by a foreign authority', { uris: ['spiffe://b.test/x'] }, 'chain_untrusted: no chain leads from the certificate of the peer'],
  ])('%s is refused', (_, options, reason) => {
    expect(verdict([leaf(options)])).toContain(reason);
  });

  it.each<[string, LeafOptions]>([
    ['for any purpose', { extendedKeyUsage: ['2.5.29.37.0'] }],
    ['without a purpose', { usage: 'none' }],
    ['with more uses of its key', { keyUsage: KEY_USAGE.digitalSignature | 0x2000 }],
  ])('%s is taken', (_, options) => {
    expect(verdict([leaf(options)])).toBe(ID);
  });

  it('no key usage at all is refused', () => {
    const { keyUsage: _, ...rest } = { keyUsage: 0 };
    expect(rest).toEqual({});
    expect(verdict([leaf({ keyUsage: undefined } as unknown as LeafOptions)])).toContain('does not say what its key may be used for');
  });

  it('nothing, and garbage', () => {
    expect(verdict([])).toBe('certificate_missing: the peer shows no certificate');
    const result = verifyPeer([Buffer.from('garbage')], { trust: trust(), expected: null, side: 'client' }, NOW_MS);
    expect(result).toMatchObject({ code: 'certificate_unreadable' });
  });

  it('a CA of one domain cannot mint an identity of another', () => {
    expect(verdict([b.issue({ uris: [ID] }).cert])).toContain('chain_untrusted');
    expect(verdict([b.issue({ uris: ['spiffe://b.test/x'] }).cert])).toBe('spiffe://b.test/x');
  });

  it('an alias has the roots of the local domain', () => {
    expect(verdict([leaf({ uris: ['spiffe://alias.test/x'] })])).toBe('spiffe://alias.test/x');
    expect(verdict([b.issue({ uris: ['spiffe://alias.test/x'] }).cert])).toContain('chain_untrusted');
  });

  it('an empty bundle trusts nobody', () => {
    expect(verdict([leaf({})], { trust: trust({ 'a.test': [] }) })).toContain('chain_untrusted');
    expect(verdict([leaf({})], { trust: trust({}) })).toContain('trust_domain_unknown');
  });
});

describe('the chain', () => {
  const one = a.below('one');
  const two = one.below('two');
  const far = two.issue({ uris: [ID] }).cert;

  it.each<[string, readonly string[], string]>([
    ['in order', [far, two.cert, one.cert], ID],
    ['in any order', [far, one.cert, two.cert], ID],
    ['with more than is needed', [far, b.cert, one.cert, two.cert, a.cert], ID],
    ['with a gap', [far, two.cert], 'chain_untrusted'],
    ['alone', [far], 'chain_untrusted'],
    [
      'an intermediate whose time is over',
      [two.issue({ uris: [ID] }).cert, two.cert, a.below('one', { notAfterMs: NOW_MS - 1 }).cert],
      'chain_untrusted',
    ],
    ['16 of them', [far, two.cert, ...new Array<string>(15).fill(one.cert)], ID],
    ['more than 16', [far, ...new Array<string>(17).fill(one.cert)], 'chain_untrusted: the peer sends more than 16 intermediates'],
  ])('%s', (_, certs, expected) => {
    expect(verdict(certs)).toContain(expected);
  });

  it('an intermediate in the bundle is a root', () => {
    expect(verdict([far], { trust: trust({ 'a.test': [two.cert] }) })).toBe(ID);
  });

  it.each<[string, LeafOptions, string]>([
    ['that has expired', { notAfterMs: NOW_MS - 1_000 }, 'certificate_expired: an authority of the chain has expired'],
    ['that is not valid yet', { notBeforeMs: NOW_MS + HOUR_MS }, 'certificate_not_yet_valid: an authority of the chain is not valid yet'],
    ['that is no authority', { isCa: false }, 'chain_untrusted'],
    ['that may not sign certificates', { keyUsage: KEY_USAGE.crlSign }, 'chain_untrusted'],
  ])('an intermediate %s', (_, options, reason) => {
    const wrong = a.below('wrong', options);
    expect(verdict([wrong.issue({ uris: [ID] }).cert, wrong.cert])).toContain(reason);
  });

  it('the reason of the root comes first', () => {
    const late = authority('late', { notAfterMs: NOW_MS - 1_000 });
    expect(verdict([late.issue({ uris: [ID] }).cert, late.cert], { trust: trust({ 'a.test': [late.cert] }) })).toContain(
      'certificate_expired: an authority',
    );
  });

  it('an authority that says nothing of its key may sign', () => {
    const silent = a.below('silent', { keyUsage: undefined } as unknown as LeafOptions);
    expect(verdict([silent.issue({ uris: [ID] }).cert, silent.cert])).toBe(ID);
  });

  it('the length that an authority allows', () => {
    const short = a.below('short', { pathLength: 0 });
    const below = short.below('below');
    expect(verdict([short.issue({ uris: [ID] }).cert, short.cert])).toBe(ID);
    expect(verdict([below.issue({ uris: [ID] }).cert, below.cert, short.cert])).toContain('chain_untrusted');
  });

  it('at most eight links', () => {
    const chain = [a];
    for (let i = 0; i < 9; i++) chain.push((chain.at(-1) as typeof a).below(`link ${i}`));
    const certs = (links: number): string[] => {
      const used = chain.slice(1, 1 + links);
      return [(used.at(-1) as typeof a).issue({ uris: [ID] }).cert, ...used.map(({ cert }) => cert)];
    };
    expect(verdict(certs(7))).toBe(ID);
    expect(verdict(certs(9))).toContain('chain_untrusted');
  });

  it('certificates that all sign each other make no endless work', () => {
    const base = authority('loop');
    const { keys } = base.issuer;
    const loop = Array.from({ length: 16 }, (_, i) =>
      authority('loop', { notAfterMs: NOW_MS + HOUR_MS + i * 1_000 }, { subject: 'loop', keys }),
    );
    const startedAtMs = performance.now();
    expect(verdict([base.issue({ uris: [ID] }).cert, base.cert, ...loop.slice(1).map(({ cert }) => cert)])).toContain('chain_untrusted');
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  });

  it('the verdict of OpenSSL is enough for one domain without lists, and for no more', () => {
    const isChainVerified = true;
    const one = trust({ 'a.test': [a.cert] });
    expect(verdict([far], { trust: one, isChainVerified })).toBe(ID);
    expect(verdict([far], { isChainVerified })).toContain('chain_untrusted');
    expect(verdict([far], { trust: trust({ 'a.test': [a.cert], '': [b.cert] }), isChainVerified })).toContain('chain_untrusted');
    const crl = issueCrl({ issuer: a.issuer, revoked: [], thisUpdateMs: NOW_MS, nextUpdateMs: NOW_MS + HOUR_MS });
    expect(verdict([far], { trust: trust({ 'a.test': [a.cert] }, [crl]), isChainVerified })).toContain('chain_untrusted');
  });
});

describe('lists of revoked certificates', () => {
  const mine = a.issue({ uris: [ID] }).cert;
  const times = { thisUpdateMs: NOW_MS - HOUR_MS, nextUpdateMs: NOW_MS + HOUR_MS };
  const serial = readCertificate(mine).serial;

  it.each<[string, string, string]>([
    ['without it', issueCrl({ issuer: a.issuer, revoked: ['11'], ...times }), ID],
    ['an empty one', issueCrl({ issuer: a.issuer, revoked: [], ...times }), ID],
    [
      'with it',
      issueCrl({ issuer: a.issuer, revoked: ['11', serial], ...times }),
      'certificate_revoked: a certificate of the chain is revoked',
    ],
    ['out of date', issueCrl({ issuer: a.issuer, revoked: [], ...times, nextUpdateMs: NOW_MS - 1_000 }), 'crl_expired'],
    [
      'out of date and with it',
      issueCrl({ issuer: a.issuer, revoked: [serial], ...times, nextUpdateMs: NOW_MS - 1_000 }),
      'certificate_revoked',
    ],
    ['of another authority', issueCrl({ issuer: b.issuer, revoked: [serial], ...times }), ID],
    ['in its name by another', issueCrl({ issuer: { ...b.issuer, subject: a.issuer.subject }, revoked: [serial], ...times }), ID],
  ])('%s', (_, crl, expected) => {
    expect(verdict([mine], { trust: trust({ 'a.test': [a.cert] }, [crl]) })).toContain(expected);
  });

  it('holds for intermediates too', () => {
    const below = a.below('below');
    const crl = issueCrl({ issuer: a.issuer, revoked: [readCertificate(below.cert).serial], ...times });
    expect(verdict([below.issue({ uris: [ID] }).cert, below.cert], { trust: trust({ 'a.test': [a.cert] }, [crl]) })).toContain('revoked');
  });
});

describe('peers without a SPIFFE ID', () => {
  const plain = a.issue({ dns: ['reviews'] }).cert;

  it.each<[string, Readonly<Record<string, readonly string[]>>, readonly string[], string]>([
    ['roots of no domain vouch for them', { '': [a.cert] }, [plain], ''],
    [
      'and for no others',
      { '': [b.cert] },
      [plain],
      'chain_untrusted: no chain leads from the certificate of the peer to a root that we trust for it: it says it is "reviews"',
    ],
    ['not for SPIFFE IDs', { '': [a.cert] }, [leaf({})], 'trust_domain_unknown'],
    ['beside domains', { '': [a.cert], 'b.test': [b.cert] }, [plain], ''],
    ['a URI of another scheme', { '': [a.cert] }, [leaf({ uris: ['https://x'] })], ''],
    ['but not beside domains', { '': [a.cert], 'b.test': [b.cert] }, [leaf({ uris: ['https://x'] })], 'spiffe_id_invalid'],
    ['without a key usage', { '': [a.cert] }, [leaf({ uris: [], dns: ['x'], keyUsage: undefined } as unknown as LeafOptions)], ''],
    ['without any name', { '': [b.cert] }, [leaf({ uris: [], commonName: 'x' })], 'it says it is no name'],
  ])('%s', (_, bundles, certs, expected) => {
    const shown = verdict(certs, { trust: trust(bundles) });
    expect(expected === '' ? shown === '' : shown.includes(expected)).toBe(true);
  });
});

describe('who is expected', () => {
  const peer = leaf({ dns: ['reviews.test', '*.wild.test', '*.com'], ips: ['10.0.0.1', '::1', '2001:db8::7', '::ffff:1.2.3.4'] });
  const fits = (expected: ExpectedPeer, cert = peer): boolean => verdict([cert], { expected }) === ID;

  it.each<[readonly string[], boolean]>([
    [[ID], true],
    [['spiffe://a.test/ns/*/sa/reviews'], true],
    [['spiffe://cluster.local/ns/default/sa/reviews'], true],
    [['spiffe://a.test/ns/default/sa/ratings'], false],
    [['other', 'reviews.test'], true],
    [['Reviews.test'], false],
    [['x.wild.test'], false],
    [['*.wild.test'], true],
    [['10.0.0.1'], true],
    [['10.0.0.2'], false],
    [['::1'], true],
    [['2001:DB8:0:0::7'], true],
    [['2001:db8:0:0:0:0:0:7'], true],
    [['::ffff:1.2.3.4'], true],
    [['https://x'], false],
  ])('one of %j: %s', (names, expected) => {
    expect(fits(expectedNames(names, LOCAL))).toBe(expected);
  });

  it.each<[string, boolean]>([
    ['reviews.test', true],
    ['REVIEWS.test.', true],
    ['x.wild.test', true],
    ['a.b.wild.test', false],
    ['wild.test', false],
    ['.wild.test', false],
    ['evil.com', false],
    ['10.0.0.1', true],
    ['::1', true],
    ['10.0.0.9', false],
    ['ratings', false],
  ])('the host %s: %s', (host, expected) => {
    expect(fits(expectedHost(host))).toBe(expected);
  });

  it('the common name is never looked at', () => {
    expect(fits(expectedHost('reviews'), leaf({ commonName: 'reviews' }))).toBe(false);
  });

  it('says who came, and who was expected', () => {
    expect(verdict([peer], { expected: expectedNames(['x', 'y'], LOCAL) })).toBe(`peer_unexpected: the peer shows ${ID}, expected x or y`);
  });
});

describe('what Node gives', () => {
  it('is followed up to the root, once', () => {
    const root = { raw: Buffer.from('r') } as Record<string, unknown>;
    root['issuerCertificate'] = root;
    const peer = { raw: Buffer.from('l'), issuerCertificate: root };
    expect(chainOf(peer as never).map(String)).toEqual(['l', 'r'].map((text) => String(Buffer.from(text))));
    expect([chainOf(undefined), chainOf({} as never)]).toEqual([[], []]);
  });
});

describe('properties', () => {
  const good = pemBytes(leaf({}));

  it('a certificate with one bit changed is refused, or says the same', () => {
    fc.assert(
      fc.property(fc.nat(good.length * 8 - 1), (bit) => {
        const changed = Uint8Array.from(good);
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
        const result = verifyPeer([changed], { trust: trust(), expected: null, side: 'client' }, NOW_MS);
        return isIdentityFailure(result) || result.spiffeId === ID;
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('whatever is shown, there is an answer', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 }), (chain) =>
        isIdentityFailure(verifyPeer(chain, { trust: trust(), expected: null, side: 'client' }, NOW_MS)),
      ),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
