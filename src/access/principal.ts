// Names of callers as policies write them. Of certificates: the trust domain may have had other names, and those mean the same.
// Of tokens: issuer and subject, divided at the last slash, because issuers are URLs.
// Source: istio/istio pilot/pkg/trustdomain/bundle.go; pilot/pkg/security/authz/model/generator.go, requestPrincipalGenerator.
import type { RequestIdentity } from './request.ts';
import { type TextTest, textTest } from './text.ts';

export interface TrustDomains {
  /** Of this process; '' when it has no identity. */
  readonly own: string;
  /** Its other names. */
  readonly aliases: readonly string[];
}

/** What stands in policies for the own domain, whatever its name. */
const DEFAULT_DOMAIN = 'cluster.local';

/** Only `domain/ns/NS/sa/SA` names a domain. */
const PARTS = 5;

/** With the other names of the trust domain. */
export function principalValues(values: readonly string[], { own, aliases }: TrustDomains): string[] {
  const domains = [own, ...aliases].filter((domain) => domain !== '');
  return [...new Set(values.flatMap((value) => [value, ...sameIn(value, domains)]))];
}

function sameIn(value: string, domains: readonly string[]): string[] {
  const slash = value.indexOf('/');
  const domain = value.slice(0, slash);
  if (value.split('/').length !== PARTS || domain === '*') return [];
  const rest = value.slice(slash);
  const isOurs = domain === DEFAULT_DOMAIN || domains.some(textTest(domain));
  return isOurs ? domains.map((one) => one + rest) : [];
}

/** Whether a token says who is wanted. */
export function requestPrincipalTest(value: string): (jwt: RequestIdentity) => boolean {
  const [issuer, subject] = partTests(value);
  return (jwt) => issuer(jwt.issuer) && subject(jwt.subject);
}

const ANY: TextTest = textTest('*');

function partTests(value: string): readonly [issuer: TextTest, subject: TextTest] {
  const slash = value.lastIndexOf('/');
  const issuer = slash < 0 ? value : value.slice(0, slash);
  const subject = slash < 0 ? '' : value.slice(slash + 1);
  if (value.startsWith('*')) return slash < 0 ? [ANY, textTest(value)] : [textTest(issuer), exact(subject)];
  if (value.endsWith('*')) return slash < 0 ? [textTest(value), ANY] : [exact(issuer), textTest(subject)];
  return [exact(issuer), exact(subject)];
}

function exact(wanted: string): TextTest {
  return (text) => text === wanted;
}
