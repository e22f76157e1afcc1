// What a person is told about who may call this process: documents of three meshes in, lines out.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { explainPolicies, type ExplainedPolicies } from '../../src/access/explain-policies.ts';
import { goodText } from '../yaml/istio/load-text.ts';

async function explained(text: string): Promise<ExplainedPolicies> {
  const { inbound, self } = await goodText(text, { lenient: true });
  return explainPolicies(inbound.policies ?? [], self);
}

const DOCUMENTS = `self: { service: reviews, namespace: default, serviceAccount: reviews, labels: { app: reviews } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: reviews, namespace: default }
spec: { selector: { matchLabels: { app: reviews } }, mtls: { mode: UNSET }, portLevelMtls: { 8080: { mode: DISABLE }, 9090: { mode: UNSET } } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: allow-reviews, namespace: default }
spec:
  selector: { matchLabels: { app: reviews } }
  action: ALLOW
  rules:
    - from: [ { source: { principals: [cluster.local/ns/default/sa/productpage], notIpBlocks: [10.0.0.0/8] } }, { source: { namespaces: [a, b] } } ]
      to: [ { operation: { methods: [GET] } } ]
      when: [ { key: 'request.headers[x-a]', values: [b] } ]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: none, namespace: default }
spec: {}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: other, namespace: other }
spec: {}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt, namespace: default }
spec: { jwtRules: [ { issuer: 'https://a', audiences: [x], presence: REQUIRED }, { jwksUri: 'https://k', fromCookies: [t] } ] }
---
apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: { name: web, namespace: default, labels: { a: b } }
spec: { podSelector: { matchExpressions: [ { key: app, operator: In, values: [reviews] } ] }, port: 8080, proxyProtocol: HTTP/1 }
---
apiVersion: policy.linkerd.io/v1alpha1
kind: AuthorizationPolicy
metadata: { name: web-a, namespace: default }
spec: { targetRef: { group: policy.linkerd.io, kind: Server, name: web }, requiredAuthenticationRefs: [ { group: policy.linkerd.io, kind: MeshTLSAuthentication, name: m }, { group: policy.linkerd.io, kind: NetworkAuthentication, name: n } ] }
---
apiVersion: policy.linkerd.io/v1alpha1
kind: MeshTLSAuthentication
metadata: { name: m, namespace: default }
spec: { identities: ['*', 'spiffe://td/x'] }
---
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthentication
metadata: { name: n, namespace: default }
spec: { networks: [ { cidr: 10.0.0.0/8, except: [10.1.0.0/16] } ] }
---
apiVersion: policy.linkerd.io/v1alpha1
kind: HTTPLocalRateLimitPolicy
metadata: { name: l, namespace: default }
spec: { targetRef: { group: policy.linkerd.io, kind: Server, name: web }, total: { requestsPerSecond: 100 }, identity: { requestsPerSecond: 10 }, overrides: [ { requestsPerSecond: 20, clientRefs: [ { kind: ServiceAccount, name: a } ] } ] }
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: { name: t, namespace: default }
spec:
  destination: { kind: ServiceAccount, name: reviews }
  sources: [ { kind: ServiceAccount, name: a } ]
  rules: [ { kind: HTTPRouteGroup, name: g, matches: [m] }, { kind: TCPRoute, name: p } ]
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: { name: g, namespace: default }
spec: { matches: [ { name: m, methods: [GET, POST], pathRegex: /a, headers: { x: y } } ] }
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: { name: p, namespace: default }
spec: { matches: { ports: [80] } }
`;

const TEXT = `connections: strict (istio-system/default)
connections on port 8080: disable (default/reviews)
connections on port 9090: strict (istio-system/default)
default/web (mesh.yaml:41:19, linkerd)
  port 8080 (HTTP/1) of workloads of namespace default with app In (reviews); for whom nothing fits: deny
default/web-a (mesh.yaml:46:19, linkerd)
  lets into Server web
  anybody with a certificate or spiffe://td/x from 10.0.0.0/8 without 10.1.0.0/16
default/l (mesh.yaml:61:19, linkerd)
  rate limit of Server web
  100 calls a second of all callers together
  10 of each caller
  20 of service account default/a
default/allow-reviews (mesh.yaml:15:19, istio)
  ALLOW for workloads of namespace default with app=reviews
  from (principals cluster.local/ns/default/sa/productpage and ipBlocks not 10.0.0.0/8) or (namespaces a or b) to methods GET when request.headers[x-a] b
default/none (mesh.yaml:26:19, istio)
  ALLOW for all workloads of namespace default
  no rule: it allows nothing, and what no other ALLOW takes is denied
default/reviews (mesh.yaml:10:19, istio)
  connections unset, for workloads of namespace default with app=reviews
  on port 8080 disable
  on port 9090 unset
istio-system/default (mesh.yaml:5:19, istio)
  connections strict, for the whole mesh
default/jwt (mesh.yaml:36:19, istio)
  tokens, for all workloads of namespace default
  issuer https://a for x; keys: those that the issuer names, within 5s; in header authorization "Bearer ", parameter access_token; without a token refused
  any issuer; keys: https://k, within 5s; in cookie t; without a token let through
default/t (mesh.yaml:66:19, smi)
  lets into service account default/reviews
  service account default/a: method matches GET|POST and path matches (?:/a).* and header x matches y on port 80
policies about other workloads: 1
`;

describe('policies for people', () => {
  it('of Istio, Linkerd and SMI', async () => {
    const { text, others, connections, policies } = await explained(DOCUMENTS);
    expect(text).toBe(TEXT);
    expect([others, policies.length]).toEqual([1, 9]);
    expect(connections).toEqual([
      { port: null, mode: 'strict', by: 'istio-system/default' },
      { port: 8080, mode: 'disable', by: 'default/reviews' },
      { port: 9090, mode: 'strict', by: 'istio-system/default' },
    ]);
  });

  it('a policy about connections that says nothing leaves them to the default', async () => {
    const policy = 'apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: { name: a, namespace: default }\nspec: {}\n';
    const { connections, text } = await explained(`self: { namespace: default }\n---\n${policy}`);
    expect(connections).toEqual([{ port: null, mode: 'permissive', by: null }]);
    expect(text).toContain('connections: permissive (nobody says it)\n');
  });

  it('that are about others are counted', async () => {
    const policy = 'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: a, namespace: other }\nspec: {}\n';
    expect((await explained(policy)).text).toBe('no policy is about this process\npolicies about other workloads: 1\n');
    expect((await explained('services: {}')).text).toBe('no policy is about this process\n');
  });
});

const ACCEPTANCE = fileURLToPath(new URL('../../../shared/acceptance', import.meta.url));

describe.skipIf(!existsSync(ACCEPTANCE))('acceptance documents (skipped where they do not lie beside the checkout)', () => {
  const self = (app: string): string => `self: { service: ${app}, labels: { app: ${app} } }\n---\n`;
  const document = (name: string): string => readFileSync(`${ACCEPTANCE}/${name}.yaml`, 'utf8');

  it('strict mTLS of the whole mesh', async () => {
    const { connections, policies } = await explained(`${self('reviews')}${document('strict-mtls')}`);
    expect(connections).toEqual([{ port: null, mode: 'strict', by: 'istio-system/default' }]);
    expect(policies.map(({ lines }) => lines)).toEqual([['connections strict, for the whole mesh']]);
  });

  it('the product page may GET reviews', async () => {
    const { policies } = await explained(`${self('reviews')}${document('allow-reviews')}`);
    expect(policies.map(({ lines }) => lines)).toEqual([
      [
        'ALLOW for workloads of namespace default with app=reviews',
        'from principals cluster.local/ns/default/sa/productpage to methods GET',
      ],
    ]);
    expect((await explained(`${self('ratings')}${document('allow-reviews')}`)).others).toBe(1);
  });
});
