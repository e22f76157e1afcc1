// Many documents of one kind, each kind with another way to make an analyzer look at every pair; and the time they take.
import { systemClock } from '../../../src/core/clock.ts';
import { resolveConfig } from '../../../src/model/resolve.ts';
import { analyze } from '../../../src/yaml/analyze/analyze.ts';
import { type DocumentParser, documentParser } from '../../../src/yaml/document.ts';
import { sourceText } from '../../../src/yaml/frame.ts';
import { isResource, readResource, type Resource } from '../../../src/yaml/resource.ts';

export const parse: DocumentParser = await documentParser();
const base = resolveConfig({ services: { reviews: { endpoints: ['10.0.0.1:80'] } } });
if ('issues' in base) throw new Error('the base has faults');
export const { config } = base;

export function resourcesIn(text: string, file = 'mesh.yaml'): Resource[] {
  const source = sourceText(file, text);
  return parse(source)
    .documents.filter(isResource)
    .map((root, order) => readResource({ source, path: '/configs/mesh.yaml', root }, {}, order));
}

/** How long they take, ms. */
export function analysisMs(count: number, document: (i: number) => object): number {
  const resources = many(count, document);
  const from = systemClock.now();
  analyze(config, resources, { isWhole: true });
  return systemClock.now() - from;
}

/** 1,000 documents are what one text may hold. */
function many(count: number, document: (i: number) => object): Resource[] {
  return Array.from({ length: Math.ceil(count / 1_000) }, (_, part) => part).flatMap((part) => {
    const size = Math.min(1_000, count - part * 1_000);
    return resourcesIn(Array.from({ length: size }, (__, i) => JSON.stringify(document(part * 1_000 + i))).join('\n---\n'), `${part}.yaml`);
  });
}

const route = (host: string): object => ({ route: [{ destination: { host, subset: 'v1' } }] });
const head = (kind: string, name: string, group = 'networking.istio.io/v1'): object => ({ apiVersion: group, kind, metadata: { name } });

export const CROWDS: readonly (readonly [name: string, document: (i: number) => object])[] = [
  [
    'of 2,500 services',
    (i) => {
      const name = `svc-${Math.floor(i / 4)}`;
      const ports = [{ name: 'http', port: 80 }];
      return [
        { ...head('Service', name, 'v1'), spec: { selector: { app: name }, ports } },
        { ...head('VirtualService', name), spec: { hosts: [name], http: [route(name)] } },
        { ...head('DestinationRule', name), spec: { host: name, subsets: [{ name: 'v1', labels: { version: 'v1' } }] } },
        { ...head('Deployment', name, 'apps/v1'), spec: { template: { metadata: { labels: { app: name, version: 'v1' } } } } },
      ][i % 4] as object;
    },
  ],
  [
    'with rules for one host',
    (i) => ({ ...head('VirtualService', `vs-${i}`), spec: { hosts: ['reviews', `*.d${i}.com`], http: [route('missing')] } }),
  ],
  [
    'with rules for one wildcard, each for another namespace',
    (i) => ({
      ...head('VirtualService', `vs-${i}`),
      spec: { hosts: ['*.com'], exportTo: i % 2 === 0 ? [`ns-${i}`] : ['*'], http: [route('a.com')] },
    }),
  ],
  [
    'that select one another',
    (i) =>
      i % 2 === 0
        ? { apiVersion: 'v1', kind: 'Pod', metadata: { name: `p-${i}`, labels: { app: 'a', one: `l${i % 40}` } } }
        : { ...head('Sidecar', `s-${i}`), spec: { workloadSelector: { labels: { app: 'a' } }, egress: [{ hosts: ['./*'] }] } },
  ],
  [
    'with one port in many protocols',
    (i) => ({
      ...head('ServiceEntry', `se-${i}`),
      spec: { hosts: ['api.example.com'], ports: [{ number: 80, name: 'http', protocol: `P${i}` }] },
    }),
  ],
  [
    'with policies for namespaces that are not there',
    (i) => ({
      ...head('AuthorizationPolicy', `ap-${i}`, 'security.istio.io/v1'),
      spec: { rules: [{ from: [{ source: { namespaces: [`ns-${i}`, '*-x'] } }] }] },
    }),
  ],
];
