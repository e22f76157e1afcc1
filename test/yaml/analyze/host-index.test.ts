import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/model/resolve.ts';
import { HostIndex, scopesOf } from '../../../src/yaml/analyze/host-index.ts';
import { WorkloadIndex } from '../../../src/yaml/analyze/workload-index.ts';
import { documentParser } from '../../../src/yaml/document.ts';
import { sourceText } from '../../../src/yaml/frame.ts';
import { isResource, readResource } from '../../../src/yaml/resource.ts';
import { World } from '../../../src/yaml/world.ts';

const parse = await documentParser();

function worldOf(text: string): World {
  const source = sourceText('a.yaml', text);
  const world = new World();
  for (const [order, root] of parse(source).documents.filter(isResource).entries()) {
    world.add(readResource({ source, path: '/a.yaml', root }, {}, order));
  }
  return world;
}

const resolved = resolveConfig({
  services: {
    orders: { endpoints: ['10.0.0.1:80'], hosts: ['orders.example.com'] },
    jobs: { endpoints: [] },
    versions: { endpoints: [{ address: '10.0.0.1:80', labels: { version: 'v1' } }], subsets: { v1: { version: 'v1' } } },
  },
});
if ('issues' in resolved) throw new Error('the configuration has faults');
const { config } = resolved;

const HOSTS = `apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: shop }
spec: { ports: [{ port: 80 }, { port: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: secret, namespace: shop, annotations: { networking.istio.io/exportTo: 'audit, .' } }
spec: { ports: [{ port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: wild, namespace: shop }
spec: { hosts: ['*.example.org'], exportTo: ['.'], ports: [{ number: 443, name: https, protocol: HTTPS }] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: hidden, namespace: shop }
spec: { hosts: [orders.example.com], exportTo: [audit], ports: [{ number: 80, name: http, protocol: HTTP }] }
`;

describe('the hosts', () => {
  const index = new HostIndex(worldOf(HOSTS), config);
  it.each<[string, string, readonly string[], readonly number[] | null | 'none']>([
    ['reviews', 'shop', [], [80, 8080]],
    ['reviews', 'default', [], 'none'],
    ['reviews.shop.svc.cluster.local', 'default', [], [80, 8080]],
    ['Reviews', 'shop', [], [80, 8080]],
    ['secret', 'shop', [], [80]],
    ['secret.shop.svc.cluster.local', 'audit', [], [80]],
    ['secret.shop.svc.cluster.local', 'default', [], 'none'],
    ['secret', 'shop', ['audit'], [80]],
    ['secret', 'shop', ['default'], 'none'],
    ['a.example.org', 'shop', [], [443]],
    ['*.example.org', 'shop', [], [443]],
    ['a.example.org', 'default', [], 'none'],
    ['example.org', 'shop', [], 'none'],
    // A document shows it to others only, whatever the concise form says.
    ['orders.example.com', 'default', [], 'none'],
    ['orders.example.com', 'audit', [], [80]],
    ['a.orders.example.com', 'default', [], 'none'],
    ['orders', 'default', [], null],
    ['orders', 'shop', [], 'none'],
    ['jobs', 'default', [], 'none'],
    ['', 'default', [], 'none'],
  ])('%s, seen from %s, shown to %j: %j', (host, namespace, exportTo, expected) => {
    const found = index.find(host, namespace, exportTo);
    expect(found === null ? 'none' : found.ports === null ? null : [...found.ports]).toEqual(expected);
  });

  it('have the subsets of the services', () => {
    expect(index.hasSubset('versions.default.svc.cluster.local', 'v1')).toBe(true);
    expect(index.hasSubset('versions.default.svc.cluster.local', 'v2')).toBe(false);
  });

  it.each([
    [[], ['*']],
    [['.'], ['shop']],
    [
      ['audit', '.', 'audit'],
      ['audit', 'shop'],
    ],
    [['.', '*'], ['*']],
  ])('exportTo %j is seen by %j', (exportTo, scopes) => {
    expect(scopesOf(exportTo, 'shop')).toEqual(scopes);
  });
});

const WORKLOADS = `apiVersion: v1
kind: Node
metadata: { name: n1, labels: { topology.kubernetes.io/region: r1, topology.kubernetes.io/zone: '' } }
---
apiVersion: v1
kind: Pod
metadata: { name: a, labels: { app: a, version: v1 } }
spec: { nodeName: n1 }
---
apiVersion: v1
kind: Pod
metadata: { name: a-too, labels: { version: v1, app: a } }
spec: { nodeName: n1 }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: b, namespace: shop }
spec: { template: { metadata: { labels: { app: a } } } }
`;

describe('the workloads', () => {
  const index = new WorkloadIndex(worldOf(WORKLOADS));
  it.each<[string, Readonly<Record<string, string>>, string | undefined, readonly string[]]>([
    ['all', {}, undefined, ['a', 'b']],
    ['of a namespace', {}, 'shop', ['b']],
    ['with a label', { app: 'a' }, undefined, ['a', 'b']],
    ['with two labels', { app: 'a', version: 'v1' }, undefined, ['a']],
    ['on a node of a region', { 'topology.kubernetes.io/region': 'r1' }, 'default', ['a']],
    ['on a node of no zone', { 'topology.kubernetes.io/zone': '' }, undefined, []],
    ['with a label that nobody has', { app: 'z' }, undefined, []],
  ])('%s', (_what, labels, namespace, names) => {
    expect(index.select(labels, namespace).map(({ name }) => name)).toEqual(names);
  });
});
