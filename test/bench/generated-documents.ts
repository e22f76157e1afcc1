// A folder as a large cluster would give it: 10,000 documents about 100 services, of every dialect, in 100 files. The same
// texts every time.

const SERVICES = 100;
const NAMESPACES = 10;

export interface GeneratedFile {
  readonly name: string;
  readonly text: string;
}

export interface GeneratedFolder {
  readonly files: readonly GeneratedFile[];
  readonly documents: number;
}

/** One file for each service, of 100 documents. `isOdd`: with a tab in each, so that they are left to the parser. */
export function generatedFolder(isOdd = false): GeneratedFolder {
  const files = Array.from({ length: SERVICES }, (_, index) => serviceFile(index));
  return {
    files: files.map(({ name, documents }) => ({ name, text: `${documents.join('---\n')}${isOdd ? '#\t\n' : ''}` })),
    documents: files.reduce((sum, { documents }) => sum + documents.length, 0),
  };
}

function serviceFile(index: number): { name: string; documents: string[] } {
  const name = `service-${index}`;
  const namespace = `team-${index % NAMESPACES}`;
  const dialect = (['istio', 'gateway-api', 'linkerd', 'smi', 'istio'] as const)[index % 5];
  const common = [
    service(name, namespace),
    serviceAccount(name, namespace),
    ...times(20, (i) => endpointSlice(name, namespace, index, i)),
    ...times(20, (i) => authorizationPolicy(name, namespace, i)),
  ];
  const routes = {
    istio: () => [
      rootVirtualService(name, namespace),
      destinationRule(name, namespace),
      ...times(28, (i) => delegate(name, namespace, i)),
      ...times(28, (i) => workloadEntry(name, namespace, index, i)),
    ],
    'gateway-api': () => [backendTrafficPolicy(name, namespace), ...times(57, (i) => httpRoute(name, namespace, i))],
    linkerd: () => [
      serviceProfile(name, namespace),
      ...times(19, (i) => server(name, namespace, i)),
      ...times(19, (i) => meshTls(name, namespace, i)),
      ...times(19, (i) => linkerdAuthorization(name, namespace, i)),
    ],
    smi: () => [
      trafficSplit(name, namespace),
      service(`${name}-v1`, namespace),
      service(`${name}-v2`, namespace),
      ...times(28, (i) => routeGroup(name, namespace, i)),
      ...times(27, (i) => trafficTarget(name, namespace, i)),
    ],
  }[dialect as 'istio']();
  return { name: `${name}.yaml`, documents: [...common, ...routes] };
}

function times(count: number, make: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function head(apiVersion: string, kind: string, name: string, namespace: string): string {
  return `apiVersion: ${apiVersion}
kind: ${kind}
metadata:
  name: ${name}
  namespace: ${namespace}
  labels:
    app.kubernetes.io/name: ${name}
    app.kubernetes.io/managed-by: generator
`;
}

function service(name: string, namespace: string): string {
  return `${head('v1', 'Service', name, namespace)}spec:
  selector:
    app: ${name}
  ports:
    - name: http
      port: 80
      targetPort: 8080
`;
}

function serviceAccount(name: string, namespace: string): string {
  return head('v1', 'ServiceAccount', name, namespace);
}

function endpointSlice(name: string, namespace: string, service: number, i: number): string {
  const endpoint = (n: number): string => `  - addresses:
      - 10.${service}.${i}.${n}
    conditions:
      ready: true
    zone: zone-${n % 3}
`;
  return `${head('discovery.k8s.io/v1', 'EndpointSlice', `${name}-${i}`, namespace).replace('  labels:\n', `  labels:\n    kubernetes.io/service-name: ${name}\n`)}addressType: IPv4
ports:
  - name: http
    port: 8080
    protocol: TCP
endpoints:
${[1, 2, 3].map(endpoint).join('')}`;
}

function authorizationPolicy(name: string, namespace: string, i: number): string {
  return `${head('security.istio.io/v1', 'AuthorizationPolicy', `${name}-${i}`, namespace)}spec:
  selector:
    matchLabels:
      app: ${name}
  action: ALLOW
  rules:
    - from:
        - source:
            principals: ["cluster.local/ns/${namespace}/sa/caller-${i}"]
      to:
        - operation:
            methods: ["GET", "POST"]
            paths: ["/api/v${i}/*"]
`;
}

function rootVirtualService(name: string, namespace: string): string {
  const delegates = times(
    28,
    (i) => `    - match:
        - uri:
            prefix: /part-${i}/
      delegate:
        name: ${name}-part-${i}
        namespace: ${namespace}
`,
  ).join('');
  return `${head('networking.istio.io/v1', 'VirtualService', name, namespace)}spec:
  hosts:
    - ${name}
  http:
${delegates}    - route:
        - destination:
            host: ${name}
            subset: v1
          weight: 80
        - destination:
            host: ${name}
            subset: v2
          weight: 20
`;
}

function delegate(name: string, namespace: string, i: number): string {
  return `${head('networking.istio.io/v1', 'VirtualService', `${name}-part-${i}`, namespace)}spec:
  http:
    - match:
        - uri:
            prefix: /part-${i}/new
          headers:
            x-canary:
              exact: "yes"
      timeout: ${i + 1}s
      retries:
        attempts: 3
        perTryTimeout: 500ms
        retryOn: connect-failure,503
      route:
        - destination:
            host: ${name}
            subset: v2
    - route:
        - destination:
            host: ${name}
            subset: v1
`;
}

function destinationRule(name: string, namespace: string): string {
  return `${head('networking.istio.io/v1', 'DestinationRule', name, namespace)}spec:
  host: ${name}
  trafficPolicy:
    connectionPool:
      tcp:
        maxConnections: 100
      http:
        http1MaxPendingRequests: 50
    outlierDetection:
      consecutive5xxErrors: 5
      interval: 10s
      maxEjectionPercent: 50
  subsets:
    - name: v1
      labels:
        version: v1
    - name: v2
      labels:
        version: v2
`;
}

function workloadEntry(name: string, namespace: string, service: number, i: number): string {
  return `${head('networking.istio.io/v1', 'WorkloadEntry', `${name}-vm-${i}`, namespace)}spec:
  address: 10.${service}.200.${i + 1}
  labels:
    app: ${name}
    version: v${(i % 2) + 1}
  serviceAccount: ${name}
`;
}

function httpRoute(name: string, namespace: string, i: number): string {
  return `${head('gateway.networking.k8s.io/v1', 'HTTPRoute', `${name}-${i}`, namespace)}spec:
  parentRefs:
    - group: ""
      kind: Service
      name: ${name}
      port: 80
  rules:
    - matches:
        - path:
            type: PathPrefix
            value: /part-${i}
          headers:
            - name: x-canary
              value: "yes"
      filters:
        - type: RequestHeaderModifier
          requestHeaderModifier:
            set:
              - name: x-part
                value: part-${i}
      backendRefs:
        - name: ${name}
          port: 80
      timeouts:
        request: 5s
`;
}

function backendTrafficPolicy(name: string, namespace: string): string {
  return `${head('gateway.networking.x-k8s.io/v1alpha1', 'XBackendTrafficPolicy', name, namespace)}spec:
  targetRefs:
    - group: ""
      kind: Service
      name: ${name}
  retryConstraint:
    budget:
      percent: 20
      interval: 10s
`;
}

function serviceProfile(name: string, namespace: string): string {
  const routes = times(
    10,
    (i) => `    - name: GET /part-${i}
      condition:
        method: GET
        pathRegex: /part-${i}/[^/]*
      isRetryable: true
      timeout: 300ms
`,
  ).join('');
  return `${head('linkerd.io/v1alpha2', 'ServiceProfile', `${name}.${namespace}.svc.cluster.local`, namespace)}spec:
  routes:
${routes}`;
}

function server(name: string, namespace: string, i: number): string {
  return `${head('policy.linkerd.io/v1beta3', 'Server', `${name}-${i}`, namespace)}spec:
  podSelector:
    matchLabels:
      app: ${name}
  port: ${8080 + i}
  proxyProtocol: HTTP/1
`;
}

function meshTls(name: string, namespace: string, i: number): string {
  return `${head('policy.linkerd.io/v1alpha1', 'MeshTLSAuthentication', `${name}-${i}`, namespace)}spec:
  identities:
    - caller-${i}.${namespace}.serviceaccount.identity.linkerd.cluster.local
`;
}

function linkerdAuthorization(name: string, namespace: string, i: number): string {
  return `${head('policy.linkerd.io/v1alpha1', 'AuthorizationPolicy', `${name}-linkerd-${i}`, namespace)}spec:
  targetRef:
    group: policy.linkerd.io
    kind: Server
    name: ${name}-${i}
  requiredAuthenticationRefs:
    - group: policy.linkerd.io
      kind: MeshTLSAuthentication
      name: ${name}-${i}
`;
}

function trafficSplit(name: string, namespace: string): string {
  return `${head('split.smi-spec.io/v1alpha4', 'TrafficSplit', name, namespace)}spec:
  service: ${name}
  backends:
    - service: ${name}-v1
      weight: 90
    - service: ${name}-v2
      weight: 10
`;
}

function routeGroup(name: string, namespace: string, i: number): string {
  return `${head('specs.smi-spec.io/v1alpha4', 'HTTPRouteGroup', `${name}-${i}`, namespace)}spec:
  matches:
    - name: part
      pathRegex: /part-${i}/.*
      methods: ["GET"]
`;
}

function trafficTarget(name: string, namespace: string, i: number): string {
  return `${head('access.smi-spec.io/v1alpha3', 'TrafficTarget', `${name}-${i}`, namespace)}spec:
  destination:
    kind: ServiceAccount
    name: ${name}
    namespace: ${namespace}
  sources:
    - kind: ServiceAccount
      name: caller-${i}
      namespace: ${namespace}
  rules:
    - kind: HTTPRouteGroup
      name: ${name}-${i}
      matches:
        - part
`;
}
