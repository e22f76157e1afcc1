// What becomes of each field of App Mesh. Fields are those of the controller's CRDs; what the AWS CLI prints has the same
// fields, with names in place of references.
import { type SupportLine, type SupportRow, supportRows } from '../support-row.ts';

const OWN: readonly SupportLine[] = [
  ['spec.awsName', 'supported', 'the name in App Mesh'],
  ['spec.meshRef', 'ignored', 'a process is in one mesh'],
];

const HEADER = '{name,invert,match.exact,match.prefix,match.suffix,match.regex,match.range.start,match.range.end}';
const SAME = 'as in httpRoute';

const ROUTES: readonly SupportLine[] = [
  ['spec.routes[].name', 'supported'],
  [
    'spec.routes[].priority',
    'supported',
    'ascending; of equal ones exact paths, longer prefixes, patterns, then the order that is written',
  ],
  [`spec.routes[].httpRoute.match.headers[].${HEADER}`, 'supported', 'a range compares numbers; its end is not part of it'],
  ['spec.routes[].httpRoute.match.{method,prefix,path.exact,path.regex,scheme,port}', 'supported'],
  ['spec.routes[].httpRoute.match.queryParameters[].{name,match.exact}', 'supported'],
  [
    'spec.routes[].httpRoute.action.weightedTargets[].{virtualNodeRef.name,virtualNodeRef.namespace,virtualNodeARN,virtualNode}',
    'supported',
    'a node that is not loaded, or that nobody can find, answers 503, with a warning',
  ],
  ['spec.routes[].httpRoute.action.weightedTargets[].port', 'supported', 'without it the first listener of the node'],
  ['spec.routes[].httpRoute.action.weightedTargets[].weight', 'supported'],
  [
    'spec.routes[].httpRoute.retryPolicy.{httpRetryEvents,tcpRetryEvents,maxRetries}',
    'supported',
    'of any method; without a policy there are 2 retries of failed connections, refused streams and 503, as App Mesh says',
  ],
  ['spec.routes[].{httpRoute,http2Route}.retryPolicy.grpcRetryEvents', 'refused', 'of a grpcRoute'],
  ['spec.routes[].httpRoute.retryPolicy.perRetryTimeout.{unit,value}', 'supported'],
  ['spec.routes[].httpRoute.timeout.perRequest.{unit,value}', 'supported', '15s when it is not written, 0 means none'],
  ['spec.routes[].httpRoute.timeout.idle.{unit,value}', 'ignored', 'with a warning: inmesh does not end calls that are idle'],
  ['spec.routes[].http2Route.{match,action,timeout}.**', 'supported', SAME],
  ['spec.routes[].http2Route.retryPolicy.{httpRetryEvents,tcpRetryEvents,maxRetries}', 'supported', SAME],
  ['spec.routes[].http2Route.retryPolicy.perRetryTimeout.{unit,value}', 'supported', SAME],
  ['spec.routes[].grpcRoute.match.{serviceName,methodName,port}', 'supported', 'calls with the content type of gRPC alone'],
  [`spec.routes[].grpcRoute.match.metadata[].${HEADER}`, 'supported'],
  ['spec.routes[].grpcRoute.{action,timeout}.**', 'supported', SAME],
  ['spec.routes[].grpcRoute.retryPolicy.{httpRetryEvents,tcpRetryEvents,grpcRetryEvents,maxRetries}', 'supported'],
  ['spec.routes[].grpcRoute.retryPolicy.perRetryTimeout.{unit,value}', 'supported'],
  ['spec.routes[].tcpRoute', 'refused', 'connections that are no HTTP do not pass through inmesh'],
];

const TLS = '{spec.backends[].virtualService,spec.backendDefaults}.clientPolicy.tls.';

const NODE: readonly SupportLine[] = [
  ...OWN,
  ['spec.podSelector.matchLabels', 'supported', 'tells whether this process is the node: then its client policies hold'],
  ['spec.podSelector.matchExpressions', 'ignored', 'labels alone are compared'],
  ['spec.listeners[].portMapping.{port,protocol}', 'supported'],
  [
    'spec.listeners[].healthCheck.{healthyThreshold,unhealthyThreshold,intervalMillis,timeoutMillis,protocol,path,port}',
    'approximated',
    'asked by this process, as by every Envoy that calls the node; pauses vary a little',
  ],
  ['spec.listeners[].outlierDetection.{maxServerErrors,maxEjectionPercent}', 'supported', 'one endpoint may always be ejected'],
  ['spec.listeners[].outlierDetection.{interval,baseEjectionDuration}.{unit,value}', 'supported'],
  ['spec.listeners[].{connectionPool,timeout,tls}', 'ignored', 'with a warning: kept by the Envoy of the server'],
  ['spec.serviceDiscovery.dns.hostname', 'supported'],
  ['spec.serviceDiscovery.dns.responseType', 'approximated', 'LOADBALANCER is as ENDPOINTS: all addresses are endpoints'],
  ['spec.serviceDiscovery.{dns,awsCloudMap}.ipPreference', 'ignored', 'addresses of both families are used'],
  ['spec.serviceDiscovery.awsCloudMap.{namespaceName,serviceName}', 'approximated', 'asked by DNS'],
  [
    'spec.serviceDiscovery.awsCloudMap.attributes[].{key,value}',
    'approximated',
    'DNS cannot tell instances by attributes: the concise form names the endpoints, under the name of the node',
  ],
  [
    'spec.backends[].virtualService.{virtualServiceRef.name,virtualServiceRef.namespace,virtualServiceARN,virtualServiceName}',
    'approximated',
    'for client policies; calls to what is no backend are not refused',
  ],
  [`${TLS}enforce`, 'approximated', 'false: plain connections'],
  [`${TLS}ports`, 'supported'],
  [`${TLS}certificate.file.{certificateChain,privateKey}`, 'supported'],
  [`${TLS}validation.trust.file.certificateChain`, 'supported'],
  [`${TLS}validation.subjectAlternativeNames.match.exact`, 'supported', 'without it the name of the host that is called is checked'],
  [`${TLS}{certificate.sds,validation.trust.sds,validation.trust.acm}`, 'refused', 'certificates are read from files'],
  ['spec.backendGroups', 'ignored', 'they say which virtual services a node may call'],
  ['spec.logging', 'ignored', 'inmesh has logs of its own'],
];

export const APP_MESH_SUPPORT: readonly SupportRow[] = Object.freeze([
  ...supportRows('Mesh', [
    ['spec.awsName', 'supported', 'the name in App Mesh'],
    ['spec.egressFilter.type', 'supported', 'DROP_ALL refuses hosts that the configuration does not know'],
    ['spec.{namespaceSelector,meshOwner,meshServiceDiscovery}', 'ignored', 'for the controller'],
  ]),
  ...supportRows('VirtualService', [
    ...OWN,
    [
      'spec.provider.virtualNode.{virtualNodeRef.name,virtualNodeRef.namespace,virtualNodeARN,virtualNodeName}',
      'supported',
      'with the retries and the timeout that App Mesh gives every route',
    ],
    [
      'spec.provider.virtualRouter.{virtualRouterRef.name,virtualRouterRef.namespace,virtualRouterARN,virtualRouterName}',
      'supported',
      'a call that no route takes is answered 404',
    ],
  ]),
  ...supportRows('VirtualRouter', [
    ...OWN,
    ['spec.listeners[].portMapping.{port,protocol}', 'ignored', 'calls come by the name of the virtual service, on any port'],
    ...ROUTES,
  ]),
  ...supportRows('VirtualNode', NODE),
]);
