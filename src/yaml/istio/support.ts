// What becomes of each field of Istio's traffic documents. Those of security: security/support.ts.
import { type SupportLine, type SupportRow, supportRows } from '../support-row.ts';

const STRINGS = '{exact,prefix,regex}';

const EXPORTED: SupportLine = ['spec.exportTo', 'supported', 'self.namespace says where this process is'];

const BACKENDS = 'the subset of a DestinationRule or of the concise form; one that is not there is answered 503, with a warning';

const HTTP: readonly SupportLine[] = [
  ['{name,match[].name}', 'supported', 'together the name of the route'],
  [
    `match[].{uri,scheme,method,authority}.${STRINGS}`,
    'supported',
    'a prefix is of the text; regular expressions are RE2, of the whole text',
  ],
  [`match[].{headers,withoutHeaders}.*.${STRINGS}`, 'supported', 'also of claims: @request.auth.claims is refused, as in the mesh'],
  [`match[].queryParams.*.${STRINGS}`, 'supported'],
  ['match[].port', 'supported', 'the port that was called'],
  ['match[].{sourceLabels,sourceNamespace}.**', 'supported', 'compared with self, once'],
  ['match[].gateways', 'supported', 'mesh is this process'],
  ['match[].ignoreUriCase', 'supported'],
  ['match[].statPrefix', 'ignored'],
  ['route[].destination.{host,subset}', 'supported', BACKENDS],
  ['route[].destination.port.number', 'supported'],
  ['route[].weight', 'supported', 'drawn for each call, not for each attempt; a single destination gets all'],
  ['{route[].headers,headers}.{request,response}.{set,add,remove}.**', 'supported', '%REQ(name)% alone of the commands of Envoy'],
  ['redirect.{uri,prefixRewrite,authority,scheme,port,derivePort,redirectCode}', 'supported'],
  ['directResponse.status', 'supported'],
  ['directResponse.body.{string,bytes}', 'supported'],
  ['delegate.{name,namespace}', 'supported', 'one level'],
  ['rewrite.{uri,authority}', 'supported'],
  ['rewrite.uriRegexRewrite.{match,rewrite}', 'supported'],
  ['timeout', 'supported', 'none when it is not written'],
  ['retries.attempts', 'supported', 'two when there is no retries, whatever the method, as Istio does it'],
  ['retries.{perTryTimeout,retryOn,backoff}', 'supported'],
  ['retries.{retryRemoteLocalities,retryIgnorePreviousHosts}', 'supported'],
  ['fault.delay.{percent,percentage.value,fixedDelay}', 'supported', 'before retries and timeout'],
  ['fault.delay.exponentialDelay', 'refused', 'Istio does not do it either'],
  ['fault.abort.{percentage.value,httpStatus,grpcStatus}', 'supported'],
  ['fault.abort.http2Error', 'refused', 'Istio does not do it either'],
  ['{mirror,mirrors[].destination}.{host,subset,port.number}', 'supported'],
  ['mirrors[].percentage.value', 'supported'],
  ['{mirrorPercent,mirror_percent}', 'supported', 'old, with a warning'],
  ['mirrorPercentage.value', 'supported'],
  ['corsPolicy.**', 'kept', 'it is for the server that answers browsers; a warning says so'],
];

const POOL_TCP = '{maxConnections,connectTimeout,idleTimeout,maxConnectionDuration}';

const POLICY: readonly SupportLine[] = [
  [`connectionPool.tcp.${POOL_TCP}`, 'supported', 'maxConnections holds for all endpoints together'],
  ['connectionPool.tcp.tcpKeepalive.time', 'supported'],
  ['connectionPool.tcp.tcpKeepalive.{probes,interval}', 'kept', 'Node leaves them to the system'],
  ['connectionPool.http.{http1MaxPendingRequests,http2MaxRequests,maxRequestsPerConnection,maxRetries,idleTimeout}', 'supported'],
  ['connectionPool.http.h2UpgradePolicy', 'supported', 'UPGRADE means HTTP/2'],
  ['connectionPool.http.useClientProtocol', 'ignored', 'with a warning'],
  ['connectionPool.http.maxConcurrentStreams', 'supported'],
  ['connectionPool.http.http2KeepAlive.interval', 'supported'],
  ['connectionPool.http.http2KeepAlive.timeout', 'approximated', 'obeyed for gRPC; other HTTP/2 has a time of its own'],
  ['loadBalancer.simple', 'supported', 'PASSTHROUGH is refused'],
  ['loadBalancer.consistentHash.{httpHeaderName,httpQueryParameterName}', 'supported'],
  ['loadBalancer.consistentHash.httpCookie.{name,path,ttl,attributes[].name,attributes[].value}', 'supported'],
  ['loadBalancer.consistentHash.useSourceIp', 'supported', 'the address of whoever called this process'],
  ['loadBalancer.consistentHash.{minimumRingSize,ringHash.minimumRingSize,maglev.tableSize}', 'supported'],
  ['loadBalancer.localityLbSetting.**', 'supported', 'self.locality says where this process is'],
  ['loadBalancer.zoneAwareLbSetting.**', 'approximated', "by inmesh's own rule: the own zone takes all calls it can, the rest spills over"],
  ['loadBalancer.warmup.{duration,minimumPercent,aggression}', 'supported'],
  ['loadBalancer.warmupDurationSecs', 'supported', 'old, with a warning'],
  ['outlierDetection.consecutiveErrors', 'ignored', 'Istio obeys it no more; with a warning'],
  [
    'outlierDetection.{splitExternalLocalOriginErrors,consecutiveLocalOriginFailures,consecutiveGatewayErrors,consecutive5xxErrors,interval,baseEjectionTime,maxEjectionPercent,outlierDetectionHttpErrorCodes}',
    'supported',
    'as Envoy counts: 10 % eject nobody of fewer than ten, with INM0105',
  ],
  ['outlierDetection.minHealthPercent', 'supported'],
  ['tls.mode', 'supported', 'ISTIO_MUTUAL takes identity of the concise form'],
  ['tls.{clientCertificate,privateKey,caCertificates,caCrl}', 'supported', 'files of this machine, or the text of the certificate'],
  ['tls.credentialName', 'refused', 'a secret of the cluster'],
  ['tls.{subjectAltNames,sni,insecureSkipVerify}', 'supported'],
];

const WHOLE: readonly SupportLine[] = [
  ['retryBudget.{percent,minRetryConcurrency,budgetInterval}', 'supported'],
  ['tunnel.**', 'refused', 'calls are not carried through CONNECT'],
  ['proxyProtocol.**', 'refused'],
];

const WORKLOAD: readonly SupportLine[] = [
  ['address', 'supported', 'unix:// is refused'],
  ['{ports,labels}.**', 'supported'],
  ['network', 'ignored', 'with a warning where there is no address'],
  ['{locality,weight}', 'supported'],
  ['serviceAccount', 'supported', 'the identity that the endpoint must show'],
];

const PORT = '{number,protocol,name,targetPort}';

function under(at: string, lines: readonly SupportLine[]): SupportLine[] {
  return lines.map(([fields, ...rest]) => [`${at}.${fields}`, ...rest]);
}

export const ISTIO_SUPPORT: readonly SupportRow[] = Object.freeze([
  ...supportRows('VirtualService', [
    ['spec.hosts', 'supported', 'short names are of the namespace of the rule; two VirtualServices of one host are an error'],
    ['spec.gateways', 'supported', 'one that is of gateways alone is passed over, with INM0021'],
    ...under('spec.http[]', HTTP),
    ['spec.{tls,tcp}.**', 'ignored', 'connections that are no HTTP do not pass through inmesh; with a warning'],
    EXPORTED,
  ]),
  ...supportRows('DestinationRule', [
    ['spec.host', 'supported'],
    ...under('spec.trafficPolicy', [...POLICY, ...WHOLE]),
    ['spec.trafficPolicy.portLevelSettings[].port.number', 'supported', 'replaces the blocks of its port, also those that it leaves out'],
    ...under('spec.trafficPolicy.portLevelSettings[]', [
      ['{connectionPool,loadBalancer,outlierDetection,tls}.**', 'supported', 'as above, field by field'],
    ]),
    ['spec.subsets[].name', 'supported'],
    ['spec.subsets[].labels.**', 'supported'],
    ['spec.subsets[].trafficPolicy.**', 'supported', 'as above, block by block, with the same exceptions'],
    EXPORTED,
    ['spec.workloadSelector.matchLabels.**', 'supported', 'compared with self.labels'],
  ]),
  ...supportRows('ServiceEntry', [
    ['spec.hosts', 'supported'],
    ['spec.addresses', 'ignored', 'calls are known by host'],
    [`spec.ports[].${PORT}`, 'supported', 'protocols that are no HTTP are no service'],
    ['spec.location', 'supported', 'MESH_EXTERNAL: plain text, unless a DestinationRule says otherwise'],
    ['spec.resolution', 'supported', 'NONE passes calls on to the address that was called'],
    ...under('spec.endpoints[]', WORKLOAD),
    ['spec.workloadSelector.labels.**', 'supported', 'WorkloadEntries of its namespace'],
    EXPORTED,
    ['spec.subjectAltNames', 'supported', 'verified when TLS is used'],
  ]),
  ...supportRows('WorkloadEntry', under('spec', WORKLOAD)),
  ...supportRows('Sidecar', [
    ['spec.workloadSelector.labels.**', 'supported', 'compared with self.labels'],
    ['spec.ingress[].**', 'ignored', 'listeners of a sidecar; with a warning'],
    ['spec.egress[].hosts', 'supported', 'which hosts are known to this process'],
    ['spec.egress[].{port,bind,captureMode}.**', 'ignored', 'listeners of a sidecar; with a warning'],
    ['spec.inboundConnectionPool.tcp.maxConnections', 'kept', 'for the servers of this process'],
    ['spec.inboundConnectionPool.http.http2MaxRequests', 'kept', 'for the servers of this process'],
    [
      'spec.inboundConnectionPool.tcp.{connectTimeout,idleTimeout,maxConnectionDuration,tcpKeepalive}.**',
      'ignored',
      'servers have settings of their own',
    ],
    [
      'spec.inboundConnectionPool.http.{http1MaxPendingRequests,maxRequestsPerConnection,maxRetries,idleTimeout,h2UpgradePolicy,useClientProtocol,maxConcurrentStreams,http2KeepAlive}.**',
      'ignored',
      'servers have settings of their own',
    ],
    ['spec.outboundTrafficPolicy.mode', 'supported', 'REGISTRY_ONLY refuses unknown hosts'],
    ['spec.outboundTrafficPolicy.egressProxy.**', 'ignored', 'calls leave this process, and no proxy; with a warning'],
  ]),
  ...supportRows('Telemetry', [
    ['spec.selector.matchLabels.**', 'supported', 'compared with self.labels; workload before namespace before mesh'],
    ['spec.{targetRef,targetRefs[]}.{kind,name,group,namespace}', 'ignored', 'they are of gateways'],
    [
      'spec.{tracing,metrics,accessLogging}[].providers[].name',
      'ignored',
      "OpenTelemetry's own settings say where data goes; with a warning",
    ],
    ['spec.{tracing,accessLogging}[].match.mode', 'kept', 'client and server apart'],
    [
      'spec.tracing[].{randomSamplingPercentage,disableSpanReporting,disableContextPropagation,useRequestIdForTraceSampling,enableIstioTags}',
      'kept',
      'the sampler and the propagator of OpenTelemetry decide; with a warning',
    ],
    ['spec.tracing[].customTags.**', 'kept', 'a span processor can add attributes; with a warning'],
    ['spec.metrics[].overrides[].**', 'kept', 'metrics are those of OpenTelemetry, whose views change them; with a warning'],
    ['spec.metrics[].reportingInterval', 'ignored', 'the reader of OpenTelemetry has its own'],
    ['spec.accessLogging[].disabled', 'kept', 'no access log is written; with a warning'],
    ['spec.accessLogging[].filter.expression', 'kept', 'no access log is written; with a warning'],
  ]),
]);
