// Where gRPC calls come in: an interceptor of grpc-js that stands before all others. It makes each call an InboundCall, sends it
// through the same layers as HTTP calls, and lets the handler have it, or says the status. What the mesh decides it learns
// from its host; how messages travel is left to grpc-js.
import type { Socket } from 'node:net';
import type { Metadata, ServerInterceptor } from '@grpc/grpc-js';
import type { Reply, Service } from '../../core/call.ts';
import { type Clock, Timer } from '../../core/clock.ts';
import { kindOfStatus } from '../../core/classify.ts';
import { capturedContext, inboundContext, type Within } from '../../core/context.ts';
import { MeshError, meshError } from '../../core/errors.ts';
import { GRPC_OF_ERROR, grpcStatusOfHttp, httpStatusOfGrpc } from '../../core/grpc-status.ts';
import { ERROR_HEADER, GRPC_PUSHBACK_HEADER, LOAD_HEADER } from '../../core/headers.ts';
import { refusalText } from '../answer.ts';
import { clientCertHeader } from '../client-cert-header.ts';
import { type Connection, connectionOf, plainConnection } from '../connection.ts';
import type { DoorHost } from '../door.ts';
import { HandledReply } from '../handler.ts';
import { CALLER_LEFT } from '../inbound-call.ts';
import { addHeader, cleanHead, CLIENT_CERT_HEADER } from '../request-head.ts';
import type { GrpcModule } from './grpc-module.ts';
import { followPairs, InboundRpc } from './inbound-rpc.ts';
import { rememberRpc } from './rpc-peer.ts';
import { isUnknownMethod } from './unknown-methods.ts';

type NextCall = Parameters<ServerInterceptor>[1];
type Method = Parameters<ServerInterceptor>[0];
type Status = Parameters<NextCall['sendStatus']>[0];

const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const CALLER_WAITED: MeshError = meshError({ code: 'deadline_exceeded', message: 'the caller waits no longer' });

/** How one connection is ended gracefully. */
export type Retire = () => void;

export class GrpcDoor {
  readonly host: DoorHost;
  readonly #grpc: GrpcModule;
  #service: Service;
  #version: number;

  constructor(host: DoorHost, grpc: GrpcModule) {
    this.host = host;
    this.#grpc = grpc;
    this.#service = host.wrap(leaf);
    this.#version = host.version;
  }

  /** For the calls of one connection. */
  interceptor(socket: Socket, retire: Retire): ServerInterceptor {
    const connection = connectionOf(socket) ?? plainConnection(false);
    const { ServerInterceptingCall } = this.#grpc;
    return (method, next) => {
      const rpc = new ServedRpc(this, { method, next, socket, connection, retire, metadataClass: this.#grpc.Metadata });
      return new ServerInterceptingCall(next, {
        start: (begin) => begin(rpc.listener),
        sendMetadata: (metadata, pass) => pass(rpc.answering(metadata)),
        sendStatus: (status, pass) => pass(rpc.ending(status)),
      });
    };
  }

  /** The layers of now, before the handler. */
  get service(): Service {
    const { host } = this;
    if (host.version !== this.#version) {
      this.#version = host.version;
      this.#service = host.wrap(leaf);
    }
    return this.#service;
  }
}

/** The call goes to its handler, in the context of its caller. Resolves when its status is said. */
const leaf: Service = (call) => {
  const rpc = call as InboundRpc;
  const replied = new Promise<Reply>((resolve) => {
    rpc.resolve = resolve;
  });
  inboundContext.run(rpc.context, rpc.begin);
  return replied;
};

interface RpcParts {
  readonly method: Method;
  readonly next: NextCall;
  readonly socket: Socket;
  readonly connection: Connection;
  readonly retire: Retire;
  readonly metadataClass: new () => Metadata;
}

/** Ends the call when its time is over; grpc-js does so for `grpc-timeout` alone. */
class DeadlineAlarm extends Timer {
  readonly #fire: () => void;

  constructor(fire: () => void) {
    super();
    this.#fire = fire;
  }

  fire(): void {
    this.#fire();
  }
}

class ServedRpc {
  readonly #door: GrpcDoor;
  readonly #parts: RpcParts;
  #call: InboundRpc | null = null;
  #alarm: DeadlineAlarm | null = null;
  #isOver = false;
  /** Where the handler runs: what it awaits between messages is found there again. */
  #within: Within = (run, ...args) => run(...args);

  constructor(door: GrpcDoor, parts: RpcParts) {
    this.#door = door;
    this.#parts = parts;
  }

  readonly listener = {
    onReceiveMetadata: (metadata: Metadata, pass: (metadata: Metadata) => void): void => this.#take(metadata, pass),
    onReceiveMessage: (message: unknown, pass: (message: unknown) => void): void => this.#within(pass, message),
    onReceiveHalfClose: (pass: () => void): void => this.#within(pass),
    onCancel: (): void => this.#left(),
  };

  /** The head of the handler's answer. */
  answering(metadata: Metadata): Metadata {
    this.#call?.addTo(metadata);
    return metadata;
  }

  /** The status that the handler says. */
  ending(status: Status): Status {
    const call = this.#call;
    if (call === null || this.#isOver) return status;
    const metadata = status.metadata ?? new this.#parts.metadataClass();
    call.addTo(metadata);
    this.#end(status.code, null);
    return { ...status, metadata };
  }

  #take(metadata: Metadata, pass: (metadata: Metadata) => void): void {
    const { method, next, socket, connection, retire } = this.#parts;
    const { host } = this.#door;
    const { clock } = host;
    const nowMs = clock.now();
    const isStream = method.requestStream || method.responseStream;
    const isUnknown = isUnknownMethod(method);
    const head = { path: method.path, authority: next.getHost() ?? '', metadata, socket, isStream, isUnknown };
    const call = new InboundRpc(head, host, host.loop.turn, nowMs);
    const { guard } = host;
    const before = [...call.request.rawHeaders];
    if (guard !== null) {
      const fault = cleanHead(call.request, connection.isTrusted);
      if (fault !== null) {
        guard.onMalformed();
        next.sendStatus({ code: INTERNAL, details: fault });
        return;
      }
    }
    const { peer } = connection;
    if (peer !== null && clock.wall() > peer.notAfterMs) {
      connection.isOld = true;
      next.sendStatus({ code: UNAVAILABLE, details: 'the certificate of this connection has expired' });
      retire();
      return;
    }
    if (peer !== null && guard !== null && guard.clientCertBy !== null)
      addHeader(call.request, CLIENT_CERT_HEADER, clientCertHeader(peer, guard.clientCertBy));
    const ownDeadlineMs = monotonic(clock, next.getDeadline());
    // What HTTP says of the deadline grpc-js does not know.
    if (call.deadlineMs < ownDeadlineMs) this.#arm(clock, call.deadlineMs);
    else call.deadlineMs = ownDeadlineMs;
    enter(call, connection);
    call.begin = () => {
      followPairs(metadata, before, call.request.rawHeaders);
      rememberRpc(metadata, call);
      this.#within = capturedContext();
      pass(metadata);
    };
    this.#call = call;
    host.onOpened(call);
    void this.#answered(call, this.#door.service(call));
  }

  /** Says what did not come from the handler. */
  async #answered(call: InboundRpc, replied: Promise<Reply>): Promise<void> {
    try {
      const reply = await replied;
      if (call.resolve === null) this.#say(grpcStatusOfHttp(reply.status), bodyOf(reply), headersOf(reply));
    } catch (error) {
      if (!(error instanceof MeshError)) {
        this.#say(INTERNAL, 'internal error', []);
        throw error;
      }
      const { code, retryAfterMs } = error;
      const hint = retryAfterMs > 0 ? [GRPC_PUSHBACK_HEADER, String(Math.ceil(retryAfterMs))] : [];
      const load = call.load === '' ? [] : [LOAD_HEADER, call.load];
      this.#say(GRPC_OF_ERROR[code], refusalText(code), [ERROR_HEADER, code, ...hint, ...load]);
    }
  }

  #say(code: number, details: string, pairs: readonly string[]): void {
    const call = this.#call as InboundRpc;
    if (this.#isOver) return;
    const metadata = new this.#parts.metadataClass();
    for (let i = 0; i < pairs.length; i += 2) metadata.add(pairs[i] as string, pairs[i + 1] as string);
    call.addTo(metadata);
    this.#end(code, null);
    this.#parts.next.sendStatus({ code, details, metadata });
  }

  /** Every call ends with this, also one whose status was said: then it tells nothing new. */
  #left(): void {
    const call = this.#call;
    if (call === null || this.#isOver) return;
    // grpc-js counts in whole milliseconds.
    const isLate = this.#door.host.clock.now() + 1 >= call.deadlineMs;
    this.#end(isLate ? DEADLINE_EXCEEDED : CANCELLED, isLate ? CALLER_WAITED : CALLER_LEFT);
  }

  #arm(clock: Clock, deadlineMs: number): void {
    this.#alarm = new DeadlineAlarm(() => {
      if (this.#isOver) return;
      this.#end(DEADLINE_EXCEEDED, CALLER_WAITED);
      this.#parts.next.sendStatus({ code: DEADLINE_EXCEEDED, details: 'Deadline exceeded' });
    });
    clock.arm(this.#alarm, deadlineMs);
  }

  #end(grpcStatus: number, error: MeshError | null): void {
    this.#isOver = true;
    const call = this.#call as InboundRpc;
    const { host } = this.#door;
    if (this.#alarm !== null) host.clock.disarm(this.#alarm);
    call.over(error === null);
    const status = httpStatusOfGrpc(grpcStatus);
    const endedAtMs = host.clock.now();
    call.end({ kind: error === CALLER_LEFT ? 'ignored' : kindOfStatus(status), status, error, endedAtMs, grpcStatus });
    call.resolve?.(new HandledReply(status));
    this.#parts.connection.active--;
    host.onClosed(call);
  }
}

/** The call of a caller that is known as far as it can be. */
function enter(call: InboundRpc, connection: Connection): void {
  call.connection = connection;
  call.peer = connection.peer;
  call.serverName = connection.serverName;
  call.named(connection.peer !== null || connection.isTrusted);
  if (connection.peer === null) call.tellName();
  connection.active++;
}

/** What grpc-js has made of `grpc-timeout`, on our clock. */
function monotonic(clock: Clock, deadline: Date | number): number {
  const atMs = typeof deadline === 'number' ? deadline : deadline.getTime();
  return atMs === Number.POSITIVE_INFINITY ? atMs : clock.now() + (atMs - clock.wall());
}

/** Of an answer that a layer has made: it is at hand. */
function bodyOf(reply: Reply): string {
  let text = '';
  reply.attach({
    onData(chunk) {
      text += Buffer.from(chunk).toString();
      return true;
    },
    onEnd() {},
    onError() {},
  });
  return text;
}

/** Without what is about the bytes of its body. */
function headersOf({ headers }: Reply): string[] {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith('content-')) continue;
    for (const one of [value].flat()) pairs.push(name, one);
  }
  return pairs;
}
