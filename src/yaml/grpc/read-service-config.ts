// A gRPC service config that code hands in, as policies of a service. In a file the same is `grpcServiceConfig` of a service.
// Source: gRFC A6, A2; service_config.proto.
import type { GrpcServiceConfigInput } from '../../model/input-grpc.ts';
import { Report } from '../../model/report.ts';
import { type GrpcPolicies, readGrpcServiceConfig } from '../../model/resolve-grpc.ts';
import { checkSchema } from '../../model/schema-check.ts';
import { grpcServiceConfig } from '../../model/schema-grpc.ts';

/** A part of a service, and what of the service config it cannot say. */
export interface ServiceConfigPolicies {
  readonly policies: GrpcPolicies;
  /** In sentences. */
  readonly losses: readonly string[];
}

/**
 * The policies that a gRPC service config asks for, to be spread into a service: `{ endpoints, ...policies }`. Takes JSON text
 * or the object. Throws a TypeError that names every fault for what is no service config.
 */
export function readServiceConfig(config: string | object): ServiceConfigPolicies {
  const value: unknown = typeof config === 'string' ? JSON.parse(config) : config;
  // Other stacks pass over what they do not know.
  const report = new Report({ unknownKeys: 'warning' });
  checkSchema(grpcServiceConfig, value, [], report);
  throwFaults(report);
  const { policies } = readGrpcServiceConfig(value as GrpcServiceConfigInput, [], report);
  throwFaults(report);
  return { policies, losses: report.issues.map(({ message }) => message) };
}

function throwFaults({ issues, hasErrors }: Report): void {
  if (hasErrors) throw new TypeError(issues.flatMap(({ severity, message }) => (severity === 'error' ? [message] : [])).join('; '));
}
