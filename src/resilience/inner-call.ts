// A call below the caller's own, for layers that decide later what an ending means: they may ask again, or wait for
// something else first. Until one is adopted the caller's call stays open, and the caller's abort is heard.
import type { Call, Reply, Service } from '../core/call.ts';
import { kindOfError } from '../core/classify.ts';
import { MeshError, meshError } from '../core/errors.ts';

/** `call.pending` is the new call from now on. */
export function innerCall(call: Call, nowMs: number): Call {
  const inner = call.fork(0, nowMs);
  inner.timeoutMs = call.timeoutMs;
  return inner;
}

/** What was learnt below, for span and messages. */
export function learn(call: Call, inner: Call): void {
  call.destination = inner.destination;
  call.retryDenied = inner.retryDenied;
}

/** The outcome of the inner call is that of the call. */
export function adopt(call: Call, inner: Call): void {
  learn(call, inner);
  inner.commit();
}

/** For what rejected: a layer below that throws without ending its call must not leave it open. */
export function ensureEnded(inner: Call, error: unknown, nowMs: number): void {
  if (inner.outcome !== null) return;
  const failure = error instanceof MeshError ? error : meshError({ code: 'call_failed', message: 'a layer threw', cause: error });
  inner.end({ kind: kindOfError(failure), status: 0, error: failure, endedAtMs: nowMs });
}

/** Whether the caller is gone: nothing may stand in for that. */
export function isAbort(call: Call, error: unknown): boolean {
  return call.canceled || (error instanceof MeshError && error.code === 'canceled');
}

/** Sends a call on its way late: what it has waited for before counts against nobody below. */
export async function sendLate(call: Call, next: Service, nowMs: number): Promise<Reply> {
  const inner = innerCall(call, nowMs);
  let reply: Reply;
  try {
    reply = await next(inner);
  } catch (error) {
    ensureEnded(inner, error, nowMs);
    adopt(call, inner);
    throw error;
  }
  adopt(call, inner);
  return reply;
}
