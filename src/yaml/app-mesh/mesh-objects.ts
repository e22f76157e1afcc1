// The objects of App Mesh in one view, whichever form they came in, found by reference, by name and by ARN.
import type { ConfigPath } from '../../model/issue.ts';
import { AWS_GROUP } from '../headless.ts';
import { fullName, type Resource } from '../resource.ts';
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
  readonly printedRoutes: readonly PrintedRoute[];
  readonly #nodes: ObjectIndex<VirtualNodeSpec>;
  readonly #services: ObjectIndex<VirtualServiceSpec>;
  readonly #routers: ObjectIndex<VirtualRouterSpec>;
  readonly #printed: Map<string, PrintedRoute[]>;

  constructor(world: World) {
    this.nodes = objectsOf<VirtualNodeSpec>(world, 'VirtualNode', '_');
    this.routers = objectsOf<VirtualRouterSpec>(world, 'VirtualRouter', '_');
    this.services = objectsOf<VirtualServiceSpec>(world, 'VirtualService', '.');
    this.printedRoutes = world.of(AWS_GROUP, 'Route').map(printedRoute);
    this.#nodes = new ObjectIndex(this.nodes, 'VirtualNode');
    this.#services = new ObjectIndex(this.services, 'VirtualService');
    this.#routers = new ObjectIndex(this.routers, 'VirtualRouter');
    this.#printed = Map.groupBy(this.printedRoutes, ({ router, resource }) => meshKey(router, resource.namespace));
  }

  node(wanted: ObjectRef, from: Resource): MeshObject<VirtualNodeSpec> | undefined {
    return this.#nodes.find(wanted, from);
  }

  router(wanted: ObjectRef, from: Resource): MeshObject<VirtualRouterSpec> | undefined {
    return this.#routers.find(wanted, from);
  }

  service(wanted: ObjectRef, from: Resource): MeshObject<VirtualServiceSpec> | undefined {
    return this.#services.find(wanted, from);
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
  routesOf(router: string, mesh: string): readonly NamedRoute[] {
    return this.#printed.get(meshKey(router, mesh)) ?? [];
  }
}

function printedRoute(resource: Resource): PrintedRoute {
  const [router = '', name = ''] = resource.name.split('/');
  return { resource, router, name, spec: resource.spec as RouteSpec, path: specPath(resource, 'route') };
}

function meshKey(name: string, mesh: string): string {
  return `${mesh}/${name}`;
}

/** Objects of one kind, by what references say. The first of a name counts. */
class ObjectIndex<Spec> {
  readonly #kind: MeshKind;
  /** Of the controller, by namespace and name of the document. */
  readonly #byRef: Map<string, MeshObject<Spec>> = new Map();
  /** Of the controller, by their names in App Mesh: a CRD does not say which mesh it is of. */
  readonly #ofAnyMesh: Map<string, MeshObject<Spec>> = new Map();
  readonly #ofOneMesh: Map<string, MeshObject<Spec>> = new Map();

  constructor(objects: readonly MeshObject<Spec>[], kind: MeshKind) {
    this.#kind = kind;
    const add = (map: Map<string, MeshObject<Spec>>, key: string, one: MeshObject<Spec>): void => {
      if (!map.has(key)) map.set(key, one);
    };
    for (const one of objects) {
      const { resource, name } = one;
      if (resource.group !== CRD_GROUP) add(this.#ofOneMesh, meshKey(name, resource.namespace), one);
      else {
        add(this.#byRef, fullName(resource), one);
        add(this.#ofAnyMesh, name, one);
      }
    }
  }

  find({ ref, arn, name }: ObjectRef, from: Resource): MeshObject<Spec> | undefined {
    if (ref !== undefined) return this.#byRef.get(fullName({ namespace: ref.namespace ?? from.namespace, name: ref.name }));
    if (name !== undefined) return this.#named(name, from.namespace);
    const match = arn === undefined ? null : /:mesh\/([^/]+)\/([A-Za-z]+)\/(.+)$/.exec(arn);
    if (match === null || match[2] !== PLACES[this.#kind]) return undefined;
    return this.#named(match[3] as string, match[1] as string);
  }

  #named(name: string, mesh: string): MeshObject<Spec> | undefined {
    return this.#ofAnyMesh.get(name) ?? this.#ofOneMesh.get(meshKey(name, mesh));
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

export function describeRef({ ref, arn, name }: ObjectRef): string {
  return ref?.name ?? name ?? arn ?? '';
}
