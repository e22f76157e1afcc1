// Any cockatiel policy as a layer, around the whole logical call. Each execution is an attempt of its own, so a policy
// that repeats is safe; its own refusals (an open circuit, a full bulkhead) end the call and reject as they are.
import type { Call, Reply } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { MeshError, meshError } from '../core/errors.ts';
import type { Layer } from '../core/service.ts';

/** The one method of cockatiel's IPolicy that is used, so that any version fits. */
export interface IPolicy {
  execute<T>(run: (context: { readonly signal: AbortSignal }) => PromiseLike<T> | T, signal?: AbortSignal): Promise<T>;
}

/** Costs what the policy costs (cockatiel: 2 to 20 µs a call); without one there is no layer. */
export function policyLayer(policy: IPolicy, clock: Clock): Layer {
  return (next) => async (call: Call) => {
    let last: Call | null = null;
    let executions = 0;
    try {
      const reply = await policy.execute(({ signal }): Promise<Reply> => {
        const nowMs = executions === 0 ? call.startedAtMs : clock.now();
        const run = call.fork(++executions, nowMs);
        run.timeoutMs = call.timeoutMs;
        last = run;
        // A policy may abort its signal after success (cockatiel's timeout does): by then the call has ended, or its
        // body is on the way and belongs to the deadline, not to the policy.
        signal.addEventListener('abort', () => run.headAtMs === 0 && run.cancel(signal.reason), { once: true });
        return next(run);
      }, call.signal);
      (last as Call | null)?.commit();
      return reply;
    } catch (error) {
      (last as Call | null)?.commit();
      const own =
        error instanceof MeshError ? error : meshError({ code: 'call_failed', message: 'the policy refused or gave up', cause: error });
      call.end({ kind: 'ignored', status: 0, error: own, endedAtMs: clock.now() });
      throw error;
    }
  };
}
