// Documents that hold documents, and documents that nobody reads.
import { describe, expect, it } from 'vitest';
import { writeConfig } from '../../src/yaml/export.ts';
import { loadConfig } from '../../src/yaml/load.ts';
import { documents } from './istio/documents.ts';
import { goodText, issuesOfText } from './istio/load-text.ts';

const SERVICES = "services: { reviews: { endpoints: ['10.0.0.1:80'] } }";

const list = (kind: string): string => `apiVersion: v1
kind: ${kind}
metadata: { resourceVersion: '' }
items:
  - apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: { name: reviews }
    spec:
      hosts: [reviews]
      http: [{ timeout: 3s, route: [{ destination: { host: reviews } }] }]
  - apiVersion: v1
    kind: List
    items:
      - apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: { name: reviews }
        spec: { host: reviews, trafficPolicy: { connectionPool: { tcp: { maxConnections: 7 } } } }
`;

describe('a list of resources', () => {
  it.each(['List', 'VirtualServiceList'])('of kind %s is its items', async (kind) => {
    const text = documents(SERVICES, list(kind));
    expect(await issuesOfText(text)).toEqual([]);
    const { services } = await goodText(text);
    expect(services.reviews).toMatchObject({ limits: { maxConnections: 7 }, routes: [{ timeoutMs: 3_000 }] });
  });

  it('has its faults where they stand', async () => {
    const text = list('List').replace('timeout: 3s', 'timeoutt: 3s');
    expect(await issuesOfText(text)).toContainEqual(expect.stringMatching(/^10:16 error .*timeoutt.*timeout/));
  });

  it('has items, and each is a resource', async () => {
    expect(await issuesOfText('apiVersion: v1\nkind: List\nitems: [1, { spec: {} }]\n')).toHaveLength(4);
    expect(await issuesOfText('apiVersion: v1\nkind: List\nitems: []\n')).toEqual([]);
    expect(await issuesOfText('apiVersion: v1\nkind: List\n')).toEqual([expect.stringContaining('kind "List" of v1 is not read')]);
  });

  it('is written as single documents', async () => {
    const loaded = await loadConfig('mesh.yaml', {
      env: {},
      cwd: '/app',
      readFile: () => Promise.resolve(documents(SERVICES, list('List'))),
    });
    if ('issues' in loaded) throw new Error(JSON.stringify(loaded.issues));
    const { documents: written } = await writeConfig(loaded, 'istio');
    const kinds = written.filter(({ origin }) => origin === 'kept').map(({ kind, text }) => [kind, text.split('\n')[1]]);
    expect(kinds).toEqual([
      ['VirtualService', 'kind: VirtualService'],
      ['DestinationRule', 'kind: DestinationRule'],
    ]);
  });
});

describe('variables in what nobody reads', () => {
  it.each([
    'kind: Secret\nmetadata: { name: a }\nstringData: { script: "echo ${HOME_OF_NOBODY}" }',
    'kind: Pod\nmetadata: { name: a }\nspec: { containers: [{ args: ["${NOT_SET}"] }] }',
    'kind: ConfigMap\nmetadata: { name: a }\ndata: { nginx.conf: "proxy_pass ${upstream};" }',
  ])('do no harm: %s', async (text) => {
    expect(await issuesOfText(`apiVersion: v1\n${text}\n`)).toEqual([]);
  });

  it.each([
    'kind: ConfigMap\nmetadata: { name: a }\ndata: { ca.crt: "${NOT_SET}" }',
    'kind: Service\nmetadata: { name: a }\nspec: { type: ExternalName, externalName: "${NOT_SET}" }',
  ])('elsewhere they do: %s', async (text) => {
    expect(await issuesOfText(`apiVersion: v1\n${text}\n`)).toEqual([expect.stringContaining('NOT_SET')]);
  });
});
