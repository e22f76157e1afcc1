import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { loadAccess } from '../../src/access/load.ts';
import { EXTENSION_PROVIDER_DEFAULTS, type ExtensionProvider } from '../../src/model/extension-provider.ts';
import type { InboundConfig } from '../../src/model/inbound.ts';
import type { RequestAuthenticationPolicy, SecurityPolicy } from '../../src/model/security.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { allow, peer, policy, request, SELF } from './cases.ts';

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

function tokenPolicy(key: JWK): RequestAuthenticationPolicy {
  const { name, namespace, createdAtMs, source, scope } = allow();
  const rule = {
    issuer: 'https://issuer.test',
    audiences: [],
    jwks: JSON.stringify(key),
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
  return { kind: 'request-authentication', dialect: 'istio', name, namespace, createdAtMs, source, scope, rules: [rule] };
}

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
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwt = tokenPolicy(await exportJWK(publicKey));
    const { check } = await loadAccess(config([jwt]), SELF, { clock });
    expect(await check?.check(request({ headers: ['authorization', 'Bearer x'] }))).toMatchObject({ status: 401 });
    expect(check?.check(request())).toMatchObject({ status: 0 });
    const claims = { iss: 'https://issuer.test', sub: 'alice', exp: Math.floor(clock.wall() / 1_000) + 60 };
    const good = {
      headers: ['authorization', `Bearer ${await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)}`],
    };
    expect(await check?.check(request(good))).toMatchObject({ status: 0, jwt: { subject: 'alice' } });
    const { check: both } = await loadAccess(config([allow({ requestPrincipals: ['*'] }), jwt]), SELF, { clock });
    expect(await both?.check(request(good))).toMatchObject({ status: 0 });
    expect(await both?.check(request({ headers: ['authorization', 'Bearer x'] }))).toMatchObject({ status: 401 });
  });

  it('is nothing when its policies are about connections alone', async () => {
    const { name, namespace, createdAtMs, source, scope } = allow();
    const head = { dialect: 'istio', name, namespace, createdAtMs, source, scope } as const;
    const connections = { ...head, kind: 'peer-authentication', level: 'mesh', mode: 'strict', ports: {} } as const;
    expect((await loadAccess(config([connections]), SELF, { clock })).check).toBeNull();
  });

  it.each(['http', 'grpc'] as const)('is an authorizer that is asked in its own way, until it is closed: %s', async (kind) => {
    const server = createServer((_, response) => response.end('yes'));
    const left = new Promise<unknown>((resolve) => {
      server.once('connection', (socket) => socket.once('close', resolve));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { check, close } = await loadAccess(
      config([policy('custom', [{}], { provider: 'opa' })], [{ ...provider('opa', kind), port }]),
      SELF,
      {
        clock,
      },
    );
    // An answer of HTTP is none of gRPC.
    expect(await check?.check(request())).toMatchObject({ status: kind === 'http' ? 0 : 503 });
    close();
    await left;
    server.close();
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
