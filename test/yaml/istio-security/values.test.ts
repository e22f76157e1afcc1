// What the values of security documents may be, word for word as Istio has it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuthorizationPolicy, SecurityPolicy } from '../../../src/model/security.ts';
import { attributeOf } from '../../../src/yaml/istio/security/attributes.ts';
import {
  accountFault,
  addressFault,
  pathFault,
  portFault,
  trustDomainFault,
  wildcardFault,
} from '../../../src/yaml/istio/security/check-values.ts';
import { keySetFault, privateKeyAt } from '../../../src/yaml/istio/security/key-set.ts';
import { goodText, issuesOfText } from '../istio/load-text.ts';

describe('values', () => {
  it.each<[string, (value: string) => string | null, readonly string[], readonly string[]]>([
    ['addresses', addressFault, ['10.0.0.1', '10.0.0.0/8', '::1', '2001:db8::/32'], ['', '10.0.0', '10.0.0.0/33', '*', 'a']],
    ['ports', portFault, ['0', '80', '65535'], ['65536', '-1', '80a', '', 'http']],
    ['accounts', accountFault, ['a', 'ns/a'], ['a*', 'a/b/c', '/a', 'a/', '', 'x'.repeat(321)]],
    ['wildcards', wildcardFault, ['*', 'a*', '*a', 'a', ''], ['*a*', 'a*b', '**']],
    ['trust domains', trustDomainFault, ['td', '*.td', 'td*'], ['td/x', '*td*']],
    [
      'paths',
      pathFault,
      ['/a', '/a*', '*', '/{*}', '/a/{*}/b', '/a/{**}', '/{*}/{**}', '/a/{**}/b'],
      ['/{**}/{*}', '/{**}/{**}', '/{a}', '/a{*}', '/{*}b', '/{*}/a b', '/{', '/}'],
    ],
  ])('%s', (_, fault, good, bad) => {
    for (const value of good) expect([value, fault(value)]).toEqual([value, null]);
    for (const value of bad) expect([value, fault(value)]).toEqual([value, expect.any(String)]);
  });

  it.each([
    'request.headers[x-user]',
    'source.ip',
    'remote.ip',
    'source.namespace',
    'source.principal',
    'request.auth.principal',
    'request.auth.audiences',
    'request.auth.presenter',
    'request.auth.claims[iss]',
    'request.auth.claims[a][b]',
    'destination.ip',
    'destination.port',
    'connection.sni',
    'experimental.envoy.filters.network.mysql_proxy[db.table]',
  ])('the attribute %s is known', (key) => {
    expect(attributeOf(key)).not.toBeTypeOf('string');
  });

  it.each([
    ['request.headers', 'write it as request.headers[name]'],
    ['request.headers[]', 'write it as request.headers[name]'],
    ['request.auth.claims', 'write it as request.auth.claims[name]'],
    ['source.ips', 'there is no such attribute'],
    ['destination.labels[version]', 'the selector of the policy says it instead'],
    ['destination.namespace', 'the namespace of the policy says it instead'],
    ['experimental.envoy.filters.a', 'write it as a[b]'],
  ])('the attribute %s is not: %s', (key, fault) => {
    expect(attributeOf(key)).toBe(fault);
  });

  it.each([
    ['{"keys":[]}', null, -1],
    ['{"keys":[{"kty":"RSA","n":"a","e":"b"}]}', null, -1],
    ['{"kty":"EC"}', null, -1],
    ['{"keys":[{"kty":"RSA"},{"kty":"EC","d":"x"}]}', null, 1],
    ['{"keys":[{"kty":"oct","k":"x"}]}', null, 0],
    ['{', 'it is no JSON', -1],
    ['[]', 'it is no object', -1],
    ['{"keys":{}}', 'keys is no list', -1],
    ['{"keys":[1]}', 'a key is no object', -1],
    ['{"keys":[{}]}', 'key 0 has no kty', -1],
  ])('the key set %s', (jwks, fault, privateAt) => {
    expect([keySetFault(jwks), privateKeyAt(jwks)]).toEqual([fault, privateAt]);
  });
});

async function policiesOf(text: string): Promise<readonly SecurityPolicy[]> {
  return (await goodText(text)).inbound.policies ?? [];
}

describe('an AuthorizationPolicy', () => {
  it('is kept as it is written', async () => {
    const word = fc.constantFrom('a', 'b*', '*c', '*');
    const words = fc.array(word, { maxLength: 3 });
    const lists = fc.record({ principals: words, notPrincipals: words, namespaces: words, notNamespaces: words });
    const operations = fc.record({ methods: words, notMethods: words, hosts: words, notHosts: words });
    const isSaid = (one: object): boolean => Object.values(one).some((values: readonly string[]) => values.length > 0);
    await fc.assert(
      fc.asyncProperty(
        lists.filter(isSaid),
        operations.filter(isSaid),
        fc.constantFrom('ALLOW', 'DENY'),
        async (source, operation, action) => {
          const spec = { action, rules: [{ from: [{ source }], to: [{ operation }] }] };
          const head = 'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: a, namespace: n }\n';
          const [policy] = (await policiesOf(`${head}spec: ${JSON.stringify(spec)}\n`)) as AuthorizationPolicy[];
          const [rule] = policy?.rules ?? [];
          const match = (values: readonly string[], notValues: readonly string[]): object | undefined =>
            values.length + notValues.length === 0 ? undefined : { values, notValues };
          expect([policy?.action, policy?.dialect, policy?.scope.namespace]).toEqual([action.toLowerCase(), 'istio', 'n']);
          const { principals, notPrincipals, namespaces, notNamespaces } = source;
          const { methods, notMethods, hosts, notHosts } = operation;
          expect(rule?.from[0]).toEqual(
            JSON.parse(JSON.stringify({ principals: match(principals, notPrincipals), namespaces: match(namespaces, notNamespaces) })),
          );
          expect(rule?.to[0]).toEqual(JSON.parse(JSON.stringify({ methods: match(methods, notMethods), hosts: match(hosts, notHosts) })));
        },
      ),
      { numRuns: 1000, seed: 1 },
    );
  }, 30_000);

  it('of the root namespace is for all, of any other for its own', async () => {
    const text = (namespace: string): string =>
      `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: a, namespace: ${namespace} }\nspec: {}\n`;
    const [root, own] = await policiesOf(`${text('istio-system')}---\n${text('shop')}`);
    expect([root, own].map((policy) => (policy as AuthorizationPolicy).scope.namespace).sort()).toEqual(['', 'shop']);
  });

  it.each([
    ['{ action: DENY }', 'DENY without rules never happens'],
    ['{ action: CUSTOM, rules: [{}] }', 'CUSTOM needs provider.name'],
    ['{ action: ALLOW, provider: { name: a } }', 'provider goes with the action CUSTOM alone'],
    ['{ rules: [{ from: [] }] }', 'from must not be empty'],
    ['{ rules: [{ from: [{ source: {} }] }] }', 'source must not be empty'],
    ['{ rules: [{ when: [{ key: source.ip }] }] }', 'needs values or notValues'],
    ['{ rules: [{ when: [{ key: source.ips, values: [a] }] }] }', 'did you mean "source.ip"?'],
    [
      '{ action: CUSTOM, provider: { name: a }, rules: [{ from: [{ source: { principals: [a] } }] }] }',
      'is not known yet where CUSTOM is decided',
    ],
    ['{ rules: [{ from: [{ source: { serviceAccounts: [a], namespaces: [b] } }] }] }', 'serviceAccounts cannot be set with namespaces'],
    ['{ selector: { matchLabels: { a: b } }, targetRefs: [{ kind: Service, name: s }] }', 'only one of selector, targetRef and targetRefs'],
    ['{ rulez: [] }', 'did you mean "rules"?'],
    ['{ action: PERMIT }', 'must be one of ALLOW, DENY, AUDIT, CUSTOM'],
  ])('%s: %s', async (spec, message) => {
    const text = `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: a }\nspec: ${spec}\n`;
    expect((await issuesOfText(text)).join('\n')).toContain(message);
  });
});
