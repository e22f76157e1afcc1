// The form of App Mesh's objects: the CRDs of its controller, and what the AWS CLI prints and takes. How the fields hang
// together is checked in check-app-mesh.ts.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyText, anything, boolean, integer, labels, list, listOrNothing, object, oneOf, port, text } from '../../model/schema-scalar.ts';
import { optional, optionals } from '../optional-fields.ts';
import { resourceSchema } from '../resource-schema.ts';

const name = text('a name');
/** A year, as for every time here. */
const TIME_MAX = 365 * 86_400_000;

const duration: Schema = object({ unit: oneOf('ms', 's'), value: integer(0, TIME_MAX) });

const ref: Schema = object({ name, namespace: optional(text('a namespace')) });

function valueMatch(): Schema {
  const range = object({ start: integer(Number.MIN_SAFE_INTEGER), end: integer(Number.MIN_SAFE_INTEGER) });
  return object(optionals({ exact: text(), prefix: text(), suffix: text(), regex: text('a regular expression'), range }));
}

function headers(): Schema {
  return list(object({ name: text('a header name'), match: optional(valueMatch()), invert: optional(boolean) }));
}

function httpMatch(): Schema {
  return object(
    optionals({
      headers: headers(),
      method: oneOf('CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'),
      prefix: text('a prefix such as /'),
      path: object(optionals({ exact: text('a path'), regex: text('a regular expression') })),
      scheme: oneOf('http', 'https'),
      queryParameters: list(object({ name, match: optional(object(optionals({ exact: text() }))) })),
      port,
    }),
  );
}

function route(match: Schema): Schema {
  const target = object({
    ...optionals({ virtualNodeRef: ref, virtualNodeARN: text('an ARN'), virtualNode: name, port }),
    weight: integer(0, 100),
  });
  const httpEvent = oneOf('server-error', 'gateway-error', 'client-error', 'stream-error');
  const grpcEvent = oneOf('cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable');
  const retryPolicy = object({
    ...optionals({ httpRetryEvents: list(httpEvent), tcpRetryEvents: list(oneOf('connection-error')), grpcRetryEvents: list(grpcEvent) }),
    maxRetries: integer(0, 1_000),
    perRetryTimeout: duration,
  });
  return object({
    match,
    action: object({ weightedTargets: list(target) }),
    ...optionals({ retryPolicy, timeout: object(optionals({ perRequest: duration, idle: duration })) }),
  });
}

function routeFields(): Record<string, Schema> {
  const grpcMatch = object(optionals({ serviceName: name, methodName: name, metadata: headers(), port }));
  return optionals({
    httpRoute: route(httpMatch()),
    http2Route: route(httpMatch()),
    grpcRoute: route(grpcMatch),
    tcpRoute: anything,
    priority: integer(0, 1_000),
  });
}

const listenerPort: Schema = object({ portMapping: object({ port, protocol: oneOf('grpc', 'http', 'http2', 'tcp') }) });

function routerSpec(): Schema {
  const own = optionals({ awsName: anyText, meshRef: anything, listeners: listOrNothing(listenerPort) });
  return object({ ...own, routes: optional(listOrNothing(object({ name, ...routeFields() }))) });
}

function serviceSpec(): Schema {
  const virtualNode = object(optionals({ virtualNodeRef: ref, virtualNodeARN: text('an ARN'), virtualNodeName: name }));
  const virtualRouter = object(optionals({ virtualRouterRef: ref, virtualRouterARN: text('an ARN'), virtualRouterName: name }));
  return object(optionals({ awsName: anyText, meshRef: anything, provider: object(optionals({ virtualNode, virtualRouter })) }));
}

function clientPolicy(): Schema {
  const certificate = object(optionals({ file: object({ certificateChain: name, privateKey: name }), sds: anything }));
  const trust = object(optionals({ file: object({ certificateChain: name }), acm: anything, sds: anything }));
  const subjectAlternativeNames = object({ match: object({ exact: list(name) }) });
  const validation = object({ trust, subjectAlternativeNames: optional(subjectAlternativeNames) });
  const tls = object({ ...optionals({ enforce: boolean, ports: list(port), certificate }), validation });
  return object(optionals({ tls }));
}

function listener(): Schema {
  const healthCheck = object({
    healthyThreshold: integer(2, 10),
    unhealthyThreshold: integer(2, 10),
    intervalMillis: integer(5_000, 300_000),
    timeoutMillis: integer(2_000, 60_000),
    protocol: oneOf('grpc', 'http', 'http2', 'tcp'),
    ...optionals({ path: anyText, port }),
  });
  const outlierDetection = object({
    maxServerErrors: integer(1),
    interval: duration,
    baseEjectionDuration: duration,
    maxEjectionPercent: integer(0, 100),
  });
  return object({
    portMapping: object({ port, protocol: oneOf('grpc', 'http', 'http2', 'tcp') }),
    ...optionals({ healthCheck, outlierDetection, connectionPool: anything, tls: anything, timeout: anything }),
  });
}

function nodeSpec(): Schema {
  const dns = object({
    hostname: text('a host name'),
    ...optionals({ responseType: oneOf('ENDPOINTS', 'LOADBALANCER'), ipPreference: anyText }),
  });
  const attribute = object({ key: name, value: name });
  const awsCloudMap = object({
    namespaceName: name,
    serviceName: name,
    ...optionals({ attributes: listOrNothing(attribute), ipPreference: anyText }),
  });
  const policy = clientPolicy();
  const virtualService = object(
    optionals({ virtualServiceRef: ref, virtualServiceARN: text('an ARN'), virtualServiceName: name, clientPolicy: policy }),
  );
  return object(
    optionals({
      awsName: anyText,
      meshRef: anything,
      podSelector: object(optionals({ matchLabels: labels, matchExpressions: anything })),
      listeners: listOrNothing(listener()),
      serviceDiscovery: object(optionals({ dns, awsCloudMap })),
      backends: listOrNothing(object({ virtualService })),
      backendGroups: anything,
      backendDefaults: object(optionals({ clientPolicy: policy })),
      logging: anything,
    }),
  );
}

export const routerSchema = (): Schema => resourceSchema({ spec: routerSpec() });
export const serviceSchema = (): Schema => resourceSchema({ spec: serviceSpec() });
export const nodeSchema = (): Schema => resourceSchema({ spec: nodeSpec() });

export function meshSchema(): Schema {
  const egressFilter = object({ type: oneOf('ALLOW_ALL', 'DROP_ALL') });
  const rest = optionals({ awsName: anyText, namespaceSelector: anything, meshOwner: anyText, meshServiceDiscovery: anything });
  return resourceSchema({ spec: optional(object({ ...rest, egressFilter: optional(egressFilter) })) });
}

/** With the key that the CLI puts before the fields, or without. */
function awsSchema(key: string, names: readonly string[], spec: Schema): Schema {
  const rest = ['metadata', 'status', 'tags', 'clientToken', 'meshOwner'].map((field) => [field, anything] as const);
  const fields = Object.fromEntries([...['meshName', ...names].map((field) => [field, name] as const), ['spec', spec] as const, ...rest]);
  return object(optionals({ [key]: object(optionals(fields)), ...fields }));
}

export const awsRouteSchema = (): Schema => awsSchema('route', ['virtualRouterName', 'routeName'], object(routeFields()));
export const awsRouterSchema = (): Schema => awsSchema('virtualRouter', ['virtualRouterName'], routerSpec());
export const awsServiceSchema = (): Schema => awsSchema('virtualService', ['virtualServiceName'], serviceSpec());
export const awsNodeSchema = (): Schema => awsSchema('virtualNode', ['virtualNodeName'], nodeSpec());
export const awsRouteSpecSchema = (): Schema => object(routeFields());
