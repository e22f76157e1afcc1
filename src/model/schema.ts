// The schema of the concise form, the one source of the checks and of schema/mesh.schema.json. Mirrors input.ts; what
// one field must be stands here, how fields hang together is checked in resolve.ts.
import { accessEntries } from './schema-access.ts';
import { policyEntries, retries } from './schema-policy.ts';
import { ADMISSION_DEFAULTS } from './inbound.ts';
import { SERVER_LIMITS_DEFAULTS } from './server-limits.ts';
import { formatDuration } from './duration.ts';
import type { Schema } from './schema-scalar.ts';
import {
  address,
  anyOf,
  boolean,
  described,
  duration,
  factor,
  field,
  fieldValue,
  hostName,
  integer,
  labels,
  list,
  listOrNothing,
  method,
  names,
  number,
  object,
  oneOf,
  pattern,
  plainName,
  port,
  positive,
  target,
  text,
  toggle,
  token,
  yes,
} from './schema-scalar.ts';
import { grpcServiceConfig } from './schema-grpc.ts';
import { trafficEntries } from './schema-traffic.ts';

/** What a file may hold: durations are words. */
export const fileSchema: () => Schema = whileRead(() => mesh(false));

/** What code may hand over: durations may also be numbers of ms. */
export const inputSchema: () => Schema = whileRead(() => mesh(true));

/** Made when something is read and then let go of: it weighs a megabyte, and the next reading may never come. */
function whileRead(make: () => Schema): () => Schema {
  let made: WeakRef<Schema> | undefined;
  return () => {
    const known = made?.deref();
    if (known !== undefined) return known;
    const schema = make();
    made = new WeakRef(schema);
    return schema;
  };
}

function mesh(numbers: boolean): Schema {
  return described(
    object({
      self: field(self, 'Who this process is.'),
      identity: field(identity, 'Certificate of this process: PEM text, or paths relative to this file.'),
      defaults: field(object(policyEntries(numbers)), 'Policies of every service that does not say otherwise.'),
      unknownHosts: field(oneOf('pass', 'refuse'), 'What becomes of a call to a host that no service names.', 'pass'),
      failures: field(oneOf('throw', 'respond'), 'Whether a refusal rejects, or is the answer that a sidecar would give.', 'throw'),
      services: field(names(service(numbers), plainName), 'Services by name. The name is a host name of the service.'),
      inbound: field(inbound(numbers), 'What a server of this process accepts.'),
      telemetry: field(telemetry, 'What is told of calls.'),
    }),
    'Configuration of inmesh.',
  );
}

const self: Schema = object({
  service: field(plainName, 'Name of the service that this process belongs to.'),
  namespace: field(plainName, 'Namespace of the service.', 'default'),
  serviceAccount: field(plainName, 'Account that the process runs under.', 'default'),
  labels: field(labels, 'Labels of this process.'),
  locality: field(text('region/zone/subzone'), 'region/zone/subzone, from the left.'),
});

const telemetry: Schema = object({
  grpcMetrics: field(boolean, 'Whether gRPC calls are counted under the names of gRPC, too (gRFC A66, A96).', false),
});

const identity: Schema = object({
  cert: field(text('a path or PEM text'), 'Certificate chain: path or PEM text.'),
  key: field(text('a path or PEM text'), 'Private key: path or PEM text.'),
  ca: field(text('a path or PEM text'), 'Roots that peers are verified against: path or PEM text.'),
  directory: field(text('a folder'), 'Instead of cert, key and ca: a folder that cert-manager, Istio or spiffe-helper fills.'),
  spiffe: field(text('unix:///path or tcp://IP:port'), 'Instead of cert, key and ca: the address of a SPIFFE agent.'),
  external: field(yes, 'Instead of cert, key and ca: the program hands it in, createMesh({ identity }).'),
  hint: field(text('a hint'), 'Which of several identities of the agent. Absent: the first.'),
  bundles: field(names(text('a path or PEM text'), text('a trust domain')), 'Roots of other trust domains: path or PEM text.'),
  bundleMap: field(text('a path'), 'Roots by trust domain: a SPIFFE bundle map, JSON.'),
  crl: field(text('a path or PEM text'), 'Lists of revoked certificates: path or PEM text.'),
  trustDomain: field(text('a trust domain'), 'Trust domain of the roots, where the certificate has no SPIFFE ID.'),
  trustDomainAliases: field(list(text('a trust domain')), 'Other names of our own trust domain.'),
});

function inbound(numbers: boolean): Schema {
  return object({
    mtls: field(oneOf('strict', 'permissive', 'disable'), 'Absent: permissive with an identity, disable without.'),
    admission: field(toggle(admission(numbers)), 'How much a server takes on at once; what is beyond is answered 503.', true),
    limits: field(serverLimits(numbers), 'Fixed limits, and how long a caller may take for each step; 0 means none.'),
    minTls: field(oneOf('1.2', '1.3'), 'Oldest TLS that is spoken.', '1.3'),
    trustedProxies: field(list(text('a SPIFFE ID, an address or a range')), 'Callers whose identity headers are kept.'),
    forwardClientCert: field(
      boolean,
      'Whether the handler gets x-forwarded-client-cert, made from the certificate of the connection.',
      false,
    ),
    ...accessEntries(numbers),
  });
}

function serverLimits(numbers: boolean): Schema {
  const d = SERVER_LIMITS_DEFAULTS;
  const time = (what: string, ms: number): ReturnType<typeof field> => field(duration(numbers, true), what, formatDuration(ms));
  const count = (what: string, value: number): ReturnType<typeof field> => field(integer(0), what, value);
  return object({
    maxConnections: count('Open sockets of one server.', d.maxConnections),
    maxConnectionsPerAddress: count('Open sockets from one address.', d.maxConnectionsPerAddress),
    maxRequests: count('Calls being served at once; one more is refused.', d.maxRequests),
    firstByteTimeout: time('Until the first bytes of a connection.', d.firstByteMs),
    handshakeTimeout: time('For the TLS handshake.', d.handshakeMs),
    headersTimeout: time('For the head of an HTTP/1 request.', d.headersMs),
    requestTimeout: time('For a whole HTTP/1 request with its body.', d.requestMs),
    idleTimeout: time('HTTP/2 connections on which nothing moves.', d.idleMs),
    maxHeaderBytes: field(integer(1_024), 'All headers of one request, bytes.', d.headerBytesMax),
    maxConnectionAge: time('TLS connections end gracefully after this time ± 10 %.', d.connectionAgeMs),
    maxStreams: field(integer(1), 'HTTP/2 streams at once on one connection.', d.maxStreams),
    streamResetBurst: field(integer(1), 'Streams that a caller may reset at once.', d.streamResetBurst),
    streamResetRate: field(integer(1), 'And per second from then on.', d.streamResetRate),
    controlFrameBurst: count('PING and SETTINGS frames at once on one HTTP/2 connection.', d.controlFrameBurst),
    controlFrameRate: count('And per second from then on.', d.controlFrameRate),
  });
}

function admission(numbers: boolean): Schema {
  const d = ADMISSION_DEFAULTS;
  return object({
    minLimit: field(integer(1), 'The limit never falls below.', d.limitMin),
    maxLimit: field(integer(1), 'The limit never rises above.', d.limitMax),
    initialLimit: field(integer(1), 'Limit at start.', d.limitInitial),
    decrease: field(factor, 'Factor when overloaded.', d.decrease),
    eventLoopDelay: field(
      duration(numbers, true),
      'Event-loop delay above which the limit falls; 0s switches the detector off.',
      formatDuration(d.eventLoopDelayMs),
    ),
    latencyFactor: field(number(0), 'The limit falls while latency exceeds this many times its baseline; 0: never.', d.latencyFactor),
    sheddableShare: field(positive(1), 'Share of the limit up to which sheddable calls and retries are admitted.', d.sheddableShare),
    retryAfter: field(duration(numbers, false), 'What Retry-After says.', formatDuration(d.retryAfterMs)),
  });
}

const endpointObject: Schema = object({
  address: described(address, 'host:port, or [ipv6]:port.'),
  labels: field(labels, 'What subsets choose by.'),
  locality: field(text('region/zone/subzone'), 'region/zone/subzone, from the left.'),
  weight: field(positive(1_000_000), 'Relative share.', 1),
  priority: field(integer(0, 127), 'Lower ones are used first.', 0),
});

const endpoint: Schema = anyOf(address, endpointObject);

/** What the file that `endpointsFile` names must hold. Never empty, so that a half-written file takes no endpoint away. */
export const endpointsSchema: Schema = list(endpoint);

const dns: Schema = anyOf(
  address,
  object({
    host: described(hostName, 'Name to look up.'),
    port: field(port, 'Port of the endpoints; required unless record is SRV.'),
    record: field(oneOf('A', 'AAAA', 'SRV', 'any'), 'Records that are asked for.', 'any'),
  }),
);

function service(numbers: boolean): Schema {
  return described(
    object({
      hosts: field(list(hostName), 'More host names that mean this service, without port.'),
      endpoints: field(listOrNothing(endpoint), 'Fixed addresses; [] for a service that only mesh.call uses.'),
      endpointsFile: field(text('a path'), 'File with a list of endpoints, relative to this file, watched.'),
      dns: field(dns, 'DNS name of the endpoints: host:port, or the whole.'),
      ...policyEntries(numbers),
      subsets: field(names(labels, plainName, 1_000), 'Subset name to the labels that an endpoint must carry.'),
      routes: field(list(route(numbers)), 'In order; the first that matches wins. What none matches goes to the whole service.'),
      grpcServiceConfig: field(
        anyOf(text('a path'), grpcServiceConfig),
        'Instead of routes: a gRPC service config, or a JSON or YAML file that holds one, relative to this file, watched.',
      ),
    }),
    'One service. Exactly one of endpoints, endpointsFile and dns.',
    { oneOf: [{ required: ['endpoints'] }, { required: ['endpointsFile'] }, { required: ['dns'] }] },
  );
}

/** The metadata says to editors what `exactlyOne` of resolve-route.ts checks. */
function oneKeyOf(...keys: readonly string[]): Readonly<Record<string, unknown>> {
  return { oneOf: keys.map((key) => ({ required: [key] })) };
}

function stringMatch(exact: Schema): Schema {
  const whole = object({
    exact: field(exact, 'Equal.'),
    prefix: field(text(), 'Starts with.'),
    regex: field(pattern, 'RE2 syntax, matches the whole.'),
    present: field(yes, 'There, whatever its value.'),
    not: field(boolean, 'Turns the answer round.', false),
  });
  return anyOf(exact, described(whole, 'Exactly one of the four.', oneKeyOf('exact', 'prefix', 'regex', 'present')));
}

const pathMatch: Schema = anyOf(
  text('a path'),
  described(
    object({
      exact: field(text('a path'), 'Equal.'),
      prefix: field(text('a path'), 'Raw string prefix: /a matches /ab.'),
      pathPrefix: field(text('a path'), 'Prefix by segments: /a matches /a/b, not /ab.'),
      regex: field(pattern, 'RE2 syntax, matches the whole path without the query.'),
      ignoreCase: field(boolean, 'With exact and prefix only.', false),
      not: field(boolean, 'Turns the answer round.', false),
    }),
    'Exactly one of the four.',
    oneKeyOf('exact', 'prefix', 'pathPrefix', 'regex'),
  ),
);

const match: Schema = object({
  path: field(pathMatch, 'Path without the query; a text means exact.'),
  method: field(stringMatch(method), 'HTTP method; a text means exact.'),
  headers: field(names(stringMatch(fieldValue), token), 'By name; a text means exact.'),
  queryParams: field(names(stringMatch(text())), 'By name; a text means exact.'),
  scheme: field(stringMatch(text()), 'http or https; a text means exact.'),
  authority: field(stringMatch(text()), 'As the caller wrote it, port included; a text means exact.'),
  port: field(port, 'The port that the caller named, else that of the scheme.'),
});

const headerOperations: Schema = object({
  set: field(names(fieldValue, token), 'Replaces.'),
  add: field(names(fieldValue, token), 'Appends.'),
  remove: field(list(token), 'Removes, before set and add.'),
});

const sticky: Schema = described(
  object({
    header: field(token, 'Name of the header.'),
    cookie: field(token, 'Name of the cookie.'),
  }),
  'Exactly one of the two.',
  oneKeyOf('header', 'cookie'),
);

function route(numbers: boolean): Schema {
  return object({
    name: field(plainName, 'Shown in telemetry and errors. Absent: route-1, route-2, … by place.'),
    match: field(anyOf(match, list(match)), 'One match, or a list of which one must hold. Absent: every call.'),
    to: field(anyOf(target, names(number(0), target)), 'A subset, a service, service/subset, or weights by such names.'),
    timeout: field(duration(numbers, true), 'Total time of a call; 0: none. Absent: that of the service.'),
    retries: retries(numbers),
    sticky: field(sticky, 'The same value always draws the same target, while weights stand.'),
    headers: field(
      object({ request: field(headerOperations, 'On the way out.'), response: field(headerOperations, 'On the way back.') }),
      'What is changed on the way.',
    ),
    ...trafficEntries(numbers, stringMatch(fieldValue)),
  });
}
