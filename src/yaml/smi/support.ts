// What becomes of each field of SMI's documents. Fields stand where the newest version has them, and where older ones had them.
import { type SupportLine, type SupportRow, supportRows } from '../support-row.ts';

const MATCH: readonly SupportLine[] = [
  ['name', 'supported'],
  ['methods', 'supported', '"*" takes every method'],
  ['pathRegex', 'supported', 'a pattern of the start of the path: what follows does not matter'],
  ['headers', 'supported', 'patterns of the whole value'],
];

const ACCESS: readonly SupportLine[] = [
  ['destination.kind', 'kept', 'ServiceAccount, and IdentityBinding in v1alpha4'],
  ['destination.{name,namespace}', 'kept'],
  ['destination.port', 'kept', 'of v1alpha1 and v1alpha2; later versions name ports with a TCPRoute'],
  ['sources[].kind', 'kept', 'ServiceAccount, and IdentityBinding in v1alpha4'],
  ['sources[].{name,namespace}', 'kept'],
  ['rules[].kind', 'kept', 'HTTPRouteGroup and TCPRoute; a UDPRoute lets nobody in, with a warning'],
  ['rules[].name', 'kept', 'what is not there is an error'],
  ['rules[].matches', 'kept'],
];

function under(prefix: string, lines: readonly SupportLine[]): SupportLine[] {
  return lines.map(([fields, level, note]) => (note === undefined ? [`${prefix}${fields}`, level] : [`${prefix}${fields}`, level, note]));
}

export const SMI_SUPPORT: readonly SupportRow[] = Object.freeze([
  ...supportRows('TrafficSplit', [
    ['spec.service', 'supported', 'on every port of the root service; what the split does not take goes to its endpoints'],
    ['spec.backends[].service', 'supported', 'left out, with INM0016, where it lacks the port of the call'],
    ['spec.backends[].weight', 'supported', 'numbers and quantities in every version; a quantity where numbers are asked for is INM0015'],
    ['spec.matches[].apiGroup', 'ignored', 'there is one kind of group'],
    ['spec.matches[].kind', 'supported', 'HTTPRouteGroup'],
    ['spec.matches[].name', 'supported', 'any match of any group; other calls go to the root service'],
  ]),
  ...supportRows('HTTPRouteGroup', [...under('spec.matches[].', MATCH), ...under('matches[].', MATCH)]),
  ...supportRows('TCPRoute', [
    ['spec.matches.name', 'ignored', 'a name for people'],
    ['spec.matches.ports', 'kept', 'for TrafficTargets; connections are no calls'],
  ]),
  ...supportRows('UDPRoute', [['spec.matches.{name,ports}', 'ignored', 'datagrams do not pass through inmesh']]),
  ...supportRows('TrafficTarget', [
    ...under('spec.', ACCESS),
    ...under('', ACCESS),
    ['specs[].{kind,name,matches}', 'kept', "v1alpha1's name for rules"],
  ]),
  ...supportRows('IdentityBinding', [
    [
      'spec.schemes.podLabelSelector.**',
      'approximated',
      'of a destination it is kept; of a source it lets nobody in, with a warning, because no certificate has labels',
    ],
    ['spec.schemes.{spiffeIdentities,serviceAccount}', 'kept'],
  ]),
]);
