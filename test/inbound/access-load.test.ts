import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { loadAccess } from '../../src/inbound/access-load.ts';
import { EXTENSION_PROVIDER_DEFAULTS, type ExtensionProvider } from '../../src/model/extension-provider.ts';
import type { InboundConfig } from '../../src/model/inbound.ts';
import type { SecurityPolicy } from '../../src/model/security.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { allow, peer, policy, request, SELF } from './access-cases.ts';

const clock = new VirtualClock();

function config(policies: readonly SecurityPolicy[], extensionProviders?: readonly ExtensionProvider[]): InboundConfig {
  return { mtls: 'disable', admission: null, policies, ...(extensionProviders === undefined ? {} : { extensionProviders }) };
}

const provider = (name: string, kind: 'http' | 'grpc'): ExtensionProvider => ({
  ...EXTENSION_PROVIDER_DEFAULTS,
  name,
  kind,
  host: '127.0.0.1',
  port: 1,
  statusOnError: 503,
});

describe('what a configuration asks for', () => {
  it('is nothing when it has no policies', async () => {
    const { check, close } = await loadAccess({ mtls: 'disable', admission: null }, SELF, { clock });
    expect(check).toBeNull();
    close();
  });

  it('is what its policies say, with the names that the trust domain had', async () => {
    const trustDomains = { own: 'new.org', aliases: ['old.org'] };
    const { check } = await loadAccess(config([allow({ principals: ['old.org/ns/a/sa/b'] })]), SELF, { clock, trustDomains });
    expect(check?.check(request({ peer: peer('new.org/ns/a/sa/b') }))).toMatchObject({ status: 0 });
    expect(check?.check(request())).toMatchObject({ status: 403 });
  });

  it('is a function of yours alone', async () => {
    const { check } = await loadAccess(config([]), SELF, { clock, functions: [() => false] });
    expect(await check?.check(request())).toMatchObject({ status: 403 });
  });

  it('is tokens alone', async () => {
    const { publicKey } = await generateKeyPair('ES256');
    const { name, namespace, createdAtMs, source, scope } = allow();
    const rule = {
      issuer: 'https://issuer.test',
      audiences: [],
      jwks: JSON.stringify(await exportJWK(publicKey)),
      fetchTimeoutMs: 5_000,
      fromHeaders: [{ name: 'authorization', prefix: 'Bearer ' }],
      fromParams: [],
      fromCookies: [],
      forwardOriginalToken: false,
      outputClaimToHeaders: [],
      spaceDelimitedClaims: [],
      required: false,
      source,
    };
    const jwt = { kind: 'request-authentication', dialect: 'istio', name, namespace, createdAtMs, source, scope, rules: [rule] } as const;
    const { check } = await loadAccess(config([jwt]), SELF, { clock });
    expect(await check?.check(request({ headers: ['authorization', 'Bearer x'] }))).toMatchObject({ status: 401 });
    expect(check?.check(request())).toMatchObject({ status: 0 });
  });

  it.each(['http', 'grpc'] as const)('is the authorizers that are named, and no others: %s', async (kind) => {
    const policies = [policy('custom', [{ paths: ['/a'] }], { provider: 'opa' }), allow({})];
    const { check, close } = await loadAccess(config(policies, [provider('opa', kind), provider('other', 'http')]), SELF, { clock });
    expect(check?.check(request())).toMatchObject({ status: 0 });
    close();
    if (kind === 'http')
      expect(await check?.check(request({ target: '/a' }))).toMatchObject({ status: 503, decision: { reason: 'unanswered' } });
  });

  it('is a no where its authorizer is missing', async () => {
    const { check } = await loadAccess(config([policy('custom', [{}], { provider: 'opa' })], [provider('other', 'http')]), SELF, { clock });
    expect(await check?.check(request())).toMatchObject({ status: 403, decision: { reason: 'provider' } });
  });
});
