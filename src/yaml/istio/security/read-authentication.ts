// PeerAuthentication and RequestAuthentication documents to the data that enforcement obeys. They have been checked.
import { parseDuration } from '../../../model/duration.ts';
import {
  JWKS_FETCH_TIMEOUT_MS_DEFAULT,
  type JwtRule,
  type PeerAuthenticationPolicy,
  type PeerMode,
  type RequestAuthenticationPolicy,
  SPACE_DELIMITED_CLAIMS,
} from '../../../model/security.ts';
import { positionIn, type Resource } from '../../resource.ts';
import { headOf, ROOT_NAMESPACE, scopeOf } from './policy-scope.ts';
import type { JwtRuleSpec, PeerAuthenticationSpec, RequestAuthenticationSpec } from './security-spec.ts';

export function readPeerAuthentication(resource: Resource): PeerAuthenticationPolicy {
  const { selector, mtls, portLevelMtls = {} } = resource.spec as PeerAuthenticationSpec;
  const hasLabels = Object.keys(selector?.matchLabels ?? {}).length > 0;
  const isRoot = resource.namespace === ROOT_NAMESPACE;
  const ports = Object.entries(portLevelMtls).map(([port, { mode }]) => [Number(port), modeOf(mode)] as const);
  if (isRoot && hasLabels) {
    const message = `Istio looks at no selector in ${ROOT_NAMESPACE}, so this policy does nothing; move it to the namespace of the workload`;
    resource.report.warn(['spec', 'selector'], message, { code: 'INM0014' });
  }
  return {
    ...headOf(resource),
    kind: 'peer-authentication',
    scope: scopeOf(resource, selector === undefined ? {} : { selector }),
    level: hasLabels ? (isRoot ? 'none' : 'workload') : isRoot ? 'mesh' : 'namespace',
    mode: modeOf(mtls?.mode),
    ports: Object.fromEntries(ports),
  };
}

function modeOf(mode = 'UNSET'): PeerMode {
  return mode.toLowerCase() as PeerMode;
}

export function readRequestAuthentication(resource: Resource): RequestAuthenticationPolicy {
  const { jwtRules = [], ...scope } = resource.spec as RequestAuthenticationSpec;
  return {
    ...headOf(resource),
    kind: 'request-authentication',
    scope: scopeOf(resource, scope),
    rules: jwtRules.map((rule, i) => readJwtRule(rule, i, resource)),
  };
}

function readJwtRule(rule: JwtRuleSpec, at: number, resource: Resource): JwtRule {
  const { fromHeaders = [], fromParams = [], fromCookies = [], timeout, outputPayloadToHeader = '' } = rule;
  const jwksUri = rule.jwksUri ?? rule.jwks_uri;
  const isAnywhere = fromHeaders.length + fromParams.length + fromCookies.length === 0;
  return {
    issuer: rule.issuer ?? '',
    audiences: rule.audiences ?? [],
    ...(rule.jwks === undefined || rule.jwks === '' ? {} : { jwks: rule.jwks }),
    ...(jwksUri === undefined ? {} : { jwksUri }),
    fetchTimeoutMs: timeout === undefined ? JWKS_FETCH_TIMEOUT_MS_DEFAULT : (parseDuration(timeout) ?? JWKS_FETCH_TIMEOUT_MS_DEFAULT),
    fromHeaders: isAnywhere
      ? [{ name: 'authorization', prefix: 'Bearer ' }]
      : fromHeaders.map(({ name, prefix = '' }) => ({ name: name.toLowerCase(), prefix })),
    fromParams: isAnywhere ? ['access_token'] : fromParams,
    fromCookies,
    forwardOriginalToken: rule.forwardOriginalToken ?? false,
    ...(outputPayloadToHeader === '' ? {} : { outputPayloadToHeader: outputPayloadToHeader.toLowerCase() }),
    outputClaimToHeaders: (rule.outputClaimToHeaders ?? []).map(({ header, claim }) => ({ header: header.toLowerCase(), claim })),
    spaceDelimitedClaims: [...new Set([...(rule.spaceDelimitedClaims ?? []), ...SPACE_DELIMITED_CLAIMS])].sort(),
    required: rule.presence === 'REQUIRED',
    source: positionIn(resource, ['spec', 'jwtRules', at]),
  };
}
