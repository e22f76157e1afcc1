// How drafts become services, whatever dialect they come from.
import { describe, expect, it } from 'vitest';
import type { MeshConfig } from '../../src/model/config.ts';
import type { EndpointSourceConfig } from '../../src/model/destination.ts';
import type { SourcePosition } from '../../src/model/route.ts';
import { resolveConfig } from '../../src/model/resolve.ts';
import { bind } from '../../src/yaml/bind.ts';
import type { ReadContext } from '../../src/yaml/dialect.ts';
import { documentParser } from '../../src/yaml/document.ts';
import type { BackendDraft, Drafts, PolicyDraft, RouteDraft, RoutesDraft, TargetDraft } from '../../src/yaml/draft.ts';
import { sourceText } from '../../src/yaml/frame.ts';
import { type Resource, readResource } from '../../src/yaml/resource.ts';

const parse = await documentParser();

function resource(name: string): Resource {
  const source = sourceText(`${name}.yaml`, `apiVersion: x/v1\nkind: X\nmetadata: { name: ${name} }\nspec: { a: 1, b: 2 }`);
  const [root] = parse(source).documents;
  if (root === undefined) throw new Error('the text is a document');
  return readResource({ source, path: `/${name}.yaml`, root }, {}, 0);
}

const REVIEWS = 'reviews.default.svc.cluster.local';
const own = resource('own');
const other = resource('other');

const origin = { resource: own, path: ['spec', 'a'] };
const target = (fields: Partial<TargetDraft> = {}): TargetDraft => ({ host: REVIEWS, weight: 1, path: ['spec', 'b'], ...fields });
const route = (fields: Partial<RouteDraft> = {}): RouteDraft => ({
  name: 'r',
  dialect: 'istio',
  matches: [],
  targets: [],
  mirrors: [],
  idempotent: false,
  ...fields,
});
const routes = (host: string, rules: readonly RouteDraft[], more: Partial<RoutesDraft> = {}): RoutesDraft => ({
  ...origin,
  host,
  dialect: 'istio',
  routes: rules,
  ...more,
});
const backend = (fields: Partial<BackendDraft>): BackendDraft => ({ ...origin, host: REVIEWS, dialect: 'istio', aliases: [], ...fields });
const policy = (fields: Partial<PolicyDraft>): PolicyDraft => ({ ...origin, host: REVIEWS, dialect: 'istio', policy: {}, ...fields });
const at = (address: string): EndpointSourceConfig => ({ kind: 'static', endpoints: [{ address, labels: {}, locality: '', weight: 1 }] });

interface World {
  readonly concise?: Parameters<typeof resolveConfig>[0];
  /** What the concise form wrote itself. */
  readonly written?: readonly string[];
  readonly lenient?: boolean;
}

interface Bound {
  readonly config: MeshConfig;
  readonly issues: readonly string[];
}

function bound(drafts: Partial<Drafts>, { concise = {}, written = [], lenient = false }: World = {}): Bound {
  // What was said once is not said again: each test says things of its own.
  own.report.issues.length = 0;
  other.report.issues.length = 0;
  const resolved = resolveConfig(concise);
  if ('issues' in resolved) throw new Error('the concise form is right');
  const base = resolved.config;
  const place = (name: string): SourcePosition | undefined =>
    written.includes(name) ? { file: 'mesh.yaml', line: 1, column: 1 } : undefined;
  const context: ReadContext = { self: base.self, hasIdentity: false, lenient, clusterDomain: 'cluster.local' };
  const config = bind(base, [{ backends: [], routes: [], policies: [], ...drafts }], {
    context,
    written: { service: (service, field) => place(`${service}.${field}`), defaults: (field) => place(`defaults.${field}`), top: place },
  });
  return {
    config,
    issues: [own, other].flatMap(({ report }) => report.issues.map(({ severity, code, message }) => `${severity} ${code} ${message}`)),
  };
}

const CONCISE = { services: { reviews: { endpoints: ['10.0.0.1:80'] } } };

describe('backends', () => {
  it('are services by short name where they are at home, and go by all their names', () => {
    const { config } = bound({
      backends: [backend({}), backend({ host: 'a.other.svc.cluster.local', aliases: ['a.alias'] }), backend({ host: 'b.example' })],
    });
    expect(Object.values(config.services).map(({ name, hosts }) => [name, hosts.join(' ')])).toEqual([
      ['reviews', `${REVIEWS} reviews reviews.default reviews.default.svc`],
      ['a.other', 'a.other.svc.cluster.local a.alias a.other a.other.svc'],
      ['b.example', 'b.example'],
    ]);
  });

  it('of several ports are several services; the first goes by the name alone, too', () => {
    const { config } = bound({ backends: [backend({ port: 80 }), backend({ port: 81, protocol: 'http2' })] });
    expect(
      Object.values(config.services).map(({ name, hosts, protocol, endpoints }) => [
        name,
        hosts.includes('reviews'),
        hosts.at(-1),
        protocol,
        endpoints,
      ]),
    ).toEqual([
      ['reviews', true, 'reviews.default.svc:80', 'http1', { kind: 'dns', host: REVIEWS, port: 80, record: 'any' }],
      ['reviews:81', false, 'reviews.default.svc:81', 'http2', { kind: 'dns', host: REVIEWS, port: 81, record: 'any' }],
    ]);
  });

  it('put their endpoints together, and never contradict the concise form', () => {
    const two = { backends: [backend({ endpoints: at('10.0.0.2:80') }), backend({ endpoints: at('10.0.0.3:80') })] };
    const addresses = ({ services }: MeshConfig): unknown =>
      services.reviews?.endpoints.kind === 'static' && services.reviews.endpoints.endpoints.map(({ address }) => address);
    expect(addresses(bound(two).config)).toEqual(['10.0.0.2:80', '10.0.0.3:80']);
    expect(addresses(bound(two, { concise: CONCISE }).config)).toEqual(['10.0.0.1:80']);
    expect(addresses(bound(two, { concise: { services: { reviews: { endpoints: [] } } } }).config)).toEqual(['10.0.0.2:80', '10.0.0.3:80']);
  });

  it('bring a route of their own until a document has routes', () => {
    const made = { backends: [backend({ route: route({ name: 'made' }) })] };
    expect(bound(made).config.services.reviews?.routes).toMatchObject([
      { name: 'made', dialect: 'istio', targets: [{ service: 'reviews' }] },
    ]);
    expect(
      bound({ ...made, routes: [routes(REVIEWS, [route({ name: 'said' })])] }).config.services.reviews?.routes.map(({ name }) => name),
    ).toEqual(['said']);
  });
});

describe('what is implied', () => {
  const implied = { circuitBreaker: null, timeoutMs: 7 };
  const shape = ({ config }: Bound): unknown => [config.services.reviews?.circuitBreaker?.kind ?? null, config.services.reviews?.timeoutMs];
  it.each([
    ['holds where nobody says anything', [], [null, 7]],
    ['gives way to the service', ['reviews.circuitBreaker'], ['ratio', 7]],
    ['gives way to the defaults of all services', ['defaults.timeoutMs'], [null, 30_000]],
  ])('%s', (_name, written, expected) => {
    expect(shape(bound({ policies: [policy({ implied })] }, { concise: CONCISE, written }))).toEqual(expected);
    expect(shape(bound({ backends: [backend({ implied })] }, { concise: CONCISE, written }))).toEqual(expected);
    expect(
      shape(bound({ routes: [routes(REVIEWS, [route({ targets: [target()] })], { implied })] }, { concise: CONCISE, written })),
    ).toEqual(expected);
  });

  it('gives way to what another document decides', () => {
    expect(shape(bound({ policies: [policy({ implied }), policy({ policy: { timeoutMs: 3 } })] }, { concise: CONCISE }))).toEqual([
      null,
      3,
    ]);
  });
});

describe('policies', () => {
  it('have one owner for each field', () => {
    const both = { policies: [policy({ policy: { timeoutMs: 3 } }), policy({ resource: other, policy: { timeoutMs: 4 } })] };
    expect(bound(both, { concise: CONCISE }).issues).toEqual([
      'error INM0012 timeoutMs of reviews is decided twice, first at own.yaml:4:9; keep one',
    ]);
    const lenient = bound(both, { concise: CONCISE, lenient: true });
    expect([lenient.config.services.reviews?.timeoutMs, lenient.issues]).toEqual([
      3,
      ['warning INM0012 timeoutMs of reviews is decided twice, first at own.yaml:4:9; keep one: the first is used'],
    ]);
    const written = bound({ policies: [policy({ policy: { timeoutMs: 3 } })] }, { concise: CONCISE, written: ['reviews.timeoutMs'] });
    expect(written.issues).toEqual(['error INM0012 timeoutMs of reviews is decided twice, first at mesh.yaml:1:1; keep one']);
  });

  it('keep the place of each field', () => {
    const { config } = bound(
      {
        policies: [
          policy({ policy: { timeoutMs: 3, protocol: 'http2' }, origins: { timeoutMs: { resource: other, path: ['spec', 'b'] } } }),
        ],
      },
      { concise: CONCISE },
    );
    expect(config.services.reviews?.sources).toEqual({
      timeoutMs: { file: 'other.yaml', line: 4, column: 15 },
      protocol: { file: 'own.yaml', line: 4, column: 9 },
    });
  });

  it('of a port make a service of it, with the routes and endpoints of the other', () => {
    const ports = { 81: { policy: { timeoutMs: 9 } } };
    const concise = { services: { reviews: { endpoints: ['10.0.0.1:80'], routes: [{ match: { path: '/x' }, to: 'reviews' }] } } };
    const { config } = bound({ policies: [policy({ policy: { timeoutMs: 3 }, ports })] }, { concise });
    expect(
      Object.values(config.services).map(({ name, hosts, timeoutMs, routes: rules }) => [
        name,
        hosts,
        timeoutMs,
        rules.map(({ targets }) => targets[0]?.service),
      ]),
    ).toEqual([
      ['reviews', ['reviews'], 3, ['reviews', 'reviews']],
      ['reviews:81', ['reviews:81'], 9, ['reviews:81', 'reviews:81']],
    ]);
  });

  it('of a subset make a service of it, when a rule leads there', () => {
    const draft = policy({
      policy: { timeoutMs: 3, subsets: { v1: { version: 'v1' } } },
      subsetPolicies: { v1: { policy: { timeoutMs: 4 } } },
    });
    expect(Object.keys(bound({ policies: [draft] }, { concise: CONCISE }).config.services)).toEqual(['reviews']);
    const { config } = bound(
      { policies: [draft], routes: [routes(REVIEWS, [route({ targets: [target({ subset: 'v1' })] })])] },
      { concise: CONCISE },
    );
    expect(config.services['reviews/v1']).toMatchObject({
      timeoutMs: 4,
      hosts: [],
      subsets: { '': { version: 'v1' } },
      routes: [{ targets: [{ service: 'reviews/v1', subset: '' }] }],
    });
    expect(config.services.reviews?.routes[0]?.targets).toEqual([{ service: 'reviews/v1', subset: '', weight: 1 }]);
  });

  it('for nobody are said', () => {
    expect(bound({ policies: [policy({ host: 'x.example', policy: { timeoutMs: 3 } })] }).issues).toEqual([
      'warning IST0174 no service has the host x.example, so this policy does nothing',
    ]);
  });

  it('agree about a subset, or one of them is wrong', () => {
    const same = { policies: [policy({ policy: { subsets: { v1: { a: 'b' } } } }), policy({ policy: { subsets: { v1: { a: 'b' } } } })] };
    expect(bound(same, { concise: { services: { reviews: { dns: 'a:80' } } } }).issues).toEqual([]);
    const differ = { policies: [...same.policies, policy({ policy: { subsets: { v1: { a: 'c' } } } })] };
    expect(bound(differ, { concise: { services: { reviews: { dns: 'a:80' } } } }).issues).toEqual([
      'error INM0012 reviews has a subset v1 already, with other labels; keep one',
    ]);
  });
});

describe('routes', () => {
  it('of the concise form and of a document are a conflict', () => {
    const { issues } = bound({ routes: [routes(REVIEWS, [route()])] }, { concise: CONCISE, written: ['reviews.routes'] });
    expect(issues).toEqual(['error IST0109 reviews has its routes twice, first at mesh.yaml:1:1; keep one']);
  });

  it('end in 404 unless the last takes every call', () => {
    const match = { headers: {}, queryParams: {}, port: 80 };
    const of = (rules: readonly RouteDraft[]): unknown =>
      bound({ routes: [routes('a.example', rules)] }).config.services['a.example']?.routes.map(({ name, directResponse }) => [
        name,
        directResponse?.status,
      ]);
    expect(of([route()])).toEqual([['r', undefined]]);
    expect(of([route({ matches: [match] })])).toEqual([
      ['r', undefined],
      ['no-route', 404],
    ]);
  });

  it.each([
    ['istio', 503],
    ['gateway-api', 500],
    ['smi', 503],
  ] as const)('of %s answer %d for a target that nobody knows', (dialect, status) => {
    const host = `${dialect}.example`;
    const { config, issues } = bound(
      { routes: [routes(REVIEWS, [route({ targets: [target({ host: host })] })], { dialect })] },
      { concise: CONCISE },
    );
    expect(config.services.reviews?.routes[0]?.targets[0]?.fails).toEqual({
      status,
      flag: 'NC',
      reason: `no service has the host ${host}`,
    });
    expect(issues).toHaveLength(1);
  });

  it('keep what the reader finds wrong by itself', () => {
    const fails = { status: 500, flag: 'NC', reason: 'not allowed' };
    const { config, issues } = bound({ routes: [routes(REVIEWS, [route({ targets: [target({ fails })] })])] }, { concise: CONCISE });
    expect([config.services.reviews?.routes[0]?.targets[0]?.fails, issues]).toEqual([fails, []]);
  });

  it('send no copies to nobody', () => {
    const mirror = { target: target({ host: 'x.example' }), percent: 100, hostSuffix: '', stripHeaders: [], bodyBytesMax: 1 };
    const { config, issues } = bound({ routes: [routes(REVIEWS, [route({ mirrors: [mirror] })])] }, { concise: CONCISE });
    expect([config.services.reviews?.routes[0]?.mirrors, issues]).toEqual([
      [],
      ['warning IST0101 no service has the host x.example; it gets no copies'],
    ]);
  });
});

describe('what can only be said late', () => {
  it('is asked in the order hides, routes, policies, with the hosts that are known then', () => {
    const seen: string[] = [];
    const { config } = bound(
      {
        backends: [backend({ host: 'a.example' }), backend({ host: 'b.example' })],
        late: {
          hides: ({ host }) => host === 'b.example',
          routes: ({ hosts }) => {
            seen.push(`routes ${hosts.map(({ host }) => host).join()}`);
            return [routes('new.example', [route({ targets: [target({ host: 'a.example' })] })])];
          },
          policies: ({ hosts, find }) => {
            seen.push(`policies ${hosts.map(({ host, isVirtual }) => `${host}${isVirtual ? '!' : ''}`).join()}`);
            return find({ host: 'a.example' }).map(({ host }) => policy({ host, policy: { timeoutMs: 5 } }));
          },
        },
      },
      { concise: CONCISE },
    );
    expect(seen).toEqual([`routes ${REVIEWS},a.example,b.example`, `policies ${REVIEWS},a.example,b.example,new.example!`]);
    expect(Object.keys(config.services)).toEqual(['reviews', 'a.example', 'new.example']);
    expect(config.services['a.example']?.timeoutMs).toBe(5);
  });
});

describe('what holds for the whole process', () => {
  const mesh = (fields: object, who = own): NonNullable<Drafts['mesh']>[number] => ({
    resource: who,
    path: ['spec', 'a'],
    dialect: 'istio',
    fields,
  });
  it('has one owner for each field; lists are put together', () => {
    const { config } = bound({ mesh: [mesh({ unknownHosts: 'refuse', passHosts: ['a'] }), mesh({ passHosts: ['a', 'b'] })] });
    expect([config.unknownHosts, config.passHosts]).toEqual(['refuse', ['a', 'b']]);
    const twice = [mesh({ unknownHosts: 'refuse' }), mesh({ unknownHosts: 'pass' }, other)];
    expect(bound({ mesh: twice }).issues).toEqual(['error INM0012 unknownHosts is decided twice, first at own.yaml:4:9; keep one']);
    expect(bound({ mesh: twice }, { lenient: true }).config.unknownHosts).toBe('refuse');
    expect(bound({ mesh: [mesh({ unknownHosts: 'refuse' })] }, { written: ['unknownHosts'] }).issues).toHaveLength(1);
  });
});
