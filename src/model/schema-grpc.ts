// The schema of a gRPC service config. Mirrors input-grpc.ts. What the proto has and nobody here reads is let in, and named as
// lost where it is read.
import * as v from './schema-node.ts';
import { GRPC_STATUSES } from './grpc-status.ts';
import {
  anyOf,
  anything,
  anyText,
  boolean,
  described,
  field,
  integer,
  list,
  listOrNothing,
  names,
  object,
  positive,
} from './schema-scalar.ts';
import type { Schema } from './schema-scalar.ts';

const DURATION = 'a duration in seconds, such as 0.5s';
/** Source: google.protobuf.Duration in JSON. */
const duration: Schema = v.pipe(v.string(DURATION), v.regex(/^\d{1,12}(?:\.\d{1,9})?s$/, DURATION));

const STATUS = 'a gRPC status such as UNAVAILABLE';
/** Any case. Source: gRFC A6. */
const status: Schema = anyOf(
  v.pipe(
    v.string(STATUS),
    v.check((value) => GRPC_STATUSES.indexOf(value.toUpperCase()) > 0, STATUS),
  ),
  integer(1, GRPC_STATUSES.length - 1),
);

const attempts = described(integer(2), 'The first included; 5 at most.');

const retryPolicy: Schema = object({
  maxAttempts: attempts,
  initialBackoff: described(duration, 'Pause before the first retry; doubles.'),
  maxBackoff: described(duration, 'Longest pause.'),
  backoffMultiplier: field(positive(), '2 is what there is.', 2),
  retryableStatusCodes: described(list(status), 'Statuses that are repeated.'),
  perAttemptRecvTimeout: field(duration, 'Time of one attempt until its head.'),
});

const hedgingPolicy: Schema = object({
  maxAttempts: attempts,
  hedgingDelay: field(duration, 'First guess of the delay, which is then learnt.'),
  nonFatalStatusCodes: field(listOrNothing(status), 'Statuses after which others may still answer.'),
});

const bytes: Schema = anyOf(integer(0), anyText);

const methodConfig: Schema = object({
  name: described(
    list(object({ service: field(anyText, 'package.Service; absent: all.'), method: field(anyText, 'Absent: all of the service.') })),
    'Which calls it is about; [{}] for all.',
  ),
  timeout: field(duration, 'Total time of a call.'),
  retryPolicy: field(retryPolicy, 'Retries. Not beside hedgingPolicy.'),
  hedgingPolicy: field(hedgingPolicy, 'A second attempt beside a late one.'),
  waitForReady: field(boolean, 'Not read: the caller says it in the metadata.'),
  maxRequestMessageBytes: field(bytes, 'Not read: an option of the channel.'),
  maxResponseMessageBytes: field(bytes, 'Not read: an option of the channel.'),
});

export const grpcServiceConfig: Schema = object({
  methodConfig: field(listOrNothing(methodConfig), 'Timeouts, retries and hedges by method.'),
  retryThrottling: field(
    object({ maxTokens: field(integer(1, 1_000), 'Tokens at most.'), tokenRatio: field(positive(1_000), 'Tokens for each success.') }),
    'The retry budget.',
  ),
  loadBalancingConfig: field(listOrNothing(names(anything)), 'The first is read, if it is round_robin.'),
  loadBalancingPolicy: field(anyText, 'Not read: the older form.'),
  healthCheckConfig: field(anything, 'Not read: see healthCheck.'),
});
