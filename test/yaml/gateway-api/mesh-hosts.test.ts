import { describe, expect, it } from 'vitest';
import type { ParentRefSpec } from '../../../src/yaml/gateway-api/route-spec.ts';
import { goodText, issuesOfText } from '../istio/load-text.ts';
import { grpcRoute, httpRoute, self, service, text } from './route-documents.ts';

const echo = (more: Partial<ParentRefSpec> = {}): ParentRefSpec[] => [
  { group: '', kind: 'Service', name: 'echo', namespace: 'bank', ...more },
];
const rules = [{ backendRefs: [{ name: 'echo', namespace: 'bank', port: 80 }] }];
const ECHO = service('echo', 'bank');

async function routeNames(...documents: readonly unknown[]): Promise<string[] | undefined> {
  const { services } = await goodText(text(...documents));
  return Object.values(services)
    .find(({ hosts }) => hosts.includes('echo.bank.svc.cluster.local'))
    ?.routes.map(({ name }) => name);
}

describe('routes of Services', () => {
  const producer = httpRoute({ parentRefs: echo(), rules }, { name: 'producer', namespace: 'bank' });
  const consumer = httpRoute({ parentRefs: echo(), rules }, { name: 'consumer', namespace: 'shop' });

  it.each<[string, string, unknown[], string[]]>([
    ['of its owner', 'shop', [producer], ['bank/producer/0']],
    ['of this process, in place of its owner', 'shop', [producer, consumer], ['shop/consumer/0']],
    ['of somebody else: not for us', 'else', [consumer], ['default']],
    ['of its owner, whatever others do', 'else', [producer, consumer], ['bank/producer/0']],
  ])('%s', async (_title, namespace, routes, names) => {
    expect(await routeNames(self(namespace), ECHO, ...routes)).toEqual(names);
  });

  it('puts routes of one side together', async () => {
    const matched = [{ matches: [{ path: { value: '/a' } }], ...rules[0] }];
    const more = httpRoute({ parentRefs: echo(), rules: matched }, { name: 'a', namespace: 'bank' });
    expect(await routeNames(self('shop'), ECHO, producer, more)).toEqual(['bank/a/0', 'bank/producer/0']);
  });

  it('answers 404 to what no rule matches', async () => {
    const matched = [{ matches: [{ path: { value: '/a' } }], ...rules[0] }];
    const { services } = await goodText(text(self('bank'), ECHO, httpRoute({ parentRefs: echo(), rules: matched }, { namespace: 'bank' })));
    expect(services.echo?.routes.at(-1)).toMatchObject({ matches: [], directResponse: { status: 404 } });
  });

  it('lets GRPCRoutes go first, and says so', async () => {
    const grpc = grpcRoute({ parentRefs: echo(), rules }, { name: 'calls', namespace: 'bank' });
    expect((await issuesOfText(text(self('shop'), ECHO, producer, grpc))).join()).toContain('error INM0012 GRPCRoute bank/calls');
    const { services } = await goodText(text(self('bank'), ECHO, producer, grpc), { lenient: true });
    expect(services.echo?.routes.map(({ name }) => name)).toEqual(['bank/calls/0']);
    expect(services.echo?.protocol).toBe('http2');
  });

  it('knows ports by number and by name', async () => {
    const two = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'echo', namespace: 'bank' },
      spec: {
        ports: [
          { name: 'one', port: 80 },
          { name: 'two', port: 81 },
        ],
      },
    };
    const { services } = await goodText(
      text(self('bank'), two, httpRoute({ parentRefs: echo({ sectionName: 'two' }), rules }, { name: 'x', namespace: 'bank' })),
    );
    expect([services.echo?.routes[0]?.name, services['echo:81']?.routes[0]?.name]).toEqual(['default', 'bank/x/0']);
  });

  it('gives way to the routes of the concise form only with a word', async () => {
    const concise = { services: { echo: { endpoints: ['10.0.0.1:80'], routes: [{ to: 'echo' }] } } };
    const issues = await issuesOfText(text({ ...(self('bank') as object), ...concise }, ECHO, producer));
    expect(issues.join()).toContain('has its routes twice');
  });
});
