// Edge: mesh.fetch, shaped like fetch, straight over the mesh. No Request, no Headers, no stream unless asked for. What
// it does not do itself it hands to built-in fetch with the mesh's dispatcher, so the mesh still holds.
import { Call, type EndListener, type Reply } from '../core/call.ts';
import { MeshError, meshError } from '../core/errors.ts';
import { type RequestBody, requestBody } from './body.ts';
import type { MeshDispatcher } from './dispatcher.ts';
import { bodyOf, headersOf, isPlain, type MeshFetchInit, methodOf, plainInit } from './fetch-request.ts';
import { applyOptions, type Origin, type Outbound } from './outbound.ts';
import { meshResponse } from './response.ts';
import { parseTarget, type Target } from './target.ts';

export type { MeshFetchInit } from './fetch-request.ts';

/** Shaped like `fetch`. Rejects with MeshError, or with the reason of the caller's `signal`. */
export type MeshFetch = (input: string | URL | Request, init?: MeshFetchInit) => Promise<Response>;

export interface FetchDeps {
  readonly outbound: Outbound;
  readonly dispatcher: MeshDispatcher;
  readonly parseDuration: (text: string) => number;
  /** Whether built-in fetch goes where a dispatcher leads. @default as it does in this runtime */
  readonly takesDispatcher?: boolean;
}

const REDIRECTS_MAX = 20;

const releaseBody: EndListener = (call) => call.body?.release();

/** A network error of fetch. */
function failed(why: string, cause?: unknown): TypeError {
  return new TypeError('fetch failed', { cause: new Error(why, cause === undefined ? undefined : { cause }) });
}

/** One hop: a redirect makes another. */
class FetchCall {
  readonly #deps: FetchDeps;
  readonly #init: MeshFetchInit;
  readonly #target: Target;
  readonly #redirects: number;
  readonly #startedAtMs: number;
  readonly #call: Call;

  constructor(deps: FetchDeps, init: MeshFetchInit, target: Target, call: Call, before: FetchCall | null) {
    this.#deps = deps;
    this.#init = init;
    this.#target = target;
    this.#call = call;
    this.#redirects = before === null ? 0 : before.#redirects + 1;
    this.#startedAtMs = before === null ? call.startedAtMs : before.#startedAtMs;
  }

  run(origin: Origin): Promise<Response> {
    const call = this.#call;
    const { mesh, signal } = this.#init;
    if (mesh !== undefined) {
      applyOptions(call, mesh, this.#deps.parseDuration);
      // One timeout for all hops.
      if (call.timeoutMs > 0) call.timeoutMs = Math.max(1, call.timeoutMs - (call.startedAtMs - this.#startedAtMs));
    }
    if (call.body !== null) call.onEnd(releaseBody);
    if (signal !== undefined && signal !== null) listen(call, signal);
    return origin.service(call).then(
      (reply) => this.#answer(reply),
      (error: unknown) => {
        throw callerError(error);
      },
    );
  }

  #answer(reply: Reply): Response | Promise<Response> {
    const call = this.#call;
    const { status } = reply;
    if (call.canceled) {
      reply.discard();
      throw call.cancelReason;
    }
    if (status >= 301 && status <= 308 && isRedirect(status) && reply.headers.location !== undefined) {
      const { redirect } = this.#init;
      if (redirect === 'error') {
        reply.discard();
        throw failed('unexpected redirect');
      }
      if (redirect !== 'manual') {
        reply.discard();
        return this.#follow(status, String(reply.headers.location));
      }
    }
    return meshResponse(reply, call, this.#target.href, this.#redirects > 0);
  }

  /** Source: Fetch §4.4, HTTP-redirect fetch. */
  #follow(status: number, location: string): Promise<Response> {
    const deps = this.#deps;
    const target = this.#target;
    const { method } = this.#call;
    let init = this.#init;
    const next = URL.parse(location, target.href);
    if (next === null) throw failed(`the location ${JSON.stringify(location)} of the redirect is no URL`);
    if (next.protocol !== 'http:' && next.protocol !== 'https:') throw failed('URL scheme must be a HTTP(S) scheme');
    if (this.#redirects >= REDIRECTS_MAX) throw failed('redirect count exceeded');
    if (status !== 303 && init.body instanceof ReadableStream) throw failed('a streamed body cannot be sent again for a redirect');
    const becomesGet = status === 303 ? method !== 'GET' && method !== 'HEAD' : (status === 301 || status === 302) && method === 'POST';
    if (becomesGet) init = withoutBody(init);
    if (next.origin !== target.origin) init = withoutHeaders(init, CREDENTIAL_HEADERS);
    return begin(deps, parseTarget(next), init, this);
  }
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** The caller's signal reaches the call, until the last byte has come. */
function listen(call: Call, signal: AbortSignal): void {
  const abort = (): void => call.cancel(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  call.onEnd(() => signal.removeEventListener('abort', abort));
}

/** The caller's own reason for an abort; a TypeError as in fetch for what cannot be sent; else as it is. */
function callerError(error: unknown): unknown {
  if (!(error instanceof MeshError)) return error;
  if (error.code === 'canceled') return error.cause;
  const cause = error.code === 'protocol_error' && error.sent === 'none' ? error.cause : undefined;
  return cause instanceof Error ? new TypeError(cause.message, { cause }) : error;
}

const BODY_HEADERS = ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location'];
/** Not sent on to another origin. */
const CREDENTIAL_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'host'];

function withoutHeaders(init: MeshFetchInit, names: readonly string[]): MeshFetchInit {
  const headers = new Headers(init.headers);
  for (const name of names) headers.delete(name);
  return { ...init, headers };
}

function withoutBody(init: MeshFetchInit): MeshFetchInit {
  const { body: _body, ...rest } = withoutHeaders(init, BODY_HEADERS);
  return { ...rest, method: 'GET' };
}

/** Built-in fetch of Bun, Deno and workerd is no undici, and would go past the mesh. */
const TAKES_DISPATCHER = Boolean(process.versions['undici']);

/** What is not plain: as built-in fetch reads it, and through the mesh all the same. */
function notPlain(deps: FetchDeps, input: string | URL | Request, init: MeshFetchInit): Promise<Response> {
  const { outbound } = deps;
  const target = parseTarget(typeof input === 'string' || input instanceof URL ? input : input.url);
  const isTheirs = outbound.origin(target.origin) === null && !outbound.refusesUnknown;
  if ((deps.takesDispatcher ?? TAKES_DISPATCHER) || isTheirs) return builtIn(deps, input, init);
  const plain = plainInit(input, init);
  if (plain.signal?.aborted === true) return Promise.reject(plain.signal.reason);
  return begin(deps, target, plain, null, plain.method);
}

/** Built-in fetch, through the mesh. */
function builtIn(deps: FetchDeps, input: string | URL | Request, init: MeshFetchInit): Promise<Response> {
  const { mesh, ...rest } = init;
  const dispatcher = mesh === undefined ? deps.dispatcher : deps.dispatcher.withOptions(mesh);
  return fetch(input, { ...rest, dispatcher } as unknown as RequestInit).catch((error: unknown) => {
    const { cause } = error as { cause?: unknown };
    throw cause instanceof MeshError ? callerError(cause) : error;
  });
}

/** Sends one hop, by ourselves if everything about it is plain. */
function begin(
  deps: FetchDeps,
  target: Target,
  init: MeshFetchInit,
  before: FetchCall | null,
  method: string | null = methodOf(init),
): Promise<Response> {
  const { outbound } = deps;
  const origin = outbound.origin(target.origin);
  if (origin === null) {
    if (outbound.refusesUnknown && target.origin !== 'null' && outbound.passes?.(target.origin) !== true) {
      return Promise.reject(meshError({ code: 'unknown_host', message: `no service names ${target.origin}` }));
    }
    return handOver(deps, target, init, before, builtIn);
  }
  const headers = method === null ? null : headersOf(init, origin.scheme);
  if (method === null || headers === null) return handOver(deps, target, init, before, notPlain);
  const body = bodyFor(init, method, headers, origin);
  const { scheme, authority } = origin;
  const call = new Call({ scheme, authority, method, path: target.path, headers, body }, outbound.clock.now());
  return new FetchCall(deps, init, target, call, before).run(origin);
}

function bodyFor(init: MeshFetchInit, method: string, headers: string[], origin: Origin): RequestBody | null {
  if (init.body === undefined || init.body === null) return null;
  if (method === 'GET' || method === 'HEAD') throw new TypeError('Request with GET/HEAD method cannot have body.');
  const body = requestBody(bodyOf(init), -1, origin.bodyBytesMax);
  if (body !== null && !body.isCounted && body.length >= 0 && !hasLength(headers)) headers.push('content-length', String(body.length));
  return body;
}

function hasLength(headers: readonly string[]): boolean {
  return headers.some((name, i) => i % 2 === 0 && name.length === 14 && name.toLowerCase() === 'content-length');
}

function handOver(deps: FetchDeps, target: Target, init: MeshFetchInit, before: FetchCall | null, to: typeof builtIn): Promise<Response> {
  const answered = to(deps, target.href, init);
  return before === null ? answered : answered.then((response) => Object.defineProperty(response, 'redirected', { value: true }));
}

const EMPTY_INIT: MeshFetchInit = Object.freeze({});

export function meshFetch(deps: FetchDeps): MeshFetch {
  return (input, given) => {
    const init = given ?? EMPTY_INIT;
    try {
      if (typeof input !== 'string' && !(input instanceof URL)) return notPlain(deps, input, init);
      if (init !== EMPTY_INIT && !isPlain(init)) return notPlain(deps, input, init);
      if (init.signal?.aborted === true) return Promise.reject(init.signal.reason);
      return begin(deps, parseTarget(input), init, null);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}
