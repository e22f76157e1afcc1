// What becomes of each field of the Kubernetes documents that name hosts, ports and endpoints.
import { type SupportRow, supportRows } from '../support-row.ts';

const CLUSTER = 'of the cluster';

export const KUBERNETES_SUPPORT: readonly SupportRow[] = Object.freeze([
  ...supportRows('Service', [
    ['spec.type', 'supported', 'ExternalName is called by its other name; the other types do not differ here'],
    [
      'spec.{clusterIP,clusterIPs}',
      'supported',
      'calls to the address are calls to the Service; None: endpoints are reached at targetPort',
    ],
    ['spec.externalName', 'supported', 'looked up in DNS'],
    ['spec.ports[].{port,name}', 'supported', 'one service for each port; the only or first one also without its port'],
    [
      'spec.ports[].{protocol,appProtocol}',
      'supported',
      'kubernetes.io/h2c, grpc and http2 mean HTTP/2; ports of UDP and SCTP are passed over',
    ],
    ['spec.ports[].targetPort', 'supported', 'where DNS is asked for a headless Service; an EndpointSlice has the port of its endpoints'],
    ['spec.selector.**', 'ignored', 'who answers is said by EndpointSlices'],
    ['spec.ports[].nodePort', 'ignored', CLUSTER],
    [
      'spec.{allocateLoadBalancerNodePorts,externalIPs,externalTrafficPolicy,healthCheckNodePort,internalTrafficPolicy,ipFamilies,ipFamilyPolicy,loadBalancerClass,loadBalancerIP,loadBalancerSourceRanges}',
      'ignored',
      CLUSTER,
    ],
    ['spec.publishNotReadyAddresses', 'ignored', 'an EndpointSlice says who is ready'],
    [
      'spec.{sessionAffinity,sessionAffinityConfig}.**',
      'ignored',
      'it is of connections by address; use consistentHash or sessionPersistence',
    ],
    ['spec.trafficDistribution', 'ignored', 'use locality of the concise form'],
  ]),
  ...supportRows('ServiceAccount', [['{automountServiceAccountToken,imagePullSecrets,secrets}.**', 'ignored', 'its name is what counts']]),
  ...supportRows('ConfigMap', [
    ['data.**', 'supported', 'ca.crt, where a BackendTLSPolicy names it; else passed over'],
    ['{binaryData,immutable}.**', 'ignored'],
  ]),
  ...supportRows('EndpointSlice', [
    ['addressType', 'supported', 'IPv4, IPv6 and FQDN'],
    ['endpoints[].addresses', 'supported'],
    ['endpoints[].conditions.ready', 'supported', 'who is not ready is not called'],
    ['endpoints[].conditions.{serving,terminating}', 'ignored', 'ready says it'],
    ['endpoints[].zone', 'supported', 'as the label topology.kubernetes.io/zone'],
    ['endpoints[].hints.**', 'ignored', 'use locality of the concise form'],
    ['endpoints[].{hostname,nodeName,targetRef,topology,deprecatedTopology}.**', 'ignored'],
    ['ports[].{name,port}', 'supported', 'found by the name of the port of the Service'],
    ['ports[].protocol', 'supported', 'TCP alone'],
    ['ports[].appProtocol', 'ignored', 'that of the Service counts'],
  ]),
]);
