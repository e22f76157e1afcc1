import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { goodText, issuesOfText } from '../istio/load-text.ts';

const text = (...documents: readonly unknown[]): string => documents.map((one) => stringify(one)).join('---\n');

const service = (spec: unknown, name = 'cart', namespace = 'default'): unknown => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec,
});

const slice = (endpoints: readonly unknown[], more: Record<string, unknown> = {}): unknown => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'cart-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'cart' } },
  addressType: 'IPv4',
  endpoints,
  ports: [{ port: 3000 }],
  ...more,
});

describe('Services', () => {
  it('are called by every name that a cluster has for them', async () => {
    const { services } = await goodText(
      text(service({ clusterIP: '10.1.2.3', ports: [{ port: 80 }] }), service({ ports: [{ port: 80 }] }, 'cart', 'bank')),
    );
    const full = ['', '.default', '.default.svc', '.default.svc.cluster.local'].map((suffix) => `cart${suffix}`);
    expect([...(services.cart?.hosts ?? [])].sort()).toEqual([...full, '10.1.2.3'].flatMap((host) => [host, `${host}:80`]).sort());
    expect(services['cart.bank']?.hosts).not.toContain('cart');
  });

  it('have one service for each port; the name alone means the first', async () => {
    const { services } = await goodText(
      text(
        service({
          ports: [
            { name: 'a', port: 80 },
            { name: 'grpc', port: 81 },
            { name: 'd', port: 53, protocol: 'UDP' },
          ],
        }),
      ),
    );
    expect(Object.keys(services)).toEqual(['cart', 'cart:81']);
    expect([services.cart?.protocol, services['cart:81']?.protocol]).toEqual(['http1', 'http2']);
    expect([services.cart?.hosts.includes('cart'), services['cart:81']?.hosts.includes('cart')]).toEqual([true, false]);
  });

  it.each<[string, unknown, unknown]>([
    ['by DNS when nobody says more', { ports: [{ port: 80 }] }, { kind: 'dns', host: 'cart.default.svc.cluster.local', port: 80 }],
    ['headless: the port of the pods', { clusterIP: 'None', ports: [{ port: 80, targetPort: 8080 }] }, { kind: 'dns', port: 8080 }],
    ['headless, by name: nobody knows better', { clusterIP: 'None', ports: [{ port: 80, targetPort: 'web' }] }, { kind: 'dns', port: 80 }],
    [
      'elsewhere',
      { type: 'ExternalName', externalName: 'x.example', ports: [{ port: 443 }] },
      { kind: 'dns', host: 'x.example', port: 443 },
    ],
  ])('answer %s', async (_title, spec, endpoints) => {
    expect((await goodText(text(service(spec)))).services.cart?.endpoints).toMatchObject(endpoints as object);
  });

  it('leave the endpoints of the concise form alone', async () => {
    const concise = { services: { cart: { endpoints: ['10.9.9.9:80'] } } };
    const { services } = await goodText(text(concise, service({ ports: [{ port: 80 }] }), slice([{ addresses: ['10.0.0.1'] }])));
    expect(services.cart?.endpoints).toMatchObject({ endpoints: [{ address: '10.9.9.9:80' }] });
    expect(services.cart?.hosts).toContain('cart.default.svc.cluster.local');
  });

  it('take ports of slices by name', async () => {
    const ports = [
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
      { name: 'a', port: 3, protocol: 'UDP' },
    ];
    const { services } = await goodText(
      text(service({ ports: [{ name: 'b', port: 80 }] }), slice([{ addresses: ['10.0.0.1'] }], { ports })),
    );
    expect(services.cart?.endpoints).toMatchObject({ endpoints: [{ address: '10.0.0.1:2' }] });
  });

  it('law: who is not ready is not called, who is said twice is called once', async () => {
    const endpoint = fc.record({ last: fc.integer({ min: 1, max: 9 }), ready: fc.option(fc.boolean(), { nil: undefined }) });
    await fc.assert(
      fc.asyncProperty(fc.array(endpoint, { maxLength: 8 }), fc.array(endpoint, { maxLength: 8 }), async (one, two) => {
        const written = (list: typeof one): unknown[] =>
          list.map(({ last, ready }) => ({ addresses: [`10.0.0.${last}`], ...(ready === undefined ? {} : { conditions: { ready } }) }));
        const second = { metadata: { name: 'cart-2', labels: { 'kubernetes.io/service-name': 'cart' } } };
        const { services } = await goodText(text(service({ ports: [{ port: 80 }] }), slice(written(one)), slice(written(two), second)));
        const expected = new Set([...one, ...two].filter(({ ready }) => ready !== false).map(({ last }) => `10.0.0.${last}:3000`));
        const source = services.cart?.endpoints;
        const found = source?.kind === 'static' ? source.endpoints.map(({ address }) => address) : [];
        expect(found.sort()).toEqual([...expected].sort());
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it('say where they are wrong', async () => {
    expect(await issuesOfText(text(service({ ports: [{ port: 0 }], typ: 'x' })))).toEqual([
      '8:13 error - spec.ports[0].port must be a whole number from 1 to 65535, not 0',
      '9:3 error - unknown key "typ" in spec; did you mean "type"?',
    ]);
  });
});
