// Every key that a configuration can have, in the types' words: what is Required by the types must be taken by the schema,
// and nothing else. Makes no sense as a whole.
import type {
  EnvoyOutlierInput,
  HealthCheckInput,
  InmeshOutlierInput,
  LinkerdOutlierInput,
  LoadBalancerInput,
  LocalityInput,
} from '../../src/model/input-balancing.ts';
import type {
  GrpcHedgingPolicyInput,
  GrpcMethodConfigInput,
  GrpcRetryPolicyInput,
  GrpcServiceConfigInput,
} from '../../src/model/input-grpc.ts';
import type { StringMatchInput } from '../../src/model/input-match.ts';
import type {
  EnvoyBudgetInput,
  GatewayApiBudgetInput,
  GrpcBudgetInput,
  InmeshBudgetInput,
  LimitsInput,
  LinkerdBudgetInput,
  PolicyInput,
  RateLimitInput,
  ThrottleInput,
} from '../../src/model/input-policy.ts';
import type {
  CacheInput,
  CoalesceInput,
  DirectResponseInput,
  FaultInput,
  FixedFallbackInput,
  FunctionFallbackInput,
  IdempotentInput,
  MirrorInput,
  RedirectInput,
  RewriteInput,
} from '../../src/model/input-traffic.ts';
import type { AdmissionInput, MeshInput, RouteInput, ServerLimitsInput, ServiceInput } from '../../src/model/input.ts';

const string: Required<StringMatchInput> = { exact: 'GET', prefix: 'a', regex: 'b', present: true, not: true };

const budgets: [
  Required<InmeshBudgetInput>,
  Required<EnvoyBudgetInput>,
  Required<LinkerdBudgetInput>,
  Required<GatewayApiBudgetInput>,
  Required<GrpcBudgetInput>,
] = [
  { mode: 'inmesh', tokens: 1, perSuccess: 1, perSecond: 1 },
  { mode: 'envoy', percent: 1, minRetryConcurrency: 1, budgetInterval: '1s' },
  { mode: 'linkerd', retryRatio: 1, minRetriesPerSecond: 1, ttl: '1s' },
  { mode: 'gateway-api', budget: { percent: 1, interval: '1s' }, minRetryRate: { count: 1, interval: '1s' } },
  { mode: 'grpc', maxTokens: 1, tokenRatio: 1 },
];

const outliers: [Required<InmeshOutlierInput>, Required<EnvoyOutlierInput>, Required<LinkerdOutlierInput>] = [
  {
    mode: 'inmesh',
    consecutiveErrors: 1,
    consecutive5xxErrors: 1,
    consecutiveGatewayErrors: 1,
    window: '1s',
    minCalls: 1,
    margin: 0,
    baseEjectionTime: '1s',
    maxEjectionTime: '1s',
    maxEjectionPercent: 1,
    jitter: 0,
  },
  {
    mode: 'envoy',
    consecutive5xxErrors: 1,
    consecutiveGatewayErrors: 1,
    splitExternalLocalOriginErrors: true,
    consecutiveLocalOriginFailures: 1,
    outlierDetectionHttpErrorCodes: [500, '501', '502-504'],
    interval: '1s',
    baseEjectionTime: '1s',
    maxEjectionTime: '1s',
    maxEjectionTimeJitter: '1s',
    maxEjectionPercent: 1,
    alwaysEjectOneHost: true,
    capCheck: 'before',
    successRate: { minimumHosts: 1, requestVolume: 1, stdevFactor: 1 },
    failurePercentage: { threshold: 1, minimumHosts: 1, requestVolume: 1 },
  },
  {
    mode: 'linkerd',
    maxFailures: 1,
    minPenalty: '1s',
    maxPenalty: '1s',
    jitter: 1,
    unified: { successRate: 1, window: '1s', minCalls: 1 },
  },
];

const locality: Required<LocalityInput> = {
  mode: 'priority',
  distribute: [{ from: 'a/*', to: { 'a/b/c': 50, '*': 50 } }],
  failover: [{ from: 'a', to: 'b' }],
  failoverPriority: ['a', 'b=c'],
  overprovisioning: 1,
  maxLoad: 1,
  retriesLeave: true,
};

const balancer: Required<LoadBalancerInput> = {
  kind: 'random',
  tau: '1s',
  failurePenalty: '1s',
  seedFactor: 1,
  seed: '1s',
  fullScanMax: 1,
  choices: 2,
  hash: [{ header: 'a', cookie: { name: 'c', path: '/', ttl: '1s', attributes: { a: 'b' } }, query: 'q', source: true }],
  minimumRingSize: 1,
  maximumRingSize: 1,
  tableSize: 2,
  slowStart: { window: '1s', minimumPercent: 1, aggression: 1 },
  locality,
  panicThreshold: 1,
  subsetSize: 1,
};

const health: Required<HealthCheckInput> = {
  http: { path: '/', statuses: [200, '200-299'], port: 1 },
  tcp: { port: 1 },
  grpc: { service: 's', port: 1 },
  interval: '1s',
  timeout: '1s',
  unhealthyThreshold: 1,
  healthyThreshold: 1,
  always: true,
};

const limits: Required<LimitsInput> = {
  maxConnections: 1,
  maxPendingRequests: 1,
  maxRequests: 1,
  maxRequestsPerConnection: 1,
  maxRetries: 1,
  adaptive: { initial: 1, min: 1, max: 1, decrease: 0.5 },
};

const throttle: Required<ThrottleInput> = { k: 1, window: '1s', minRps: 1, maxReject: 1 };
const rateLimit: Required<RateLimitInput> = { requests: 1, per: '1s', burst: 1 };

const policies: Required<PolicyInput> = {
  protocol: 'http1',
  tls: { mode: 'mutual', cert: 'a', key: 'b', ca: 'c', serverName: 'd', subjectAltNames: ['e'], minTls: '1.2' },
  timeout: '1s',
  retries: {
    attempts: 1,
    perTryTimeout: '1s',
    retryOn: ['reset', '503', 503],
    backoff: { base: '1s', max: '2s' },
    retryAfterMax: '1s',
    methods: ['GET'],
    acrossSubsets: true,
    grpcStatuses: ['UNAVAILABLE', 8],
    bodyLimit: '1KiB',
  },
  retryBudget: Object.assign({}, ...budgets) as InmeshBudgetInput,
  circuitBreaker: {
    failureRatio: 1,
    window: '1s',
    minCalls: 1,
    consecutive: 1,
    count: { failureRatio: 1, size: 1, minCalls: 1 },
    openBase: '1s',
    openMax: '1s',
    successesToClose: 1,
  },
  outlierDetection: Object.assign({}, ...outliers) as InmeshOutlierInput,
  healthCheck: health,
  loadBalancer: balancer,
  limits,
  throttle,
  rateLimit,
};

const fault: Required<FaultInput> = {
  delay: { fixedDelay: '1s', percentage: { value: 1 } },
  abort: { httpStatus: 503, grpcStatus: 'UNAVAILABLE', percentage: 1 },
  position: 'call',
  headers: { h: string },
  by: 'random',
  maxActive: 1,
  blastRadius: 1,
  until: '2026-12-01T00:00:00Z',
};

const mirror: Required<MirrorInput> = { to: 'v1', of: 'v1', percent: 1, hostSuffix: '', strip: [], bodyLimit: 1 };
const rewrite: Required<RewriteInput> = { path: '/', prefix: '/', regex: { match: 'a', substitution: 'b' }, authority: 'a:1' };
const redirect: Required<RedirectInput> = { scheme: 'https', host: 'a', port: 1, path: '/', prefix: '/', status: 301 };
const directResponse: Required<DirectResponseInput> = { status: 200, body: '', headers: { a: 'b' } };
const idempotent: Required<IdempotentInput> = { extraLoad: 0.1, initialDelay: '1s', minDelay: '1s' };
const cache: Required<CacheInput> = { entries: 1, size: '1MiB', bodyLimit: 1, fresh: true, staleIfError: '0s', jitter: 0 };
const coalesce: Required<CoalesceInput> = { maxWaiters: 1, headers: [], bodyLimit: 1 };
const fallback: Required<FixedFallbackInput> = { status: 200, headers: { a: 'b' }, body: '', on: [500, '500-599'] };
const respond: FunctionFallbackInput['respond'] = () => ({});

const route: Required<RouteInput> = {
  name: 'n',
  match: {
    path: { exact: '/', prefix: '/', pathPrefix: '/', regex: '/', ignoreCase: true, not: true },
    method: string,
    headers: { h: string },
    queryParams: { q: string },
    scheme: string,
    authority: string,
    port: 1,
  },
  to: { v1: 1 },
  timeout: 5,
  retries: { attempts: 1 },
  sticky: { header: 'a', cookie: 'b' },
  headers: { request: { set: { a: 'b' }, add: { a: 'b' }, remove: ['a'] }, response: { set: { a: 'b' } } },
  rewrite,
  redirect,
  directResponse,
  fault,
  mirror: [mirror, 'v1'],
  rateLimit,
  idempotent,
  cache,
  coalesce,
  fallback: Object.assign({ respond }, fallback) as FixedFallbackInput,
  criticality: 'sheddable',
};

const grpcMethod: Required<GrpcMethodConfigInput> = {
  name: [{ service: 'a.B', method: 'C' }],
  timeout: '1s',
  retryPolicy: {
    maxAttempts: 2,
    initialBackoff: '0.1s',
    maxBackoff: '1s',
    backoffMultiplier: 2,
    retryableStatusCodes: ['UNAVAILABLE', 8],
    perAttemptRecvTimeout: '1s',
  } satisfies Required<GrpcRetryPolicyInput>,
  hedgingPolicy: { maxAttempts: 2, hedgingDelay: '0.1s', nonFatalStatusCodes: [14] } satisfies Required<GrpcHedgingPolicyInput>,
  waitForReady: true,
  maxRequestMessageBytes: 1,
  maxResponseMessageBytes: '1',
};

const grpcServiceConfig: Required<GrpcServiceConfigInput> = {
  methodConfig: [grpcMethod],
  retryThrottling: { maxTokens: 10, tokenRatio: 0.1 },
  loadBalancingConfig: [{ round_robin: {} }],
  loadBalancingPolicy: 'round_robin',
  healthCheckConfig: { serviceName: 'a' },
};

const service: Required<ServiceInput> = {
  hosts: ['a.example'],
  endpoints: ['x:1', { address: 'x:2', labels: { v: '1' }, locality: 'r', weight: 2, priority: 1 }],
  endpointsFile: 'f',
  dns: { host: 'x', port: 1, record: 'any' },
  ...policies,
  subsets: { v1: { v: '1' } },
  routes: [route],
  grpcServiceConfig,
};

const admission: Required<AdmissionInput> = {
  minLimit: 1,
  maxLimit: 1,
  initialLimit: 1,
  decrease: 0.5,
  eventLoopDelay: '0s',
  latencyFactor: 0,
  sheddableShare: 1,
  retryAfter: '1s',
};

const serverLimits: Required<ServerLimitsInput> = {
  maxConnections: 1,
  maxConnectionsPerAddress: 1,
  maxRequests: 1,
  firstByteTimeout: '0s',
  handshakeTimeout: '1s',
  headersTimeout: '1s',
  requestTimeout: '1s',
  idleTimeout: '1s',
  maxHeaderBytes: 2_048,
  maxConnectionAge: '1m',
  maxStreams: 1,
  streamResetBurst: 1,
  streamResetRate: 1,
  controlFrameBurst: 1,
  controlFrameRate: 1,
};

const accessRule = {
  from: ['productpage'],
  addresses: ['10.0.0.0/8'],
  methods: ['GET'],
  paths: ['/api/{*}'],
  hosts: ['reviews'],
  ports: [8080],
  headers: { 'x-team': ['a', 'b'] },
};

const extensionProvider = {
  name: 'policies',
  kind: 'http',
  address: '127.0.0.1:9000',
  timeout: '200ms',
  failOpen: false,
  statusOnError: 403,
  pathPrefix: '/check',
  includeRequestHeadersInCheck: ['x-user'],
  includeAdditionalHeadersInCheck: { 'x-from': 'inmesh' },
  headersToUpstreamOnAllow: ['x-role'],
  headersToDownstreamOnAllow: ['x-seen'],
  headersToDownstreamOnDeny: ['x-why'],
  includeRequestBodyInCheck: { maxRequestBytes: 8192, allowPartialMessage: true, packAsBytes: true },
} as const;

export const EVERYTHING: Required<MeshInput> = {
  self: { service: 'a', namespace: 'b', serviceAccount: 'c', labels: { x: 'y' }, locality: 'r/z' },
  identity: {
    cert: 'a',
    key: 'b',
    ca: 'c',
    directory: 'd',
    spiffe: 'unix:///e',
    external: true,
    hint: 'f',
    bundles: { 'g.test': 'h' },
    bundleMap: 'i',
    crl: 'j',
    trustDomain: 'k',
    trustDomainAliases: ['l'],
  },
  defaults: { timeout: 5 },
  unknownHosts: 'pass',
  failures: 'throw',
  inbound: {
    mtls: 'strict',
    admission,
    limits: serverLimits,
    minTls: '1.2',
    trustedProxies: ['10.0.0.0/8'],
    forwardClientCert: true,
    allow: [accessRule],
    deny: [accessRule],
    ask: [{ ...accessRule, provider: 'policies' }],
    extensionProviders: [extensionProvider],
  },
  telemetry: { grpcMetrics: true },
  services: { a: service },
};
