// The form of ServiceEntry, WorkloadEntry and Sidecar. How the fields hang together is checked in check-service-entry.ts,
// check-workload-entry.ts and check-sidecar.ts.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyText, anything, list, listOrNothing, object, oneOf, text } from '../../model/schema-scalar.ts';
import { resourceSchema } from '../resource-schema.ts';
import { connectionPool, destination, optional, optionals, port, selector, texts, uint32, workloadEntry } from './schema-words.ts';

export function serviceEntrySchema(): Schema {
  const servicePort = object({ number: port, name: text('a port name'), protocol: optional(anyText), targetPort: optional(port) });
  const spec = object({
    hosts: list(anyText),
    ...optionals({
      addresses: texts,
      ports: listOrNothing(servicePort),
      location: oneOf('MESH_EXTERNAL', 'MESH_INTERNAL'),
      resolution: oneOf('NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'),
      endpoints: listOrNothing(object(workloadEntry())),
      workloadSelector: selector,
      exportTo: texts,
      subjectAltNames: texts,
    }),
  });
  return resourceSchema({ spec });
}

export function workloadEntrySchema(): Schema {
  return resourceSchema({ spec: object(workloadEntry()) });
}

export function sidecarSchema(): Schema {
  const sidecarPort = object(optionals({ number: uint32, protocol: anyText, name: anyText, targetPort: uint32 }));
  const captureMode = oneOf('DEFAULT', 'IPTABLES', 'NONE');
  const egress = object({ hosts: list(anyText), ...optionals({ port: sidecarPort, bind: anyText, captureMode }) });
  const ingress = object({
    port: sidecarPort,
    // Listeners are the business of the server itself.
    ...optionals({ bind: anyText, captureMode, defaultEndpoint: anyText, tls: anything, connectionPool: connectionPool() }),
  });
  const policy = object(optionals({ mode: oneOf('REGISTRY_ONLY', 'ALLOW_ANY'), egressProxy: destination }));
  const spec = object(
    optionals({
      workloadSelector: selector,
      ingress: listOrNothing(ingress),
      egress: listOrNothing(egress),
      inboundConnectionPool: connectionPool(),
      outboundTrafficPolicy: policy,
    }),
  );
  return resourceSchema({ spec: optional(spec) });
}
