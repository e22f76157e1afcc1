// What becomes of each field and annotation of Linkerd. Annotations are fields of `metadata.annotations`.
import { type SupportLine, type SupportRow, supportRows } from '../support-row.ts';

const ON_ROUTES: readonly SupportLine[] = [
  ['retry.linkerd.io/http', 'supported', 'of any method; a status that is listed is repeated, a failed connection is not'],
  ['retry.linkerd.io/grpc', 'supported', 'on a GRPCRoute or its Service; statuses in trailers count, too'],
  ['retry.linkerd.io/limit', 'supported', '1 when any other annotation of retries is there; 0 is as if it were not there'],
  ['retry.linkerd.io/timeout', 'supported', 'not for the last attempt'],
  ['timeout.linkerd.io/request', 'supported', 'on a route, the timeouts of its rules where this is not written'],
  ['timeout.linkerd.io/response', 'approximated', 'as the time of the whole call; beside retries it is not kept, with a warning'],
  ['timeout.linkerd.io/idle', 'ignored', 'with a warning: inmesh does not end calls that are idle'],
];

const ON_SERVICES: readonly SupportLine[] = [
  ['balancer.linkerd.io/failure-accrual', 'supported', 'consecutive and unified'],
  [
    'balancer.linkerd.io/failure-accrual-consecutive-{max-failures,min-penalty,max-penalty,jitter-ratio}',
    'supported',
    'after a penalty one call is let through as a probe',
  ],
  ['balancer.alpha.linkerd.io/failure-accrual-success-rate-{threshold,window,min-requests}', 'supported', 'in mode unified'],
  [
    'balancer.alpha.linkerd.io/failure-accrual-honor-retry-after',
    'approximated',
    'in mode unified a Retry-After always lengthens a penalty, in mode consecutive never; a warning says so',
  ],
  ['balancer.alpha.linkerd.io/penalize-failures', 'supported'],
  ['balancer.alpha.linkerd.io/load-biaser-penalty', 'approximated', 'as a latency that the failure counts for'],
  ['balancer.alpha.linkerd.io/load-biaser-max-retry-after', 'ignored', 'with a warning'],
];

const CONDITION = 'a condition that asks for two things of one path is refused; say them in one pathRegex';

const PROFILE: readonly SupportLine[] = [
  ['spec.routes[].name', 'supported'],
  ['spec.routes[].condition.{method,pathRegex}', 'supported', 'method without regard to case; anchors as the proxy adds them'],
  ['spec.routes[].condition.{all,any,not}.**', 'supported', CONDITION],
  [
    'spec.routes[].responseClasses[].condition.**',
    'supported',
    'the first class that fits decides, else 5xx is a failure; a range with one end is dropped, as by the proxy, with a warning',
  ],
  ['spec.routes[].responseClasses[].isFailure', 'supported', 'for retries; the telemetry of inmesh counts by its own rule'],
  [
    'spec.routes[].isRetryable',
    'approximated',
    'at once and while the budget pays, at most 100 times; each backend has a budget of its own, where Linkerd has one for the profile',
  ],
  ['spec.routes[].timeout', 'supported', 'of the whole call, retries included'],
  ['spec.retryBudget.{retryRatio,minRetriesPerSecond,ttl}', 'supported', '0.2, 10 a second, 10s when it is not written'],
  ['spec.dstOverrides[].{authority,weight}', 'supported', 'weight 0 is left out; with none left, calls go to the service itself'],
  ['spec.opaquePorts', 'ignored', 'with a warning: what passes through inmesh is HTTP'],
];

const SELECTOR = '{matchLabels,matchExpressions[].key,matchExpressions[].operator,matchExpressions[].values}';
const REF_NOTE = 'kinds that are not allowed there are errors; what is not there is a warning, and lets nobody in';

const ROUTE: readonly SupportLine[] = [
  ['spec.parentRefs[].**', 'supported', 'Services: calls of this process; Servers: what authorizations can be about'],
  ['spec.{hostnames,useDefaultGateways}', 'supported', 'as of an HTTPRoute of the Gateway API'],
  ['spec.rules[].{name,matches[].**,backendRefs[].name,backendRefs[].group,backendRefs[].kind,timeouts.**}', 'supported'],
  ['spec.rules[].backendRefs[].{namespace,port,weight}', 'supported'],
  [
    'spec.rules[].{filters[],backendRefs[].filters[]}.{type,requestHeaderModifier.**,responseHeaderModifier.**,requestRedirect.**}',
    'supported',
  ],
  [
    'spec.rules[].{filters[],backendRefs[].filters[]}.{requestMirror,urlRewrite,cors,extensionRef,externalAuth}.**',
    'refused',
    'filters of the Gateway API alone',
  ],
  ['spec.rules[].{retry,sessionPersistence}.**', 'refused', 'of the Gateway API alone'],
];

export const LINKERD_SUPPORT: readonly SupportRow[] = Object.freeze([
  ...supportRows('Service, HTTPRoute, GRPCRoute', ON_ROUTES),
  ...supportRows('Service', ON_SERVICES),
  ...supportRows('ServiceProfile', PROFILE),
  ...supportRows('HTTPRoute', ROUTE),
  ...supportRows('Server', [
    ['spec.port', 'kept', 'a number, or a name of the pod'],
    [`spec.podSelector.${SELECTOR}`, 'kept'],
    [`spec.externalWorkloadSelector.${SELECTOR}`, 'kept'],
    ['spec.{proxyProtocol,accessPolicy}', 'kept'],
  ]),
  ...supportRows('AuthorizationPolicy', [
    ['spec.targetRef.{group,kind,name}', 'kept', 'Server, Namespace, HTTPRoute, GRPCRoute'],
    ['spec.requiredAuthenticationRefs[].{group,kind,name,namespace}', 'kept', REF_NOTE],
  ]),
  ...supportRows('MeshTLSAuthentication', [
    ['spec.identities', 'kept', 'DNS names, *.suffix, *, and SPIFFE identities'],
    ['spec.identityRefs[].{group,kind,name,namespace}', 'kept', 'ServiceAccount and Namespace'],
  ]),
  ...supportRows('NetworkAuthentication', [['spec.networks[].{cidr,except}', 'kept']]),
  ...supportRows('HTTPLocalRateLimitPolicy', [
    ['spec.targetRef.{group,kind,name}', 'kept', 'Server'],
    ['spec.{total,identity}.requestsPerSecond', 'kept', 'of this process'],
    ['spec.overrides[].requestsPerSecond', 'kept'],
    ['spec.overrides[].clientRefs[].{group,kind,name,namespace}', 'kept', 'ServiceAccount'],
  ]),
  ...supportRows('ServerAuthorization', [
    [`spec.server.{name,selector.matchLabels}`, 'kept'],
    ['spec.server.selector.matchExpressions[].{key,operator,values}', 'kept'],
    ['spec.client.networks[].{cidr,except}', 'kept'],
    ['spec.client.{unauthenticated,meshTLS.unauthenticatedTLS,meshTLS.identities}', 'kept'],
    ['spec.client.meshTLS.serviceAccounts[].{name,namespace}', 'kept'],
  ]),
]);
