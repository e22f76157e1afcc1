// AWS App Mesh, which ended on 2026-09-30: the objects of its Kubernetes controller, and what the AWS CLI prints of a mesh.
import { type DialectReader, type Kind, NOTHING } from '../dialect.ts';
import type { MeshDraft } from '../draft.ts';
import { AWS_GROUP, AWS_VERSION } from '../headless.ts';
import type { World } from '../world.ts';
import { CRD_GROUP, type MeshSpec } from './app-mesh-spec.ts';
import { checkAwsRoute, checkAwsRouteSpec, checkVirtualNode, checkVirtualRouter, checkVirtualService } from './check-app-mesh.ts';
import { MeshObjects } from './mesh-objects.ts';
import { readClientPolicies } from './read-client-tls.ts';
import { noteUnreached } from './note-unreached.ts';
import { readBackends, readNodePolicies } from './read-node.ts';
import { readService } from './read-routes.ts';
import {
  awsNodeSchema,
  awsRouterSchema,
  awsRouteSchema,
  awsRouteSpecSchema,
  awsServiceSchema,
  meshSchema,
  nodeSchema,
  routerSchema,
  serviceSchema,
} from './schema-app-mesh.ts';

const CRD: Pick<Kind, 'group' | 'versions'> = { group: CRD_GROUP, versions: ['v1beta2'] };
const AWS: Pick<Kind, 'group' | 'versions'> = { group: AWS_GROUP, versions: [AWS_VERSION] };

const KINDS: readonly Kind[] = [
  { ...CRD, kind: 'Mesh', schema: meshSchema },
  { ...CRD, kind: 'VirtualNode', schema: nodeSchema, check: checkVirtualNode },
  { ...CRD, kind: 'VirtualRouter', schema: routerSchema, check: checkVirtualRouter },
  { ...CRD, kind: 'VirtualService', schema: serviceSchema, check: checkVirtualService },
  { ...AWS, kind: 'Route', schema: awsRouteSchema, check: checkAwsRoute },
  { ...AWS, kind: 'RouteSpec', schema: awsRouteSpecSchema, check: checkAwsRouteSpec },
  { ...AWS, kind: 'VirtualNode', schema: awsNodeSchema, check: checkVirtualNode },
  { ...AWS, kind: 'VirtualRouter', schema: awsRouterSchema, check: checkVirtualRouter },
  { ...AWS, kind: 'VirtualService', schema: awsServiceSchema, check: checkVirtualService },
];

export const appMeshReader: DialectReader = {
  dialect: 'app-mesh',
  kinds: KINDS,
  read: (world, context) => {
    const objects = new MeshObjects(world);
    noteUnreached(objects);
    if (objects.nodes.length + objects.services.length === 0) return { ...NOTHING, mesh: egress(world) };
    return {
      backends: objects.nodes.flatMap((node) => readBackends(node, context)),
      routes: objects.services.map((service) => readService(service, objects, context)),
      policies: readClientPolicies(objects, context),
      mesh: egress(world),
      late: { policies: (registry) => objects.nodes.flatMap((node) => readNodePolicies(node, context, registry)) },
    };
  },
};

/** What becomes of calls to hosts that the mesh does not know. Source: API Reference, EgressFilter. */
function egress(world: World): MeshDraft[] {
  return world.of(CRD_GROUP, 'Mesh').flatMap((resource) => {
    const { egressFilter } = resource.spec as MeshSpec;
    if (egressFilter === undefined) return [];
    const unknownHosts = egressFilter.type === 'DROP_ALL' ? 'refuse' : 'pass';
    return [{ dialect: 'app-mesh', resource, path: ['spec', 'egressFilter'], fields: { unknownHosts } }];
  });
}
