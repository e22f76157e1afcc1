// The form of a DestinationRule. How the fields hang together is checked in check-destination-rule.ts.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyText, boolean, integer, labels, listOrNothing, names, number, object, oneOf, text } from '../../model/schema-scalar.ts';
import { resourceSchema } from '../resource-schema.ts';
import { connectionPool, int32, optional, optionals, texts, timeSpan, timeSpanOrZero, uint32, workloadSelector } from './schema-words.ts';

export function destinationRuleSchema(): Schema {
  const policy = trafficPolicy();
  const subset = object({ name: text('a subset name'), labels: optional(labels), trafficPolicy: optional(policy) });
  const spec = object({
    host: text('a host name'),
    ...optionals({ trafficPolicy: policy, subsets: listOrNothing(subset), exportTo: texts, workloadSelector }),
  });
  return resourceSchema({ spec });
}

/** Blocks that a port may have of its own. */
function blocks(): Record<string, Schema> {
  return optionals({ connectionPool: connectionPool(), loadBalancer: loadBalancer(), outlierDetection: outlierDetection(), tls: tls() });
}

function trafficPolicy(): Schema {
  const ofPort = object({ port: optional(object({ number: optional(uint32) })), ...blocks() });
  const budget = object(optionals({ percent: number(0, 100), minRetryConcurrency: uint32, budgetInterval: timeSpanOrZero }));
  return object({
    ...blocks(),
    ...optionals({
      portLevelSettings: listOrNothing(ofPort),
      retryBudget: budget,
      tunnel: object({ protocol: optional(anyText), targetHost: anyText, targetPort: uint32 }),
      proxyProtocol: object({ version: optional(oneOf('V1', 'V2')) }),
    }),
  });
}

function loadBalancer(): Schema {
  const failover = {
    enabled: boolean,
    failover: listOrNothing(object(optionals({ from: anyText, to: anyText }))),
    failoverPriority: texts,
  };
  const distribute = listOrNothing(object(optionals({ from: anyText, to: names(uint32, anyText) })));
  const warmup = object({ duration: timeSpan, ...optionals({ minimumPercent: number(0, 100), aggression: number(0) }) });
  return object(
    optionals({
      simple: oneOf('UNSPECIFIED', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST'),
      consistentHash: consistentHash(),
      localityLbSetting: object(optionals({ ...failover, distribute })),
      zoneAwareLbSetting: object(optionals({ ...failover, minClusterSize: integer(1) })),
      warmup,
      warmupDurationSecs: timeSpan,
    }),
  );
}

function consistentHash(): Schema {
  const attribute = object({ name: anyText, value: optional(anyText) });
  const cookie = object({
    name: anyText,
    ...optionals({ path: anyText, ttl: timeSpanOrZero, attributes: listOrNothing(attribute) }),
  });
  return object(
    optionals({
      httpHeaderName: anyText,
      httpCookie: cookie,
      useSourceIp: boolean,
      httpQueryParameterName: anyText,
      minimumRingSize: integer(0),
      ringHash: object(optionals({ minimumRingSize: integer(0) })),
      maglev: object(optionals({ tableSize: integer(0) })),
    }),
  );
}

function outlierDetection(): Schema {
  return object(
    optionals({
      consecutiveErrors: int32,
      splitExternalLocalOriginErrors: boolean,
      consecutiveLocalOriginFailures: uint32,
      consecutiveGatewayErrors: uint32,
      consecutive5xxErrors: uint32,
      interval: timeSpan,
      baseEjectionTime: timeSpan,
      maxEjectionPercent: integer(0, 100),
      minHealthPercent: integer(0, 100),
      outlierDetectionHttpErrorCodes: listOrNothing(integer(100, 599)),
    }),
  );
}

function tls(): Schema {
  return object(
    optionals({
      mode: oneOf('DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'),
      clientCertificate: anyText,
      privateKey: anyText,
      caCertificates: anyText,
      caCrl: anyText,
      credentialName: anyText,
      subjectAltNames: texts,
      sni: anyText,
      insecureSkipVerify: boolean,
    }),
  );
}
