// Words that the schemas of Istio's kinds share. Source: istio/api kubernetes/customresourcedefinitions.gen.yaml.
import type { Schema } from '../../model/schema-scalar.ts';
import {
  anyText,
  boolean,
  duration,
  field,
  integer,
  labels,
  listOrNothing,
  names,
  number,
  object,
  oneOf,
  text,
} from '../../model/schema-scalar.ts';

/** A field that may be left out. */
export function optional(schema: Schema): Schema {
  return field(schema, '');
}

/** Optional fields. */
export function optionals(entries: Readonly<Record<string, Schema>>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(entries).map(([key, schema]) => [key, optional(schema)]));
}

export const texts: Schema = listOrNothing(anyText);

/** Of protocol buffers, never below 0. */
export const uint32: Schema = integer(0, 4_294_967_295);
export const int32: Schema = integer(0, 2_147_483_647);

/** Above 0; that it is at least a millisecond, and a whole number of them, is checked later. */
export const timeSpan: Schema = duration(false, false);
/** 0 is allowed, and switches off. */
export const timeSpanOrZero: Schema = duration(false, true);

export const port: Schema = integer(1, 65_535);

export const percentage: Schema = object({ value: optional(number(0, 100)) });

export const stringMatch: Schema = object(optionals({ exact: anyText, prefix: anyText, regex: anyText }));

export const destination: Schema = object({
  host: anyText,
  subset: optional(anyText),
  port: optional(object({ number: optional(uint32) })),
});

export const selector: Schema = object({ labels: optional(labels) });

/** Of Telemetry and of DestinationRules. */
export const workloadSelector: Schema = object({ matchLabels: optional(labels) });

/** May be given by numbers of 0 and up. */
export function connectionPool(): Schema {
  const keepalive = object(optionals({ probes: uint32, time: timeSpan, interval: timeSpan }));
  const tcp = object(
    optionals({
      maxConnections: int32,
      connectTimeout: timeSpan,
      idleTimeout: timeSpanOrZero,
      maxConnectionDuration: timeSpan,
      tcpKeepalive: keepalive,
    }),
  );
  const http = object(
    optionals({
      http1MaxPendingRequests: int32,
      http2MaxRequests: int32,
      maxRequestsPerConnection: int32,
      maxRetries: int32,
      idleTimeout: timeSpan,
      h2UpgradePolicy: oneOf('DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE'),
      useClientProtocol: boolean,
      maxConcurrentStreams: int32,
      http2KeepAlive: object(optionals({ interval: timeSpan, timeout: timeSpan })),
    }),
  );
  return object(optionals({ tcp, http }));
}

export function workloadEntry(): Record<string, Schema> {
  return optionals({
    address: anyText,
    ports: portsByName(),
    labels,
    network: anyText,
    locality: anyText,
    weight: uint32,
    serviceAccount: anyText,
  });
}

function portsByName(): Schema {
  return names(port, text('a port name'));
}
