// Which VirtualService has a host, and what delegates make of it.
import { describe, expect, it } from 'vitest';
import type { MeshConfig } from '../../../src/model/config.ts';
import { type DocumentHead, document, documents, SERVICES, virtualService } from './documents.ts';
import { goodText, issuesOfText } from './load-text.ts';

const TO = 'route: [ { destination: { host: ratings } } ]';

function hosts(list: string, http = `[ { name: own, ${TO} } ]`, head: DocumentHead = {}, more = ''): string {
  return document('VirtualService', `hosts: ${list}\nhttp: ${http}\n${more}`, head);
}

/** Names of the rules of each service. */
function rules({ services }: MeshConfig): Record<string, string> {
  return Object.fromEntries(Object.values(services).map(({ name, routes }) => [name, routes.map((route) => route.name).join(' ')]));
}

describe('hosts', () => {
  it('in short are those of the namespace of the rule', async () => {
    const text = documents(
      SERVICES,
      hosts('[reviews]', undefined, { namespace: 'other' }),
      hosts('[ratings.default.svc.cluster.local]', undefined, { name: 'y' }),
    );
    const { services } = await goodText(text);
    expect(rules(await goodText(text))).toEqual({ reviews: 'default', ratings: 'own', 'reviews.other': 'own' });
    expect(services['reviews.other']?.hosts).toEqual(['reviews.other.svc.cluster.local', 'reviews.other', 'reviews.other.svc']);
    expect(services.ratings?.hosts).toContain('ratings.default.svc');
  });

  it('that nobody answers for have their rules all the same', async () => {
    const { services } = await goodText(documents(SERVICES, hosts('[shop.example]')));
    expect(services['shop.example']).toMatchObject({
      hosts: ['shop.example'],
      routes: [{ name: 'own', targets: [{ service: 'ratings' }] }],
    });
  });

  it('by wildcard are those that are known, but for those with rules of their own', async () => {
    const entries = ['a', 'b', 'c'].map((name) =>
      document('ServiceEntry', `hosts: [${name}.x.example]\nports: [ { number: 80, name: http, protocol: HTTP } ]\nresolution: DNS`, {
        name,
      }),
    );
    const text = documents(
      SERVICES,
      ...entries,
      hosts('["*.example"]', `[ { name: wide, ${TO} } ]`, { name: 'wide' }),
      hosts('["*.x.example"]', `[ { name: near, ${TO} } ]`, { name: 'near' }),
      hosts('[b.x.example]', `[ { name: exact, ${TO} } ]`, { name: 'exact' }),
      hosts('["*.nobody"]', `[ { name: nobody, ${TO} } ]`, { name: 'nobody' }),
    );
    expect(rules(await goodText(text))).toMatchObject({
      'a.x.example': 'near',
      'b.x.example': 'exact',
      'c.x.example': 'near',
      '*.nobody': 'nobody',
    });
    expect(Object.keys((await goodText(text)).services)).not.toContain('*.example');
  });

  it('of two VirtualServices are an error with both places; with lenient the oldest is used', async () => {
    const young = hosts('[reviews]', `[ { name: young, ${TO} } ]`, { name: 'a', created: '2026-02-01T00:00:00Z' });
    const old = hosts('[reviews]', `[ { name: old, ${TO} } ]`, { name: 'b', created: '2026-01-01T00:00:00Z' });
    const text = documents(SERVICES, young, old);
    expect(await issuesOfText(text)).toEqual([
      '13:11 error IST0109 VirtualService default/b (mesh.yaml:20:19) has rules for reviews.default.svc.cluster.local already, and a mesh uses the oldest alone; put them together',
    ]);
    expect(rules(await goodText(text, { lenient: true }))).toMatchObject({ reviews: 'old' });
    expect((await issuesOfText(text, { lenient: true }))[0]).toMatch(/^13:11 warning IST0109 .*: these rules are not used$/);
  });

  it('of the concise form with routes of its own are an error with both places', async () => {
    const text = documents(
      `${SERVICES}    routes: [ { to: ratings } ]\n`.replace(
        "['10.0.1.1:80'] }",
        "['10.0.1.1:80'] }\n  x:\n    endpoints: ['10.0.2.1:80']",
      ),
      hosts('[x]'),
    );
    expect(await issuesOfText(text)).toEqual(['16:11 error IST0109 x has its routes twice, first at mesh.yaml:9:5; keep one']);
  });

  it.each([
    ['another namespace', 'exportTo: [other]', 'default'],
    ['its own', 'exportTo: ["."]', 'own'],
    ['all', 'exportTo: ["*"]', 'own'],
    ['gateways alone', 'gateways: [istio-system/ingress]', 'default'],
    ['gateways and the mesh', 'gateways: [istio-system/ingress, mesh]', 'own'],
  ])('of a VirtualService for %s', async (_name, more, expected) => {
    expect(rules(await goodText(documents(SERVICES, hosts('[reviews]', undefined, {}, more)))).reviews).toBe(expected);
  });

  it('the retries of whose rules nothing but their number limits', async () => {
    const { services } = await goodText(documents(SERVICES, hosts('[reviews]')));
    expect([services.reviews?.retryBudget.kind, services.ratings?.retryBudget.kind]).toEqual(['successes', 'none']);
    const said = await goodText(documents(`${SERVICES}defaults: { retryBudget: { tokens: 5 } }\n`, hosts('[reviews]')));
    expect(said.services.ratings?.retryBudget.kind).toBe('successes');
  });
});

describe('delegates', () => {
  const delegate = (http: string, name = 'child', more = ''): string =>
    document('VirtualService', `http: ${http}\n${more}`, { name, namespace: 'other' });
  const root = (rule: string): string =>
    virtualService(
      `[ { match: [ { uri: { prefix: /a } } ], name: root, ${rule} delegate: { name: child, namespace: other } }, { name: rest, route: [ { destination: { host: ratings } } ] } ]`,
    );

  it('take the place of the rule, with what it says and they do not', async () => {
    const child = delegate(
      '[ { name: one, match: [ { uri: { prefix: /a/b } }, { uri: { exact: /a/c }, headers: { x: {} } } ], timeout: 1s, route: [ { destination: { host: ratings.default.svc.cluster.local } } ] }, { route: [ { destination: { host: nobody } } ] } ]',
    );
    const text = documents(SERVICES, root('timeout: 5s, retries: { attempts: 7 },'), child);
    const routes = (await goodText(text)).services.reviews?.routes ?? [];
    expect(
      routes.map(({ name, timeoutMs, retries, matches }) => [name, timeoutMs, retries?.attempts, matches.map(({ path }) => path?.value)]),
    ).toEqual([
      ['root-one', 1_000, 7, ['/a/b', '/a/c']],
      ['root', 5_000, 7, ['/a']],
      ['rest', 0, 2, []],
    ]);
    expect(routes[0]?.sources?.retries?.line).toBe(14);
    expect(routes[0]?.sources?.timeoutMs?.line).toBe(21);
    expect(routes[1]?.targets[0]?.fails?.reason).toBe('no service has the host nobody.other.svc.cluster.local');
  });

  it.each([
    [
      'asks for other calls',
      '[ { match: [ { uri: { prefix: /b } } ], route: [ { destination: { host: x } } ] } ]',
      'this rule asks for calls that the rule which delegates to it (mesh.yaml:14:11) does not have, so it is dropped',
    ],
    [
      'asks for more calls',
      '[ { match: [ { uri: { prefix: / } } ], route: [ { destination: { host: x } } ] } ]',
      'this rule asks for calls',
    ],
    [
      'compares by pattern',
      '[ { match: [ { uri: { regex: "/a.*" } } ], route: [ { destination: { host: x } } ] } ]',
      'this rule asks for calls',
    ],
  ])('are dropped rule by rule when one %s', async (_name, http, message) => {
    const text = documents(SERVICES, root(''), delegate(http));
    const [issue] = await issuesOfText(text);
    expect(issue).toContain(`21:11 error INM0012 ${message}`);
    expect(rules(await goodText(text, { lenient: true })).reviews).toBe('rest');
  });

  it.each([
    [
      'is not there',
      delegate('[ { route: [ { destination: { host: x } } ] } ]', 'another'),
      'the delegate other/child cannot be had: there is none; calls of this rule go on to the next',
    ],
    [
      'has hosts',
      document('VirtualService', 'hosts: [y.example]\nhttp: [ { route: [ { destination: { host: ratings } } ] } ]', {
        name: 'child',
        namespace: 'other',
      }),
      'the delegate other/child cannot be had: it has hosts, and a delegate has none; calls of this rule go on to the next',
    ],
    [
      'is not shown',
      delegate('[ { route: [ { destination: { host: x } } ] } ]', 'child', 'exportTo: ["."]'),
      'the delegate other/child is not exported to default; calls of this rule go on to the next',
    ],
  ])('that %s are an error', async (_name, child, message) => {
    const text = documents(SERVICES, root(''), child);
    expect((await issuesOfText(text)).some((issue) => /^14:\d+ error IST0101 /.test(issue) && issue.endsWith(message))).toBe(true);
    expect(rules(await goodText(text, { lenient: true })).reviews).toBe('rest');
  });
});
