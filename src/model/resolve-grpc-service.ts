// A service that has a gRPC service config, and where what comes from it was written.
import type { ServiceInput } from './input.ts';
import type { ConfigPath } from './issue.ts';
import { formatPath } from './issue.ts';
import type { Report } from './report.ts';
import { type GrpcReading, readGrpcServiceConfig } from './resolve-grpc.ts';
import type { SourcePosition } from './route.ts';

/** The service as if it had been written in the concise form. What both say is a fault: one would hide the other. */
export function withGrpc(
  written: ServiceInput,
  path: ConfigPath,
  report: Report,
): { readonly input: ServiceInput; readonly grpc: GrpcReading | null } {
  const { grpcServiceConfig, ...input } = written;
  const at = [...path, 'grpcServiceConfig'];
  if (grpcServiceConfig === undefined) return { input, grpc: null };
  if (typeof grpcServiceConfig === 'string') {
    report.error(at, `${formatPath(at)} names a file, and nobody has read it; give its content`);
    return { input, grpc: null };
  }
  const grpc = readGrpcServiceConfig(grpcServiceConfig, at, report);
  for (const key of ['routes', 'retryBudget', 'loadBalancer'] as const) {
    if (input[key] === undefined || grpc.policies[key] === undefined) continue;
    report.error(
      [...path, key],
      `${formatPath([...path, key])} is said by grpcServiceConfig, too, at ${report.place(at, 'key')}; keep one`,
      {
        part: 'key',
      },
    );
  }
  return { input: { ...input, ...grpc.policies }, grpc };
}

/** Where fields of the service stand, by their names in the model. */
export function grpcFields({ policies }: GrpcReading, path: ConfigPath): Readonly<Record<string, ConfigPath>> {
  const at = [...path, 'grpcServiceConfig'];
  return {
    ...(policies.routes === undefined ? {} : { routes: [...at, 'methodConfig'] }),
    ...(policies.retryBudget === undefined ? {} : { retryBudget: [...at, 'retryThrottling'] }),
    ...(policies.loadBalancer === undefined ? {} : { loadBalancer: [...at, 'loadBalancingConfig'] }),
  };
}

/** With the places of what did not stand where it usually does. */
export function placed<T extends object>(
  value: T,
  fields: Readonly<Record<string, ConfigPath>>,
  report: Report,
): T & { sources?: Readonly<Record<string, SourcePosition>> } {
  const sources: Record<string, SourcePosition> = {};
  for (const [field, path] of Object.entries(fields)) {
    const position = report.position(path);
    if (position !== undefined) sources[field] = position;
  }
  return Object.keys(sources).length === 0 ? value : { ...value, sources };
}
