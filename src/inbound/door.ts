// From Node's request event into the inbound stack and out again: one door per handler. Which layers stand before the
// handler is decided by the mesh (the port below); after a reload the next call goes through the new ones.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply, Service } from '../core/call.ts';
import { MeshError } from '../core/errors.ts';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import { closeAfter, turnAway, writeRefusal, writeReply } from './answer.ts';
import { clientCertHeader } from './client-cert-header.ts';
import { type Connection, connectionOf, plainConnection, setConnection } from './connection.ts';
import type { EventLoop } from './event-loop.ts';
import { conclude, handler, type Listener } from './handler.ts';
import { type CallHost, callOf, InboundCall } from './inbound-call.ts';
import { addHeader, cleanHead, CLIENT_CERT_HEADER } from './request-head.ts';

/** How heads are looked at before they become calls. */
export interface DoorGuard {
  /** Whose word about others is taken. */
  isTrusted(peer: PeerIdentity | null, address: string): boolean;
  /** Our SPIFFE ID, for the header that shows the caller's certificate to the handler; null: no such header. */
  readonly clientCertBy: string | null;
  /** A head was turned away. */
  onMalformed(): void;
}

/** What a mesh decides about the calls that come in. */
export interface DoorHost extends CallHost {
  readonly loop: EventLoop;
  /** Changes when `wrap` would give another stack. */
  readonly version: number;
  /** null: heads are taken as they come. */
  readonly guard: DoorGuard | null;
  /** The layers before a handler. */
  wrap(leaf: Service): Service;
  /** Whether this is the end: answers close their connections. */
  readonly isDraining: boolean;
  /** A call has come; `onClosed` follows when its response is over. */
  onOpened(call: InboundCall): void;
}

/** Source: RFC 9110 §15.5.20: the same request on another connection may well be answered. */
const MISDIRECTED = 421;
const BAD_REQUEST = 400;

export class Door {
  readonly #host: DoorHost;
  readonly #listener: Listener;
  readonly #leaf: Service;
  #service: Service;
  #version: number;
  /** When the first request of a turn of the event loop was seen: those after it had arrived by then, too. */
  #turn = -1;
  #turnStartMs = 0;

  constructor(host: DoorHost, listener: Listener, leaf: Service = handler(listener)) {
    this.#host = host;
    this.#listener = listener;
    this.#leaf = leaf;
    this.#service = host.wrap(this.#leaf);
    this.#version = host.version;
  }

  readonly handle: Listener = (request, response) => this.#take(request, response, false, 'request', null);

  /** For a request with `Expect: 100-continue`: the body is asked for when the handler gets the call, not before. */
  readonly handleExpecting: Listener = (request, response) => this.#take(request, response, true, 'request', null);

  /** The handler gets it by another event of its server. */
  handleAs(event: string, request: IncomingMessage, response: ServerResponse): void | Promise<void> {
    return this.#take(request, response, false, event, null);
  }

  /** `release` gives the socket away, once. */
  handleUpgrade(request: IncomingMessage, response: ServerResponse, release: () => void): void {
    void this.#take(request, response, false, 'upgrade', release);
  }

  #take(
    request: IncomingMessage,
    response: ServerResponse,
    awaitsContinue: boolean,
    event: string,
    release: (() => void) | null,
  ): void | Promise<void> {
    // A handler that was wrapped twice: the outer door decides.
    if (callOf(request) !== undefined) return this.#listener(request, response);
    const host = this.#host;
    const { guard } = host;
    const connection = guard === null ? null : admit(guard, host, request, response);
    if (connection === REFUSED) return;
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
    call.event = event;
    call.release = release;
    if (connection !== null) enter(call, connection);
    response.on('close', onClose);
    host.onOpened(call);
    if (host.isDraining) closeAfter(response);
    const replied = this.#service(call);
    // What the handler has got it answers itself.
    if (call.resolve === null) void answered(call, replied);
    return call.returned;
  }
}

/** Stands for a connection whose request was turned away. */
const REFUSED: Connection = Object.freeze(plainConnection(false));

function admit(guard: DoorGuard, host: DoorHost, request: IncomingMessage, response: ServerResponse): Connection {
  const { socket } = request;
  let connection = connectionOf(socket);
  if (connection === undefined) {
    connection = plainConnection(guard.isTrusted(null, socket.remoteAddress ?? ''));
    setConnection(socket, connection);
  }
  const { peer, isTrusted } = connection;
  const fault = cleanHead(request, isTrusted);
  if (fault !== null) {
    guard.onMalformed();
    turnAway(response, BAD_REQUEST, fault);
    return REFUSED;
  }
  if (peer === null) return connection;
  // Node never drops a connection because a certificate has run out on the way.
  if (host.clock.wall() > peer.notAfterMs) {
    connection.isOld = true;
    turnAway(response, MISDIRECTED, 'the certificate of this connection has expired');
    connection.onIdle?.();
    return REFUSED;
  }
  if (guard.clientCertBy !== null) addHeader(request, CLIENT_CERT_HEADER, clientCertHeader(peer, guard.clientCertBy));
  return connection;
}

/** The call of a caller that is known as far as it can be. */
function enter(call: InboundCall, connection: Connection): void {
  const { peer } = connection;
  const { response } = call;
  call.connection = connection;
  call.peer = peer;
  call.serverName = connection.serverName;
  call.named(peer !== null || connection.isTrusted);
  // Who has no certificate is told in any case. A peer that wants a name gives one.
  if (peer === null) call.tellName();
  connection.active++;
  connection.response = response;
  if (connection.isOld) closeAfter(response);
}

/** `this`: the response. */
function onClose(this: ServerResponse): void {
  const call = callOf(this.req as IncomingMessage) as InboundCall;
  conclude(call);
  const { connection } = call;
  if (connection !== null) {
    connection.active--;
    if (connection.response === this) connection.response = null;
  }
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
