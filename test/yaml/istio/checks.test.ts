// What Istio's own validators refuse, and what they warn of, each with its place.
import { describe, expect, it } from 'vitest';
import { document, documents, SERVICES, virtualService } from './documents.ts';
import { issuesOfText, loadText } from './load-text.ts';

type Row = readonly [name: string, spec: string, ...issues: readonly string[]];

/** Without the place; with the code of validators left out. */
async function findings(text: string): Promise<string[]> {
  return (await issuesOfText(text)).map((issue) => issue.replace(/^\S+ /, '').replace(/ IST0(106|133) /, ' '));
}

const TO = 'route: [ { destination: { host: ratings } } ]';
const VIRTUAL_SERVICE: readonly Row[] = [
  ['nothing', 'hosts: [reviews]', 'error a VirtualService needs http, tls or tcp'],
  [
    'misspelt field',
    `hosts: [reviews]\nhttp: [ { timeot: 1s, ${TO} } ]`,
    'error unknown key "timeot" in spec.http[0]; did you mean "timeout"?',
  ],
  [
    'star for the mesh',
    `hosts: ["*"]\nhttp: [ { ${TO} } ]`,
    'error host * is for gateways; for the gateway "mesh" name a host, or *.suffix',
  ],
  ['host with underscore', `hosts: [a_b]\nhttp: [ { ${TO} } ]`, 'error "a_b" is no host: "a_b" is no part of a DNS name'],
  [
    'host twice',
    `hosts: [a.example, "*.example"]\nhttp: [ { ${TO} } ]`,
    'error host "*.example" is meant by "a.example" already; keep one',
  ],
  ['host with a number at the end', `hosts: [a.1]\nhttp: [ { ${TO} } ]`, 'error "a.1" is no host: its last part "1" is a number'],
  [
    'delegate with gateways',
    `gateways: [mesh]\nhttp: [ { ${TO} } ]`,
    'error a VirtualService without hosts is a delegate, and a delegate has no gateways',
  ],
  ['delegate of a delegate', 'http: [ { delegate: { name: x } } ]', 'error a delegate cannot delegate further'],
  [
    'delegate and route',
    `hosts: [reviews]\nhttp: [ { delegate: { name: x }, ${TO} } ]`,
    'error this rule has both route and delegate; keep one',
  ],

  ['exportTo twice', `hosts: [reviews]\nexportTo: [".", default]\nhttp: [ { ${TO} } ]`, 'error exportTo names "default" twice'],
  [
    'exportTo all and one',
    `hosts: [reviews]\nexportTo: ["*", default]\nhttp: [ { ${TO} } ]`,
    'error exportTo has "*" and others; keep one',
  ],
  ['exportTo nobody', `hosts: [reviews]\nexportTo: ["~"]\nhttp: [ { ${TO} } ]`, 'error exportTo takes ".", "*" or a namespace, not "~"'],
  [
    'claims',
    `hosts: [reviews]\nhttp: [ { match: [ { headers: { "@request.auth.claims.sub": { exact: a } } } ], ${TO} } ]`,
    'error "@request.auth.claims.sub" is for gateways only: nobody looks into tokens on the way out',
  ],
  [
    'tcp rules',
    `hosts: [reviews]\ntcp: [ {} ]\nhttp: [ { ${TO} } ]`,
    'warning INM0011 tcp: connections that are no HTTP do not pass through inmesh',
  ],
];

const RULES: readonly Row[] = [
  ['nothing', '{}', 'error this rule needs route, redirect or directResponse'],
  ['route and redirect', `{ redirect: { uri: / }, ${TO} }`, 'error this rule has both route and redirect; keep one'],
  [
    'fault and directResponse',
    '{ directResponse: { status: 200 }, fault: { abort: { httpStatus: 500, percentage: { value: 1 } } } }',
    'error this rule has both fault and directResponse; keep one',
  ],
  ['rewrite and redirect', '{ redirect: { uri: / }, rewrite: { uri: /a } }', 'error this rule has both rewrite and redirect; keep one'],
  [
    'mirror and mirrors',
    `{ mirror: { host: ratings }, mirrors: [ { destination: { host: ratings } } ], ${TO} }`,
    'error this rule has both mirrors and mirror; keep one',
  ],
  [
    'weights of 0',
    '{ route: [ { destination: { host: ratings } }, { destination: { host: ratings } } ] }',
    'error the weights sum to 0, so no call could be sent; give at least one a weight above 0',
  ],
  [
    'weight below 0',
    '{ route: [ { destination: { host: ratings }, weight: -1 } ] }',
    'error spec.http[0].route[0].weight must be a whole number from 0 to 2147483647, not -1',
  ],
  ['no destination', '{ route: [ { weight: 1 } ] }', 'error spec.http[0].route[0].destination is missing'],
  ['no host', '{ route: [ { destination: {} } ] }', 'error spec.http[0].route[0].destination.host is missing'],
  ['subset name', '{ route: [ { destination: { host: ratings, subset: a_b } } ] }', 'error "a_b" is no name of a subset'],
  ['port 0', '{ route: [ { destination: { host: ratings, port: { number: 0 } } } ] }', 'error port.number is 1 to 65535, not 0'],
  ['two kinds of match', `{ match: [ { uri: { exact: /, prefix: / } } ], ${TO} }`, 'error this match has both exact and prefix; keep one'],
  [
    'empty prefix of a header',
    `{ match: [ { headers: { x: { prefix: "" } } } ], ${TO} }`,
    'error a prefix cannot be empty; {} asks only that the value is there',
  ],
  [
    'pattern',
    `{ match: [ { uri: { regex: "(" } } ], ${TO} }`,
    'error "(" is not a regular expression in RE2 syntax: missing closing ): `(`',
  ],
  ['header name', `{ match: [ { headers: { "a b": {} } } ], ${TO} }`, 'error "a b" is no header name'],
  [
    'header name in capitals',
    `{ match: [ { headers: { A: {} } } ], ${TO} }`,
    'warning header names of a match are written in lower case: a',
  ],
  [
    'header name with a field of its own',
    `{ match: [ { headers: { method: { exact: GET } }, uri: { prefix: /x } } ], ${TO} }`,
    'warning the header name method is passed over: the field method beside headers is meant for it',
  ],
  ['namespace', `{ match: [ { sourceNamespace: "a b" } ], ${TO} }`, 'error "a b" is no namespace'],
  [
    'header that is no name',
    `{ headers: { request: { set: { ":path": / } } }, ${TO} }`,
    'error ":path" cannot be changed here; only request: set and add take host',
  ],
  [
    'host of an answer',
    `{ headers: { response: { set: { host: a } } }, ${TO} }`,
    'error "host" cannot be changed here; only request: set and add take host',
  ],
  [
    'host twice',
    `{ rewrite: { authority: a }, headers: { request: { set: { host: b } } }, ${TO} }`,
    'error the host is set more than once; keep one',
  ],
  [
    'header value',
    `{ headers: { request: { set: { a: "50%" } } }, ${TO} }`,
    'error "50%" is no header value: a percent sign is written %%, an operator %NAME% or %NAME(argument)%',
  ],
  [
    'header value of a proxy',
    `{ headers: { request: { set: { a: "%UPSTREAM_METADATA(x)%" } } }, ${TO} }`,
    'error INM0011 %UPSTREAM_METADATA% in the header a is answered by proxies, not by inmesh; write a value, or %REQ(name)%',
  ],
  [
    'redirect to where one is',
    '{ redirect: {} }',
    'error redirect leads to where the call came from; add uri, prefixRewrite, authority, scheme, port or derivePort',
  ],
  [
    'redirect of an exact path by prefix',
    '{ match: [ { uri: { exact: / } } ], redirect: { prefixRewrite: /a } }',
    'error prefixRewrite replaces a prefix, so every match of a uri must be by prefix',
  ],
  [
    'redirect with a status that nobody obeys',
    '{ redirect: { uri: /, redirectCode: 304 } }',
    'error redirectCode is one of 301, 302, 303, 307, 308, not 304',
  ],
  [
    'redirect with two ports',
    '{ redirect: { port: 1, derivePort: FROM_REQUEST_PORT } }',
    'error redirect has both port and derivePort; keep one',
  ],
  ['redirect scheme', '{ redirect: { scheme: ftp } }', 'error scheme is http or https, not "ftp"'],
  ['direct response', '{ directResponse: { status: 99 } }', 'error status is 200 to 599, not 99'],
  [
    'two rewrites',
    `{ rewrite: { uri: /a, uriRegexRewrite: { match: a, rewrite: b } }, ${TO} }`,
    'error rewrite has both uri and uriRegexRewrite; keep one',
  ],
  ['empty rewrite', `{ rewrite: {}, ${TO} }`, 'error rewrite does not say what to change; add uri, uriRegexRewrite or authority'],
  [
    'rewrite by a group that is not there',
    `{ rewrite: { uriRegexRewrite: { match: a, rewrite: '\\1' } }, ${TO} }`,
    'error \\1 names a group, but the pattern has none',
  ],
  [
    'timeout of nothing',
    `{ timeout: 0s, ${TO} }`,
    'error spec.http[0].timeout must be a duration above 0, such as 500ms or 1m30s, not "0s"',
  ],
  ['timeout too exact', `{ timeout: 1.5ms, ${TO} }`, 'error "1.5ms" is no whole number of milliseconds, of which one is the least'],
  [
    'retries off, and yet',
    `{ retries: { attempts: 0, perTryTimeout: 1s }, ${TO} }`,
    'error attempts is 0, which switches retries off, so perTryTimeout does nothing; set attempts, or remove perTryTimeout',
  ],
  [
    'retries without number',
    `{ retries: { retryOn: 5xx }, ${TO} }`,
    'error attempts is not given, and that means 0, which switches retries off, so retryOn does nothing; set attempts, or remove retryOn',
  ],
  [
    'blank in retryOn',
    `{ retries: { attempts: 1, retryOn: "5xx, reset" }, ${TO} }`,
    'error " reset" in retryOn has a blank, which Istio refuses; write the words with commas alone',
  ],
  [
    'unknown word in retryOn',
    `{ retries: { attempts: 1, retryOn: "5xx,rest" }, ${TO} }`,
    'error "rest" in retryOn is no condition; did you mean "reset"?',
  ],
  [
    'number in retryOn that is no status',
    `{ retries: { attempts: 1, retryOn: "599" }, ${TO} }`,
    'error "599" in retryOn is no condition; valid are 5xx, gateway-error, reset, reset-before-request, connect-failure, retriable-4xx, refused-stream, cancelled, deadline-exceeded, internal, resource-exhausted, unavailable, envoy-ratelimited, retriable-status-codes, retriable-headers, http3-post-connect-failure',
  ],
  ['fault of nothing', `{ fault: {}, ${TO} }`, 'error fault needs delay or abort'],
  [
    'fault without share',
    `{ fault: { abort: { httpStatus: 500 } }, ${TO} }`,
    'warning this abort has no percentage, and that means 0: it hits no call',
  ],
  [
    'fault of two kinds',
    `{ fault: { abort: { httpStatus: 500, grpcStatus: INTERNAL, percentage: { value: 1 } } }, ${TO} }`,
    'error abort has both httpStatus and grpcStatus; keep one',
  ],
  [
    'gRPC status',
    `{ fault: { abort: { grpcStatus: INTERNL, percentage: { value: 1 } } }, ${TO} }`,
    'error "INTERNL" is no gRPC status that can be injected; did you mean "INTERNAL"?',
  ],
  [
    'share',
    `{ fault: { abort: { httpStatus: 500, percentage: { value: 0.00001 } } }, ${TO} }`,
    'error a percentage above 0 is at least 0.0001, not 0.00001',
  ],
  [
    'exponential delay',
    `{ fault: { delay: { exponentialDelay: 1s } }, ${TO} }`,
    'error exponentialDelay is not implemented by Istio; write fixedDelay',
  ],
  [
    'CORS',
    `{ corsPolicy: { allowMethods: [FOO], maxAge: 1500ms }, ${TO} }`,
    'warning INM0020 corsPolicy is kept and not obeyed: it is for the server that answers browsers, not for those who call it',
    'error "FOO" is no HTTP method',
    'error maxAge is a whole number of seconds',
  ],
];

const REACH: readonly Row[] = [
  [
    'after the rule that takes all',
    `[ { ${TO} }, { match: [ { uri: { prefix: /a } } ], ${TO} } ]`,
    'warning IST0130 this rule is never reached: the one at mesh.yaml:14:11 has no match and takes every call; move it up or remove it',
  ],
  [
    'two rules that take all',
    `[ { ${TO} }, { ${TO} } ]`,
    'warning IST0130 this rule is never reached: the one at mesh.yaml:14:11 has no match and takes every call; move it up or remove it',
  ],
  [
    'the same match',
    `[ { match: [ { uri: { prefix: /a } } ], ${TO} }, { match: [ { uri: { prefix: /a } }, { uri: { prefix: /b } } ], ${TO} } ]`,
    'warning IST0131 this match stands in the rule at mesh.yaml:14:11 already, so it takes nothing',
  ],
  [
    'all matches the same',
    `[ { match: [ { uri: { prefix: /a } } ], ${TO} }, { match: [ { uri: { prefix: /a } } ], ${TO} } ]`,
    'warning IST0130 this rule is never reached: rules before it have all its matches',
    'warning IST0131 this match stands in the rule at mesh.yaml:14:11 already, so it takes nothing',
  ],
  [
    'a longer prefix',
    `[ { match: [ { uri: { prefix: /a } } ], ${TO} }, { match: [ { uri: { prefix: /ab } } ], ${TO} } ]`,
    'warning IST0131 this match takes nothing: prefix "/a" at mesh.yaml:14:22 stands before it and covers it',
  ],
  [
    'a longer prefix with a condition more',
    `[ { match: [ { uri: { prefix: /a } } ], ${TO} }, { match: [ { uri: { prefix: /ab }, headers: { x: {} } } ], ${TO} } ]`,
  ],
];

const DESTINATION_RULE: readonly Row[] = [
  ['no host', 'subsets: []', 'error spec.host is missing'],
  ['host', 'host: "a b"', 'error "a b" is no host: "a b" is no part of a DNS name'],
  ['empty policy', 'host: reviews\ntrafficPolicy: {}', 'error a traffic policy needs at least one field'],
  ['subset twice', 'host: reviews\nsubsets: [ { name: a }, { name: a } ]', 'error subset "a" stands twice, first at mesh.yaml:14:14'],
  ['subset label', 'host: reviews\nsubsets: [ { name: a, labels: { "a b": c } } ]', 'error "a b" is no key of a label'],
  ['empty pool', 'host: reviews\ntrafficPolicy: { connectionPool: {} }', 'error a connection pool needs tcp or http'],
  [
    'size below 0',
    'host: reviews\ntrafficPolicy: { connectionPool: { tcp: { maxConnections: -1 } } }',
    'error spec.trafficPolicy.connectionPool.tcp.maxConnections must be a whole number from 0 to 2147483647, not -1',
  ],
  [
    'upgrade and not',
    'host: reviews\ntrafficPolicy: { connectionPool: { http: { h2UpgradePolicy: UPGRADE, useClientProtocol: true } } }',
    'error useClientProtocol and h2UpgradePolicy: UPGRADE exclude each other; keep one',
  ],
  [
    'ping',
    'host: reviews\ntrafficPolicy: { connectionPool: { http: { http2KeepAlive: { interval: 1s } } } }',
    'error http2KeepAlive needs timeout',
  ],
  [
    'two balancers',
    'host: reviews\ntrafficPolicy: { loadBalancer: { simple: RANDOM, consistentHash: { useSourceIp: true } } }',
    'error loadBalancer has both simple and consistentHash; keep one',
  ],
  [
    'two keys',
    'host: reviews\ntrafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: a, useSourceIp: true } } }',
    'error consistentHash has both httpHeaderName and useSourceIp; keep one',
  ],
  [
    'table that is no prime',
    'host: reviews\ntrafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: a, maglev: { tableSize: 100 } } } }',
    'error tableSize is a prime number below 5000011',
  ],
  [
    'aggression',
    'host: reviews\ntrafficPolicy: { loadBalancer: { warmup: { duration: 1s, aggression: 0 } } }',
    'error aggression is above 0',
  ],
  [
    'shares',
    'host: reviews\ntrafficPolicy: { loadBalancer: { localityLbSetting: { distribute: [ { from: a, to: { b: 50 } } ] } } }',
    'error the shares sum to 50, not to 100',
  ],
  [
    'localities within each other',
    'host: reviews\ntrafficPolicy: { loadBalancer: { localityLbSetting: { distribute: [ { from: a/*, to: { b: 100 } }, { from: a/z, to: { b: 100 } } ] } } }',
    'error the locality "a/z" lies within "a/*", which stands before it',
  ],
  [
    'failover without outlier detection',
    'host: reviews\ntrafficPolicy: { loadBalancer: { localityLbSetting: { failover: [ { from: a, to: b } ] } } }',
    'warning failover needs outlierDetection in the same policy; without it nothing fails over',
  ],
  [
    'failover to itself',
    'host: reviews\ntrafficPolicy: { outlierDetection: { maxEjectionPercent: 100 }, loadBalancer: { localityLbSetting: { failover: [ { from: a, to: a } ] } } }',
    'error failover leads from one region to another',
  ],
  [
    'distribute and failover',
    'host: reviews\ntrafficPolicy: { outlierDetection: { maxEjectionPercent: 100 }, loadBalancer: { localityLbSetting: { failover: [ { from: a, to: b } ], distribute: [ { from: a, to: { b: 100 } } ] } } }',
    'error distribute and failover exclude each other; keep one',
  ],
  [
    'outlier detection',
    'host: reviews\ntrafficPolicy: { outlierDetection: { consecutiveLocalOriginFailures: 1 } }',
    'error consecutiveLocalOriginFailures counts only with splitExternalLocalOriginErrors: true',
  ],
  [
    'ejection',
    'host: reviews\ntrafficPolicy: { outlierDetection: { maxEjectionPercent: 101 } }',
    'error spec.trafficPolicy.outlierDetection.maxEjectionPercent must be a whole number from 0 to 100, not 101',
  ],
  [
    'mutual without certificate',
    'host: reviews\ntrafficPolicy: { tls: { mode: MUTUAL, caCertificates: a } }',
    'error tls: MUTUAL needs clientCertificate',
    'error tls: MUTUAL needs privateKey',
  ],
  [
    'roots of the web',
    'host: reviews\ntrafficPolicy: { tls: { mode: SIMPLE } }',
    'warning IST0128 tls: SIMPLE without caCertificates, so the roots of the web are taken',
  ],
  [
    'roots of the web at a port',
    'host: reviews\ntrafficPolicy: { portLevelSettings: [ { port: { number: 80 }, tls: { mode: SIMPLE } } ] }',
    'warning IST0129 tls: SIMPLE without caCertificates, so the roots of the web are taken',
  ],
  [
    'port without settings',
    'host: reviews\ntrafficPolicy: { portLevelSettings: [ { port: { number: 80 } } ] }',
    'error settings of a port need at least one of outlierDetection, connectionPool, loadBalancer, tls',
  ],
  [
    'selector and export',
    'host: reviews\nworkloadSelector: { matchLabels: { a: b } }\nexportTo: ["*"]',
    'error a rule with workloadSelector is not exported beyond its own namespace',
  ],
];

const SIDECAR: readonly Row[] = [
  ['nothing', '{}', 'error a Sidecar needs egress, ingress, outboundTrafficPolicy or inboundConnectionPool'],
  ['short host', 'egress: [ { hosts: [./reviews] } ]', 'error "./reviews" is no host of a Sidecar: short names are not taken'],
  [
    'host without namespace',
    'egress: [ { hosts: [reviews.example] } ]',
    'error "reviews.example" is no host of a Sidecar: write namespace/dnsName, with ., * or ~ for the namespace if need be',
  ],
  [
    'ingress',
    'ingress: [ { port: { number: 80, protocol: HTTP } } ]',
    'warning INM0011 ingress is passed over: it configures listeners of a sidecar, and there is none',
  ],
  [
    'listener',
    'egress: [ { port: { number: 80 }, hosts: ["*/*"] } ]',
    'warning INM0011 port, bind and captureMode are passed over: inmesh has no listeners; the hosts count for all ports',
  ],
];

describe('validators', () => {
  const table = (kind: string, rows: readonly Row[], make: (spec: string) => string): void => {
    describe(kind, () => {
      it.each(rows.map(([name, spec, ...issues]) => ({ name, spec, issues })))('$name', async ({ spec, issues }) => {
        expect((await findings(documents(SERVICES, make(spec)))).sort()).toEqual([...issues].sort());
      });
    });
  };
  table('VirtualService', VIRTUAL_SERVICE, (spec) => document('VirtualService', spec));
  table('rules', RULES, (rule) => virtualService(`[ ${rule} ]`));
  table('reach', REACH, virtualService);
  table('DestinationRule', DESTINATION_RULE, (spec) => document('DestinationRule', spec));
  table('Sidecar', SIDECAR, (spec) => document('Sidecar', spec));

  it('have the codes of Istio where no other is said', async () => {
    const { issues } = await loadText(
      documents(SERVICES, virtualService(`[ { retries: { attempts: 1, retryOn: x }, mirrorPercent: 3, ${TO} } ]`)),
    );
    expect(issues.map(({ severity, code }) => [severity, code])).toEqual([
      ['error', 'IST0106'],
      ['warning', 'IST0133'],
    ]);
  });

  it('never show what came from the environment', async () => {
    const { issues } = await loadText(documents(SERVICES, virtualService(`[ { timeout: "\${X:-secret}", ${TO} } ]`)));
    expect(issues.map(({ message }) => message)).toEqual([
      'spec.http[0].timeout must be a duration above 0, such as 500ms or 1m30s, not ${X:-secret}',
    ]);
  });

  it('take unknown fields as warnings with lenient, and read the rest', async () => {
    const { config, issues } = await loadText(documents(SERVICES, virtualService(`[ { timeot: 1s, timeout: 2s, ${TO} } ]`)), {
      lenient: true,
    });
    expect([issues.map(({ severity }) => severity), config?.services.reviews?.routes[0]?.timeoutMs]).toEqual([['warning'], 2_000]);
  });
});
