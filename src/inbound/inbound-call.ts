// A call from the side of the one who serves it: the Call of core with the request and response of Node. What its caller
// states about it (deadline, attempt, how much it matters) is read here, in one pass over the headers.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Call, type Reply } from '../core/call.ts';
import { type Clock, Timer } from '../core/clock.ts';
import { type MeshError, meshError } from '../core/errors.ts';
import { ATTEMPT_HEADER, CRITICALITY_HEADER, DEADLINE_HEADER, REQUEST_ID_HEADER } from '../core/headers.ts';
import { CallerContext } from './caller-context.ts';
import type { Connection } from './connection.ts';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import { CRITICALITIES, type Criticality } from '../model/traffic.ts';

/** Shared: an abort with a ready-made reason costs a tenth of one without. */
export const CALLER_LEFT: MeshError = meshError({ code: 'canceled', message: 'the caller closed the connection' });
const CALLER_WAITED: MeshError = meshError({ code: 'deadline_exceeded', message: 'the caller waits no longer' });

/** 9 digits are 11 days: more is no deadline but an attack on arithmetic. */
const REMAINING = /^[1-9]\d{0,8}$/;
const ATTEMPT = /^\d{1,4}$/;

/** Where the call is found again, given the request. */
const CALL = Symbol('inmesh.call');

interface Tagged {
  [CALL]?: InboundCall;
}

/** Who a call belongs to. */
export interface CallHost {
  readonly clock: Clock;
  /** The response of the call is over. */
  onClosed(call: InboundCall): void;
}

/** Aborts the handler's signal at the deadline; armed only for a signal that somebody asked for. */
class Alarm extends Timer {
  readonly #call: InboundCall;

  constructor(call: InboundCall) {
    super();
    this.#call = call;
  }

  fire(): void {
    this.#call.cancel(CALLER_WAITED);
  }
}

export class InboundCall extends Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly host: CallHost;
  /** Turn of the event loop in which it was read. */
  readonly turn: number;
  /** What the server says of its load. Written by the admission layer. */
  load = '';
  /** The caller sends its body only when it is told to go on. */
  awaitsContinue = false;
  /** Event of the server that the handler gets it by. */
  event = 'request';
  /** Where it came in; null when nobody asked. Written by the door. */
  connection: Connection | null = null;
  /** Who calls, by its certificate; null on a plain connection. Written by the door. */
  peer: PeerIdentity | null = null;
  /** Name that the caller asked for in its TLS handshake; '' when none. Written by the door. */
  serverName = '';
  /** Lasts as long as its parties like, so its duration says nothing of the load. Written by the door. */
  isStream = false;
  /** What its caller calls it, when that is to be believed; null: nobody names it here. Written by the door. */
  givenName: string | null = null;
  /** For a connection that will speak something else: gives it away. */
  release: (() => void) | null = null;
  /** What the handler returned: Node looks at it for rejections. */
  returned: void | Promise<void> = undefined;
  /** Settles the leaf's promise; null until the handler has the call. */
  resolve: ((reply: Reply) => void) | null = null;
  /** Its neighbours among the calls under way. Written by ActiveCalls. */
  newer: InboundCall | null = null;
  older: InboundCall | null = null;
  #alarm: Alarm | null = null;
  #context: CallerContext | null = null;
  /** As its head has it. */
  #name = '';

  /** `startedAtMs`: when it had certainly arrived. */
  constructor(request: IncomingMessage, response: ServerResponse, host: CallHost, turn: number, startedAtMs: number) {
    const init = {
      scheme: 'encrypted' in request.socket ? 'https' : 'http',
      authority: '',
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.rawHeaders,
      body: null,
    };
    super(init, startedAtMs);
    this.request = request;
    this.response = response;
    this.host = host;
    this.turn = turn;
    (request as Tagged)[CALL] = this;
    this.#read();
  }

  /** Aborted when the caller disconnects and at the deadline. */
  override get signal(): AbortSignal {
    if (this.#alarm === null && this.deadlineMs !== Number.POSITIVE_INFINITY && this.outcome === null) {
      const { clock } = this.host;
      if (clock.now() >= this.deadlineMs) this.cancel(CALLER_WAITED);
      else {
        this.#alarm = new Alarm(this);
        clock.arm(this.#alarm, this.deadlineMs);
      }
    }
    return super.signal;
  }

  /** What the handler's own calls inherit. */
  get context(): CallerContext {
    this.#context ??= new CallerContext(this);
    return this.#context;
  }

  /** Its name on its whole way; '' without a door that asks who calls. */
  get requestId(): string {
    return this.context.requestId;
  }

  set requestId(name: string) {
    this.givenName = name;
  }

  /** From now on it has a name: the caller's, if that is to be believed, and else one of ours, which is made when it is asked for. */
  named(isTrusted: boolean): void {
    this.givenName = isTrusted ? this.#name : '';
  }

  /** The caller is told it, whether anybody asks for it or not. */
  tellName(): void {
    void this.context.requestId;
  }

  /** The response is over: `isComplete` when all of it was handed to the system. */
  over(isComplete: boolean): void {
    if (this.#alarm !== null) this.host.clock.disarm(this.#alarm);
    this.#context?.over();
    if (!isComplete) this.cancel(CALLER_LEFT);
  }

  /** The first of several equal headers counts. What is not well-formed is as if it were absent. */
  #read(): void {
    const { headers } = this;
    for (let i = headers.length - 2; i >= 0; i -= 2) {
      const name = headers[i] as string;
      switch (name.length) {
        case 4:
          if (isNamed(name, 'host')) this.authority = headers[i + 1] as string;
          break;
        case 10:
          if (name === ':authority') this.authority = headers[i + 1] as string;
          break;
        case CRITICALITY_HEADER.length:
          if (isNamed(name, CRITICALITY_HEADER)) this.criticality = CRITICALITIES.indexOf(headers[i + 1] as Criticality);
          break;
        case REQUEST_ID_HEADER.length:
          if (isNamed(name, REQUEST_ID_HEADER)) this.#name = headers[i + 1] as string;
          break;
        case ATTEMPT_HEADER.length:
          if (isNamed(name, ATTEMPT_HEADER)) this.attempt = ATTEMPT.test(headers[i + 1] as string) ? Number(headers[i + 1]) : 0;
          break;
        case DEADLINE_HEADER.length:
          if (isNamed(name, DEADLINE_HEADER)) this.deadlineMs = this.startedAtMs + remainingMs(headers[i + 1] as string);
      }
    }
  }
}

function isNamed(name: string, wanted: string): boolean {
  return name === wanted || name.toLowerCase() === wanted;
}

/** Time that the caller still waits, ms; Infinity when it says nothing readable. */
export function remainingMs(value: string): number {
  return REMAINING.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
}

/** The call that a request belongs to; undefined when it did not come through a server of ours. */
export function callOf(request: IncomingMessage): InboundCall | undefined {
  return (request as Tagged)[CALL];
}

/**
 * The signal of the request that is being served: aborted when its caller disconnects, and at its deadline; never after
 * the answer. For whatever the handler waits for. Throws a TypeError for a request that came past inmesh.
 */
export function signalOf(request: IncomingMessage): AbortSignal {
  const call = callOf(request);
  if (call === undefined) throw new TypeError('signalOf: this request did not come through createServer, admit or withDeadline of inmesh');
  return call.signal;
}
