// INM0101: retries that repeat calls of any method after failures which leave open whether the server has acted.
import type { RetryPolicy } from '../../model/destination.ts';
import { GRPC_STATUSES } from '../../model/grpc-status.ts';
import type { RouteMatch } from '../../model/route.ts';
import type { Analyzer } from './analyzer.ts';
import { enumerate } from './findings.ts';
import { placeInRoute } from './place.ts';

/** The request has not left, or was provably not looked at. */
const UNPROCESSED: ReadonlySet<string | number> = new Set(['connect-failure', 'refused-stream', 'reset-before-request']);

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export const retryReplays: Analyzer = (scene, findings) => {
  for (const { owner, route, destination, retries } of scene.ways) {
    // Somebody has said that it is all right.
    if (route.idempotent || retries.attempts === 0 || !repeatsAny(retries)) continue;
    if (route.matches.length > 0 && route.matches.every(isSafe)) continue;
    const unsafe = unsafeConditions(retries, destination.protocol === 'http2');
    if (unsafe.length === 0) continue;
    const message = `POST calls to ${owner.name} are repeated after ${enumerate(unsafe)}, when the server may have acted already`;
    findings.at('INM0101', placeInRoute(scene, route, 'retries', destination), message);
  }
};

function repeatsAny({ semantics, methods }: RetryPolicy): boolean {
  return semantics !== undefined || methods.some((method) => !IDEMPOTENT.has(method));
}

/** Whether only calls that may be repeated get in. */
function isSafe({ method }: RouteMatch): boolean {
  return method?.kind === 'exact' && !method.invert && IDEMPOTENT.has(method.value);
}

/** Statuses of gRPC matter where gRPC may be spoken. */
function unsafeConditions({ retryOn, grpcStatuses = [] }: RetryPolicy, isHttp2: boolean): string[] {
  const http = retryOn.filter((condition) => !UNPROCESSED.has(condition)).map(String);
  return isHttp2 ? [...http, ...grpcStatuses.map((status) => `gRPC ${GRPC_STATUSES[status] ?? status}`)] : http;
}
