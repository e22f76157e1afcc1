// What the analyzers for Istio's documents do beyond Istio's own cases (test/conformance): the concise form beside them,
// what the load has said already, folders that are not a whole cluster.
import { describe, expect, it } from 'vitest';
import { checked } from './codes-of.ts';

const V = 'apiVersion: networking.istio.io/v1';

function virtualService(name: string, hosts: string, more: string, namespace = 'default'): string {
  return `---\n${V}\nkind: VirtualService\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec:\n  hosts: [${hosts}]\n${more}`;
}

function to(host: string, more = ''): string {
  return `  http: [{ route: [{ destination: { host: ${host}${more} } }] }]\n`;
}

async function codesOf(text: string, options = {}): Promise<readonly string[]> {
  return (await checked(text, options)).codes.filter((code) => code.startsWith('IST'));
}

describe('hosts', () => {
  it('of the concise form count', async () => {
    const reviews = 'services: { reviews: { endpoints: [10.0.0.1:80], hosts: [reviews.example.com] } }\n';
    expect(await codesOf(reviews + virtualService('a', 'reviews', to('reviews')))).toEqual([]);
    expect(await codesOf(reviews + virtualService('a', 'reviews', to('reviews.example.com')))).toEqual([]);
    expect(await codesOf(reviews + virtualService('a', 'reviews', to('reviews.other')))).toEqual(['IST0101']);
  });

  it('that nobody has are said once, with their subset and port', async () => {
    const rule = virtualService('a', 'reviews', to('ratings', ', subset: v1, port: { number: 80 }'));
    expect(await codesOf(`services: { reviews: { endpoints: [10.0.0.1:80] } }\n${rule}`)).toEqual(['IST0101']);
  });

  it('in a rule of a gateway are none of ours', async () => {
    expect(await codesOf(virtualService('a', 'shop.example.com', `  gateways: [ingress]\n${to('ratings')}`))).toEqual([]);
  });

  it('of a ServiceEntry may be wildcards', async () => {
    const entry = `---\n${V}\nkind: ServiceEntry\nmetadata: { name: e }\nspec: { hosts: ['*.example.com'], ports: [{ number: 80, name: http, protocol: HTTP }], resolution: NONE }\n`;
    const { findings } = await checked(entry + virtualService('a', 'x.example.com', to('y.example.com')));
    expect(findings.filter(({ code }) => code === 'IST0101')).toEqual([]);
  });
});

describe('conflicts', () => {
  const reviews = 'services: { reviews: { endpoints: [10.0.0.1:80] } }\n';
  const two = reviews + virtualService('a', 'reviews', to('reviews')) + virtualService('b', 'reviews', to('reviews'));

  it('are said once, by the load', async () => {
    expect(await codesOf(two)).toEqual(['IST0109']);
    expect(await codesOf(two, { lenient: true })).toEqual(['IST0109']);
  });

  it('beyond the sight of this process are found, too', async () => {
    const shop = virtualService('a', 'cart', `  exportTo: ['.']\n${to('reviews.default')}`, 'shop');
    const same = virtualService('b', 'cart', `  exportTo: ['.']\n${to('reviews.default')}`, 'shop');
    const { findings } = await checked(reviews + shop + same);
    expect(findings.filter(({ code }) => code === 'IST0109').map(({ resource }) => resource?.name)).toEqual(['a', 'b']);
  });

  it('are none between namespaces that do not see each other', async () => {
    const local = (namespace: string): string =>
      virtualService('a', 'api.example.com', `  exportTo: ['.']\n${to('reviews.default')}`, namespace);
    expect((await codesOf(reviews + local('one') + local('two'))).includes('IST0109')).toBe(false);
  });

  it('name a few of many', async () => {
    const many = Array.from({ length: 30 }, (_, i) =>
      virtualService(`vs-${i}`, 'cart', `  exportTo: ['.']\n${to('reviews.default')}`, 'shop'),
    );
    const { findings } = await checked(reviews + many.join(''));
    const found = findings.filter(({ code }) => code === 'IST0109');
    expect(found).toHaveLength(30);
    expect(found[0]?.message).toMatch(
      /^cart\.shop\.svc\.cluster\.local has rules here and in (VirtualService shop\/vs-\d+ \(\S+\)(, | and )){3}/,
    );
    expect(found[0]?.message).toMatch(/ and 26 more; a mesh uses the oldest, shop\/vs-0$/);
  });
});

describe('what a folder does not hold', () => {
  const policy = `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: p }\nspec:\n  selector: { matchLabels: { app: reviews } }\n  rules: [{ from: [{ source: { namespaces: [shop] } }] }]\n`;

  it('is missing only when the folder is a whole cluster', async () => {
    expect(await codesOf(policy, { isWhole: true })).toEqual(['IST0127', 'IST0101']);
    expect(await codesOf(policy, { isWhole: false })).toEqual([]);
  });

  const service =
    '---\napiVersion: v1\nkind: Service\nmetadata: { name: reviews }\nspec: { selector: { app: reviews }, ports: [{ name: http, port: 80 }] }\n';
  const rule = `---\n${V}\nkind: DestinationRule\nmetadata: { name: reviews }\nspec: { host: reviews, subsets: [{ name: v2, labels: { version: v2 } }] }\n`;
  const deployment = (version: string, app = 'reviews'): string =>
    `---\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: ${app}-${version} }\nspec: { template: { metadata: { labels: { app: ${app}, version: ${version} } } } }\n`;

  it.each([
    ['the workloads of the service, another version', deployment('v1'), ['IST0173']],
    ['the workloads of the service, the same version', deployment('v1') + deployment('v2'), []],
    ['workloads of other services', deployment('v1', 'ratings'), []],
    ['no workloads', '', []],
  ])('with %s', async (_what, more, expected) => {
    expect(await codesOf(service + rule + more, { isWhole: false })).toEqual(expected);
  });
});
