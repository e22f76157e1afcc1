// Names as Istio's validators see them: each function says what is wrong, or null. Source: istio/istio pkg/config/labels,
// pkg/config/validation/agent, pkg/config/host.
import { isHostName, isIpv6 } from '../../model/address.ts';

const LABEL = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const LABEL_LENGTH_MAX = 63;
const NAME_LENGTH_MAX = 255;
/** A star, or a label with a star or `*-` before it. */
const WILDCARD_LABEL = /^(?:\*|(?:\*|\*-)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)$/;
const LABEL_VALUE = /^(?:(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const LABEL_KEY = /^(?:[A-Za-z0-9.-]+\/)?(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** One part of a DNS name, a namespace, a subset. */
export function isLabel(text: string): boolean {
  return text.length <= LABEL_LENGTH_MAX && LABEL.test(text);
}

/** A full DNS name without a star. */
export function nameFault(name: string): string | null {
  return lengthFault(name) ?? labelsFault(name);
}

/** A DNS name whose first part may have a star. */
export function wildcardNameFault(name: string): string | null {
  const fault = lengthFault(name);
  if (fault !== null) return fault;
  const [first = '', ...rest] = name.split('.');
  if (first.length > LABEL_LENGTH_MAX || !WILDCARD_LABEL.test(first)) return `${JSON.stringify(first)} is no part of a DNS name`;
  return rest.length === 0 ? null : labelsFault(rest.join('.'));
}

function lengthFault(name: string): string | null {
  if (name === '') return 'it is empty';
  return name.length > NAME_LENGTH_MAX ? `it is longer than ${NAME_LENGTH_MAX} characters` : null;
}

function labelsFault(name: string): string | null {
  const parts = name.split('.');
  const last = parts.at(-1) as string;
  if (/^[0-9]+$/.test(last)) return `its last part ${JSON.stringify(last)} is a number`;
  // A dot at the end makes the name unambiguous.
  const checked = last === '' ? parts.slice(0, -1) : parts;
  const wrong = checked.find((part) => !isLabel(part));
  return wrong === undefined ? null : `${JSON.stringify(wrong)} is no part of a DNS name`;
}

export function isAddress(text: string): boolean {
  return isIpv6(text) || (/^[0-9.]+$/.test(text) && isHostName(text));
}

/** An address, or a block of them. */
export function isSubnet(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  if (more !== undefined || !isAddress(address)) return false;
  return bits === undefined || (/^(?:0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= (address.includes(':') ? 128 : 32));
}

/** A star that is neither the whole name nor its first part. */
export function isPartialWildcard(name: string): boolean {
  return name.includes('*') && name.length !== 1 && !name.startsWith('*.');
}

export function isWildcard(name: string): boolean {
  return name.startsWith('*');
}

/** Whether a name can be meant by both. Source: host.Name.Matches. */
export function overlap(a: string, b: string): boolean {
  if (!isWildcard(a)) return isWildcard(b) ? a.endsWith(b.slice(1)) : a === b;
  if (!isWildcard(b)) return b.endsWith(a.slice(1));
  return a.length < b.length ? b.slice(1).endsWith(a.slice(1)) : a.slice(1).endsWith(b.slice(1));
}

/** Whether all that `name` means is meant by `pattern`. Source: host.Name.SubsetOf. */
export function isWithin(name: string, pattern: string): boolean {
  if (!isWildcard(pattern)) return name === pattern;
  if (isWildcard(name) && name.length < pattern.length) return false;
  return (isWildcard(name) ? name.slice(1) : name).endsWith(pattern.slice(1));
}

/** Key or value that no label may have, or null. */
export function labelFault(labels: Readonly<Record<string, string>>): string | null {
  for (const [key, value] of Object.entries(labels)) {
    if (!LABEL_KEY.test(key)) return `${JSON.stringify(key)} is no key of a label`;
    if (!LABEL_VALUE.test(value)) return `${JSON.stringify(value)} is no value of a label`;
  }
  return null;
}

/** Whether all wanted labels are there. Nothing wanted is always there. */
export function hasLabels(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}
