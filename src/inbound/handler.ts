// The leaf of the inbound stack: the user's handler, run in the context of its caller. Its answer goes straight from the
// handler to the socket; the reply tells the layers how it went, when it is over.
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

/** Resolves when the response is over, complete or not: the outcome of the call says which. */
export function handler(listener: Listener): Service {
  return (call) => {
    const inbound = call as InboundCall;
    const { deadlineMs, criticality, requestId, request, response } = inbound;
    const replied = new Promise<Reply>((resolve) => {
      inbound.resolve = resolve;
    });
    if (inbound.awaitsContinue) response.writeContinue();
    // Its own small object: whatever is begun here and lives on would keep the whole request otherwise.
    const context = { deadlineMs, criticality, source: request.socket.remoteAddress ?? '', requestId };
    inbound.returned = inboundContext.run(context, listener, request, response);
    return replied;
  };
}

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
  call.resolve?.(new HandledReply(status));
}
