// What becomes of each field of the Gateway API's documents.
import { type SupportLine, type SupportRow, supportRows } from '../support-row.ts';

const ATTACHED: readonly SupportLine[] = [
  ['spec.parentRefs[].{group,kind,name,namespace}', 'supported', 'a Service, a ServiceEntry, or a Gateway, whose hosts the route then has'],
  ['spec.parentRefs[].port', 'supported'],
  ['spec.parentRefs[].sectionName', 'supported', 'the port of a Service by its name; of a Gateway it is passed over'],
  ['spec.hostnames', 'supported', 'of routes of a Gateway; routes of a Service are known by its names'],
  ['spec.useDefaultGateways', 'ignored', 'Gateways are of the cluster'],
  ['spec.rules[].name', 'supported', 'the name of the route'],
];

const SESSION = 'by hashing: a session moves when endpoints come or go, with a warning';

const SESSIONS: readonly SupportLine[] = [
  ['{at}.{type,sessionName}', 'approximated', SESSION],
  ['{at}.cookie.{name,path,lifetimeType}', 'approximated', SESSION],
  ['{at}.cookieConfig.lifetimeType', 'approximated', SESSION],
  ['{at}.header.name', 'approximated', `${SESSION}; the caller chooses the value`],
  ['{at}.absoluteTimeout', 'approximated', 'as the lifetime of a permanent cookie; it ends no session, with a warning'],
  ['{at}.idleTimeout', 'ignored', 'with a warning'],
];

const HEADERS: readonly SupportLine[] = [
  ['{at}.type', 'supported'],
  ['{at}.{requestHeaderModifier,responseHeaderModifier}.**', 'supported'],
];

const MIRROR: SupportLine = ['{at}.requestMirror.**', 'supported', 'percent and fraction, too; several of them'];

const HTTP_FILTERS: readonly SupportLine[] = [
  ['{at}.requestRedirect.**', 'supported'],
  ['{at}.urlRewrite.**', 'supported'],
  [
    '{at}.cors.{allowOrigins,allowCredentials,allowMethods,allowHeaders,exposeHeaders,maxAge}',
    'supported',
    'as the calls of browsers that this process passes on',
  ],
  ['{at}.externalAuth.**', 'refused', 'its calls are answered with an error, as the specification asks'],
];

const EXTENSION: SupportLine = ['{at}.extensionRef.**', 'refused', 'its calls are answered with an error, as the specification asks'];

const OF_BACKENDS: readonly SupportLine[] = [
  [
    'spec.rules[].backendRefs[].{name,group,kind,namespace,port}',
    'supported',
    'a Service; another namespace needs a ReferenceGrant, where grants are given',
  ],
  ['spec.rules[].backendRefs[].weight', 'supported', 'all 0: the calls are answered 500'],
];

const BACKEND = 'spec.rules[].backendRefs[].filters[]';

/** Lines of a block that stands in more than one place. */
function under(at: string, lines: readonly SupportLine[]): SupportLine[] {
  return lines.map(([field, ...rest]) => [field.replace('{at}', at), ...rest]);
}

export const GATEWAY_API_SUPPORT: readonly SupportRow[] = Object.freeze([
  ...supportRows('HTTPRoute', [
    ...ATTACHED,
    ['spec.rules[].matches[].path.{type,value}', 'supported', 'Exact, PathPrefix, RegularExpression (RE2)'],
    ['spec.rules[].matches[].{headers,queryParams}[].{name,value,type}', 'supported'],
    ['spec.rules[].matches[].method', 'supported'],
    ...under('spec.rules[].filters[]', [...HEADERS, MIRROR, ...HTTP_FILTERS, EXTENSION]),
    ...OF_BACKENDS,
    ...under(BACKEND, HEADERS),
    [
      `${BACKEND}.requestMirror.**`,
      'supported',
      'of the calls that are drawn for the backend; one that is named twice is told apart by shares, with a warning',
    ],
    [`${BACKEND}.requestRedirect.**`, 'supported', 'of the calls that are drawn for the backend'],
    [`${BACKEND}.urlRewrite.**`, 'supported'],
    [`${BACKEND}.cors.**`, 'approximated', 'obeyed where the rule has one backend; a warning says so'],
    ...under(BACKEND, [['{at}.externalAuth.**', 'refused', 'as above'], EXTENSION]),
    ['spec.rules[].timeouts.{request,backendRequest}', 'supported'],
    [
      'spec.rules[].retry.{codes,attempts,backoff}',
      'supported',
      'of any method; connections that fail and attempts that take too long, too',
    ],
    ...under('spec.rules[].sessionPersistence', SESSIONS),
  ]),
  ...supportRows('GRPCRoute', [
    ...ATTACHED,
    ['spec.rules[].matches[].method.{type,service,method}', 'supported', 'Exact and RegularExpression (RE2)'],
    ['spec.rules[].matches[].headers[].{name,value,type}', 'supported'],
    ...under('spec.rules[].filters[]', [...HEADERS, MIRROR, EXTENSION]),
    ...OF_BACKENDS,
    ...under(BACKEND, HEADERS),
    [
      `${BACKEND}.requestMirror.**`,
      'supported',
      'of the calls that are drawn for the backend; one that is named twice is told apart by shares, with a warning',
    ],
    ...under(BACKEND, [EXTENSION]),
    ...under('spec.rules[].sessionPersistence', SESSIONS),
  ]),
  ...supportRows('BackendTLSPolicy', [
    ['spec.targetRefs[].{group,kind,name,sectionName}', 'supported', 'Services'],
    ['spec.validation.hostname', 'supported', 'sent as SNI, and verified unless subjectAltNames are given'],
    [
      'spec.validation.caCertificateRefs[].{group,kind,name}',
      'supported',
      'a ConfigMap with ca.crt that is loaded, too; else its calls are answered with an error',
    ],
    ['spec.validation.wellKnownCACertificates', 'supported', 'System'],
    ['spec.validation.subjectAltNames[].{type,hostname,uri}', 'supported'],
    ['spec.options.**', 'ignored', 'of single implementations; with a warning'],
  ]),
  ...supportRows('ReferenceGrant', [
    ['spec.from[].{group,kind,namespace}', 'supported'],
    ['spec.to[].{group,kind,name}', 'supported'],
  ]),
  ...supportRows('XBackendTrafficPolicy', [
    ['spec.targetRefs[].{group,kind,name}', 'supported', 'Services'],
    ['spec.retryConstraint.budget.{percent,interval}', 'supported'],
    ['spec.retryConstraint.minRetryRate.{count,interval}', 'supported'],
    ...under('spec.sessionPersistence', SESSIONS),
  ]),
]);
