// The objects of App Mesh in one view, whichever form they came in, found by reference, by name and by ARN.
import type { ConfigPath } from '../../model/issue.ts';
import { AWS_GROUP } from '../headless.ts';
import type { Resource } from '../resource.ts';
import type { World } from '../world.ts';
import {
  CRD_GROUP,
  type RefSpec,
  type RouteSpec,
  type VirtualNodeSpec,
  type VirtualRouterSpec,
  type VirtualServiceSpec,
} from './app-mesh-spec.ts';

export interface MeshObject<Spec> {
  readonly resource: Resource;
  readonly spec: Spec;
  /** Of `spec` in the document. */
  readonly path: ConfigPath;
  /** Name in App Mesh. */
  readonly name: string;
}

export interface NamedRoute {
  readonly resource: Resource;
  readonly name: string;
  readonly spec: RouteSpec;
  readonly path: ConfigPath;
}

/** As the CLI prints it. */
export interface PrintedRoute extends NamedRoute {
  readonly router: string;
}

/** One of these names the object. */
export interface ObjectRef {
  readonly ref?: RefSpec | undefined;
  readonly arn?: string | undefined;
  readonly name?: string | undefined;
}

const PLACES = { VirtualNode: 'virtualNode', VirtualRouter: 'virtualRouter', VirtualService: 'virtualService' } as const;
type MeshKind = keyof typeof PLACES;

export class MeshObjects {
  readonly nodes: readonly MeshObject<VirtualNodeSpec>[];
  readonly services: readonly MeshObject<VirtualServiceSpec>[];
  readonly routers: readonly MeshObject<VirtualRouterSpec>[];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.nodes = objectsOf<VirtualNodeSpec>(world, 'VirtualNode', '_');
    this.routers = objectsOf<VirtualRouterSpec>(world, 'VirtualRouter', '_');
    this.services = objectsOf<VirtualServiceSpec>(world, 'VirtualService', '.');
  }

  node(wanted: ObjectRef, from: Resource): MeshObject<VirtualNodeSpec> | undefined {
    return find(this.nodes, 'VirtualNode', wanted, from);
  }

  router(wanted: ObjectRef, from: Resource): MeshObject<VirtualRouterSpec> | undefined {
    return find(this.routers, 'VirtualRouter', wanted, from);
  }

  service(wanted: ObjectRef, from: Resource): MeshObject<VirtualServiceSpec> | undefined {
    return find(this.services, 'VirtualService', wanted, from);
  }

  /** Those in the router, then those that the CLI has printed one by one. */
  routes({ resource, spec, path, name }: MeshObject<VirtualRouterSpec>): NamedRoute[] {
    const own = (spec.routes ?? []).map((route, i) => ({
      resource,
      name: route.name ?? String(i),
      spec: route,
      path: [...path, 'routes', i],
    }));
    return [...own, ...this.routesOf(name, resource.namespace)];
  }

  /** Printed by the CLI; their router need not be. */
  routesOf(router: string, mesh: string): NamedRoute[] {
    return this.printedRoutes().filter((route) => route.router === router && route.resource.namespace === mesh);
  }

  printedRoutes(): PrintedRoute[] {
    return this.#world.of(AWS_GROUP, 'Route').map((resource) => {
      const [router = '', name = ''] = resource.name.split('/');
      return { resource, router, name, spec: resource.spec as RouteSpec, path: specPath(resource, 'route') };
    });
  }
}

function objectsOf<Spec>(world: World, kind: MeshKind, joint: string): MeshObject<Spec>[] {
  return [...world.of(CRD_GROUP, kind), ...world.of(AWS_GROUP, kind)].map((resource) => {
    const spec = resource.spec as Spec & { readonly awsName?: string };
    const isCrd = resource.group === CRD_GROUP;
    const own = isCrd ? `${resource.name}${joint}${resource.namespace}` : resource.name;
    return {
      resource,
      spec,
      path: isCrd ? ['spec'] : specPath(resource, PLACES[kind]),
      name: (spec.awsName ?? '') === '' ? own : (spec.awsName as string),
    };
  });
}

/** Under the key that the CLI puts before the fields, when it is there. */
export function specPath({ value }: Resource, key: string): ConfigPath {
  return value[key] === undefined ? ['spec'] : [key, 'spec'];
}

function find<Spec>(
  objects: readonly MeshObject<Spec>[],
  kind: MeshKind,
  { ref, arn, name }: ObjectRef,
  from: Resource,
): MeshObject<Spec> | undefined {
  if (ref !== undefined) {
    const { namespace = from.namespace } = ref;
    return objects.find(({ resource }) => resource.group === CRD_GROUP && resource.name === ref.name && resource.namespace === namespace);
  }
  if (name !== undefined) return objects.find((one) => one.name === name && isOfMesh(one.resource, from.namespace));
  const match = arn === undefined ? null : /:mesh\/([^/]+)\/([A-Za-z]+)\/(.+)$/.exec(arn);
  if (match === null || match[2] !== PLACES[kind]) return undefined;
  return objects.find((one) => one.name === match[3] && isOfMesh(one.resource, match[1] as string));
}

/** A CRD does not say which mesh it is of. */
function isOfMesh({ group, namespace }: Resource, mesh: string): boolean {
  return group === CRD_GROUP || namespace === mesh;
}

export function describeRef({ ref, arn, name }: ObjectRef): string {
  return ref?.name ?? name ?? arn ?? '';
}
