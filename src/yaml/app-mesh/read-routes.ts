// Virtual services: what becomes of calls to their names, by the routes of their router, or straight to their node. Routes
// are tried by priority; of equal ones first the more exact path. What no route takes is answered 404 by Envoy.
// Source: App Mesh API Reference, RouteSpec; aws-app-mesh-roadmap, issue 77.
import type { ConfigPath } from '../../model/issue.ts';
import type { RouteMatch, TargetFailure } from '../../model/route.ts';
import type { ReadContext } from '../dialect.ts';
import type { RouteDraft, RoutesDraft, TargetDraft } from '../draft.ts';
import { positionIn, type Resource } from '../resource.ts';
import { fullHost } from '../world.ts';
import { msOf, type PlainRouteSpec, type RouteSpec, type VirtualServiceSpec, type WeightedTargetSpec } from './app-mesh-spec.ts';
import { describeRef, type MeshObject, type MeshObjects, type NamedRoute, type ObjectRef } from './mesh-objects.ts';
import { rankOf, readGrpcMatch, readHttpMatch } from './read-match.ts';
import { hostOf, IMPLIED, portOf, TIMEOUT_MS_DEFAULT } from './read-node.ts';
import { readRetries } from './read-retries.ts';

type Service = MeshObject<VirtualServiceSpec>;

/** `name.namespace` is a short name of Kubernetes, unless somebody chose it. */
export function hostOfService({ name, resource, spec }: Service, { clusterDomain }: ReadContext): string {
  const isDefault = (spec.awsName ?? '') === '' && name === `${resource.name}.${resource.namespace}`;
  if (isDefault) return fullHost(resource.name, resource.namespace, clusterDomain);
  const host = name.toLowerCase().replace(/\.$/, '');
  return host.includes('.') ? host : fullHost(host, 'default', clusterDomain);
}

export function readService(service: Service, objects: MeshObjects, context: ReadContext): RoutesDraft {
  const routes = new ServiceRoutes(service, objects, context);
  return {
    host: hostOfService(service, context),
    dialect: 'app-mesh',
    resource: service.resource,
    path: service.path,
    routes: routes.read(),
    implied: IMPLIED,
  };
}

/** The nodes that calls to a virtual service may end at. */
export function nodesOf(service: Service, objects: MeshObjects): ReturnType<MeshObjects['node']>[] {
  const { virtualNode, virtualRouter } = service.spec.provider ?? {};
  if (virtualNode !== undefined) return [objects.node(nodeRef(virtualNode), service.resource)];
  return routesOf(virtualRouter, service, objects).flatMap(({ spec, resource }) =>
    (plainRoute(spec)?.action.weightedTargets ?? []).map((target) => objects.node(targetRef(target), resource)),
  );
}

function nodeRef({
  virtualNodeRef,
  virtualNodeARN,
  virtualNodeName,
}: NonNullable<NonNullable<VirtualServiceSpec['provider']>['virtualNode']>): ObjectRef {
  return { ref: virtualNodeRef, arn: virtualNodeARN, name: virtualNodeName };
}

function targetRef({ virtualNodeRef, virtualNodeARN, virtualNode }: WeightedTargetSpec): ObjectRef {
  return { ref: virtualNodeRef, arn: virtualNodeARN, name: virtualNode };
}

type RouterProvider = NonNullable<VirtualServiceSpec['provider']>['virtualRouter'];

export function routerRef({ virtualRouterRef, virtualRouterARN, virtualRouterName }: NonNullable<RouterProvider>): ObjectRef {
  return { ref: virtualRouterRef, arn: virtualRouterARN, name: virtualRouterName };
}

/** The CLI prints routes without their router. */
function routesOf(provider: RouterProvider, { resource }: Service, objects: MeshObjects): readonly NamedRoute[] {
  if (provider === undefined) return [];
  const wanted = routerRef(provider);
  const router = objects.router(wanted, resource);
  if (router !== undefined) return objects.routes(router);
  return wanted.name === undefined ? [] : objects.routesOf(wanted.name, resource.namespace);
}

type AnyRoute = PlainRouteSpec<unknown>;

function plainRoute({ httpRoute, http2Route, grpcRoute }: RouteSpec): AnyRoute | undefined {
  return httpRoute ?? http2Route ?? grpcRoute;
}

function matchOf({ httpRoute, http2Route, grpcRoute }: RouteSpec): RouteMatch {
  const http = httpRoute ?? http2Route;
  return http === undefined ? readGrpcMatch(grpcRoute?.match ?? {}) : readHttpMatch(http.match);
}

const LAST_PRIORITY = 1_001;

class ServiceRoutes {
  readonly #service: Service;
  readonly #objects: MeshObjects;
  readonly #context: ReadContext;

  constructor(service: Service, objects: MeshObjects, context: ReadContext) {
    this.#service = service;
    this.#objects = objects;
    this.#context = context;
  }

  read(): RouteDraft[] {
    const { resource, spec, path } = this.#service;
    const { virtualNode, virtualRouter } = spec.provider ?? {};
    if (virtualNode !== undefined) {
      const at = [...path, 'provider', 'virtualNode'];
      return [this.#route('virtual-node', [], [this.#target(nodeRef(virtualNode), { weight: 1 }, at, resource)], resource, at)];
    }
    const routes = routesOf(virtualRouter, this.#service, this.#objects);
    if (routes.length === 0) this.#noteEmpty();
    const read = routes.flatMap((one) => {
      const plain = plainRoute(one.spec);
      return plain === undefined ? [] : [{ one, plain, match: matchOf(one.spec) }];
    });
    return read.toSorted(compareRoutes).map(({ one, plain, match }) => this.#readRoute(one, plain, match));
  }

  #noteEmpty(): void {
    const { resource, spec, path } = this.#service;
    const { virtualRouter } = spec.provider ?? {};
    const why = virtualRouter === undefined ? 'it has no provider' : `no routes of ${describeRef(routerRef(virtualRouter))} are loaded`;
    resource.report.warn([...path, 'provider'], `${why}, so calls to it are answered 404`);
  }

  #readRoute({ resource, name, path, spec }: NamedRoute, plain: AnyRoute, match: RouteMatch): RouteDraft {
    const kind =
      Object.entries({ httpRoute: spec.httpRoute, http2Route: spec.http2Route }).find(([, one]) => one !== undefined)?.[0] ?? 'grpcRoute';
    const at: ConfigPath = [...path, kind];
    const { retryPolicy, timeout } = plain;
    const targets = this.#targets(plain.action.weightedTargets, [...at, 'action', 'weightedTargets'], resource);
    const isCatchAll =
      Object.keys(match).every((key) => key === 'headers' || key === 'queryParams') && Object.keys(match.headers).length === 0;
    const takesAll = isCatchAll && Object.keys(match.queryParams).length === 0;
    const route = this.#route(name, takesAll ? [] : [match], targets, resource, path);
    if (timeout?.idle !== undefined) {
      resource.report.warn([...at, 'timeout', 'idle'], 'inmesh does not end calls that are idle, so this time is not kept', {
        code: 'INM0011',
      });
    }
    return {
      ...route,
      timeoutMs: timeout?.perRequest === undefined ? TIMEOUT_MS_DEFAULT : msOf(timeout.perRequest),
      retries: readRetries(retryPolicy),
      sources: {
        ...route.sources,
        matches: positionIn(resource, [...at, 'match'], 'key'),
        ...(timeout?.perRequest === undefined ? {} : { timeoutMs: positionIn(resource, [...at, 'timeout', 'perRequest'], 'key') }),
        ...(retryPolicy === undefined ? {} : { retries: positionIn(resource, [...at, 'retryPolicy'], 'key') }),
      },
    };
  }

  #route(name: string, matches: readonly RouteMatch[], targets: readonly TargetDraft[], resource: Resource, path: ConfigPath): RouteDraft {
    return {
      name,
      dialect: 'app-mesh',
      matches,
      targets,
      mirrors: [],
      idempotent: false,
      timeoutMs: TIMEOUT_MS_DEFAULT,
      retries: readRetries(undefined),
      source: positionIn(resource, path),
    };
  }

  /** Of several, those of weight 0 get nothing. */
  #targets(specs: readonly WeightedTargetSpec[], path: ConfigPath, resource: Resource): TargetDraft[] {
    return specs.flatMap((spec, i) =>
      spec.weight === 0 && specs.length > 1 ? [] : [this.#target(targetRef(spec), spec, [...path, i], resource)],
    );
  }

  #target(
    wanted: ObjectRef,
    { weight, port }: Pick<WeightedTargetSpec, 'weight' | 'port'>,
    path: ConfigPath,
    resource: Resource,
  ): TargetDraft {
    const draft = { weight, path, resource };
    const fail = (reason: string): TargetDraft => {
      const fails: TargetFailure = { status: 503, flag: 'NC', reason };
      resource.report.warn(path, `${reason}; its calls are answered 503`);
      return { ...draft, host: '', fails };
    };
    const node = this.#objects.node(wanted, resource);
    if (node === undefined) return fail(`there is no virtual node ${describeRef(wanted)}`);
    const host = hostOf(node, this.#context);
    if (host === null) return fail(`the virtual node ${node.name} has no serviceDiscovery, so nobody knows who answers for it`);
    const nodePort = portOf(node, port);
    if (nodePort === undefined) return fail(`the virtual node ${node.name} has no listener${port === undefined ? '' : ` on port ${port}`}`);
    if (port === undefined && (node.spec.listeners?.length ?? 0) > 1) {
      resource.report.warn(path, `the virtual node ${node.name} has several listeners; the first one is meant, say port`);
    }
    return { ...draft, host, port: nodePort };
  }
}

interface Ranked {
  readonly one: NamedRoute;
  readonly match: RouteMatch;
}

function compareRoutes(a: Ranked, b: Ranked): number {
  const [kindA, lengthA] = rankOf(a.match);
  const [kindB, lengthB] = rankOf(b.match);
  return (a.one.spec.priority ?? LAST_PRIORITY) - (b.one.spec.priority ?? LAST_PRIORITY) || kindB - kindA || lengthB - lengthA;
}
