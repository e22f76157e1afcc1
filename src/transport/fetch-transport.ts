// The transport of runtimes that have a fetch of their own and no sockets that outlive a request: one fetch per attempt, straight
// to the endpoint. To the exchange it looks like undici. What fetch cannot do (a certificate of ours, gRPC, upgrades) is refused.
import type { Call, Endpoint, ReplyHeaders } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { meshError } from '../core/errors.ts';
import { placeOf, refuse } from '../core/refuse.ts';
import type { Service } from '../core/service.ts';
import type { TlsPolicy } from '../model/destination.ts';
import { attemptHeaders } from './dispatch-options.ts';
import { Exchange, type ExchangeHost } from './exchange.ts';
import type { Dispatcher } from './undici.ts';

/** Shaped like the global `fetch`; the `fetch` of a service binding is one, too. */
export type SendFetch = (url: string, init: RequestInit) => Promise<Response>;

export interface FetchTransportDeps {
  readonly clock: Clock;
  readonly send: SendFetch;
}

/** How Node and Bun say that there was no connection. workerd does not say it. */
const NOT_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused|FailedToOpenSocket)$/;
/** How Deno says it, beside the URL; that has no space. */
const NOT_CONNECTED_WORDS = /client error \(Connect\)/;

/** One fetch, as undici would report it: head, chunks for as long as they are wanted, end. */
class FetchDispatch implements Dispatcher.DispatchController {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  readonly rawHeaders = null;
  readonly rawTrailers = null;
  readonly #call: Call;
  readonly #abort: AbortController;
  #handler: Dispatcher.DispatchHandler | null = null;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #isReading = false;

  constructor(call: Call, abort: AbortController) {
    this.#call = call;
    this.#abort = abort;
  }

  start(answered: Promise<Response>, handler: Dispatcher.DispatchHandler): void {
    this.#handler = handler;
    // Nobody says when the first byte goes out, so from now on it may have.
    handler.onRequestStart?.(this, {});
    answered.then(this.#onHead, this.#onError);
  }

  abort(reason: Error): void {
    this.aborted = true;
    this.reason = reason;
    this.#abort.abort(reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#read();
  }

  readonly #onHead = ({ status, statusText, headers, body }: Response): void => {
    if (this.aborted) {
      body?.cancel().catch(() => {});
      return;
    }
    this.#reader = body === null ? null : (body.getReader() as ReadableStreamDefaultReader<Uint8Array>);
    this.#handler?.onResponseStart?.(this, status, headersOf(headers) as never, statusText);
    if (body === null) this.#handler?.onResponseEnd?.(this, {});
    else this.#read();
  };

  readonly #onError = (error: unknown): void => {
    if (!this.aborted) this.#handler?.onResponseError?.(this, toldBy(error, this.#call) as Error);
  };

  #read(): void {
    if (this.#reader === null || this.#isReading || this.paused || this.aborted) return;
    this.#isReading = true;
    this.#reader.read().then(({ done, value }) => {
      this.#isReading = false;
      if (this.aborted) return;
      if (done) {
        this.#reader = null;
        this.#handler?.onResponseEnd?.(this, {});
      } else {
        this.#handler?.onResponseData?.(this, value as never);
        this.#read();
      }
    }, this.#onError);
  }
}

/** What went wrong: a refusal only where the runtime says so, else unknown. */
function toldBy(error: unknown, call: Call): unknown {
  const cause = (error as { cause?: object }).cause ?? (error as object);
  const { code, message } = cause as { code?: unknown; message?: unknown };
  if (!NOT_CONNECTED.test(String(code)) && !NOT_CONNECTED_WORDS.test(String(message))) return cause;
  return meshError({
    code: 'connect_failed',
    message: `no connection: ${String(message)}`,
    sent: 'none',
    retryable: true,
    where: placeOf(call),
    cause,
  });
}

async function* bytesOf(body: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const chunk of body) yield typeof chunk === 'string' ? encoder.encode(chunk) : chunk;
}

function isStreamed(body: unknown): body is AsyncIterable<Uint8Array> {
  if (typeof body !== 'object' || body === null || ArrayBuffer.isView(body) || body instanceof FormData) return false;
  return Symbol.asyncIterator in body || Symbol.iterator in body;
}

function initOf(call: Call, signal: AbortSignal): RequestInit {
  const pairs = attemptHeaders(call);
  const headers = new Headers();
  for (let i = 0; i < pairs.length; i += 2) headers.append(pairs[i] as string, pairs[i + 1] as string);
  // fetch counts, asks for what it can decode, and decodes it.
  headers.delete('content-length');
  if (headers.get('accept-encoding') !== 'identity') headers.delete('accept-encoding');
  const init: RequestInit = { method: call.method, headers, signal, redirect: 'manual' };
  if (call.body === null) return init;
  const body = call.body.open();
  if (!isStreamed(body)) return { ...init, body: body as NonNullable<RequestInit['body']> };
  return { ...init, body: ReadableStream.from(bytesOf(body)) as unknown as ReadableStream, duplex: 'half' } as RequestInit;
}

function headersOf(given: Headers): ReplyHeaders {
  const headers: ReplyHeaders = Object.fromEntries(given);
  const cookies = given.getSetCookie();
  if (cookies.length > 0) headers['set-cookie'] = cookies;
  // Of the bytes as they were sent; fetch has decoded them.
  if (headers['content-encoding'] !== undefined) {
    delete headers['content-encoding'];
    delete headers['content-length'];
  }
  return headers;
}

/** Why a call cannot go over fetch; null when it can. */
function obstacle(call: Call, tls: TlsPolicy | undefined): string | null {
  if (call.carrier !== null) return 'gRPC needs a connection of its own, and this mesh sends by fetch';
  if (call.upgrade !== '') return `fetch cannot switch to ${call.upgrade}`;
  if (tls === undefined || tls.mode === 'disable') return null;
  const told = Object.keys(tls).filter((key) => key !== 'mode');
  if (tls.mode === 'simple' && told.length === 0) return null;
  const what = told.length === 0 ? 'mode: mutual' : told.join(', ');
  return `fetch shows no certificate and verifies by the roots of its runtime alone; tls with ${what} needs the transport of Node`;
}

/** For `transport` of MeshOptions. `tlsNow` gives that of the service as of now; without it the scheme of the call decides. */
export function fetchTransport({
  clock,
  send,
}: FetchTransportDeps): (endpoint: Endpoint, service: string, tlsNow?: () => TlsPolicy) => Service {
  const host: ExchangeHost = { clock, isFresh: true, socketError: null, isMutual: false, onStarted() {}, onBodyUnread() {} };
  const cannot = (call: Call, why: string, cause?: unknown): Promise<never> =>
    refuse(call, clock.now(), { code: 'protocol_error', message: `the call cannot be sent: ${why}`, cause });

  return ({ host: name, port }, _service, tlsNow) => {
    const authority = `${name.includes(':') ? `[${name}]` : name}:${port}`;
    return (call) => {
      const tls = tlsNow?.();
      const why = obstacle(call, tls);
      if (why !== null) return cannot(call, why);
      const scheme = tls === undefined || tls.mode === 'disable' ? call.scheme : 'https';
      const abort = new AbortController();
      let init: RequestInit;
      try {
        init = initOf(call, abort.signal);
      } catch (cause) {
        return cannot(call, (cause as Error).message, cause);
      }
      const dispatch = (_options: unknown, handler: Dispatcher.DispatchHandler): boolean => {
        // Also what is thrown at once is a failure of the attempt.
        const answered = new Promise<Response>((resolve) => resolve(send(`${scheme}://${authority}${call.path}`, init)));
        new FetchDispatch(call, abort).start(answered, handler);
        return true;
      };
      return new Exchange(call, host).send({ dispatch } as unknown as Dispatcher, {} as Dispatcher.DispatchOptions);
    };
  };
}
