// Which roots speak for whom.
import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../src/identity/certificate.ts';
import { pemBytes } from '../../src/identity/pem.ts';
import { type TrustSource, trustOf } from '../../src/identity/trust.ts';
import { verifyPeer } from '../../src/identity/verify-peer.ts';
import { authority } from './certificates.ts';

const root = authority('root');
const { subject } = readCertificate(root.cert);

function source(more: Partial<TrustSource> = {}, ...domains: string[]): TrustSource {
  return { bundles: new Map(domains.map((domain) => [domain, [root.cert]])), crls: [], spiffeId: 'spiffe://a.test/me', ...more };
}

describe('trust', () => {
  it('knows the own domain by all its names', () => {
    expect(trustOf(source()).local).toEqual({ name: 'a.test', aliases: [] });
    expect(trustOf(source({ trustDomainAliases: ['b.test'] }), ['c.test']).local.aliases).toEqual(['b.test', 'c.test']);
    expect(trustOf(source({ spiffeId: '' })).local.name).toBe('');
  });

  it('an alias has the roots of the own domain, nobody else has', () => {
    const trust = trustOf(source({}, 'a.test'), ['b.test']);
    expect(['a.test', 'b.test', 'c.test'].map((domain) => trust.rootsOf(domain)?.map((one) => one.subject))).toEqual([
      [subject],
      [subject],
      undefined,
    ]);
  });

  it.each([
    [['a.test'], true, true],
    [['a.test', ''], false, true],
    [['a.test', 'b.test'], false, true],
    [[''], false, false],
  ])('of %j: one domain %s, SPIFFE %s', (domains, isOneDomain, isSpiffe) => {
    expect(trustOf(source({}, ...domains))).toMatchObject({ isOneDomain, isSpiffe });
  });
});

describe('a peer without a SPIFFE ID', () => {
  const checks = { trust: trustOf(source({}, '')), expected: null, side: 'client' } as const;

  it('has no domain, namespace or account', () => {
    const cert = root.issue({ dns: ['x.test'] }).cert;
    expect(verifyPeer([pemBytes(cert)], checks, Date.now())).toMatchObject({
      spiffeId: '',
      trustDomain: '',
      namespace: '',
      serviceAccount: '',
      dns: ['x.test'],
    });
  });

  it('is called by all its names', () => {
    const cert = root.issue({ dns: ['x.test', 'y.test'] }).cert;
    const expected = { text: 'z.test', fits: () => false };
    expect(verifyPeer([pemBytes(cert)], { ...checks, expected } as never, Date.now())).toMatchObject({
      message: 'the peer shows "x.test", "y.test", expected z.test',
    });
  });
});
