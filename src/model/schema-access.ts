// The schema of what the concise form says about who may call. Mirrors input-access.ts.
import { EXTENSION_PROVIDER_DEFAULTS } from './extension-provider.ts';
import { formatDuration } from './duration.ts';
import {
  anyOf,
  anyText,
  boolean,
  described,
  duration,
  field,
  integer,
  list,
  listOrNothing,
  names,
  object,
  oneOf,
  port,
  type Schema,
  text,
  token,
} from './schema-scalar.ts';

/** They are kept in memory until the authorizer has answered. */
const CHECKED_BODY_BYTES_MAX = 16_777_216;

const texts = (what: string): Schema => list(text(what));

const RULE = {
  from: field(texts('a caller'), 'Callers by their certificate: account, namespace/account, namespace/*, spiffe://…, or *.'),
  addresses: field(texts('an address or a range'), 'Addresses and ranges of callers.'),
  methods: field(texts('a method'), 'Methods.'),
  paths: field(texts('a path'), 'Paths without the query: exact, /a/*, */a, or with {*} and {**}.'),
  hosts: field(texts('a host'), 'Hosts, on every port unless one is named.'),
  ports: field(list(port), 'Ports of this process.'),
  headers: field(names(anyOf(anyText, texts('a value')), token), 'Headers by name; of a list any value.'),
};

/** Fields of `inbound`. */
export function accessEntries(numbers: boolean): Record<string, Schema> {
  const d = EXTENSION_PROVIDER_DEFAULTS;
  const header = texts('a header name, or one with * at an end');
  const body = object({
    maxRequestBytes: described(integer(1, CHECKED_BODY_BYTES_MAX), 'Bytes; longer bodies are answered 413.'),
    allowPartialMessage: field(boolean, 'Whether it is asked about longer ones all the same, with their beginning.', false),
    packAsBytes: field(boolean, 'grpc: as raw_body, for what is no UTF-8.', false),
  });
  const provider = object({
    name: described(text('a name'), 'What policies call it.'),
    kind: field(oneOf('http', 'grpc'), 'What it speaks.', 'http'),
    address: described(text('host:port'), 'host:port of the authorizer.'),
    timeout: field(duration(numbers, false), 'For its answer.', formatDuration(d.timeoutMs)),
    failOpen: field(boolean, 'Whether calls are let in while it cannot be asked.', d.failOpen),
    statusOnError: field(integer(400, 599), 'What callers get while it cannot be asked.', d.statusOnError),
    pathPrefix: field(anyText, 'http: stands before the path of the call.'),
    includeRequestHeadersInCheck: field(header, 'http: headers of the call that it sees besides authorization.'),
    includeAdditionalHeadersInCheck: field(names(anyText, token), 'http: further headers for it.'),
    headersToUpstreamOnAllow: field(header, 'http: headers of its answer that the handler gets.'),
    headersToDownstreamOnAllow: field(header, 'http: headers of its answer that the caller gets, too.'),
    headersToDownstreamOnDeny: field(header, 'http: headers of its answer that a denied caller gets; absent: all.'),
    includeRequestBodyInCheck: field(body, 'What it sees of the body; absent: nothing.'),
  });
  return {
    allow: field(listOrNothing(object(RULE)), 'Who may call; as soon as it is there, nobody else may. An empty list lets nobody in.'),
    deny: field(list(object(RULE)), 'Who may not call, whatever allow says.'),
    ask: field(
      list(object({ provider: described(text('a name'), 'One of extensionProviders.'), ...RULE })),
      'Calls that an external authorizer decides about first.',
    ),
    extensionProviders: field(list(provider), 'External authorizers by name.'),
  };
}
