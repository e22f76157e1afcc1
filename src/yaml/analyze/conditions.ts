// IST0171: what the controllers of a cluster did not accept, as the status of the document says. Source: istio/istio
// pkg/config/analysis/analyzers/conditions/conditions.go.
import type { ConfigPath } from '../../model/issue.ts';
import type { Resource } from '../resource.ts';
import type { Analyzer } from './analyzer.ts';
import { listOf, mappingOf, textOf, within } from './loose.ts';

const OF_ROUTES: readonly string[] = ['Accepted', 'Programmed', 'ResolvedRefs'];
const OF_WAYPOINTS: readonly string[] = ['istio.io/WaypointBound'];

/** Conditions whose status False is bad news. */
const NEGATIVE: readonly (readonly [group: string, kind: string, types: readonly string[]])[] = [
  ['', 'Service', OF_WAYPOINTS],
  ['networking.istio.io', 'ServiceEntry', OF_WAYPOINTS],
  ['networking.istio.io', 'WorkloadEntry', OF_WAYPOINTS],
  ['security.istio.io', 'AuthorizationPolicy', ['ZtunnelAccepted', 'WaypointAccepted']],
  ['gateway.networking.k8s.io', 'Gateway', OF_ROUTES],
  ['gateway.networking.k8s.io', 'HTTPRoute', OF_ROUTES],
  ['gateway.networking.k8s.io', 'GRPCRoute', OF_ROUTES],
];

export const conditions: Analyzer = ({ world }, findings) => {
  for (const [group, kind, types] of NEGATIVE) {
    for (const resource of world.of(group, kind)) {
      for (const { path, type, status, reason, message } of conditionsOf(resource)) {
        const isPartial = kind === 'AuthorizationPolicy' && type === 'WaypointAccepted' && reason === 'PartiallyInvalid';
        if (!isPartial && !(status === 'False' && types.includes(type))) continue;
        findings.in('IST0171', resource, path, `the cluster says ${type}: ${status}, ${reason}${message === '' ? '' : `: ${message}`}`);
      }
    }
  }
};

interface Condition {
  readonly path: ConfigPath;
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** Of the resource itself, or of each parent of a route. */
function conditionsOf({ value }: Resource): Condition[] {
  const { conditions: own, parents } = within(value, 'status');
  return [
    ...read(own, ['status', 'conditions']),
    ...listOf(parents).flatMap((parent, i) => read(mappingOf(parent).conditions, ['status', 'parents', i, 'conditions'])),
  ];
}

function read(value: unknown, path: ConfigPath): Condition[] {
  return listOf(value).map((one, i) => {
    const { type, status, reason, message } = mappingOf(one);
    return { path: [...path, i], type: textOf(type), status: textOf(status), reason: textOf(reason), message: textOf(message) };
  });
}
