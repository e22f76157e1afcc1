// What the client side of a policy does in a handshake: what it shows, whom it takes, which TLS it speaks.
import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer, getCACertificates, setDefaultCACertificates, type TlsOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { readIdentity } from '../../src/identity/identity-material.ts';
import type { Identity } from '../../src/identity/identity-source.ts';
import { readCertificate } from '../../src/identity/certificate.ts';
import { issueCrl } from '../../src/identity/issue-certificate.ts';
import { type ClientTls, clientTls, missingTls, usesIdentity } from '../../src/identity/tls-context.ts';
import type { TlsPolicy } from '../../src/model/destination.ts';
import { authority, HOUR_MS, type Issued } from './certificates.ts';

const root = authority('root');
const other = authority('other');
const below = root.below('below');
const mine = root.issue({ uris: ['spiffe://a.test/client'] });
const own = root.issue({ dns: ['client'] });
const server = root.issue({ uris: ['spiffe://a.test/reviews'], dns: ['reviews'] });
const stranger = other.issue({ uris: ['spiffe://a.test/reviews'], dns: ['reviews'] });
const identity = identityOf(mine, root.cert);

function identityOf({ cert, key }: Issued, roots: string): Identity {
  return { ...readIdentity({ chain: cert, key, roots }, Date.now()), version: 1 };
}

interface Shaken {
  readonly protocol: string | null;
  /** Whose certificate the server saw. */
  readonly seen: 'mine' | 'own' | 'none';
}

/** null: refused. */
function shake(policy: TlsPolicy, options: TlsOptions, of: Identity | null = identity): Promise<Shaken | null> {
  return shakeBy(clientTls(policy, { identity: of, clock: systemClock }), options);
}

function shakeBy(tls: Pick<ClientTls, 'connect' | 'checkPeer'>, options: TlsOptions): Promise<Shaken | null> {
  return new Promise((resolve) => {
    const listening = createServer({ ca: root.cert, requestCert: true, rejectUnauthorized: false, ...options }, (socket) => {
      const raw = socket.getPeerX509Certificate()?.fingerprint256;
      const seen = raw === undefined ? 'none' : raw === new X509Certificate(mine.cert).fingerprint256 ? 'mine' : 'own';
      done({ protocol: socket.getProtocol(), seen });
      socket.destroy();
    });
    function done(shaken: Shaken | null): void {
      listening.close();
      resolve(shaken);
    }
    listening.on('tlsClientError', () => done(null));
    listening.listen(0, '127.0.0.1', () => {
      const { port } = listening.address() as AddressInfo;
      const { checkPeer: checkServerIdentity } = tls;
      const client = connect({ host: '127.0.0.1', port, servername: 'reviews', ...tls.connect, checkServerIdentity });
      // Until the name is checked, the server believes that all is well.
      client.once('error', () => done(null));
      client.once('secureConnect', () => client.resume());
    });
  });
}

describe('a handshake', () => {
  it.each<[string, TlsPolicy, TlsOptions, Shaken['seen'], string]>([
    ['simple shows nothing', { mode: 'simple', ca: root.cert }, server, 'none', 'TLSv1.3'],
    ['simple may be 1.2', { mode: 'simple', ca: root.cert }, { ...server, maxVersion: 'TLSv1.2' }, 'none', 'TLSv1.2'],
    ['mutual shows the identity', { mode: 'mutual' }, server, 'mine', 'TLSv1.3'],
    ['mutual may show its own, and takes the roots of the identity', { mode: 'mutual', ...own }, server, 'own', 'TLSv1.3'],
    ['a certificate without a key is none', { mode: 'mutual', cert: own.cert }, server, 'mine', 'TLSv1.3'],
    ['a key without a certificate is none', { mode: 'mutual', key: own.key }, server, 'mine', 'TLSv1.3'],
    ['mutual may bring roots', { mode: 'mutual', ca: other.cert }, stranger, 'mine', 'TLSv1.3'],
    [
      'mutual among ourselves may be told to take 1.2',
      { mode: 'mutual', minTls: '1.2' },
      { ...server, maxVersion: 'TLSv1.2' },
      'mine',
      'TLSv1.2',
    ],
    ['whoever it is, where nothing is verified', { mode: 'simple', verify: 'none' }, stranger, 'none', 'TLSv1.3'],
    ['mutual, where nothing is verified', { mode: 'mutual', ...own, webRoots: true, verify: 'none' }, stranger, 'own', 'TLSv1.3'],
  ])('%s', async (_, policy, options, seen, protocol) => {
    expect(await shake(policy, options)).toEqual({ seen, protocol });
  });

  const revoked = [readCertificate(server.cert).serial];
  const times = { thisUpdateMs: Date.now() - HOUR_MS, nextUpdateMs: Date.now() + HOUR_MS };

  it.each<[string, TlsPolicy, TlsOptions]>([
    ['mutual among ourselves is 1.3', { mode: 'mutual' }, { ...server, maxVersion: 'TLSv1.2' }],
    ['at least the version that is wanted', { mode: 'simple', ca: root.cert, minTls: '1.3' }, { ...server, maxVersion: 'TLSv1.2' }],
    ['nobody of other roots', { mode: 'mutual' }, stranger],
    ['nobody of the mesh, where the roots are of the web', { mode: 'mutual', webRoots: true }, server],
    ['nobody of the mesh, where the roots are others', { mode: 'mutual', ca: other.cert }, server],
    ['nobody who is revoked', { mode: 'simple', ca: root.cert, crl: issueCrl({ issuer: root.issuer, revoked, ...times }) }, server],
    ['nobody of another name', { mode: 'mutual', subjectAltNames: ['spiffe://a.test/ratings'] }, server],
  ])('takes %s', async (_, policy, options) => {
    expect(await shake(policy, options)).toBeNull();
  });

  it('ends at whatever the bundle holds, be it signed by itself or not', async () => {
    const { cert, key } = below.issue({ uris: ['spiffe://a.test/reviews'], dns: ['reviews'] });
    const narrow = identityOf(below.issue({ uris: ['spiffe://a.test/client'] }), below.cert);
    expect(await shake({ mode: 'mutual' }, { cert, key }, narrow)).toMatchObject({ protocol: 'TLSv1.3' });
    expect(await shake({ mode: 'mutual' }, server, narrow)).toBeNull();
  });
});

describe('a policy', () => {
  it.each<[TlsPolicy, boolean]>([
    [{ mode: 'simple' }, false],
    [{ mode: 'mutual' }, true],
    [{ mode: 'mutual', ...own }, true],
    [{ mode: 'mutual', cert: own.cert, ca: root.cert }, true],
    [{ mode: 'mutual', key: own.key, ca: root.cert }, true],
    [{ mode: 'mutual', ...own, ca: root.cert }, false],
    [{ mode: 'mutual', ...own, webRoots: true }, false],
  ])('%j uses the identity: %s', (policy, expected) => {
    expect(usesIdentity(policy)).toBe(expected);
  });

  it.each<TlsPolicy>([
    { mode: 'mutual', cert: own.cert, ca: root.cert },
    { mode: 'mutual', key: own.key, ca: root.cert },
  ])('half a pair needs an identity', (policy) => {
    expect(() => clientTls(policy, { identity: null, clock: systemClock })).toThrow('tls mode mutual needs cert, key and ca');
  });

  it('before the first identity trusts nobody, not even whom the web trusts', async () => {
    const { connect: options, serverName, unusable } = missingTls({ mode: 'mutual' }, 'not yet');
    expect([options.rejectUnauthorized, serverName, unusable()?.message]).toEqual([true, '', 'not yet']);
    const before = getCACertificates('default');
    setDefaultCACertificates([root.cert]);
    try {
      const checkPeer = (): undefined => undefined;
      expect(await shakeBy({ ...clientTls({ mode: 'simple' }, { identity: null, clock: systemClock }), checkPeer }, server)).not.toBeNull();
      expect(await shakeBy({ ...missingTls({ mode: 'mutual' }, 'not yet'), checkPeer }, server)).toBeNull();
    } finally {
      setDefaultCACertificates(before);
    }
  });
});
