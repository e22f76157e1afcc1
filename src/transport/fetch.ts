// Edge: mesh.fetch, shaped like fetch, straight over the mesh. No Request, no Headers, no stream unless asked for. What
// it does not do itself it hands to built-in fetch with the mesh's dispatcher, so the mesh still holds.
import { Call, type Reply } from '../core/call.ts';
import { MeshError, meshError } from '../core/errors.ts';
import { requestBody } from './body.ts';
import type { MeshDispatcher } from './dispatcher.ts';
import { type HeaderInput, headerPairs } from './header-pairs.ts';
import { applyOptions, type CallOptions, type Origin, type Outbound } from './outbound.ts';
import { MeshResponse } from './response.ts';

/** fetch's own options, and `mesh` for this one call. */
export type MeshFetchInit = RequestInit & { readonly mesh?: CallOptions };

/** Shaped like `fetch`. Rejects with MeshError, or with the reason of the caller's `signal`. */
export type MeshFetch = (input: string | URL | Request, init?: MeshFetchInit) => Promise<Response>;

export interface FetchDeps {
  readonly outbound: Outbound;
  readonly dispatcher: MeshDispatcher;
  readonly parseDuration: (text: string) => number;
}

const REDIRECTS_MAX = 20;

/** Methods that fetch writes in upper case; others stay as they are. Source: Fetch §2.2.1. */
const NORMALIZED: ReadonlyMap<string, string> = new Map(
  ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'].flatMap((method) => [
    [method, method],
    [method.toLowerCase(), method],
  ]),
);

/** An absolute http URL that needs no normalisation: nothing to decode, no dot segments, no userinfo, no upper-case host. */
const PLAIN_URL =
  /^(https?:\/\/[a-z0-9][a-z0-9.-]*(?::\d{1,5})?)(\/(?:[A-Za-z0-9_~!$&'()*+,;=:@/%-]|\.(?![./]|$|\?))*(?:\?[A-Za-z0-9_.~!$&()*+,;=:@/?%-]*)?)?$/;

/** init keys that fetch itself answers; any other goes to built-in fetch unless its value changes nothing. */
const OWN_KEYS: ReadonlySet<string> = new Set(['method', 'headers', 'body', 'signal', 'mesh', 'redirect', 'duplex', 'credentials']);
const NEUTRAL: Readonly<Record<string, unknown>> = {
  cache: 'default',
  mode: 'cors',
  integrity: '',
  keepalive: false,
  referrer: 'about:client',
  referrerPolicy: '',
  priority: 'auto',
  window: null,
};

interface Target {
  readonly origin: string;
  readonly path: string;
  readonly href: string;
}

function parseTarget(input: string | URL): Target {
  if (typeof input === 'string') {
    const plain = PLAIN_URL.exec(input);
    if (plain !== null) {
      const path = plain[2];
      return path === undefined
        ? { origin: plain[1] as string, path: '/', href: `${input}/` }
        : { origin: plain[1] as string, path, href: input };
    }
  }
  let url: URL;
  try {
    url = new URL(input);
  } catch (error) {
    throw new TypeError(`Failed to parse URL from ${String(input)}`, { cause: error });
  }
  if (url.username !== '' || url.password !== '')
    throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${url.origin}`);
  const href = url.hash === '' ? url.href : url.href.slice(0, -url.hash.length);
  return { origin: url.origin, path: url.pathname + url.search, href };
}

/** Whether fetch's semantics of this init are ours alone. */
function isOwn(init: MeshFetchInit): boolean {
  for (const key in init) {
    if (OWN_KEYS.has(key)) continue;
    const value = (init as Record<string, unknown>)[key];
    if (value !== undefined && value !== NEUTRAL[key]) return false;
  }
  const { body } = init;
  return !(typeof body === 'object' && body !== null && body instanceof FormData);
}

function contentTypeOf(body: unknown): string | null {
  if (typeof body === 'string') return 'text/plain;charset=UTF-8';
  if (body instanceof URLSearchParams) return 'application/x-www-form-urlencoded;charset=UTF-8';
  if (body instanceof Blob && body.type !== '') return body.type;
  return null;
}

const ACCEPT_ENCODING = { http: 'gzip, deflate', https: 'br, gzip, deflate' };

/** The caller's headers, then fetch's own where the caller gave none. */
function requestHeaders(init: MeshFetchInit, origin: Origin): string[] {
  const given = init.headers;
  const pairs = given === undefined ? [] : headerPairs(given as HeaderInput);
  let hasAccept = false;
  let hasAgent = false;
  let hasType = false;
  let hasEncoding = false;
  for (let i = 0; i < pairs.length; i += 2) {
    const name = (pairs[i] as string).toLowerCase();
    if (name === 'accept') hasAccept = true;
    else if (name === 'user-agent') hasAgent = true;
    else if (name === 'content-type') hasType = true;
    else if (name === 'accept-encoding') hasEncoding = true;
  }
  const type = hasType ? null : contentTypeOf(init.body);
  if (type !== null) pairs.push('content-type', type);
  if (!hasAccept) pairs.push('accept', '*/*');
  if (!hasAgent) pairs.push('user-agent', 'node');
  if (!hasEncoding) pairs.push('accept-encoding', origin.scheme === 'https' ? ACCEPT_ENCODING.https : ACCEPT_ENCODING.http);
  return pairs;
}

function bodyValue(init: MeshFetchInit): unknown {
  const { body } = init;
  if (body instanceof URLSearchParams) return body.toString();
  if (body instanceof ReadableStream) {
    if (body.locked) throw new TypeError('Response body object should not be disturbed or locked');
    if ((init as { duplex?: string }).duplex !== 'half') throw new TypeError('RequestInit: duplex option is required when sending a body.');
  }
  return body;
}

const NOTHING = (): void => {};

class FetchCall {
  readonly #deps: FetchDeps;
  readonly #init: MeshFetchInit;
  readonly #redirects: number;

  constructor(deps: FetchDeps, init: MeshFetchInit, redirects: number) {
    this.#deps = deps;
    this.#init = init;
    this.#redirects = redirects;
  }

  run(target: Target, origin: Origin): Promise<Response> {
    const init = this.#init;
    const { outbound, parseDuration } = this.#deps;
    const method = NORMALIZED.get(init.method ?? 'GET') ?? (init.method as string);
    const isBodyless = init.body === undefined || init.body === null;
    if (!isBodyless && (method === 'GET' || method === 'HEAD')) throw new TypeError('Request with GET/HEAD method cannot have body.');
    const headers = requestHeaders(init, origin);
    const body = isBodyless ? null : requestBody(bodyValue(init), -1, origin.bodyBytesMax);
    const call = new Call(
      { scheme: origin.scheme, authority: origin.authority, method, path: target.path, headers, body },
      outbound.clock.now(),
    );
    if (init.mesh !== undefined) applyOptions(call, init.mesh, parseDuration);
    const release = this.#listen(call);
    return origin.service(call).then(
      (reply) => this.#answer(call, reply, target, release),
      (error: unknown) => {
        release();
        throw error instanceof MeshError && error.code === 'canceled' ? error.cause : argumentError(error);
      },
    );
  }

  /** The caller's signal reaches the call; the listener goes when the body has ended. */
  #listen(call: Call): () => void {
    const { signal } = this.#init;
    const { body } = call;
    if (signal === undefined || signal === null) return body === null ? NOTHING : () => body.release();
    const abort = (): void => call.cancel(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    return () => {
      signal.removeEventListener('abort', abort);
      body?.release();
    };
  }

  #answer(call: Call, reply: Reply, target: Target, release: () => void): Response | Promise<Response> {
    const { status } = reply;
    if (status >= 301 && status <= 308 && status !== 304 && status !== 305 && status !== 306 && reply.headers.location !== undefined) {
      const { redirect } = this.#init;
      if (redirect === 'error') {
        release();
        reply.discard();
        throw new TypeError('fetch failed', { cause: new Error('unexpected redirect') });
      }
      if (redirect !== 'manual') {
        release();
        reply.discard();
        return this.#follow(call, reply, target);
      }
    }
    return new MeshResponse({ reply, call, url: target.href, redirected: this.#redirects > 0, onDone: release }) as unknown as Response;
  }

  /** Same origin: our own next hop. Another origin: built-in fetch, which knows what must not be sent on. */
  #follow(call: Call, reply: Reply, target: Target): Promise<Response> {
    if (this.#redirects >= REDIRECTS_MAX) throw new TypeError('fetch failed', { cause: new Error('redirect count exceeded') });
    const next = new URL(String(reply.headers.location), target.href);
    if (next.hash === '') next.hash = '';
    const { status } = reply;
    let init = this.#init;
    const becomesGet =
      (status === 303 && call.method !== 'GET' && call.method !== 'HEAD') || ((status === 301 || status === 302) && call.method === 'POST');
    if (becomesGet) init = withoutBody(init);
    else if (init.body instanceof ReadableStream)
      throw new TypeError('fetch failed', { cause: new Error('a streamed body cannot be redirected') });
    const followed = parseTarget(next);
    const isSameOrigin = followed.origin === new URL(target.href).origin;
    const origin = this.#deps.outbound.origin(followed.origin);
    if (isSameOrigin && origin !== null) return new FetchCall(this.#deps, init, this.#redirects + 1).run(followed, origin);
    return crossOrigin(this.#deps, followed.href, init);
  }
}

function withoutBody(init: MeshFetchInit): MeshFetchInit {
  const headers = new Headers(init.headers);
  for (const name of ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location']) headers.delete(name);
  const { body: _body, ...rest } = init;
  return { ...rest, method: 'GET', headers };
}

async function crossOrigin(deps: FetchDeps, href: string, init: MeshFetchInit): Promise<Response> {
  const headers = new Headers(init.headers);
  for (const name of ['authorization', 'cookie', 'proxy-authorization', 'host', 'x-api-key']) headers.delete(name);
  const response = await builtIn(deps, href, { ...init, headers });
  return Object.defineProperty(response, 'redirected', { value: true });
}

/** Built-in fetch, through the mesh. Its dispatcher must speak the handlers of the undici inside Node. */
function builtIn(deps: FetchDeps, input: string | URL | Request, init: MeshFetchInit | undefined): Promise<Response> {
  const { mesh, ...rest } = init ?? {};
  const dispatcher = mesh === undefined ? deps.dispatcher : deps.dispatcher.withOptions(mesh);
  return fetch(input, { ...rest, dispatcher } as unknown as RequestInit);
}

/** What cannot be sent is the caller's mistake, and a TypeError as in fetch. */
function argumentError(error: unknown): unknown {
  const cause = error instanceof MeshError && error.code === 'protocol_error' && error.sent === 'none' ? error.cause : undefined;
  return cause instanceof Error ? new TypeError(cause.message, { cause }) : error;
}

const EMPTY_INIT: MeshFetchInit = Object.freeze({});

export function meshFetch(deps: FetchDeps): MeshFetch {
  const { outbound } = deps;

  function start(input: string | URL, init: MeshFetchInit): Promise<Response> {
    const { signal } = init;
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const target = parseTarget(input);
    const origin = outbound.origin(target.origin);
    if (origin === null) {
      if (outbound.refusesUnknown) return Promise.reject(meshError({ code: 'unknown_host', message: `no service names ${target.origin}` }));
      return builtIn(deps, input, init);
    }
    return new FetchCall(deps, init, 0).run(target, origin);
  }

  return (input, init = EMPTY_INIT) => {
    try {
      if (typeof input === 'object' && !(input instanceof URL)) return builtIn(deps, input, init);
      if (init !== EMPTY_INIT && !isOwn(init)) return builtIn(deps, input, init);
      return start(input, init);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}
