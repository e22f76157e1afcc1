// Edge: an undici Dispatcher, and so built-in fetch. Hosts of the mesh go through its stacks; all others pass untouched
// to the dispatcher that was there before. Serves handlers of undici 6, 7 and 8.
import { stringify } from 'node:querystring';
import type { Duplex } from 'node:stream';
import { Call, type InformationalSink, type Reply, type ReplyHeaders, type Sink } from '../core/call.ts';
import { MeshError, meshError } from '../core/errors.ts';
import { type RequestBody, requestBody } from './body.ts';
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

/** One dispatched call: the handler's controller, and the sink of the reply. After an end or an error the handler hears nothing more. */
class DispatchCall implements Sink, InformationalSink, Dispatcher.DispatchController {
  rawHeaders: Buffer[] | null = null;
  rawTrailers: string[] | null = null;
  reason: Error | null = null;
  aborted = false;
  paused = false;
  // Let go of when the call is over: undici's body keeps its controller, and with it all that these keep, long enough
  // for the collector to promote every call of a busy process.
  #call: Call | null;
  #handler: Handler | null;
  #reply: Reply | null = null;

  constructor(call: Call, handler: Handler) {
    this.#call = call;
    this.#handler = handler;
  }

  start(origin: Origin): void {
    // At once, and not when a socket is there: so an abort works while the call waits or backs off.
    try {
      this.#handler?.onRequestStart?.(this, {});
    } catch (error) {
      this.onError(error);
    }
    if (this.#call === null) return;
    let answered: Promise<Reply>;
    try {
      answered = origin.service(this.#call);
    } catch (error) {
      this.#fail(error);
      return;
    }
    answered.then(
      (reply) => this.#answer(reply),
      (error: unknown) => this.#fail(error),
    );
  }

  abort(reason: Error): void {
    const call = this.#call;
    if (this.aborted || call === null) return;
    this.aborted = true;
    this.reason = reason ?? new DOMException('The operation was aborted', 'AbortError');
    // Told at once, as undici does: the call may be waiting for something that does not answer soon.
    this.onError(this.reason);
    call.cancel(this.reason);
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
    if (this.#handler === null) return true;
    try {
      this.#handler.onResponseData?.(this, chunk as Buffer);
    } catch (error) {
      this.abort(error as Error);
    }
    return !this.paused;
  }

  onEnd(trailers: Record<string, string | string[]>): void {
    try {
      this.#handler?.onResponseEnd?.(this, trailers);
      this.#close();
    } catch (error) {
      this.onError(error);
    }
  }

  onError(error: unknown): void {
    this.#close()?.onResponseError?.(this, error as Error);
  }

  onInformational(status: number, headers: ReplyHeaders, rawHeaders: unknown): void {
    this.#head(status, headers, rawHeaders, '');
  }

  /** Gives the handler for a last word; null when the call is over already. */
  #close(): Handler | null {
    const handler = this.#handler;
    this.#call?.body?.release();
    this.#call = null;
    this.#handler = null;
    this.#reply = null;
    return handler;
  }

  #answer(reply: Reply): void {
    if (this.#call === null) {
      reply.discard();
      return;
    }
    this.#reply = reply;
    if (reply.value !== undefined) {
      this.#upgrade(reply);
      return;
    }
    if (this.paused) reply.pause();
    this.#head(reply.status, reply.headers, reply.rawHeaders, reply.statusText);
    reply.attach(this);
  }

  #head(status: number, headers: ReplyHeaders, rawHeaders: unknown, statusText: string): void {
    // Never null: undici 8's fetch takes that for no headers at all. Parsed ones are as good.
    this.rawHeaders = (rawHeaders ?? headers) as Buffer[];
    const handler = this.#handler;
    if (handler === null) return;
    try {
      if (status >= 200) handler.onResponseStarted?.();
      handler.onResponseStart?.(this, status, headers as never, statusText);
    } catch (error) {
      this.abort(error as Error);
    }
  }

  #upgrade(reply: Reply): void {
    this.rawHeaders = (reply.rawHeaders ?? reply.headers) as Buffer[];
    const socket = reply.value as Duplex;
    const handler = this.#close();
    try {
      handler?.onRequestUpgrade?.(this, reply.status, reply.headers as never, socket);
    } catch (error) {
      socket.destroy();
      handler?.onResponseError?.(this, error as Error);
    }
  }

  #fail(error: unknown): void {
    const isAbort = error instanceof MeshError && error.code === 'canceled';
    this.onError(isAbort ? error.cause : error);
  }
}

/** -1 when absent, NaN when it is no length. Built-in fetch of Node 22 writes "5, 5" when the caller gave one as well. */
function declaredLength(headers: readonly string[]): number {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length !== 14 || name.toLowerCase() !== 'content-length') continue;
    const [first = '', ...others] = (headers[i + 1] as string).split(',').map((part) => part.trim());
    return /^\d+$/.test(first) && others.every((other) => other === first) ? Number(first) : Number.NaN;
  }
  return -1;
}

function pathOf(options: DispatchOptions): string {
  const { path } = options;
  const query = (options as { query?: Record<string, unknown> }).query;
  if (query === undefined || query === null) return path;
  if (path.includes('?') || path.includes('#')) throw new TypeError('query cannot be given when the path already has one');
  const text = stringify(query as Parameters<typeof stringify>[0]);
  return text === '' ? path : `${path}?${text}`;
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
  let body: RequestBody | null = null;
  if (options.body !== null && options.body !== undefined) {
    const declared = declaredLength(headers);
    body = requestBody(options.body, declared, origin.bodyBytesMax);
    // Written by one of us, once: undici refuses a length that stands twice, and built-in fetch of Node 22 writes one
    // beside the caller's.
    if (declared >= 0) headers = withoutHeader(headers, 'content-length');
    if (body !== null && !body.isCounted && body.length >= 0) headers.push('content-length', String(body.length));
  }
  return new Call(
    { scheme: origin.scheme, authority: origin.authority, method: options.method, path: pathOf(options), headers, body },
    nowMs,
  );
}

/** undici 6 and 7 leave their `dispatcher` among the options of a call; the Agent of undici 8 refuses to see it there. */
function withoutDispatcher(options: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions {
  if ((options as { dispatcher?: unknown }).dispatcher === undefined) return options;
  const { dispatcher: _dispatcher, ...rest } = options as Dispatcher.DispatchOptions & { dispatcher: unknown };
  return rest;
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
  #before: unknown;
  #beforeLegacy: unknown;
  #own: Agent | null = null;

  constructor(outbound: Outbound, options: MeshDispatcherOptions) {
    super();
    this.#outbound = outbound;
    this.#options = options;
    // Kept now: later the mesh itself may be the global dispatcher.
    this.passTo({ current: globalDispatcher('current'), legacy: globalDispatcher('legacy') });
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
    return new DispatcherWithOptions(this, mesh);
  }

  /** What serves the hosts that no service names, from now on. */
  passTo(before: { readonly current: unknown; readonly legacy: unknown }): void {
    // A mesh behind a mesh could lead back here: its own predecessor is meant.
    this.#before = before.current instanceof MeshDispatcher ? before.current.#before : before.current;
    this.#beforeLegacy = before.legacy instanceof MeshDispatcher ? before.legacy.#beforeLegacy : before.legacy;
  }

  #pass(options: Dispatcher.DispatchOptions, handler: Handler): boolean {
    const host = String(options.origin);
    if (this.#outbound.refusesUnknown && this.#outbound.passes?.(host) !== true) {
      wrapHandler(handler).onResponseError?.(null as never, meshError({ code: 'unknown_host', message: `no service names ${host}` }));
      return true;
    }
    const isLegacy = typeof handler.onRequestStart !== 'function';
    const before = (isLegacy ? this.#legacy() : this.#before) as Dispatcher | undefined;
    const passed = withoutDispatcher(options);
    if (before !== undefined) return before.dispatch(passed, handler);
    this.#own ??= new Agent();
    return this.#own.dispatch(passed, wrapHandler(handler));
  }

  /** The undici inside Node puts its dispatcher there when somebody fetches for the first time. */
  #legacy(): unknown {
    if (this.#beforeLegacy === undefined) this.passTo({ current: this.#before, legacy: globalDispatcher('legacy') });
    return this.#beforeLegacy;
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

class DispatcherWithOptions extends Dispatcher {
  readonly #mesh: MeshDispatcher;
  readonly #options: CallOptions;

  constructor(mesh: MeshDispatcher, options: CallOptions) {
    super();
    this.#mesh = mesh;
    this.#options = options;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Handler): boolean {
    return this.#mesh.dispatch({ ...options, mesh: this.#options } as DispatchOptions, handler);
  }
}
