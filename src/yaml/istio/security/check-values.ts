// What the single values of an authorization rule may be. Each function says what is wrong, or null.
// Source: istio/istio pkg/config/security.
import { parseAddressRange } from '../../address-range.ts';

const ACCOUNT_LENGTH_MAX = 320;
/** RFC 3986 pchar, as Envoy's URI templates take it. */
const LITERAL = /^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/;
const ONE = '{*}';
const REST = '{**}';

export type ValueFault = (value: string) => string | null;

export const addressFault: ValueFault = (value) =>
  parseAddressRange(value) === null ? 'it is no IP address and no range such as 10.0.0.0/8' : null;

export const portFault: ValueFault = (value) => (/^[0-9]{1,9}$/.test(value) && Number(value) <= 65_535 ? null : 'it is no port');

export const accountFault: ValueFault = (value) => {
  if (value.includes('*')) return 'a service account has no wildcard';
  if (value.length > ACCOUNT_LENGTH_MAX) return `it is longer than ${ACCOUNT_LENGTH_MAX} characters`;
  const parts = value.split('/');
  return parts.length > 2 || parts.some((part) => part === '') ? 'write name, or namespace/name' : null;
};

/** One star, at an end. */
export const wildcardFault: ValueFault = (value) => {
  const stars = value.split('*').length - 1;
  if (stars > 1) return 'it has more than one wildcard';
  return stars === 1 && !value.startsWith('*') && !value.endsWith('*') ? 'a wildcard stands at the start or at the end' : null;
};

export const trustDomainFault: ValueFault = (value) => wildcardFault(value) ?? (value.includes('/') ? 'a trust domain has no "/"' : null);

/** `{*}` is one segment, `{**}` the rest and the last of the two. */
export const pathFault: ValueFault = (value) => {
  const isTemplate = value.includes(ONE) || value.includes(REST);
  let hasRest = false;
  for (const segment of value.replace(/^\/+|\/+$/g, '').split('/')) {
    if (segment === ONE || segment === REST) {
      if (hasRest) return '{**} is the last operator of a template';
      hasRest = segment === REST;
    } else if (/[{}]/.test(segment)) return 'braces stand only in {*} and {**}, each a segment of its own';
    else if (isTemplate && !LITERAL.test(segment)) return `the segment ${JSON.stringify(segment)} cannot stand in a template`;
  }
  return null;
};
