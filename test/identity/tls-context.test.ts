import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { clientTls } from '../../src/identity/tls-context.ts';
import type { TlsPolicy } from '../../src/model/destination.ts';
import { authority } from './certificates.ts';

const root = authority('root');
const other = authority('other');
const own = root.issue({ dns: ['client'] });
const folder = mkdtempSync(join(tmpdir(), 'inmesh-tls-'));
const identity = { cert: own.cert, key: own.key, ca: root.cert };

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
    ['a chain', { mode: 'mutual', cert: own.cert + root.cert, key: own.key, ca: root.cert }],
  ])('%s', (_, policy) => {
    const { connect, serverName } = clientTls(policy, identity);
    expect([connect.rejectUnauthorized, serverName]).toEqual([true, '']);
    expect(connect.secureContext).toBeDefined();
  });

  it.each<[string, TlsPolicy, typeof identity | null, string]>([
    ['mutual without anything', { mode: 'mutual' }, null, 'tls mode mutual needs cert, key and ca'],
    ['mutual without roots', { mode: 'mutual', ...own }, null, 'tls mode mutual needs cert, key and ca'],
    ['a file that is not there', { mode: 'simple', ca: '/no/such/file.pem' }, null, 'the ca cannot be read from /no/such/file.pem'],
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
    expect(() => clientTls(policy, from)).toThrow(message);
  });

  it('simple never shows the certificate of the identity, nor trusts its roots', () => {
    const { connect } = clientTls({ mode: 'simple' }, identity);
    expect([connect.cert, connect.key, connect.ca]).toEqual([undefined, undefined, undefined]);
  });
});

describe('the name of the peer', () => {
  const peer = (subjectaltname?: string, commonName = 'x'): PeerCertificate =>
    ({ subject: { CN: commonName }, ...(subjectaltname === undefined ? {} : { subjectaltname }) }) as PeerCertificate;

  it.each([
    ['reviews', 'DNS:reviews', true],
    ['reviews', 'DNS:ratings', false],
    ['a.reviews', 'DNS:*.reviews', false],
    ['a.reviews.test', 'DNS:*.reviews.test', true],
    ['127.0.0.1', 'IP Address:127.0.0.1', true],
    ['127.0.0.1', 'DNS:127.0.0.1', false],
  ])('without subjectAltNames: %s shown %s: %s', (name, names, isFine) => {
    expect(clientTls({ mode: 'simple' }, null).checkPeer(name, peer(names)) === undefined).toBe(isFine);
  });

  const SPIFFE = 'spiffe://cluster.local/ns/default/sa/reviews';
  it.each([
    [[SPIFFE], `URI:${SPIFFE}`, true],
    [[SPIFFE], `DNS:reviews, URI:${SPIFFE}`, true],
    [['other', SPIFFE], `URI:${SPIFFE}`, true],
    [['reviews'], 'DNS:reviews', true],
    [['10.0.0.1'], 'IP Address:10.0.0.1', true],
    [[SPIFFE], 'URI:spiffe://cluster.local/ns/default/sa/ratings', false],
    [[SPIFFE], `URI:${SPIFFE}/`, false],
    [[SPIFFE], `URI:${SPIFFE.toUpperCase()}`, false],
    [[SPIFFE], `DNS:${SPIFFE}`, false],
    [['reviews'], 'URI:reviews', false],
    [['reviews'], 'DNS:*.reviews', false],
    [['reviews'], 'DNS:reviews2', false],
    [['reviews'], `DNS:"x\\u002c DNS:reviews"`, false],
    [['reviews'], undefined, false],
  ])('subjectAltNames %j shown %s: %s', (expected, names, isFine) => {
    // The common name never counts, nor the host of the call.
    const verdict = clientTls({ mode: 'simple', subjectAltNames: expected }, null).checkPeer('reviews', peer(names, 'reviews'));
    expect(verdict === undefined).toBe(isFine);
    if (verdict !== undefined) expect(verdict.message).toContain(`expected ${expected.join(' or ')}`);
  });
});
