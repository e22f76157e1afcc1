// Answers when the call failed for good: a fixed answer, or a function of the user. The caller sees the answer, everybody
// who counts sees the failure: the call ends as what it was. Never stands in for the caller's own abort. Must stand above
// whatever may refuse or fail, and below span and metrics.
import type { Call, Cancelable, Reply } from '../core/call.ts';
import { kindOfStatus } from '../core/classify.ts';
import type { Clock } from '../core/clock.ts';
import { type MeshError, meshError } from '../core/errors.ts';
import { MadeReply } from '../core/made-reply.ts';
import { placeOf } from '../core/refuse.ts';
import type { Layer, Service } from '../core/service.ts';
import type { FallbackAnswer, FallbackPolicy, FallbackReason } from '../model/traffic.ts';
import { adopt, ensureEnded, innerCall, isAbort, learn } from './inner-call.ts';

export interface FallbackDeps {
  readonly clock: Clock;
  readonly onAction: (action: 'fallback') => void;
}

/** On an answer of the fallback: who gave it, `value` or `function`. `stale` is the cache's word for what it gives instead of a failure. */
export const FALLBACK_HEADER = 'x-inmesh-fallback';

type Respond = Exclude<FallbackPolicy['answer'], FallbackAnswer>;
type Statuses = FallbackPolicy['statuses'];

/** Upgrades pass through: nothing can stand in for a socket. */
export function fallbackLayer(policy: FallbackPolicy, deps: FallbackDeps): Layer {
  const { answer, statuses } = policy;
  return typeof answer === 'function' ? functionLayer(answer, statuses, deps) : valueLayer(answer, statuses, deps);
}

function isFailed(status: number, statuses: Statuses): boolean {
  for (let i = 0; i < statuses.length; i++) {
    const [from, to] = statuses[i] as readonly [number, number];
    if (status >= from && status <= to) return true;
  }
  return false;
}

/** Ends the call as what the service answered; the body that nobody wants may still be draining. */
function concede(call: Call, status: number, nowMs: number): void {
  call.end({ kind: kindOfStatus(status), status, error: null, endedAtMs: nowMs });
}

function made(call: Call, answer: FallbackAnswer, by: 'value' | 'function', { clock, onAction }: FallbackDeps): Reply {
  const { status = 200, headers = {}, body } = answer;
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  const reply = new MadeReply({
    status,
    headers: { ...Object.fromEntries(named), [FALLBACK_HEADER]: by },
    body: call.method === 'HEAD' ? undefined : body,
  });
  call.headAtMs = clock.now();
  onAction('fallback');
  return reply;
}

/** Nothing to wait for, so the call itself goes down, and has ended when the answer is made. */
function valueLayer(answer: FallbackAnswer, statuses: Statuses, deps: FallbackDeps): Layer {
  return (next) => async (call) => {
    let reply: Reply;
    try {
      reply = await next(call);
    } catch (error) {
      if (call.upgrade !== '' || isAbort(call, error)) throw error;
      ensureEnded(call, error, deps.clock.now());
      return made(call, answer, 'value', deps);
    }
    if (!isFailed(reply.status, statuses) || call.upgrade !== '' || call.canceled) return reply;
    reply.discard();
    concede(call, reply.status, deps.clock.now());
    return made(call, answer, 'value', deps);
  };
}

/** The function may take its time, and the caller may give up meanwhile: so the call stays open until it has answered. */
function functionLayer(respond: Respond, statuses: Statuses, deps: FallbackDeps): Layer {
  return (next) => async (call) => {
    if (call.upgrade !== '') return next(call);
    const inner = innerCall(call, call.startedAtMs);
    let reply: Reply;
    try {
      reply = await next(inner);
    } catch (error) {
      ensureEnded(inner, error, deps.clock.now());
      if (!isAbort(call, error)) return ask(call, inner, { reply: null, error }, respond, deps);
      adopt(call, inner);
      throw error;
    }
    if (isFailed(reply.status, statuses) && !call.canceled) return ask(call, inner, { reply, error: undefined }, respond, deps);
    adopt(call, inner);
    return reply;
  };
}

/** How the call failed: with an answer, which waits untouched, or with an error. */
interface Failure {
  readonly reply: Reply | null;
  readonly error: unknown;
}

async function ask(call: Call, inner: Call, failure: Failure, respond: Respond, deps: FallbackDeps): ReturnType<Service> {
  const { reply, error } = failure;
  const reason: FallbackReason = { status: reply?.status ?? 0, error, method: call.method, path: call.path };
  const asking = new Asking(call);
  learn(call, inner);
  call.pending = asking;
  let standIn: Reply;
  try {
    const answer = await Promise.race([asking.canceled, run(respond, reason)]);
    if (asking.abort !== null) throw asking.abort;
    standIn = made(call, answer, 'function', deps);
  } catch {
    const { abort } = asking;
    if (abort !== null) {
      reply?.discard();
      call.end({ kind: 'ignored', status: reply?.status ?? 0, error: abort, endedAtMs: deps.clock.now() });
      throw abort;
    }
    // The function had no answer either: the failure stands, body and all.
    call.pending = inner;
    inner.commit();
    if (reply !== null) return reply;
    throw error;
  }
  inner.commit();
  if (reply !== null) {
    reply.discard();
    concede(call, reply.status, deps.clock.now());
  }
  return standIn;
}

/** Async, so that what it throws at once is a rejection too. */
async function run(respond: Respond, reason: FallbackReason): Promise<FallbackAnswer> {
  return await respond(reason);
}

/** Hears the caller's abort while the function is asked. */
class Asking implements Cancelable {
  readonly canceled: Promise<never>;
  /** Why nobody waits any more; null while somebody does. */
  abort: MeshError | null = null;
  readonly #call: Call;
  readonly #reject: (error: MeshError) => void;

  constructor(call: Call) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.canceled = promise;
    this.#reject = reject;
    this.#call = call;
  }

  cancel(reason: unknown): void {
    const message = 'the caller aborted while the fallback was asked';
    this.abort = meshError({ code: 'canceled', message, where: placeOf(this.#call), cause: reason });
    this.#reject(this.abort);
  }
}
