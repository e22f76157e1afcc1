// The form of a Telemetry. How the fields hang together is checked in check-telemetry.ts.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyText, boolean, listOrNothing, names, number, object, oneOf, text } from '../../model/schema-scalar.ts';
import { resourceSchema } from '../resource-schema.ts';
import { optional, optionals, timeSpan, workloadSelector } from './schema-words.ts';

export function telemetrySchema(): Schema {
  const spec = object(
    optionals({
      selector: workloadSelector,
      targetRef,
      targetRefs: listOrNothing(targetRef),
      tracing: listOrNothing(tracing()),
      metrics: listOrNothing(metrics()),
      accessLogging: listOrNothing(accessLogging()),
    }),
  );
  return resourceSchema({ spec: optional(spec) });
}

const targetRef: Schema = object({
  kind: text('a kind'),
  name: text('a name'),
  ...optionals({ group: anyText, namespace: anyText }),
});

const mode: Schema = oneOf('CLIENT_AND_SERVER', 'CLIENT', 'SERVER');
const match: Schema = object(optionals({ mode }));
const providers: Schema = listOrNothing(object({ name: text('the name of a provider') }));

const METRICS = [
  'ALL_METRICS',
  'REQUEST_COUNT',
  'REQUEST_DURATION',
  'REQUEST_SIZE',
  'RESPONSE_SIZE',
  'TCP_OPENED_CONNECTIONS',
  'TCP_CLOSED_CONNECTIONS',
  'TCP_SENT_BYTES',
  'TCP_RECEIVED_BYTES',
  'GRPC_REQUEST_MESSAGES',
  'GRPC_RESPONSE_MESSAGES',
];

function tracing(): Schema {
  const named = object({ name: text('a name'), defaultValue: optional(anyText) });
  const valued = object({ value: text('a value') });
  const tag = object(optionals({ literal: valued, environment: named, header: named, formatter: valued }));
  return object(
    optionals({
      match,
      providers,
      randomSamplingPercentage: number(0, 100),
      disableSpanReporting: boolean,
      disableContextPropagation: boolean,
      customTags: names(tag),
      useRequestIdForTraceSampling: boolean,
      enableIstioTags: boolean,
    }),
  );
}

function metrics(): Schema {
  const selected = object(optionals({ metric: oneOf(...METRICS), customMetric: text('the name of a metric'), mode }));
  const tag = object(optionals({ operation: oneOf('UPSERT', 'REMOVE'), value: anyText }));
  const override = object(optionals({ match: selected, disabled: boolean, tagOverrides: names(tag) }));
  return object(optionals({ providers, overrides: listOrNothing(override), reportingInterval: timeSpan }));
}

function accessLogging(): Schema {
  return object(optionals({ match, providers, disabled: boolean, filter: object(optionals({ expression: anyText })) }));
}
