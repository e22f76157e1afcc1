// Documents of the Gateway API as tests make them: from specs as values.

import type { GrpcRuleSpec, HttpRuleSpec, RouteSpec } from '../../../src/yaml/gateway-api/route-spec.ts';

export interface RouteHead {
  readonly name?: string;
  readonly namespace?: string;
  readonly created?: string;
}

export function text(...documents: readonly unknown[]): string {
  return documents.map((document) => JSON.stringify(document)).join('\n---\n');
}

function metadata({ name = 'route', namespace = 'default', created }: RouteHead): unknown {
  return { name, namespace, ...(created === undefined ? {} : { creationTimestamp: created }) };
}

export function httpRoute(spec: RouteSpec<HttpRuleSpec>, head: RouteHead = {}): unknown {
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: metadata(head), spec };
}

export function grpcRoute(spec: RouteSpec<GrpcRuleSpec>, head: RouteHead = {}): unknown {
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GRPCRoute', metadata: metadata(head), spec };
}

export function service(name: string, namespace = 'default', port = 80): unknown {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { ports: [{ port }] } };
}

/** Who this process is. */
export function self(namespace: string): unknown {
  return { self: { namespace } };
}

export const GATEWAY: readonly [{ readonly name: string }] = [{ name: 'front' }];
