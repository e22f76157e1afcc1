// The form of Kubernetes' own kinds, as far as they say who is called and where. Fields for others are read over.
// Source: kubernetes/api core/v1, discovery/v1.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyText, boolean, labels, listOrNothing, names, object, oneOf, text } from '../../model/schema-scalar.ts';
import { resourceSchema } from '../resource-schema.ts';
import { optionals } from '../optional-fields.ts';
import { portNumber, portOrName, texts, unread } from './schema-words.ts';

const protocol: Schema = oneOf('TCP', 'UDP', 'SCTP');

export function serviceSchema(): Schema {
  const port = object({
    port: portNumber,
    ...optionals({ name: anyText, protocol, appProtocol: anyText, targetPort: portOrName }),
    ...unread('nodePort'),
  });
  const spec = object({
    ...optionals({
      type: oneOf('ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'),
      clusterIP: anyText,
      clusterIPs: texts,
      externalName: anyText,
      ports: listOrNothing(port),
      selector: labels,
    }),
    ...unread(...SERVICE_UNREAD),
  });
  return resourceSchema(optionals({ spec }));
}

const SERVICE_UNREAD: readonly string[] = [
  'allocateLoadBalancerNodePorts',
  'externalIPs',
  'externalTrafficPolicy',
  'healthCheckNodePort',
  'internalTrafficPolicy',
  'ipFamilies',
  'ipFamilyPolicy',
  'loadBalancerClass',
  'loadBalancerIP',
  'loadBalancerSourceRanges',
  'publishNotReadyAddresses',
  'sessionAffinity',
  'sessionAffinityConfig',
  'trafficDistribution',
];

export function endpointSliceSchema(): Schema {
  const conditions = object(optionals({ ready: boolean, serving: boolean, terminating: boolean }));
  const endpoint = object({
    addresses: listOrNothing(text('an address')),
    ...optionals({ conditions, zone: anyText }),
    ...unread('deprecatedTopology', 'hints', 'hostname', 'nodeName', 'targetRef', 'topology'),
  });
  const port = object(optionals({ name: anyText, port: portNumber, protocol, appProtocol: anyText }));
  return resourceSchema({
    addressType: oneOf('FQDN', 'IPv4', 'IPv6'),
    ...optionals({ endpoints: listOrNothing(endpoint), ports: listOrNothing(port) }),
  });
}

export function serviceAccountSchema(): Schema {
  return resourceSchema(unread('automountServiceAccountToken', 'imagePullSecrets', 'secrets'));
}

export function configMapSchema(): Schema {
  return resourceSchema({ ...optionals({ data: names(anyText) }), ...unread('binaryData', 'immutable') });
}
