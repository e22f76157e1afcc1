import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RedirectPolicy } from '../../src/model/traffic.ts';
import { redirect } from '../../src/route/redirect.ts';
import { loadRegex } from '../../src/route/regex.ts';
import { testCall } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const { replacer } = await loadRegex();
const deps = { clock: new VirtualClock(), replacer };

async function answerTo(policy: Partial<RedirectPolicy>, url: string) {
  const [scheme = '', rest = ''] = url.split('://');
  const slash = rest.indexOf('/');
  const call = testCall({ scheme, authority: rest.slice(0, slash), path: rest.slice(slash), destination: null });
  const reply = await redirect({ port: 'keep', status: 302, ...policy }, deps)(call);
  return { call, reply, location: String(reply.headers.location) };
}

const port = (wanted: RedirectPolicy['port'], more: Partial<RedirectPolicy> = {}): Partial<RedirectPolicy> => ({ port: wanted, ...more });
const host = 'example.org';

describe('redirect', () => {
  // Source: Gateway API conformance, HTTPRouteRedirectPortAndScheme (the port of the listener is that of the call),
  // HTTPRouteRedirectPort, HTTPRouteRedirectScheme, HTTPRouteRedirectHostAndStatus. Unset port: `keep` without a scheme, `scheme` with one.
  it.each([
    ['http://a/x', port('keep', { host }), 'http://example.org/x'],
    ['http://a/x', port(80, { host }), 'http://example.org/x'],
    ['http://a/x', port(8080, { host }), 'http://example.org:8080/x'],
    ['http://a/x', port('scheme', { host, scheme: 'https' }), 'https://example.org/x'],
    ['http://a/x', port(443, { host, scheme: 'https' }), 'https://example.org/x'],
    ['http://a/x', port(8443, { host, scheme: 'https' }), 'https://example.org:8443/x'],
    ['http://a:8080/x', port('keep', { host }), 'http://example.org:8080/x'],
    ['http://a:8080/x', port(80, { host }), 'http://example.org/x'],
    ['http://a:8080/x', port('scheme', { host, scheme: 'https' }), 'https://example.org/x'],
    ['https://a/x', port('keep', { host }), 'https://example.org/x'],
    ['https://a/x', port(443, { host }), 'https://example.org/x'],
    ['https://a/x', port(8443, { host }), 'https://example.org:8443/x'],
    ['https://a/x', port('scheme', { host, scheme: 'http' }), 'http://example.org/x'],
    ['https://a/x', port(80, { host, scheme: 'http' }), 'http://example.org/x'],
    ['https://a/x', port(8080, { host, scheme: 'http' }), 'http://example.org:8080/x'],
    ['http://a/x', port(8083), 'http://a:8083/x'],
    ['http://a:80/x', port('scheme', { scheme: 'https' }), 'https://a/x'],
  ])('Gateway API: %s, %j: %s', async (url, policy, expected) => {
    expect((await answerTo(policy, url)).location).toBe(expected);
  });

  // Source: Envoy `Utility::newUri`: a port in the host stays, unless it is the usual one of the scheme left, or a port is given.
  it.each([
    ['http://a:80/x', port('keep', { scheme: 'https' }), 'https://a/x'],
    ['https://a:443/x', port('keep', { scheme: 'http' }), 'http://a/x'],
    ['http://a:8080/x', port('keep', { scheme: 'https' }), 'https://a:8080/x'],
    ['http://a:8080/x', port(8181), 'http://a:8181/x'],
    ['http://[fe80::1]:8080/x', port(8181), 'http://[fe80::1]:8181/x'],
    ['http://[fe80::1]:8080/x', port('keep', { scheme: 'https' }), 'https://[fe80::1]:8080/x'],
    ['http://[fe80::1]/x', port('keep', { scheme: 'https' }), 'https://[fe80::1]/x'],
    ['http://a:8080/x', port('scheme', { host }), 'http://example.org/x'],
    // Ours: what the new scheme says already is not said again.
    ['http://a:443/x', port('keep', { scheme: 'https' }), 'https://a/x'],
    ['http://a:80/x', port('keep', { host }), 'http://example.org/x'],
    ['http://a/x', port('keep', { host: '::1' }), 'http://[::1]/x'],
    ['http://a/x', port(8080, { host: '[::1]' }), 'http://[::1]:8080/x'],
  ])('Envoy: %s, %j: %s', async (url, policy, expected) => {
    expect((await answerTo(policy, url)).location).toBe(expected);
  });

  it.each([
    ['http://a/x?y=1', { path: { kind: 'full', value: '/z' } }, 'http://a/z?y=1'],
    ['http://a/x?y=1', { path: { kind: 'full', value: '/z?q=2' } }, 'http://a/z?q=2'],
    ['http://a/x/b?y=1', { path: { kind: 'prefix', prefix: '/x', value: '/z', by: 'segment' } }, 'http://a/z/b?y=1'],
    ['http://a/x/b', { host, path: { kind: 'regex', pattern: '^/x/(.*)', substitution: '/\\1' } }, 'http://example.org/b'],
    ['http://a/x?y=1', {}, 'http://a/x?y=1'],
    ['http://a//x', {}, 'http://a//x'],
  ] as [string, Partial<RedirectPolicy>, string][])('path: %s, %j: %s', async (url, policy, expected) => {
    expect((await answerTo(policy, url)).location).toBe(expected);
  });

  it('answers OPTIONS * with a location all the same', async () => {
    const reply = await redirect({ port: 'keep', status: 302, host }, deps)(testCall({ method: 'OPTIONS', path: '*' }));
    expect(reply.headers.location).toBe('http://example.org/*');
  });

  it.each([301, 302, 303, 307, 308])('answers %i, without a body, and ends the call', async (status) => {
    const { call, reply } = await answerTo({ status, host }, 'http://a/x');
    expect([reply.status, reply.headers]).toEqual([status, { location: 'http://example.org/x', 'content-length': '0' }]);
    expect(call.outcome).toMatchObject({ kind: 'success', status, error: null, endedAtMs: 1_000 });
    const log: string[] = [];
    reply.attach({ onData: () => log.push('data') > 0, onEnd: () => log.push('end'), onError: () => log.push('error') });
    expect(log).toEqual(['end']);
  });

  const policies = fc.record(
    {
      scheme: fc.constantFrom('http', 'https'),
      host: fc.constantFrom('b', 'b.example', '[::1]'),
      port: fc.constantFrom('scheme', 'keep', 80, 443, 8080, 1),
      path: fc.constantFrom<NonNullable<RedirectPolicy['path']>>(
        { kind: 'full', value: '/z' },
        { kind: 'prefix', prefix: '/x', value: '/z', by: 'segment' },
      ),
    },
    { requiredKeys: ['port'] },
  ) as fc.Arbitrary<Partial<RedirectPolicy>>;
  const urls = fc
    .tuple(
      fc.constantFrom('http', 'https'),
      fc.constantFrom('a', '[fe80::1]'),
      fc.constantFrom('', ':80', ':443', ':8080'),
      fc.constantFrom('/x', '/x/y?q=1'),
    )
    .map(([scheme, name, colonPort, path]) => `${scheme}://${name}${colonPort}${path}`);

  it('property: the usual port of a scheme is never written, and who is redirected again is told the same', async () => {
    await fc.assert(
      fc.asyncProperty(policies, urls, async (policy, url) => {
        const { location } = await answerTo(policy, url);
        expect(location).not.toMatch(/^(http:\/\/[^/]*:80|https:\/\/[^/]*:443)\//);
        expect(new URL(location).href).toBe(location);
        expect((await answerTo(policy, location)).location).toBe(location);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
