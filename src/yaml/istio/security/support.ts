// What becomes of each field of Istio's security documents.
import { type SupportLine, type SupportRow, supportRows } from '../../support-row.ts';

const SCOPE: readonly SupportLine[] = [
  ['spec.selector.matchLabels', 'kept'],
  ['spec.targetRef.{group,kind,name,namespace}', 'kept', 'Services alone; what is attached to gateways and entries is about nobody here'],
  ['spec.targetRefs[].{group,kind,name,namespace}', 'kept', 'as targetRef'],
];

export const ISTIO_SECURITY_SUPPORT: readonly SupportRow[] = Object.freeze([
  ...supportRows('AuthorizationPolicy', [
    ...SCOPE,
    ['spec.action', 'kept', 'ALLOW, DENY, AUDIT and CUSTOM'],
    ['spec.provider.name', 'kept', 'with CUSTOM alone'],
    ['spec.rules[].from[].source.{principals,requestPrincipals,namespaces,trustDomains}', 'kept', 'exact, abc*, *abc, or *'],
    ['spec.rules[].from[].source.{notPrincipals,notRequestPrincipals,notNamespaces,notTrustDomains}', 'kept'],
    ['spec.rules[].from[].source.{serviceAccounts,notServiceAccounts}', 'kept', 'name, or namespace/name, at most 16'],
    ['spec.rules[].from[].source.{ipBlocks,notIpBlocks,remoteIpBlocks,notRemoteIpBlocks}', 'kept'],
    ['spec.rules[].to[].operation.{hosts,notHosts,ports,notPorts,methods,notMethods}', 'kept'],
    ['spec.rules[].to[].operation.{paths,notPaths}', 'kept', 'templates with {*} and {**}, too'],
    ['spec.rules[].when[].key', 'kept', 'experimental.envoy.filters.* is always missing, with INM0013'],
    ['spec.rules[].when[].{values,notValues}', 'kept'],
  ]),
  ...supportRows('PeerAuthentication', [
    ['spec.selector.matchLabels', 'kept', 'in the root namespace it makes the policy do nothing, with INM0014, as with Istio'],
    ['spec.mtls.mode', 'kept'],
    ['spec.portLevelMtls.*.mode', 'kept', 'ports of the workload; a selector is needed'],
  ]),
  ...supportRows('RequestAuthentication', [
    ...SCOPE,
    ['spec.jwtRules[].{issuer,audiences,jwks,jwksUri,timeout}', 'kept'],
    ['spec.jwtRules[].jwks_uri', 'kept', 'the old name of jwksUri'],
    [
      'spec.jwtRules[].fromHeaders[].{name,prefix}',
      'kept',
      'authorization with "Bearer " and the parameter access_token when no place is named',
    ],
    ['spec.jwtRules[].{fromParams,fromCookies,forwardOriginalToken,outputPayloadToHeader,spaceDelimitedClaims}', 'kept'],
    ['spec.jwtRules[].outputClaimToHeaders[].{header,claim}', 'kept'],
    ['spec.jwtRules[].presence', 'kept', 'REQUIRED refuses calls without a token'],
  ]),
]);
