// Attributes that a condition of an AuthorizationPolicy may ask for. Source: istio/istio pkg/config/security.
import { accountFault, addressFault, portFault, type ValueFault, wildcardFault } from './check-values.ts';

interface Attribute {
  readonly name: string;
  /** `name[key]`. */
  readonly hasKey?: true;
  readonly fault?: ValueFault;
  /** Known only after what CUSTOM stands before. */
  readonly isLate?: true;
}

/** Attributes by name; those with a key by the text before the bracket. */
const ATTRIBUTES: readonly Attribute[] = Object.freeze([
  { name: 'request.headers', hasKey: true },
  { name: 'source.ip', fault: addressFault },
  { name: 'remote.ip', fault: addressFault },
  { name: 'source.namespace', isLate: true },
  { name: 'source.serviceAccount', fault: accountFault, isLate: true },
  { name: 'source.principal', isLate: true },
  { name: 'source.trustDomain', fault: wildcardFault, isLate: true },
  { name: 'request.auth.principal', isLate: true },
  { name: 'request.auth.audiences', isLate: true },
  { name: 'request.auth.presenter', isLate: true },
  { name: 'request.auth.claims', hasKey: true, isLate: true },
  { name: 'destination.ip', fault: addressFault },
  { name: 'destination.port', fault: portFault },
  { name: 'connection.sni' },
]);

/** Metadata that filters of Envoy set; there are none here. */
const EXPERIMENTAL = 'experimental.envoy.filters.';

/** What took the place of attributes of earlier versions. */
const REPLACED: Readonly<Record<string, string>> = Object.freeze({
  'destination.namespace': 'the namespace of the policy',
  'destination.labels': 'the selector of the policy',
  'destination.name': 'the selector of the policy',
  'destination.user': 'the selector of the policy',
});

export interface AttributeFound {
  readonly fault: ValueFault | undefined;
  readonly isLate: boolean;
  readonly isExperimental: boolean;
}

/** What is known of a key, or what is wrong with it. */
export function attributeOf(key: string): AttributeFound | string {
  const isExperimental = key.startsWith(EXPERIMENTAL);
  if (isExperimental) return hasBracket(key) ? { fault: undefined, isLate: false, isExperimental } : 'write it as a[b]';
  const known = ATTRIBUTES.find(({ name, hasKey }) => (hasKey === true ? key.startsWith(name) : key === name));
  if (known !== undefined) {
    if (known.hasKey === true && !hasBracket(key)) return `write it as ${known.name}[name]`;
    return { fault: known.fault, isLate: known.isLate === true, isExperimental };
  }
  const replaced = Object.entries(REPLACED).find(([name]) => key === name || key.startsWith(`${name}[`));
  return replaced === undefined ? 'there is no such attribute' : `${replaced[1]} says it instead`;
}

export const ATTRIBUTE_NAMES: readonly string[] = Object.freeze(
  ATTRIBUTES.map(({ name, hasKey }) => (hasKey === true ? `${name}[name]` : name)),
);

function hasBracket(key: string): boolean {
  const open = key.indexOf('[');
  return key.endsWith(']') && open > 0 && open < key.length - 2;
}
