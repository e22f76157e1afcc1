// The Service Mesh Interface, archived in 2023: splits become routes, access policies are kept for enforcement.
import { type DialectReader, type Kind, NOTHING } from '../dialect.ts';
import type { MeshDraft } from '../draft.ts';
import { readTrafficSplits } from './read-traffic-split.ts';
import { readTrafficTarget } from './read-traffic-target.ts';
import { checkHttpRouteGroup, checkIdentityBinding, checkTrafficSplit, checkTrafficTarget } from './check-smi.ts';
import { httpRouteGroupSchema, identityBindingSchema, portRouteSchema, trafficSplitSchema, trafficTargetSchema } from './schema-smi.ts';
import { ACCESS_GROUP, SPECS_GROUP, SPLIT_GROUP, VERSIONS } from './smi-spec.ts';

const KINDS: readonly Kind[] = [
  { group: SPLIT_GROUP, kind: 'TrafficSplit', versions: VERSIONS, schema: trafficSplitSchema, check: checkTrafficSplit },
  { group: SPECS_GROUP, kind: 'HTTPRouteGroup', versions: VERSIONS, schema: httpRouteGroupSchema, check: checkHttpRouteGroup },
  { group: SPECS_GROUP, kind: 'TCPRoute', versions: VERSIONS, schema: portRouteSchema },
  { group: SPECS_GROUP, kind: 'UDPRoute', versions: VERSIONS, schema: portRouteSchema },
  { group: ACCESS_GROUP, kind: 'TrafficTarget', versions: VERSIONS, schema: trafficTargetSchema, check: checkTrafficTarget },
  { group: ACCESS_GROUP, kind: 'IdentityBinding', versions: VERSIONS, schema: identityBindingSchema, check: checkIdentityBinding },
];

export const smiReader: DialectReader = {
  dialect: 'smi',
  kinds: KINDS,
  read: (world, context) => {
    const mesh = world.of(ACCESS_GROUP, 'TrafficTarget').map((resource): MeshDraft => {
      const policy = readTrafficTarget(resource, world, context);
      return { dialect: 'smi', resource, path: ['metadata', 'name'], fields: {}, inbound: { policies: [policy] } };
    });
    return { ...NOTHING, mesh, late: { routes: (registry) => readTrafficSplits(world, context, registry) } };
  },
};
