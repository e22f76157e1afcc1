// What people get wrong, and what they are told: place, message and suggestion, word for word.
import { describe, expect, it } from 'vitest';
import { loadRegex } from '../../src/route/regex.ts';
import { describeIssue } from '../../src/yaml/format.ts';
import { loadConfig } from '../../src/yaml/load.ts';

/** A service that is right but for the lines given. */
function service(lines: string): string {
  return `services:\n  a:\n    endpoints: ['10.0.0.1:80']\n${lines.replace(/^(?=.)/gm, '    ')}`;
}

type Row = readonly [name: string, text: string, issues: readonly string[]];

// biome-ignore lint/suspicious/noTemplateCurlyInString: that is what the files hold.
const rows: readonly Row[] = [
  ['__proto__', 'self:\n  __proto__: { x: y }', ['2:3 error __proto__ is not allowed as a key']],
  ['retryOn of a text', service('retries: { retryOn: reset }'), ['4:25 error services.a.retries.retryOn must be a list, not "reset"']],
  ['size of hosts', service('hosts: []'), ['4:12 error services.a.hosts must be a list with at least one entry, not an empty list']],
  [
    'negative weight of a service',
    "services:\n  a: { dns: 'x:1' }\n  b: { dns: 'x:1', routes: [ { to: { a: -1, b: 5 } } ] }",
    ['3:41 error services.b.routes[0].to.a must be a number from 0, not -1'],
  ],
  [
    'two faults at once',
    "failures: no\nservices:\n  a: { dns: 'x:1', timout: 1s }\n  b: { dns: 'x:1', routes: [ { to: c } ] }",
    [
      '1:11 error failures must be one of throw, respond, not "no"',
      '3:20 error unknown key "timout" in services.a; did you mean "timeout"?',
      '4:36 error "c" is neither a subset of service "b" nor a service',
    ],
  ],
  ['unknown top-level key', 'servcies: {}', ['1:1 error unknown key "servcies" in the configuration; did you mean "services"?']],
  [
    'unknown key without a neighbour',
    'upstreams: {}',
    [
      '1:1 error unknown key "upstreams" in the configuration; valid are self, identity, defaults, unknownHosts, failures, services, inbound, telemetry',
    ],
  ],
  [
    'key with another case',
    'UnknownHosts: pass',
    ['1:1 error unknown key "UnknownHosts" in the configuration; did you mean "unknownHosts"?'],
  ],
  ['a list', '- a\n- b', ['1:1 error a configuration is a mapping with services, defaults and so on']],
  ['a text', 'hello', ['1:1 error a configuration is a mapping with services, defaults and so on']],
  ['wrong word', 'unknownHosts: allow', ['1:15 error unknownHosts must be one of pass, refuse, not "allow"']],
  ['near word', 'failures: respnd', ['1:11 error failures must be one of throw, respond, not "respnd"; did you mean "respond"?']],
  [
    'unknown key of self',
    'self: { name: x }',
    ['1:9 error unknown key "name" in self; valid are service, namespace, serviceAccount, labels, locality'],
  ],
  [
    'label that is a number',
    'self:\n  labels: { version: 1 }',
    ['2:22 error self.labels.version must be a text, in quotes when it looks like a number, not 1'],
  ],
  [
    'identity without ca',
    'identity: { cert: a, key: b }',
    ['1:11 error identity lacks ca; give cert, key and ca, or directory, or spiffe, or external'],
  ],
  [
    'strict without identity',
    'inbound: { mtls: strict }',
    ['1:18 error inbound: strict needs a certificate of this process; add identity at the top'],
  ],
  ['services is a list', 'services:\n  - a', ['2:3 error services must be a mapping, not a list']],
  ['service is empty', 'services:\n  a:', ['2:5 error services.a must be a mapping, not nothing']],
  [
    'service name with a slash',
    "services:\n  a/b: { dns: 'x:1' }",
    ['2:3 error the key "a/b" in services must be a name of letters, digits, ".", "_" and "-", at most 253 characters'],
  ],
  [
    'no endpoints',
    'services:\n  a: { timeout: 1s }',
    [
      '2:3 error service "a" does not say who answers for it; add endpoints: [host:port, …], or endpointsFile: path, or dns: a:80, or endpoints: [] for mesh.call alone',
    ],
  ],
  [
    'two sources',
    'services:\n  a:\n    dns: x:1\n    endpointsFile: x.yaml',
    ['3:5 error service "a" has both endpointsFile and dns; keep one'],
  ],
  [
    'host with port',
    service("hosts: ['a.example:80']"),
    ['4:13 error services.a.hosts[0] must be a host name without scheme, port or wildcard, not "a.example:80"'],
  ],
  [
    'wildcard host',
    service("hosts: ['*.example']"),
    ['4:13 error services.a.hosts[0] must be a host name without scheme, port or wildcard, not "*.example"'],
  ],
  [
    'host of two services',
    'services:\n  a: { dns: x:1 }\n  b:\n    dns: x:1\n    hosts: [c, A]',
    ['5:16 error host "a" already means service "a" (mesh.yaml:2:3); a host can mean one service only'],
  ],
  [
    'address without port',
    'services:\n  a:\n    endpoints: [10.0.0.1]',
    ['3:17 error services.a.endpoints[0] must be an address such as 10.0.0.1:8080, [::1]:8080 or reviews.internal:8080, not "10.0.0.1"'],
  ],
  [
    'port too large',
    "services:\n  a:\n    endpoints:\n      - { address: 'x:70000' }",
    [
      '4:20 error services.a.endpoints[0].address must be an address such as 10.0.0.1:8080, [::1]:8080 or reviews.internal:8080, not "x:70000"',
    ],
  ],
  [
    'bad IPv6',
    "services:\n  a:\n    endpoints: ['[::1::2]:80']",
    ['3:17 error services.a.endpoints[0] must be an address such as 10.0.0.1:8080, [::1]:8080 or reviews.internal:8080, not "[::1::2]:80"'],
  ],
  [
    'address twice',
    "services:\n  a:\n    endpoints: ['x:80', 'X:80']",
    ['3:25 error the endpoint "x:80" stands twice, first at mesh.yaml:3:17; use weight for a larger share'],
  ],
  [
    'endpoint weight 0',
    "services:\n  a:\n    endpoints: [{ address: 'x:80', weight: 0 }]",
    ['3:44 error services.a.endpoints[0].weight must be a number above 0, at most 1000000, not 0'],
  ],
  ['dns without port', 'services:\n  a: { dns: { host: x } }', ['2:13 error services.a.dns needs a port; only record: SRV brings its own']],
  [
    'dns text without port',
    'services:\n  a: { dns: x }',
    ['2:13 error services.a.dns must be an address such as 10.0.0.1:8080, [::1]:8080 or reviews.internal:8080, not "x"'],
  ],
  [
    'dns record',
    'services:\n  a: { dns: { host: x, port: 1, record: AAA } }',
    ['2:41 error services.a.dns.record must be one of A, AAAA, SRV, any, not "AAA"; did you mean "AAAA"?'],
  ],
  ['protocol', service('protocol: h2'), ['4:15 error services.a.protocol must be one of http1, http2, not "h2"']],
  ['duration without unit', service('timeout: 5'), ['4:14 error services.a.timeout must be a duration, such as 500ms or 1m30s, not 5']],
  [
    'duration with a wrong unit',
    service('timeout: 5sec'),
    ['4:14 error services.a.timeout must be a duration, such as 500ms or 1m30s, not "5sec"'],
  ],
  ['duration negative', service('timeout: -1s'), ['4:14 error services.a.timeout must be a duration, such as 500ms or 1m30s, not "-1s"']],
  [
    'duration of two years',
    service('timeout: 17520h'),
    ['4:14 error services.a.timeout must be a duration of at most a year, not "17520h"'],
  ],
  ['tls mode', service('tls: mtls'), ['4:10 error services.a.tls must be one of disable, simple, mutual, not "mtls"']],
  ['mutual without certificate', service('tls: mutual'), ['4:10 error tls: mutual needs cert, key, ca here, or identity at the top']],
  ['cert without key', service('tls: { cert: a.pem }'), ['4:10 error tls has cert without key; give both, or neither to use identity']],
  [
    'attempts negative',
    service('retries: { attempts: -1 }'),
    ['4:26 error services.a.retries.attempts must be a whole number from 0 to 100, not -1'],
  ],
  [
    'attempts fraction',
    service('retries: { attempts: 1.5 }'),
    ['4:26 error services.a.retries.attempts must be a whole number from 0 to 100, not 1.5'],
  ],
  ['retries true', service('retries: true'), ['4:14 error services.a.retries must be false, or a mapping, not true']],
  [
    'retry token',
    service('retries: { retryOn: [reset, gatewayerror] }'),
    [
      '4:33 error services.a.retries.retryOn[1] must be one of connect-failure, refused-stream, reset, reset-before-request, reset-on-reused-connection, per-try-timeout, gateway-error, 5xx, retriable-4xx, or a status from 400 to 599, not "gatewayerror"; did you mean "gateway-error"?',
    ],
  ],
  [
    'retry status',
    service('retries: { retryOn: [200] }'),
    ['4:26 error services.a.retries.retryOn[0] must be a status from 400 to 599, not 200'],
  ],
  [
    'retry text status',
    service("retries: { retryOn: ['600'] }"),
    [
      '4:26 error services.a.retries.retryOn[0] must be one of connect-failure, refused-stream, reset, reset-before-request, reset-on-reused-connection, per-try-timeout, gateway-error, 5xx, retriable-4xx, or a status from 400 to 599, not "600"',
    ],
  ],
  [
    'retryOn empty',
    service('retries: { retryOn: [] }'),
    ['4:25 error services.a.retries.retryOn must be a list with at least one entry, not an empty list'],
  ],
  ['backoff', service('retries: { backoff: { base: 1s, max: 10ms } }'), ['4:25 error backoff: max is below base; raise max or lower base']],
  [
    'method lower case',
    service('retries: { methods: [get] }'),
    ['4:26 error services.a.retries.methods[0] must be an HTTP method in upper case, such as GET, not "get"'],
  ],
  [
    'body limit',
    service('retries: { bodyLimit: 2MiB }'),
    ['4:27 error services.a.retries.bodyLimit must be at most 1MiB, because bodies are kept in memory for replay, not "2MiB"'],
  ],
  [
    'body limit unit',
    service('retries: { bodyLimit: 64kb }'),
    ['4:27 error services.a.retries.bodyLimit must be a size such as 64KiB, not "64kb"'],
  ],
  ['budget', service('retryBudget: { tokens: -1 }'), ['4:28 error services.a.retryBudget.tokens must be a number from 0, not -1']],
  [
    'breaker ratio',
    service('circuitBreaker: { failureRatio: 1.5 }'),
    ['4:37 error services.a.circuitBreaker.failureRatio must be a number above 0, at most 1, not 1.5'],
  ],
  [
    'breaker with two rules',
    service('circuitBreaker: { consecutive: 5, window: 1s }'),
    ['4:23 error circuitBreaker has more than one rule; keep failureRatio with window and minCalls, or consecutive, or count'],
  ],
  [
    'breaker count without size',
    service('circuitBreaker: { count: { minCalls: 2 } }'),
    ['4:23 error services.a.circuitBreaker.count.size is missing'],
  ],
  [
    'breaker count that never opens',
    service('circuitBreaker: { count: { size: 5, minCalls: 6 } }'),
    ['4:51 error circuitBreaker: minCalls is above size, so the circuit would never open; lower minCalls'],
  ],
  [
    'breaker open times',
    service('circuitBreaker: { openBase: 10s, openMax: 1s }'),
    ['4:47 error circuitBreaker: openMax is below openBase; raise openMax or lower openBase'],
  ],
  [
    'outlier aliases',
    service('outlierDetection: { consecutiveErrors: 5, consecutive5xxErrors: 5 }'),
    ['4:47 error consecutive5xxErrors and consecutiveErrors mean the same here; keep one, or set mode: envoy, where they do not'],
  ],
  [
    'outlier percent',
    service('outlierDetection: { maxEjectionPercent: 101 }'),
    ['4:45 error services.a.outlierDetection.maxEjectionPercent must be a number from 0 to 100, not 101'],
  ],
  [
    'outlier times',
    service('outlierDetection: { baseEjectionTime: 2m, maxEjectionTime: 1m }'),
    ['4:64 error outlierDetection: maxEjectionTime is below baseEjectionTime; raise the one or lower the other'],
  ],
  [
    'balancer',
    service('loadBalancer: roundrobbin'),
    [
      '4:19 error services.a.loadBalancer must be one of peakEwma, roundRobin, random, leastRequest, ringHash, maglev, not "roundrobbin"; did you mean "roundRobin"?',
    ],
  ],
  [
    'balancer key',
    service('loadBalancer: { kind: random, seedfactor: 2 }'),
    ['4:35 error unknown key "seedfactor" in services.a.loadBalancer; did you mean "seedFactor"?'],
  ],
  [
    'limit negative',
    service('limits: { maxRequests: -5 }'),
    ['4:28 error services.a.limits.maxRequests must be a whole number from 0, not -5'],
  ],
  [
    'subset without endpoint',
    service('subsets: { v1: { version: v1 } }'),
    ['4:16 error subset "v1" selects none of the endpoints; check its labels against those of the endpoints'],
  ],
  [
    'route key',
    service('routes:\n  - weight: 5'),
    [
      '5:9 error unknown key "weight" in services.a.routes[0]; valid are name, match, to, timeout, retries, sticky, headers, rewrite, redirect, directResponse, fault, mirror, rateLimit, idempotent, cache, coalesce, fallback, criticality',
    ],
  ],
  [
    'route name twice',
    service('routes:\n  - { name: x, match: { path: /a } }\n  - { name: x, match: { path: /b } }'),
    ['6:17 error route name "x" stands twice in service "a", first at mesh.yaml:5:9'],
  ],
  [
    'match without anything',
    service('routes:\n  - match: { path: { not: true } }'),
    ['5:24 error services.a.routes[0].match.path needs one of exact, prefix, pathPrefix, regex'],
  ],
  [
    'match with two',
    service('routes:\n  - match: { path: { exact: /a, prefix: /b } }'),
    ['5:37 error services.a.routes[0].match.path has both exact and prefix; keep one'],
  ],
  ['path without slash', service('routes:\n  - match: { path: { prefix: a } }'), ['5:34 error a path begins with "/", not "a"']],
  [
    'path with query',
    service('routes:\n  - match: { path: /a?b=1 }'),
    ['5:24 error "/a?b=1" can never match: a path is compared without its query; use queryParams'],
  ],
  [
    'method of a match',
    service('routes:\n  - match: { method: get }'),
    ['5:26 error services.a.routes[0].match.method must be an HTTP method in upper case, such as GET, not "get"'],
  ],
  [
    'header name',
    service("routes:\n  - match: { headers: { 'a b': x } }"),
    ['5:29 error the key "a b" in services.a.routes[0].match.headers must be a header name: letters, digits, "-" and "_"'],
  ],
  [
    'header twice',
    service('routes:\n  - match: { headers: { X-A: x, x-a: y } }'),
    ['5:37 error "x-a" stands twice in services.a.routes[0].match.headers; the case of names does not matter'],
  ],
  [
    'header number',
    service('routes:\n  - match: { headers: { x-a: 1 } }'),
    ['5:34 error services.a.routes[0].match.headers.x-a must be a text, in quotes when it looks like a number, or a mapping, not 1'],
  ],
  [
    'present false',
    service('routes:\n  - match: { headers: { x-a: { present: false } } }'),
    ['5:45 error services.a.routes[0].match.headers.x-a.present must be true, not false'],
  ],
  [
    'regex',
    service("routes:\n  - match: { headers: { x-a: { regex: 'a(?=b)' } } }"),
    ['5:43 error "a(?=b)" is not a regular expression in RE2 syntax: invalid or unsupported Perl syntax: `(?=`'],
  ],
  [
    'to unknown',
    service('subsets: { canary: {} }\nroutes:\n  - to: canry'),
    ['6:13 error "canry" is neither a subset of service "a" nor a service; did you mean "canary"?'],
  ],
  ['to unknown subset of a service', service('routes:\n  - to: { a/v9: 1 }'), ['5:15 error "a/v9" is not a subset of a service']],
  [
    'weights 0',
    service('subsets: { v1: {}, v2: {} }\nroutes:\n  - to: { v1: 0, v2: 0 }'),
    ['6:13 error the weights sum to 0, so no call could be sent; give at least one a weight above 0'],
  ],
  [
    'weight negative',
    service('subsets: { v1: {} }\nroutes:\n  - to: { v1: -1 }'),
    ['6:19 error services.a.routes[0].to.v1 must be a number from 0, not -1'],
  ],
  [
    'weight NaN',
    service('subsets: { v1: {} }\nroutes:\n  - to: { v1: .nan }'),
    ['6:19 error services.a.routes[0].to.v1 must be a number from 0, not NaN'],
  ],
  [
    'weight infinite',
    service('subsets: { v1: {} }\nroutes:\n  - to: { v1: .inf }'),
    ['6:19 error services.a.routes[0].to.v1 must be a number from 0, not Infinity'],
  ],
  [
    'same target twice',
    service('subsets: { v1: {} }\nroutes:\n  - to: { v1: 1, a/v1: 1 }'),
    ['6:22 error "a/v1" names a destination that this route already has; keep one weight'],
  ],
  [
    'sticky with both',
    service('routes:\n  - sticky: { header: a, cookie: b }'),
    ['5:30 error services.a.routes[0].sticky has both header and cookie; keep one'],
  ],
  ['sticky with nothing', service('routes:\n  - sticky: {}'), ['5:17 error services.a.routes[0].sticky needs one of header, cookie']],
  [
    'header value with a line end',
    service('routes:\n  - headers: { request: { set: { x-a: "1\\r\\nx-b: 2" } } }'),
    [
      '5:43 error services.a.routes[0].headers.request.set.x-a must be a header value without CR, LF, NUL or other control characters, not "1\\r\\nx-b: 2"',
    ],
  ],
  [
    'header of the connection',
    service('routes:\n  - headers: { request: { set: { Host: x } } }'),
    ['5:38 error services.a.routes[0].headers.request must not touch "Host": the connection sets it'],
  ],
  [
    'removing content-length',
    service('routes:\n  - headers: { response: { remove: [content-length] } }'),
    ['5:41 error services.a.routes[0].headers.response must not touch "content-length": the connection sets it'],
  ],
  [
    'routes after everything',
    service('routes:\n  - to: a\n  - match: { path: /x }'),
    ['6:9 warning this route is never reached: the one at mesh.yaml:5:9 matches every call; move it up or remove it'],
  ],
  [
    'per try above timeout',
    service('timeout: 1s\nretries: { perTryTimeout: 2s }'),
    ['5:31 warning perTryTimeout is longer than the timeout of the whole call, so it never takes effect; lower it or raise timeout'],
  ],
  [
    'two documents name a service',
    "services: { a: { dns: 'x:1' } }\n---\nservices: { a: { dns: 'x:2' } }",
    ['3:13 error service "a" stands twice, first at mesh.yaml:1:13; keep one'],
  ],
  [
    'two documents say the same',
    'failures: throw\n---\nfailures: respond',
    ['3:1 error failures stands twice, first at mesh.yaml:1:1; keep one'],
  ],
  [
    'two documents with one section',
    'self: { service: a }\n---\nself: { namespace: b, service: c }',
    ['3:23 error self.service stands twice, first at mesh.yaml:1:9; keep one'],
  ],
  [
    'a mesh resource',
    'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: x }',
    ['1:1 error a VirtualService needs http, tls or tcp'],
  ],
  [
    'a mesh resource of a kind that nobody knows',
    'apiVersion: networking.istio.io/v1\nkind: VirtualServce\nmetadata: { name: x }',
    ['2:7 error kind "VirtualServce" of networking.istio.io/v1 is not read; did you mean "VirtualService"?'],
  ],
  [
    'a mesh resource of an old version',
    'apiVersion: networking.istio.io/v1alpha1\nkind: VirtualService\nmetadata: { name: x }',
    ['1:13 error VirtualService is not read in version v1alpha1; did you mean "networking.istio.io/v1"?'],
  ],
  [
    'a mesh resource that no process can obey',
    'apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: { name: x }',
    [
      '2:7 error EnvoyFilter cannot be obeyed inside a process: it changes the configuration of Envoy, and there is none; keep it out of the files that inmesh loads',
    ],
  ],
  ['apiVersion alone', 'apiVersion: v1', ['1:1 error a resource needs kind, a text']],
  ['duplicate key', 'failures: throw\nself: {}\nfailures: throw', ['3:1 error the key "failures" stands twice in this mapping']],
  ['tab', 'self:\n	service: a', ['2:1 error Tabs are not allowed as indentation']],
  ['unclosed', 'self: { service: a', ['1:19 error Flow map in block collection must be sufficiently indented and end with a }']],
  [
    'unset variable',
    'self:\n  service: ${NOPE}',
    ['2:12 error the environment variable NOPE is not set; set it, or write ${NOPE:-default}'],
  ],
  ['broken variable', 'self:\n  service: a${b', ['2:12 error "${" has no "}"; write ${NAME} or ${NAME:-default}, and $$ for a plain $']],
  [
    'odd variable',
    'self:\n  service: ${a b}',
    ['2:12 error after "${" comes the name of a variable; write ${NAME} or ${NAME:-default}, and $$ for a plain $'],
  ],
  [
    'variable in a flow mapping',
    'self: { service: ${X} }',
    ['1:19 error Unexpected flow-map-start at node end; inside { } and [ ] a ${VARIABLE} must be in quotes'],
  ],
  ['no such anchor', 'self: *a', ['1:7 error there is no anchor &a before this alias']],
  ['anchor inside itself', 'self: &a { labels: *a }', ['1:20 error the alias *a stands inside what it names']],
  ['unknown tag', 'self: !foo {}', ['1:7 error Unresolved tag: !foo']],
  ['key that is a list', 'self: { [a]: b }', ['1:9 error a key must be a text; put it in quotes']],
  ['constructor', "services:\n  constructor: { dns: 'x:1' }", ['2:3 error constructor is not allowed as a key']],
  ['prototype through a merge', 'x: &x { prototype: y }\nself: { <<: *x }', ['1:9 error prototype is not allowed as a key']],
  ['merge of a text', 'self: { <<: a }', ['1:13 error "<<" takes a mapping, or a list of mappings']],
  ['null key', 'self: { ~: a }', ['1:9 error a key must be a text; put it in quotes']],
];

const regex = await loadRegex();

describe('wrong configurations', () => {
  it.each(rows)('%s', async (_name, text, issues) => {
    const result = await loadConfig('mesh.yaml', {
      env: {},
      cwd: '/',
      readFile: async () => text,
      checkRegex: (pattern) => regex.check(pattern),
    });
    const found = 'issues' in result ? result.issues : result.warnings;
    expect(found.map((issue) => `${issue.position?.line}:${issue.position?.column} ${issue.severity} ${describeIssue(issue)}`)).toEqual(
      issues,
    );
    expect(found.every(({ frame, position }) => frame !== undefined && position?.file === 'mesh.yaml')).toBe(true);
  });

  it('says at most a hundred things', async () => {
    const text = `services:\n${Array.from({ length: 500 }, (_, i) => `  s${i}: { timeout: 5 }`).join('\n')}`;
    const result = await loadConfig('mesh.yaml', { env: {}, cwd: '/', readFile: async () => text });
    expect('issues' in result && result.issues.length).toBe(100);
  });
});
