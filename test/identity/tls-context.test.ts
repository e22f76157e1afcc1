import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { issueCrl } from '../../src/identity/issue-certificate.ts';
import { readIdentity } from '../../src/identity/identity-material.ts';
import type { Identity } from '../../src/identity/identity-source.ts';
import { type ClientTls, clientTls, IdentityMissing, PeerUntrusted } from '../../src/identity/tls-context.ts';
import type { TlsPolicy } from '../../src/model/destination.ts';
import { systemClock } from '../../src/core/clock.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { authority, type LeafOptions } from './certificates.ts';

const root = authority('root');
const other = authority('other');
const own = root.issue({ dns: ['client'] });
const folder = mkdtempSync(join(tmpdir(), 'inmesh-tls-'));
const identity: Identity = { ...readIdentity({ chain: own.cert, key: own.key, roots: root.cert }, Date.now()), version: 1 };

function tlsOf(policy: TlsPolicy, of: Identity | null = null): ClientTls {
  return clientTls(policy, { identity: of, clock: systemClock });
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

afterAll(() => rmSync(folder, { recursive: true }));

describe('certificates of the client side', () => {
  it.each<[string, TlsPolicy]>([
    ['simple, roots of the web', { mode: 'simple' }],
    ['simple, own roots', { mode: 'simple', ca: root.cert }],
    ['several roots in one text', { mode: 'simple', ca: `${root.cert}\n# and\n${other.cert}` }],
    ['mutual, of its own', { mode: 'mutual', ...own, ca: root.cert }],
    ['mutual, from files', { mode: 'mutual', cert: file('c.pem', own.cert), key: file('k.pem', own.key), ca: file('ca.pem', root.cert) }],
    ['mutual, of the identity', { mode: 'mutual' }],
    [
      'with lists of revoked certificates',
      {
        mode: 'simple',
        ca: root.cert,
        crl: issueCrl({ issuer: root.issuer, revoked: [], thisUpdateMs: 0, nextUpdateMs: Date.now() + 1e6 }),
      },
    ],
    ['a chain', { mode: 'mutual', cert: own.cert + root.cert, key: own.key, ca: root.cert }],
  ])('%s', (_, policy) => {
    const { connect, serverName } = tlsOf(policy, identity);
    expect([connect.rejectUnauthorized, serverName]).toEqual([true, '']);
    expect(connect.secureContext).toBeDefined();
  });

  it.each<[string, TlsPolicy, Identity | null, string]>([
    ['mutual without anything', { mode: 'mutual' }, null, 'tls mode mutual needs cert, key and ca'],
    ['mutual without roots', { mode: 'mutual', ...own }, null, 'tls mode mutual needs cert, key and ca'],
    ['a file that is not there', { mode: 'simple', ca: '/no/such/file.pem' }, null, 'the ca cannot be read from /no/such/file.pem'],
    [
      'a certificate that is not there',
      { mode: 'mutual', cert: '/no/such.crt', key: own.key, ca: root.cert },
      null,
      'the certificate cannot be read from /no/such.crt',
    ],
    [
      'a key that is not there',
      { mode: 'mutual', cert: own.cert, key: '/no/such.key', ca: root.cert },
      null,
      'the key cannot be read from /no/such.key',
    ],
    ['an empty bundle', { mode: 'simple', ca: file('empty.pem', '') }, null, 'the ca holds no certificate'],
    ['a bundle of something else', { mode: 'simple', ca: own.key }, null, 'the ca holds no certificate'],
    [
      'a bundle with garbage in it',
      { mode: 'simple', ca: `${root.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----` },
      null,
      'cannot be read',
    ],
    ['the key of another', { mode: 'mutual', cert: own.cert, key: other.key, ca: root.cert }, null, 'certificate and key cannot be used'],
    [
      'a key that is none',
      { mode: 'mutual', cert: own.cert, key: file('no-key.pem', 'x'), ca: root.cert },
      null,
      'certificate and key cannot be used',
    ],
    [
      'a certificate that is none',
      { mode: 'mutual', cert: own.key, key: own.key, ca: root.cert },
      null,
      'the certificate holds no certificate',
    ],
  ])('%s is an error at load', (_, policy, from, message) => {
    expect(() => tlsOf(policy, from)).toThrow(message);
  });

  it('simple never shows the certificate of the identity, nor trusts its roots', () => {
    const { connect } = tlsOf({ mode: 'simple' }, identity);
    expect([connect.cert, connect.key, connect.ca]).toEqual([undefined, undefined, undefined]);
  });
});

describe('the name of the peer', () => {
  const peer = (names: LeafOptions): PeerCertificate => {
    const certificate = new X509Certificate(root.issue({ commonName: 'reviews', ...names }).cert);
    return { ...certificate.toLegacyObject(), raw: certificate.raw } as unknown as PeerCertificate;
  };

  it.each<[string, LeafOptions, boolean]>([
    ['reviews', { dns: ['reviews'] }, true],
    ['reviews', { dns: ['ratings'] }, false],
    ['a.reviews', { dns: ['*.reviews'] }, false],
    ['a.reviews.test', { dns: ['*.reviews.test'] }, true],
    ['127.0.0.1', { ips: ['127.0.0.1'] }, true],
    ['127.0.0.1', { dns: ['127.0.0.1'] }, false],
  ])('without subjectAltNames: %s shown %j: %s', (name, names, isFine) => {
    expect(tlsOf({ mode: 'simple' }).checkPeer(name, peer(names)) === undefined).toBe(isFine);
  });

  const SPIFFE = 'spiffe://cluster.local/ns/default/sa/reviews';
  it.each<[string[], LeafOptions, boolean]>([
    [[SPIFFE], { uris: [SPIFFE] }, true],
    [[SPIFFE], { dns: ['reviews'], uris: [SPIFFE] }, true],
    [['other', SPIFFE], { uris: [SPIFFE] }, true],
    [['spiffe://cluster.local/ns/*/sa/reviews'], { uris: [SPIFFE] }, true],
    [['spiffe://cluster.local/ns/*/sa/ratings'], { uris: [SPIFFE] }, false],
    [['reviews'], { dns: ['reviews'] }, true],
    [['10.0.0.1'], { ips: ['10.0.0.1'] }, true],
    [['https://reviews'], { uris: ['https://reviews'] }, true],
    [['https://reviews'], { uris: ['https://ratings'] }, false],
    [[SPIFFE], { uris: ['spiffe://cluster.local/ns/default/sa/ratings'] }, false],
    [[SPIFFE], { uris: [SPIFFE, SPIFFE] }, false],
    [[SPIFFE], { uris: [`${SPIFFE}/`] }, false],
    [[SPIFFE], { uris: [SPIFFE.toUpperCase()] }, false],
    [[SPIFFE], { dns: [SPIFFE] }, false],
    [['reviews'], { uris: ['reviews'] }, false],
    [['reviews'], { dns: ['*.reviews'] }, false],
    [['reviews'], { dns: ['reviews2'] }, false],
    [['reviews'], { dns: ['x, DNS:reviews'] }, false],
    [['reviews'], {}, false],
  ])('subjectAltNames %j shown %j: %s', (expected, names, isFine) => {
    // The common name never counts, nor the host of the call.
    const verdict = tlsOf({ mode: 'simple', subjectAltNames: expected }).checkPeer('reviews', peer(names));
    expect(verdict === undefined).toBe(isFine);
    if (verdict !== undefined) expect(verdict.message).toContain(`expected ${expected.join(' or ')}`);
  });

  it('an empty list of names is none: the host is checked', () => {
    const { checkPeer } = tlsOf({ mode: 'simple', subjectAltNames: [] });
    expect(checkPeer('reviews', peer({ dns: ['reviews'] }))).toBeUndefined();
    expect(checkPeer('reviews', peer({ dns: ['ratings'] }))?.message).toContain('reviews');
  });

  it('the trust domain of a name is never that of this process', () => {
    // Nobody knows here which other names our domain has.
    const { checkPeer } = tlsOf({ mode: 'simple', subjectAltNames: ['spiffe://cluster.local/ns/default/sa/reviews'] });
    expect(checkPeer('reviews', peer({ uris: ['spiffe://a.test/ns/default/sa/reviews'] }))).toBeInstanceOf(PeerUntrusted);
  });

  it.each(['chain', 'none'] as const)('verify: %s takes any name', (verify) => {
    expect(tlsOf({ mode: 'simple', verify }).checkPeer('reviews', peer({}))).toBeUndefined();
    expect(tlsOf({ mode: 'simple', verify, subjectAltNames: ['x'] }).checkPeer('ratings', peer({ dns: ['reviews'] }))).toBeUndefined();
  });

  it('a pattern that cannot be is an error at load', () => {
    expect(() => tlsOf({ mode: 'simple', subjectAltNames: ['spiffe://cluster.local'] })).toThrow('because it has no path');
  });
});

describe('the identity of the peer', () => {
  const spiffe = 'spiffe://a.test/x';
  const leaf = root.issue({ uris: [spiffe] });
  const mine: Identity = { ...readIdentity({ chain: leaf.cert, key: leaf.key, roots: root.cert }, Date.now()), version: 1 };
  const shown = (options: LeafOptions): PeerCertificate =>
    ({ raw: new X509Certificate(root.issue(options).cert).raw }) as unknown as PeerCertificate;

  it.each<[string, Partial<TlsPolicy>, LeafOptions, boolean]>([
    ['the host', {}, { uris: [spiffe], dns: ['reviews'] }, true],
    ['another host', {}, { uris: [spiffe], dns: ['ratings'] }, false],
    ['anybody of a domain that is known', { verify: 'chain' }, { uris: [spiffe] }, true],
    ['nobody else', { verify: 'chain' }, { uris: ['spiffe://b.test/x'] }, false],
    ['whoever is named', { subjectAltNames: [spiffe] }, { uris: [spiffe] }, true],
    ['anything at all', { verify: 'none' }, {}, true],
  ])('%s', (_, policy, options, isFine) => {
    expect(tlsOf({ mode: 'mutual', ...policy }, mine).checkPeer('reviews', shown(options)) === undefined).toBe(isFine);
  });

  it('an empty list of names is none: the host is asked for', () => {
    const { checkPeer } = tlsOf({ mode: 'mutual', subjectAltNames: [] }, mine);
    expect(checkPeer('reviews', shown({ uris: [spiffe], dns: ['reviews'] }))).toBeUndefined();
    expect(checkPeer('reviews', shown({ uris: [spiffe], dns: ['ratings'] }))?.message).toContain('expected reviews');
  });

  it('with roots of its own the identity has no say in whom it meets', () => {
    const own = new X509Certificate(other.issue({ dns: ['reviews'] }).cert);
    const raw = { ...own.toLegacyObject(), raw: own.raw } as unknown as PeerCertificate;
    expect(tlsOf({ mode: 'mutual', ca: other.cert }, mine).checkPeer('reviews', raw)).toBeUndefined();
    expect(tlsOf({ mode: 'mutual', ca: other.cert }, mine).checkPeer('ratings', raw)).toBeInstanceOf(Error);
  });

  it('the chain was found by OpenSSL: what lies between, and was not shown to us, is not missed', () => {
    const between = root.below('between');
    const { raw } = new X509Certificate(between.issue({ uris: [spiffe], dns: ['reviews'] }).cert);
    expect(tlsOf({ mode: 'mutual' }, mine).checkPeer('reviews', { raw } as unknown as PeerCertificate)).toBeUndefined();
  });

  it('a certificate of this process is shown to its last millisecond, and not after it', () => {
    const clock = new VirtualClock(1_000, mine.notAfterMs - 1);
    const ofMesh = clientTls({ mode: 'mutual' }, { identity: mine, clock });
    const ofItsOwn = clientTls({ mode: 'mutual', cert: own.cert, key: own.key }, { identity: mine, clock });
    clock.advance(1);
    expect([ofMesh.unusable(), ofItsOwn.unusable()]).toEqual([null, null]);
    clock.advance(1);
    expect(ofMesh.unusable()).toBeInstanceOf(IdentityMissing);
    expect(ofMesh.unusable()?.message).toContain(new Date(mine.notAfterMs).toISOString());
    expect(ofItsOwn.unusable()).toBeNull();
  });
});
