// From Node's request event into the inbound stack and out again: one door per handler. Which layers stand before the
// handler is decided by the mesh (the port below); after a reload the next call goes through the new ones.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply, Service } from '../core/call.ts';
import { MeshError } from '../core/errors.ts';
import { closeAfter, writeRefusal, writeReply } from './answer.ts';
import type { EventLoop } from './event-loop.ts';
import { conclude, handler, type Listener } from './handler.ts';
import { type CallHost, callOf, InboundCall } from './inbound-call.ts';

/** What a mesh decides about the calls that come in. */
export interface DoorHost extends CallHost {
  readonly loop: EventLoop;
  /** Changes when `wrap` would give another stack. */
  readonly version: number;
  /** The layers before a handler. */
  wrap(leaf: Service): Service;
  /** Whether this is the end: answers close their connections. */
  readonly isDraining: boolean;
  /** A call has come; `onClosed` follows when its response is over. */
  onOpened(call: InboundCall): void;
}

export class Door {
  readonly #host: DoorHost;
  readonly #listener: Listener;
  readonly #leaf: Service;
  #service: Service;
  #version: number;
  /** When the first request of a turn of the event loop was seen: those after it had arrived by then, too. */
  #turn = -1;
  #turnStartMs = 0;

  constructor(host: DoorHost, listener: Listener) {
    this.#host = host;
    this.#listener = listener;
    this.#leaf = handler(listener);
    this.#service = host.wrap(this.#leaf);
    this.#version = host.version;
  }

  readonly handle: Listener = (request, response) => this.#take(request, response, false);

  /** For a request with `Expect: 100-continue`: the body is asked for when the handler gets the call, not before. */
  readonly handleExpecting: Listener = (request, response) => this.#take(request, response, true);

  #take(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void | Promise<void> {
    // A handler that was wrapped twice: the outer door decides.
    if (callOf(request) !== undefined) return this.#listener(request, response);
    const host = this.#host;
    const { turn } = host.loop;
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#turnStartMs = host.clock.now();
    }
    if (host.version !== this.#version) {
      this.#version = host.version;
      this.#service = host.wrap(this.#leaf);
    }
    const call = new InboundCall(request, response, host, turn, this.#turnStartMs);
    call.awaitsContinue = awaitsContinue;
    response.on('close', onClose);
    host.onOpened(call);
    if (host.isDraining) closeAfter(response);
    void answered(call, this.#service(call));
    return call.returned;
  }
}

/** `this`: the response. */
function onClose(this: ServerResponse): void {
  const call = callOf(this.req as IncomingMessage) as InboundCall;
  conclude(call);
  call.host.onClosed(call);
}

/** Writes what did not come from the handler. */
async function answered(call: InboundCall, replied: Promise<Reply>): Promise<void> {
  let reply: Reply;
  try {
    reply = await replied;
  } catch (error) {
    // What a layer threw by mistake is nobody's answer.
    if (!(error instanceof MeshError)) throw error;
    writeRefusal(call, error);
    return;
  }
  if (call.resolve === null) writeReply(call, reply);
}
