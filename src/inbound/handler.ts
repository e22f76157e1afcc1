// The leaf of the inbound stack: the user's handler, run in the context of its caller. Its answer goes straight from the
// handler to the socket; layers learn how it went by `onEnd`, when it is over.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply, ReplyHeaders, Service, Sink } from '../core/call.ts';
import { kindOfStatus } from '../core/classify.ts';
import { inboundContext } from '../core/context.ts';
import { CALLER_LEFT, type InboundCall } from './inbound-call.ts';

/** Any handler of node:http: Express, Koa's callback, Hono's listener, your own. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** What the handler has answered. Its bytes have gone: there is nothing to attach to. */
export class HandledReply implements Reply {
  readonly status: number;
  readonly statusText = '';
  headers: ReplyHeaders = {};
  rawHeaders: unknown = null;
  readonly intact: boolean = false;

  constructor(status: number) {
    this.status = status;
  }

  attach(sink: Sink): void {
    sink.onEnd({});
  }

  pause(): void {}
  resume(): void {}
  discard(): void {}
  hold(): void {}
}

/** One for all calls: no layer waits for what the handler does, so a promise for each would tell nobody anything. */
const HANDED: Promise<Reply> = Promise.resolve(new HandledReply(0));

/** Resolves at once: the answer is the handler's affair from then on, and the outcome of the call says what came of it. */
export function handler(listener: Listener): Service {
  return (call) => {
    const inbound = call as InboundCall;
    const { request, response } = inbound;
    inbound.resolve = ignore;
    if (inbound.awaitsContinue) response.writeContinue();
    inbound.returned = inboundContext.run(inbound.context, listener, request, response);
    return HANDED;
  };
}

function ignore(): void {}

/** The response of a call was closed. */
export function conclude(call: InboundCall): void {
  const { response, host } = call;
  // http2 has no writableFinished.
  const isComplete = response.writableFinished ?? response.writableEnded;
  call.over(isComplete);
  const { statusCode: status } = response;
  const endedAtMs = host.clock.now();
  if (isComplete) call.end({ kind: kindOfStatus(status), status, error: null, endedAtMs });
  else call.end({ kind: 'ignored', status: response.headersSent ? status : 0, error: CALLER_LEFT, endedAtMs });
}
