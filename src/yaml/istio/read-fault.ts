// Faults of a rule. A share that is not given is 0, whatever one might expect. Source: Istio, TranslateFault.
import { GRPC_STATUSES } from '../../model/grpc-status.ts';
import { FAULT_DEFAULTS, type FaultPolicy } from '../../model/traffic.ts';
import { msOf } from './check-duration.ts';
import type { FaultSpec } from './virtual-service-spec.ts';

/** undefined when the rule names nothing to inject. */
export function readFault({ delay, abort }: FaultSpec): FaultPolicy | undefined {
  const delayed =
    delay?.fixedDelay === undefined
      ? undefined
      : { fixedMs: msOf(delay.fixedDelay), percent: delay.percentage === undefined ? (delay.percent ?? 0) : (delay.percentage.value ?? 0) };
  const percent = abort?.percentage?.value ?? 0;
  const aborted =
    abort?.httpStatus !== undefined
      ? { status: abort.httpStatus, percent }
      : abort?.grpcStatus !== undefined
        ? { status: 200, grpcStatus: GRPC_STATUSES.indexOf(abort.grpcStatus), percent }
        : undefined;
  if (delayed === undefined && aborted === undefined) return undefined;
  return {
    ...FAULT_DEFAULTS,
    ...(delayed === undefined ? {} : { delay: delayed }),
    ...(aborted === undefined ? {} : { abort: aborted }),
    // Before the router: no retry repeats it, and its time is nobody's.
    position: 'call',
    headers: {},
    by: 'random',
  };
}
