// How the fields of App Mesh's objects hang together. The form has been checked.
// Source: aws-app-mesh-controller-for-k8s webhooks/appmesh; App Mesh API Reference.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { CheckContext } from '../dialect.ts';
import { patternFault } from '../match-patterns.ts';
import type { Resource } from '../resource.ts';
import {
  type GrpcMatchSpec,
  type HeaderSpec,
  type HttpMatchSpec,
  msOf,
  type PlainRouteSpec,
  type RetryPolicySpec,
  type RouteSpec,
  type VirtualNodeSpec,
  type VirtualRouterSpec,
  type VirtualServiceSpec,
} from './app-mesh-spec.ts';
import { specPath } from './mesh-objects.ts';
import { readGrpcMatch, readHttpMatch } from './read-match.ts';

type CheckRegex = CheckContext['checkRegex'];

export function checkVirtualRouter(resource: Resource, context: CheckContext): void {
  const { report } = resource;
  const { routes = [] } = resource.spec as VirtualRouterSpec;
  const path = [...specPath(resource, 'virtualRouter'), 'routes'];
  const names = new Set<string>();
  for (const [i, route] of routes.entries()) {
    const { name = '' } = route;
    if (names.has(name))
      report.error([...path, i, 'name'], `two routes are called ${report.show([...path, i, 'name'], name)}; names are unique`);
    names.add(name);
    checkRoute(route, [...path, i], report, context.checkRegex);
  }
}

export function checkAwsRoute(resource: Resource, { checkRegex }: CheckContext): void {
  checkRoute(resource.spec as RouteSpec, specPath(resource, 'route'), resource.report, checkRegex);
}

export function checkAwsRouteSpec({ report }: Resource): void {
  report.error([], 'a route spec alone does not say whose it is; write it as spec beside meshName, virtualRouterName and routeName');
}

function checkRoute(route: RouteSpec, path: ConfigPath, report: Report, checkRegex: CheckRegex): void {
  const { httpRoute, http2Route, grpcRoute, tcpRoute } = route;
  const said = Object.entries({ httpRoute, http2Route, grpcRoute, tcpRoute }).filter(([, one]) => one !== undefined);
  if (said.length !== 1) {
    report.error(path, 'a route is one of httpRoute, http2Route, grpcRoute and tcpRoute');
    return;
  }
  if (tcpRoute !== undefined) {
    const message = 'connections that are no HTTP do not pass through inmesh; take the route out of what it loads';
    report.error([...path, 'tcpRoute'], message, { part: 'key', code: 'INM0011' });
    return;
  }
  const [kind = ''] = said[0] ?? [];
  const plain = (httpRoute ?? http2Route ?? grpcRoute) as PlainRouteSpec<HttpMatchSpec & GrpcMatchSpec>;
  const at = [...path, kind];
  const before = report.issues.length;
  if (kind === 'grpcRoute') checkGrpcMatch(plain.match, [...at, 'match'], report, checkRegex);
  else checkHttpMatch(plain.match, [...at, 'match'], report, checkRegex);
  if (report.issues.length === before) {
    const fault = patternFault([kind === 'grpcRoute' ? readGrpcMatch(plain.match) : readHttpMatch(plain.match)], checkRegex);
    if (fault !== null) report.error([...at, 'match'], `this match cannot be kept: ${fault}`, { code: 'INM0011' });
  }
  checkTargets(plain, [...at, 'action', 'weightedTargets'], report);
  if (plain.retryPolicy !== undefined) checkRetries(plain.retryPolicy, [...at, 'retryPolicy'], report, kind === 'grpcRoute');
}

function checkTargets({ action }: PlainRouteSpec<unknown>, path: ConfigPath, report: Report): void {
  const { weightedTargets } = action;
  if (weightedTargets.every(({ weight }) => weight === 0)) report.error(path, 'at least one target has a weight above 0');
  const total = weightedTargets.reduce((sum, { weight }) => sum + weight, 0);
  if (total > 100) report.error(path, `the weights sum to ${total}, App Mesh takes at most 100`);
  for (const [i, { virtualNodeRef, virtualNodeARN, virtualNode }] of weightedTargets.entries()) {
    const said = [virtualNodeRef, virtualNodeARN, virtualNode].filter((one) => one !== undefined).length;
    if (said !== 1) report.error([...path, i], 'a target is one of virtualNodeRef, virtualNodeARN and virtualNode');
  }
}

function checkHttpMatch(match: HttpMatchSpec, path: ConfigPath, report: Report, checkRegex: CheckRegex): void {
  const { prefix, path: wanted, headers } = match;
  if (prefix !== undefined && wanted !== undefined) report.error([...path, 'path'], 'prefix and path exclude each other', { part: 'key' });
  if (prefix !== undefined && !prefix.startsWith('/')) report.error([...path, 'prefix'], 'a prefix begins with "/"');
  if (wanted !== undefined) {
    const { exact, regex } = wanted;
    if ((exact === undefined) === (regex === undefined)) report.error([...path, 'path'], 'path has exact or regex, one of the two');
    if (exact !== undefined && !exact.startsWith('/')) report.error([...path, 'path', 'exact'], 'a path begins with "/"');
    checkPattern(regex, [...path, 'path', 'regex'], report, checkRegex);
  }
  checkHeaders(headers, [...path, 'headers'], report, checkRegex);
}

function checkGrpcMatch(match: GrpcMatchSpec, path: ConfigPath, report: Report, checkRegex: CheckRegex): void {
  const { serviceName, methodName, metadata } = match;
  if (methodName !== undefined && serviceName === undefined)
    report.error([...path, 'methodName'], 'methodName needs serviceName', { part: 'key' });
  checkHeaders(metadata, [...path, 'metadata'], report, checkRegex);
}

function checkHeaders(headers: readonly HeaderSpec[] = [], path: ConfigPath, report: Report, checkRegex: CheckRegex): void {
  const counts = new Map<string, number>();
  for (const [i, { name, match, invert = false }] of headers.entries()) {
    const at: ConfigPath = [...path, i];
    const said = Object.values(match ?? {}).filter((one) => one !== undefined).length;
    if (match !== undefined && said !== 1) report.error([...at, 'match'], 'a match has one of exact, prefix, suffix, regex and range');
    if (match?.range !== undefined && match.range.end <= match.range.start) {
      report.error([...at, 'match', 'range'], 'end is not part of a range, so it is above start');
    }
    checkPattern(match?.regex, [...at, 'match', 'regex'], report, checkRegex);
    // What is inverted asks for the header to be there, besides.
    const count = (counts.get(name.toLowerCase()) ?? 0) + (invert && match !== undefined ? 2 : 1);
    counts.set(name.toLowerCase(), count);
    if (count > 2)
      report.error([...at, 'name'], `more than two things are asked of ${report.show([...at, 'name'], name)}; say them in one regex`);
  }
}

function checkPattern(pattern: string | undefined, path: ConfigPath, report: Report, checkRegex: CheckRegex): void {
  const fault = pattern === undefined ? null : (checkRegex?.(pattern) ?? null);
  if (fault !== null) report.error(path, `${report.show(path, pattern)} is no regular expression: ${fault}`);
}

function checkRetries(policy: RetryPolicySpec, path: ConfigPath, report: Report, isGrpc: boolean): void {
  const { httpRetryEvents, tcpRetryEvents, grpcRetryEvents, perRetryTimeout } = policy;
  if (httpRetryEvents === undefined && tcpRetryEvents === undefined && grpcRetryEvents === undefined) {
    report.error(path, 'a retryPolicy needs events: httpRetryEvents, tcpRetryEvents or grpcRetryEvents');
  }
  if (grpcRetryEvents !== undefined && !isGrpc)
    report.error([...path, 'grpcRetryEvents'], 'grpcRetryEvents are of a grpcRoute', { part: 'key' });
  if (msOf(perRetryTimeout) === 0) report.error([...path, 'perRetryTimeout'], 'perRetryTimeout is above 0');
}

export function checkVirtualService(resource: Resource): void {
  const { report } = resource;
  const { provider } = resource.spec as VirtualServiceSpec;
  const path: ConfigPath = [...specPath(resource, 'virtualService'), 'provider'];
  if (provider === undefined) return;
  const { virtualNode, virtualRouter } = provider;
  if ((virtualNode === undefined) === (virtualRouter === undefined))
    report.error(path, 'a provider is a virtualNode or a virtualRouter, one of the two');
  for (const [key, ref] of Object.entries({ virtualNode, virtualRouter })) {
    const said = Object.values(ref ?? {}).filter((one) => one !== undefined).length;
    if (ref !== undefined && said !== 1) report.error([...path, key], `${key} is named once: by Ref, by ARN, or by name`);
  }
}

export function checkVirtualNode(resource: Resource): void {
  const { report } = resource;
  const { listeners = [], serviceDiscovery, backends = [] } = resource.spec as VirtualNodeSpec;
  const path = specPath(resource, 'virtualNode');
  if (listeners.length > 0 && serviceDiscovery === undefined) {
    report.error([...path, 'serviceDiscovery'], 'a virtual node with listeners needs serviceDiscovery');
  }
  if (serviceDiscovery !== undefined && (serviceDiscovery.dns === undefined) === (serviceDiscovery.awsCloudMap === undefined)) {
    report.error([...path, 'serviceDiscovery'], 'serviceDiscovery is dns or awsCloudMap, one of the two');
  }
  const ports = new Set<number>();
  for (const [i, { portMapping, outlierDetection }] of listeners.entries()) {
    const at = [...path, 'listeners', i];
    if (ports.has(portMapping.port)) report.error([...at, 'portMapping', 'port'], `two listeners have the port ${portMapping.port}`);
    ports.add(portMapping.port);
    for (const key of ['interval', 'baseEjectionDuration'] as const) {
      if (outlierDetection !== undefined && msOf(outlierDetection[key]) === 0)
        report.error([...at, 'outlierDetection', key], `${key} is above 0`);
    }
  }
  for (const [i, { virtualService }] of backends.entries()) {
    const { virtualServiceRef, virtualServiceARN, virtualServiceName } = virtualService;
    const said = [virtualServiceRef, virtualServiceARN, virtualServiceName].filter((one) => one !== undefined).length;
    if (said !== 1) report.error([...path, 'backends', i, 'virtualService'], 'a backend is named once: by Ref, by ARN, or by name');
  }
}
