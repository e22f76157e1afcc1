// What people get wrong in the policies of a route or a service, in a file: place, message and suggestion, word for word.
import { describe, expect, it } from 'vitest';
import { loadRegex } from '../../src/route/regex.ts';
import { describeIssue } from '../../src/yaml/format.ts';
import { loadConfig } from '../../src/yaml/load.ts';

const HEAD = "services:\n  a:\n    endpoints: ['10.0.0.1:80', '10.0.0.2:80']\n";

/** A service with the policy in line 4, from column 5 on. */
function service(policy: string): string {
  return `${HEAD}    ${policy}`;
}

/** A service with one route, in line 5 from column 9 on. */
function route(...lines: string[]): string {
  return `${HEAD}    routes:\n      - ${lines.join('\n        ')}`;
}

const rows: readonly (readonly [name: string, text: string, issues: readonly string[]])[] = [
  [
    'key of a fault',
    route('fault: { abrot: {} }'),
    ['5:18 error unknown key "abrot" in services.a.routes[0].fault; did you mean "abort"?'],
  ],
  [
    'gRPC status',
    route('fault: { abort: { grpcStatus: UNAVAILBLE, percentage: 1 } }'),
    [
      '5:39 error services.a.routes[0].fault.abort.grpcStatus must be one of CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS, UNAUTHENTICATED, not "UNAVAILBLE"; did you mean "UNAVAILABLE"?',
    ],
  ],
  [
    'percentage of Istio',
    route('fault: { delay: { fixedDelay: 1s, percentage: { valeu: 1 } } }'),
    [
      '5:43 error services.a.routes[0].fault.delay.percentage.value is missing',
      '5:57 error unknown key "valeu" in services.a.routes[0].fault.delay.percentage; did you mean "value"?',
    ],
  ],
  [
    'regex of a rewrite',
    route("rewrite: { regex: { match: '(?=a)', substitution: x } }"),
    ['5:36 error "(?=a)" is not a regular expression in RE2 syntax: invalid or unsupported Perl syntax: `(?=`'],
  ],
  [
    'redirect beside a target',
    route('redirect: { scheme: https }', 'to: a', 'rewrite: { path: /x }'),
    [
      '6:9 error this route has both to and redirect (mesh.yaml:5:9), which asks no endpoint; keep one',
      '7:9 error this route has both rewrite and redirect (mesh.yaml:5:9), which asks no endpoint; keep one',
    ],
  ],
  [
    'prefix under an exact match',
    route('match: [{ path: { pathPrefix: /a } }, { path: /b }]', 'rewrite: { prefix: /c }'),
    [
      '6:28 error prefix replaces the prefix that the match names, and the one at mesh.yaml:5:47 names none; match by pathPrefix, or write path for the whole path',
    ],
  ],
  ['mirror', route('mirror: [a, { to: b }]'), ['5:27 error "b" is neither a subset of service "a" nor a service']],
  [
    'criticality',
    route('criticality: critcal'),
    [
      '5:22 error services.a.routes[0].criticality must be one of sheddable, sheddablePlus, critical, criticalPlus, not "critcal"; did you mean "critical"?',
    ],
  ],
  [
    'a function in a file',
    route('fallback: { respond: x }'),
    ['5:21 error unknown key "respond" in services.a.routes[0].fallback; valid are status, headers, body, on'],
  ],
  [
    'mode of a budget',
    service('retryBudget: { mode: linkred }'),
    [
      '4:26 error services.a.retryBudget.mode must be one of inmesh, envoy, linkerd, gateway-api, grpc, not "linkred"; did you mean "linkerd"?',
    ],
  ],
  [
    'key of another mode',
    `defaults: { retryBudget: { mode: envoy } }\n${service('retryBudget: { tokens: 5 }')}`,
    [
      '5:20 error retryBudget: tokens belongs to mode: inmesh, but the mode is envoy (mesh.yaml:1:34); change the mode, or remove tokens; valid are percent, minRetryConcurrency, budgetInterval',
    ],
  ],
  [
    "Envoy's rule for two endpoints",
    service('outlierDetection: { mode: envoy, maxEjectionPercent: 49 }'),
    [
      '4:58 warning outlierDetection: one of 2 endpoints is more than maxEjectionPercent (49), so with mode: envoy none is ever ejected; raise it to 50 or more, or set alwaysEjectOneHost: true',
    ],
  ],
  [
    'a table that is no prime',
    service('loadBalancer: { kind: maglev, hash: { source: true }, tableSize: 1000 }'),
    ['4:70 error loadBalancer: tableSize must be a prime, which 1000 is not; 1009 is one'],
  ],
  [
    'shares',
    `self: { locality: r/z }\n${service("loadBalancer: { locality: { distribute: [{ from: '*', to: { a: 50, b: 51 } }] } }")}`,
    ['5:63 error locality: the shares of distribute sum to 101, not to 100'],
  ],
  [
    'key of a probe',
    service('healthCheck: { http: { status: [200] } }'),
    ['4:28 error unknown key "status" in services.a.healthCheck.http; did you mean "statuses"?'],
  ],
  [
    'admission',
    'inbound:\n  admission: { minLimit: 5000 }\n  mtls: disabled',
    ['3:9 error inbound.mtls must be one of strict, permissive, disable, not "disabled"; did you mean "disable"?'],
  ],
  [
    'what came from the environment',
    service("loadBalancer: { locality: { failoverPriority: ['${LABEL}'] } }"),
    ['4:52 warning locality: self has no label ${LABEL}, so every endpoint misses it; add it to self.labels, or write label=value'],
  ],
];

const regex = await loadRegex();

describe('wrong policies', () => {
  it.each(rows)('%s', async (_name, text, issues) => {
    const result = await loadConfig('mesh.yaml', {
      env: { LABEL: 'secret' },
      cwd: '/',
      readFile: async () => text,
      checkRegex: (pattern) => regex.check(pattern),
    });
    const found = 'issues' in result ? result.issues : result.warnings;
    expect(found.map((issue) => `${issue.position?.line}:${issue.position?.column} ${issue.severity} ${describeIssue(issue)}`)).toEqual(
      issues,
    );
  });
});
