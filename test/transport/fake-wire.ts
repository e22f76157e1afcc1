// undici played by hand: takes one dispatched call and does what the test says, by the rules of undici 8. An abort is
// answered at once with onResponseError, and nothing comes after an end or an error.
import type { Dispatcher } from 'undici';
import { Exchange, type ExchangeHost } from '../../src/transport/exchange.ts';
import type { Call, Reply, ReplyHeaders, Sink } from '../../src/core/call.ts';
import type { MeshError } from '../../src/core/errors.ts';
import { testCall } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

type Handler = Dispatcher.DispatchHandler;

export class FakeController implements Dispatcher.DispatchController {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  rawHeaders: Buffer[] | null = null;
  rawTrailers: Buffer[] | null = null;
  readonly log: string[] = [];
  readonly #onAbort: (reason: Error) => void;

  constructor(onAbort: (reason: Error) => void) {
    this.#onAbort = onAbort;
  }

  abort(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.log.push('abort');
    this.#onAbort(reason);
  }

  pause(): void {
    this.paused = true;
    this.log.push('pause');
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.log.push('resume');
  }
}

/** The wire below one exchange. */
export class FakeWire implements Pick<Dispatcher, 'dispatch'> {
  handler: Handler | null = null;
  controller: FakeController;
  isOver = false;
  /** The exchange threw in onRequestStart: the socket stays usable. */
  isRefused = false;

  constructor() {
    this.controller = new FakeController((reason) => this.error(reason));
  }

  dispatch(_options: Dispatcher.DispatchOptions, handler: Handler): boolean {
    this.handler = handler;
    return true;
  }

  start(): this {
    try {
      this.handler?.onRequestStart?.(this.controller, {});
    } catch (error) {
      this.isRefused = true;
      this.error(error as Error);
    }
    return this;
  }

  head(status: number, headers: ReplyHeaders = {}): this {
    if (!this.isOver) this.handler?.onResponseStart?.(this.controller, status, headers as never, `text ${status}`);
    return this;
  }

  data(chunk: string | Uint8Array): this {
    if (!this.isOver) this.handler?.onResponseData?.(this.controller, Buffer.from(chunk as string));
    return this;
  }

  end(trailers: Record<string, string> = {}): this {
    if (this.isOver) return this;
    this.isOver = true;
    this.handler?.onResponseEnd?.(this.controller, trailers);
    return this;
  }

  error(error: Error): this {
    if (this.isOver) return this;
    this.isOver = true;
    this.handler?.onResponseError?.(this.controller, error);
    return this;
  }

  upgrade(status: number, socket: unknown): this {
    this.isOver = true;
    this.handler?.onRequestUpgrade?.(this.controller, status, {}, socket as never);
    return this;
  }
}

export class Recorder implements Sink {
  readonly log: string[] = [];
  text = '';
  bytes = 0;
  error: unknown = undefined;
  /** What the next onData answers. */
  wants = true;
  onChunk: () => void = () => {};

  onData(chunk: Uint8Array): boolean {
    this.log.push('data');
    this.text += Buffer.from(chunk).toString();
    this.bytes += chunk.byteLength;
    this.onChunk();
    return this.wants;
  }

  onEnd(): void {
    this.log.push('end');
  }

  onError(error: unknown): void {
    this.log.push('error');
    this.error = error;
  }

  /** How often it was told that nothing more comes. */
  get endings(): number {
    return this.log.filter((entry) => entry !== 'data').length;
  }
}

export interface Play {
  readonly clock: VirtualClock;
  readonly call: Call;
  readonly wire: FakeWire;
  readonly host: ExchangeHost & { started: number; readonly unread: number[] };
  readonly exchange: Exchange;
  /** Settles with the reply or the error. */
  readonly reply: Promise<Reply>;
  readonly failure: Promise<MeshError>;
  /** Outcomes the call was ended with; the exchange must make exactly one. */
  readonly outcomes: string[];
}

export interface PlayInit {
  readonly deadlineMs?: number;
  readonly attemptMs?: number;
  readonly isFresh?: boolean;
  readonly prepare?: (call: Call) => void;
  readonly beforeFork?: (call: Call) => void;
}

/** An attempt that has been sent, 1000 ms on the clock. */
export function play({ deadlineMs, attemptMs, isFresh = true, prepare, beforeFork }: PlayInit = {}): Play {
  const clock = new VirtualClock();
  const logical = testCall({ startedAtMs: clock.now(), ...(deadlineMs === undefined ? {} : { deadlineMs: clock.now() + deadlineMs }) });
  beforeFork?.(logical);
  const call = logical.fork(1, clock.now());
  if (attemptMs !== undefined) call.attemptDeadlineMs = clock.now() + attemptMs;
  prepare?.(call);
  const outcomes: string[] = [];
  const end = call.end.bind(call);
  call.end = (outcome) => {
    outcomes.push(`${outcome.kind} ${outcome.status} ${outcome.error?.code ?? ''}`.trim());
    end(outcome);
  };
  const unread: number[] = [];
  const onBodyUnread = (forMs: number): number => unread.push(forMs);
  const host = {
    clock,
    isFresh,
    socketError: null,
    isMutual: false,
    started: 0,
    onStarted: () => void host.started++,
    unread,
    onBodyUnread,
  };
  const wire = new FakeWire();
  const exchange = new Exchange(call, host);
  const reply = exchange.send(wire as unknown as Dispatcher, { path: '/', method: 'GET' });
  const failure = reply.then(
    () => Promise.reject(new Error('it was answered')),
    (error: MeshError) => error,
  );
  failure.catch(() => {});
  return { clock, call, wire, host, exchange, reply, failure, outcomes };
}
