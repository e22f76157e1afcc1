// Takes a place for each call before its work begins, and gives it back when the response is over. Without a place a call
// is refused: 503, Retry-After, and "overloaded" for those who would repeat it. Tells every caller how full it is.
import type { EndListener } from '../core/call.ts';
import { LOAD_HEADER } from '../core/headers.ts';
import { refuse } from '../core/refuse.ts';
import type { Layer } from '../core/service.ts';
import type { InboundCall } from './inbound-call.ts';
import type { Places } from './places.ts';

/** '0.00' to '1.00'. */
const LOADS: readonly string[] = Array.from({ length: 101 }, (_, percent) => (percent / 100).toFixed(2));

/**
 * Health checks of orchestrators and proxies are let in whatever the load, and take no place: a process that is killed
 * for being busy makes the others busier.
 */
const HEALTH_CHECKS = /^(?:kube-probe\/|Envoy\/HC|GoogleHC\/|ELB-HealthChecker\/)/;

/** Beside the load, too, and often a stream without an end. */
const GRPC_HEALTH = '/grpc.health.v1.Health/';

/** `retryAfterMs`: what a refusal says. */
export function inboundAdmissionLayer(places: Places, retryAfterMs: number): Layer {
  const onEnd: EndListener = (call, outcome) => places.leave(call as InboundCall, outcome);
  return (next) => (call) => {
    const inbound = call as InboundCall;
    if (call.carrier !== null && call.path.startsWith(GRPC_HEALTH)) return next(call);
    const nowMs = inbound.host.clock.now();
    const isAdmitted = places.tryEnter(inbound, nowMs);
    if (!isAdmitted && HEALTH_CHECKS.test(call.header('user-agent') ?? '')) return next(call);
    inbound.load = LOADS[Math.round(places.utilization * 100)] as string;
    if (!isAdmitted)
      return refuse(call, nowMs, { code: 'overloaded', message: 'the server takes no more calls at the moment', retryAfterMs });
    call.onEnd(onEnd);
    inbound.response.setHeader(LOAD_HEADER, inbound.load);
    return next(call);
  };
}
