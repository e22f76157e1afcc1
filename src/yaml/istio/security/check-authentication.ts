// How the fields of PeerAuthentication and RequestAuthentication hang together. The form has been checked.
// Source: istio/istio pkg/config/validation, ValidatePeerAuthentication, ValidateRequestAuthentication.
import type { ConfigPath } from '../../../model/issue.ts';
import type { Report } from '../../../model/report.ts';
import type { Resource } from '../../resource.ts';
import { checkDuration } from '../check-duration.ts';
import { checkDryRun } from './check-dry-run.ts';
import { checkScope, checkSelector } from './check-scope.ts';
import { keySetFault, privateKeyAt } from './key-set.ts';
import type { JwtRuleSpec, PeerAuthenticationSpec, RequestAuthenticationSpec } from './security-spec.ts';

const JWKS_URI_LENGTH_MAX = 2_048;
const CLAIMS_MAX = 64;
const HEADER = /^[-_A-Za-z0-9]+$/;
const URL_START = /^https?:\/\/[^/?#\s]+/i;

export function checkPeerAuthentication(resource: Resource): void {
  const { selector, portLevelMtls } = resource.spec as PeerAuthenticationSpec;
  const { report } = resource;
  checkDryRun(resource);
  checkSelector(resource, selector);
  if (portLevelMtls === undefined) return;
  const path: ConfigPath = ['spec', 'portLevelMtls'];
  const ports = Object.keys(portLevelMtls);
  if (ports.length === 0) report.error(path, 'portLevelMtls needs at least one port');
  else if (Object.keys(selector?.matchLabels ?? {}).length === 0) {
    report.error(path, 'portLevelMtls needs a selector: ports are those of a workload', { part: 'key' });
  }
  for (const port of ports) {
    const isPort = /^[0-9]{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
    if (!isPort) report.error([...path, port], `${report.show([], port)} is no port from 1 to 65535`, { part: 'key' });
  }
}

export function checkRequestAuthentication(resource: Resource): void {
  checkDryRun(resource);
  checkScope(resource);
  const { jwtRules = [] } = resource.spec as RequestAuthenticationSpec;
  for (const [i, rule] of jwtRules.entries()) checkJwtRule(rule, ['spec', 'jwtRules', i], resource.report);
}

function checkJwtRule(rule: JwtRuleSpec, path: ConfigPath, report: Report): void {
  const { issuer, jwks, jwksUri, jwks_uri: oldJwksUri, timeout, spaceDelimitedClaims = [] } = rule;
  const sets = [jwks, jwksUri, oldJwksUri].filter((one) => one !== undefined);
  if (sets.length > 1) report.error(path, 'only one of jwks and jwksUri can be set');
  if (issuer === undefined && jwksUri === undefined && oldJwksUri === undefined) report.error(path, 'a rule needs issuer or jwksUri');
  checkUrl(jwksUri, [...path, 'jwksUri'], report);
  checkUrl(oldJwksUri, [...path, 'jwks_uri'], report);
  if (jwks !== undefined && jwks !== '') checkKeySet(jwks, [...path, 'jwks'], report);
  checkDuration(timeout, [...path, 'timeout'], report);
  if (spaceDelimitedClaims.length > CLAIMS_MAX) {
    report.error([...path, 'spaceDelimitedClaims'], `spaceDelimitedClaims has at most ${CLAIMS_MAX} entries`);
  }
  for (const [i, { header }] of (rule.outputClaimToHeaders ?? []).entries()) {
    const at = [...path, 'outputClaimToHeaders', i, 'header'];
    if (!HEADER.test(header)) report.error(at, `${report.show(at, header)} is no header name: letters, digits, "-" and "_"`);
  }
}

function checkUrl(url: string | undefined, path: ConfigPath, report: Report): void {
  if (url === undefined) return;
  if (!URL_START.test(url)) report.error(path, `${report.show(path, url)} is no URL that begins with http:// or https://`);
  else if (url.length > JWKS_URI_LENGTH_MAX) report.error(path, `a URL has at most ${JWKS_URI_LENGTH_MAX} characters`);
}

/** The keys themselves are never shown. */
function checkKeySet(jwks: string, path: ConfigPath, report: Report): void {
  const fault = keySetFault(jwks);
  if (fault !== null) report.error(path, `jwks is no JSON Web Key Set: ${fault}`);
  const at = fault === null ? privateKeyAt(jwks) : -1;
  if (at >= 0) report.warn(path, `key ${at} of jwks is private; only its public part is used, so take the rest away`);
}
