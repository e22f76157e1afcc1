// The schema of what a route does with its calls beside sending them on. Mirrors input-traffic.ts; how the fields hang
// together is checked in resolve-traffic.ts and resolve-rewrite.ts.
import { CACHE_DEFAULTS, COALESCE_DEFAULTS, CRITICALITIES, FAULT_DEFAULTS, HEDGE_DEFAULTS, MIRROR_DEFAULTS } from './traffic.ts';
import { formatDuration } from './duration.ts';
import { GRPC_STATUSES } from './grpc-status.ts';
import { rateLimit } from './schema-policy.ts';
import type { Schema } from './schema-scalar.ts';
import {
  answerStatus,
  anyOf,
  anyText,
  authority,
  bodyLimit,
  boolean,
  bytes,
  callback,
  described,
  duration,
  field,
  fieldValue,
  hostName,
  hostSuffix,
  instant,
  integer,
  list,
  listOrNothing,
  names,
  number,
  numberOf,
  object,
  oneOf,
  path,
  pattern,
  percent,
  port,
  positive,
  statusRange,
  target,
  text,
  toggle,
  token,
} from './schema-scalar.ts';

/** Fields of `RouteInput` beside match and target. `headerMatch`: how a header is compared. */
export function trafficEntries(numbers: boolean, headerMatch: Schema): Record<string, Schema> {
  const mirrorTarget = anyOf(target, mirror());
  return {
    rewrite: field(rewrite(), 'What the endpoint sees instead.'),
    redirect: field(redirect(), 'The answer is a redirect: no endpoint is asked.'),
    directResponse: field(directResponse(), 'The mesh answers by itself: no endpoint is asked.'),
    fault: field(fault(numbers, headerMatch), 'Faults put in on purpose.'),
    mirror: field(
      anyOf(target, mirror(), list(mirrorTarget)),
      'Where copies go: a subset, a service, service/subset, the whole, or several.',
    ),
    rateLimit: field(rateLimit(numbers), 'A bucket of this route, beside that of the service.'),
    idempotent: field(
      toggle(idempotent(numbers)),
      'Calls may be repeated whatever their method; with extraLoad late ones are sent twice.',
      false,
    ),
    cache: field(toggle(cache(numbers)), 'Answers to GET kept in memory, by RFC 9111.', false),
    coalesce: field(toggle(coalesce()), 'Identical GETs in flight become one.', false),
    fallback: field(fallback(numbers), 'Answers when the call failed for good.'),
    criticality: field(oneOf(...CRITICALITIES), 'How much a call matters that does not say. Absent: critical.'),
  };
}

const percentage: Schema = anyOf(percent, object({ value: described(percent, '0 to 100.') }));

function fault(numbers: boolean, headerMatch: Schema): Schema {
  const d = FAULT_DEFAULTS;
  const delay = object({
    fixedDelay: described(duration(numbers, false), 'How long.'),
    percentage: described(percentage, 'Share of the calls.'),
  });
  const abort = object({
    httpStatus: field(answerStatus, 'Status of the answer.'),
    grpcStatus: field(anyOf(oneOf(...GRPC_STATUSES.slice(1)), integer(1, 16)), 'gRPC status of the answer: name or number.'),
    percentage: described(percentage, 'Share of the calls.'),
  });
  return object({
    delay: field(delay, 'The call waits.'),
    abort: field(abort, 'The call is answered. Exactly one of httpStatus and grpcStatus.'),
    position: field(
      oneOf('call', 'attempt'),
      'call: before timeout and retries, as Istio. attempt: as if the endpoint did it.',
      d.position,
    ),
    headers: field(names(headerMatch, token), 'Only calls that carry all of these; a text means exact.'),
    by: field(oneOf('trace', 'random'), 'trace: equal traces meet equal faults. random: by chance.', d.by),
    maxActive: field(integer(0), 'Faults under way at once in this process; 0: no cap.', d.activeMax),
    blastRadius: field(percent, 'Most calls of the last 10 s that may be hit, percent.', d.blastPercent),
    until: field(instant(numbers), 'From when nothing is injected. Absent: for ever.'),
  });
}

function mirror(): Schema {
  const d = MIRROR_DEFAULTS;
  return object({
    to: described(target, 'A subset, a service, or service/subset.'),
    of: field(target, 'Only calls that were drawn for this target of the route, named as there.'),
    percent: field(percent, 'Share of the calls.', d.percent),
    hostSuffix: field(hostSuffix, 'Added to the host name of the copy.', d.hostSuffix),
    strip: field(listOrNothing(token), 'Headers that the copy does not carry.', d.stripHeaders),
    bodyLimit: field(bodyLimit, 'Calls with a longer or unknown body are not copied.', '64KiB'),
  });
}

function rewrite(): Schema {
  const regex = object({
    match: described(pattern, 'RE2 syntax, anywhere in the path.'),
    substitution: described(text('the new text; \\1 is the first group'), '\\1 is the first group.'),
  });
  return object({
    path: field(path, 'The whole path.'),
    prefix: field(path, 'Replaces the prefix that the match names.'),
    regex: field(regex, 'Replaces what matches.'),
    authority: field(authority, 'Host, with port if it has one.'),
  });
}

function redirect(): Schema {
  return object({
    scheme: field(oneOf('http', 'https'), 'Absent: that of the call.'),
    host: field(hostName, 'Absent: that of the call.'),
    port: field(anyOf(port, oneOf('scheme', 'keep')), 'Absent: scheme when scheme is given, else keep.'),
    path: field(path, 'The whole path.'),
    prefix: field(path, 'Replaces the prefix that the match names.'),
    status: field(numberOf(301, 302, 303, 307, 308), 'Status of the answer.', 302),
  });
}

function directResponse(): Schema {
  return object({
    status: described(answerStatus, 'Status of the answer.'),
    body: field(anyText, 'Body of the answer.', ''),
    headers: field(names(fieldValue, token), 'Headers of the answer.'),
  });
}

function idempotent(numbers: boolean): Schema {
  const d = HEDGE_DEFAULTS;
  return object({
    extraLoad: described(positive(0.5), 'Share of the calls that may be sent twice; the delay follows from it.'),
    initialDelay: field(duration(numbers, false), 'First guess of the delay.', formatDuration(d.delayInitialMs)),
    minDelay: field(duration(numbers, false), 'Never sooner than this.', formatDuration(d.delayMinMs)),
  });
}

function cache(numbers: boolean): Schema {
  const d = CACHE_DEFAULTS;
  return object({
    entries: field(integer(1), 'Answers kept.', d.entriesMax),
    size: field(bytes('1024MiB'), 'All bodies together.', '16MiB'),
    bodyLimit: field(bytes('1024MiB'), 'Longer answers are not kept.', '1MiB'),
    fresh: field(boolean, 'Whether a fresh answer is given without asking the service.', d.fresh),
    staleIfError: field(
      duration(numbers, true),
      'How long after its freshness an answer may stand in for a failed one.',
      formatDuration(d.staleIfErrorMs),
    ),
    jitter: field(number(0, 1), 'Freshness is shortened at random by up to this share.', d.jitter),
  });
}

function coalesce(): Schema {
  const d = COALESCE_DEFAULTS;
  return object({
    maxWaiters: field(integer(1), 'Calls that may wait for one; more go on their own.', d.waitersMax),
    headers: field(listOrNothing(token), 'Headers that make calls different, beside method, host, path and identity.', d.headers),
    bodyLimit: field(bytes('64MiB'), 'Longer answers are not shared.', '1MiB'),
  });
}

function fallback(numbers: boolean): Schema {
  return object({
    status: field(answerStatus, 'Status of the answer.', 200),
    headers: field(names(fieldValue, token), 'Headers of the answer.'),
    body: field(anyText, 'Body of the answer.', ''),
    on: field(list(statusRange(400)), 'Statuses that count as failed, beside errors.', ['500-599']),
    // What code may hand over and a file cannot.
    ...(numbers ? { respond: field(callback, 'A function that answers.') } : {}),
  });
}
