// Edge: an undici Dispatcher, and so built-in fetch. Hosts of the mesh go through its stacks; all others pass untouched
// to the dispatcher that was there before. Serves handlers of undici 6, 7 and 8.
import { stringify } from 'node:querystring';
import { Call, type InformationalSink, type Reply, type ReplyHeaders, type Sink } from '../core/call.ts';
import { MeshError, meshError } from '../core/errors.ts';
import { requestBody } from './body.ts';
import { globalDispatcher } from './before-undici.ts';
import { type HeaderInput, headerPairs, withoutHeader } from './header-pairs.ts';
import { applyOptions, type CallOptions, type Origin, type Outbound } from './outbound.ts';
import { Agent, Dispatcher, Dispatcher1Wrapper } from './undici.ts';

type Handler = Dispatcher.DispatchHandler;
type DispatchOptions = Dispatcher.DispatchOptions & { readonly mesh?: CallOptions; readonly expectContinue?: boolean };

/** undici options that travel with the call to the transport. */
const TRANSPORT_OPTIONS = ['headersTimeout', 'bodyTimeout', 'expectContinue', 'reset', 'blocking'] as const;

/** Adapts handlers of undici 6 and of built-in fetch in Node 22 and 24; those of undici 7 and 8 stay as they are. */
const { wrapHandler } = Dispatcher1Wrapper as unknown as { wrapHandler(handler: Handler): Handler };

/** One dispatched call: the handler's controller, and the sink of the reply. */
class DispatchCall implements Sink, InformationalSink, Dispatcher.DispatchController {
  rawHeaders: Buffer[] | null = null;
  rawTrailers: string[] | null = null;
  reason: Error | null = null;
  aborted = false;
  paused = false;
  readonly #call: Call;
  readonly #handler: Handler;
  #reply: Reply | null = null;

  constructor(call: Call, handler: Handler) {
    this.#call = call;
    this.#handler = handler;
  }

  start(origin: Origin): void {
    // At once, and not when a socket is there: so an abort works while the call waits or backs off.
    this.#handler.onRequestStart?.(this, {});
    if (this.aborted) {
      this.#call.body?.release();
      this.onError(this.reason);
      return;
    }
    origin.service(this.#call).then(
      (reply) => this.#answer(reply),
      (error: unknown) => this.#fail(error),
    );
  }

  abort(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason ?? new DOMException('The operation was aborted', 'AbortError');
    this.#call.cancel(this.reason);
  }

  pause(): void {
    this.paused = true;
    this.#reply?.pause();
  }

  resume(): void {
    this.paused = false;
    this.#reply?.resume();
  }

  onData(chunk: Uint8Array): boolean {
    try {
      this.#handler.onResponseData?.(this, chunk as Buffer);
    } catch (error) {
      this.abort(error as Error);
    }
    return !this.paused;
  }

  onEnd(trailers: Record<string, string | string[]>): void {
    this.#call.body?.release();
    try {
      this.#handler.onResponseEnd?.(this, trailers);
    } catch (error) {
      this.onError(error);
    }
  }

  onError(error: unknown): void {
    this.#call.body?.release();
    this.#handler.onResponseError?.(this, error as Error);
  }

  onInformational(status: number, headers: ReplyHeaders, rawHeaders: unknown): void {
    this.rawHeaders = rawHeaders as Buffer[];
    this.#handler.onResponseStart?.(this, status, headers as never, '');
  }

  #answer(reply: Reply): void {
    this.#reply = reply;
    this.rawHeaders = reply.rawHeaders as Buffer[];
    if (this.#call.upgrade !== '' && reply.value !== undefined) {
      this.#handler.onRequestUpgrade?.(this, reply.status, reply.headers as never, reply.value as never);
      return;
    }
    try {
      this.#handler.onResponseStarted?.();
      this.#handler.onResponseStart?.(this, reply.status, reply.headers as never, reply.statusText);
    } catch (error) {
      this.abort(error as Error);
    }
    if (this.paused) reply.pause();
    reply.attach(this);
  }

  #fail(error: unknown): void {
    const isAbort = error instanceof MeshError && error.code === 'canceled';
    this.onError(isAbort ? error.cause : error);
  }
}

function declaredLength(headers: readonly string[]): number {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length === 14 && name.toLowerCase() === 'content-length') return Number(headers[i + 1]);
  }
  return -1;
}

function pathOf(options: DispatchOptions): string {
  const query = (options as { query?: Record<string, unknown> }).query;
  if (query === undefined || query === null) return options.path;
  const text = stringify(query as Parameters<typeof stringify>[0]);
  return text === '' ? options.path : `${options.path}?${text}`;
}

function transportOptions(options: DispatchOptions): Record<string, unknown> | null {
  let out: Record<string, unknown> | null = null;
  for (const key of TRANSPORT_OPTIONS) {
    const value = options[key];
    if (value !== undefined && value !== null) {
      out ??= {};
      out[key] = value;
    }
  }
  return out;
}

function makeCall(options: DispatchOptions, origin: Origin, nowMs: number): Call {
  let headers = headerPairs(options.headers as HeaderInput);
  let body = null;
  if (options.body !== null && options.body !== undefined) {
    const length = declaredLength(headers);
    body = requestBody(options.body, length, origin.bodyBytesMax);
    // undici counts what is in memory itself; a length written twice is refused (built-in fetch of Node 22 does that).
    if (length >= 0)
      headers = withoutHeader(headers, 'content-length', body !== null && body.length === length && !isCounted(options.body));
  }
  return new Call(
    { scheme: origin.scheme, authority: origin.authority, method: options.method, path: pathOf(options), headers, body },
    nowMs,
  );
}

function isCounted(body: unknown): boolean {
  return typeof body === 'string' || ArrayBuffer.isView(body) || body instanceof ArrayBuffer;
}

export interface MeshDispatcherOptions {
  readonly parseDuration: (text: string) => number;
  /** Closing the dispatcher closes the mesh. */
  readonly onClose: () => Promise<void>;
}

/**
 * `undici.request(url, { dispatcher: mesh.dispatcher })`, `fetch(url, { dispatcher: mesh.dispatcher })`, or
 * `setGlobalDispatcher(mesh.dispatcher)`. Options for one call: `mesh: { timeout, idempotent }` beside the others.
 */
export class MeshDispatcher extends Dispatcher {
  readonly #outbound: Outbound;
  readonly #options: MeshDispatcherOptions;
  readonly #before: unknown;
  readonly #beforeLegacy: unknown;
  #own: Agent | null = null;

  constructor(outbound: Outbound, options: MeshDispatcherOptions) {
    super();
    this.#outbound = outbound;
    this.#options = options;
    // Kept now: later the mesh itself may be the global dispatcher.
    this.#before = globalDispatcher('current');
    this.#beforeLegacy = globalDispatcher('legacy');
  }

  override dispatch(options: Dispatcher.DispatchOptions, givenHandler: Handler): boolean {
    const { origin: given } = options;
    const origin = this.#outbound.origin(typeof given === 'string' ? given : String((given as URL | undefined)?.origin ?? ''));
    if (origin === null) return this.#pass(options, givenHandler);
    const handler = wrapHandler(givenHandler);
    let call: Call;
    try {
      call = makeCall(options, origin, this.#outbound.clock.now());
      const { mesh } = options as DispatchOptions;
      if (mesh !== undefined) applyOptions(call, mesh, this.#options.parseDuration);
      if ((options as { idempotent?: boolean }).idempotent === true) call.idempotent = true;
      if (options.upgrade) call.upgrade = String(options.upgrade);
      call.transportOptions = transportOptions(options);
    } catch (error) {
      handler.onResponseError?.(null as never, error as Error);
      return true;
    }
    const dispatched = new DispatchCall(call, handler);
    call.informational = dispatched;
    dispatched.start(origin);
    return true;
  }

  /** The same dispatcher with options for every call that goes through it. */
  withOptions(mesh: CallOptions): Dispatcher {
    const dispatch: Dispatcher['dispatch'] = (options, handler) => this.dispatch({ ...options, mesh } as DispatchOptions, handler);
    return Object.assign(Object.create(this) as Dispatcher, { dispatch });
  }

  #pass(options: Dispatcher.DispatchOptions, handler: Handler): boolean {
    if (this.#outbound.refusesUnknown) {
      const host = String(options.origin);
      wrapHandler(handler).onResponseError?.(null as never, meshError({ code: 'unknown_host', message: `no service names ${host}` }));
      return true;
    }
    const isLegacy = typeof handler.onRequestStart !== 'function';
    const before = (isLegacy ? this.#beforeLegacy : this.#before) as Dispatcher | undefined;
    if (before !== undefined && !(before instanceof MeshDispatcher)) return before.dispatch(options, handler);
    this.#own ??= new Agent();
    return this.#own.dispatch(options, wrapHandler(handler));
  }

  override close(): Promise<void>;
  override close(callback: () => void): void;
  override close(callback?: () => void): Promise<void> | void {
    const closed = this.#options.onClose().then(() => this.#own?.close());
    if (callback === undefined) return closed;
    closed.then(callback, callback);
  }

  override destroy(): Promise<void>;
  override destroy(error: Error | null): Promise<void>;
  override destroy(callback: () => void): void;
  override destroy(error: Error | null, callback: () => void): void;
  override destroy(first?: Error | null | (() => void), second?: () => void): Promise<void> | void {
    // Never while calls are in flight: a destroyed pool fails them all.
    const callback = typeof first === 'function' ? first : second;
    return callback === undefined ? this.close() : this.close(callback);
  }
}
