// Gives answers to GET and HEAD out of memory, asks whether they still hold, and lets them stand in when nobody answers.
// A call that is answered here goes no further down. Must stand below the deadline, which all that is asked for one call
// shares, and above coalescing: an answer at hand waits for nobody.
import { Call, type Reply, type Sink } from '../core/call.ts';
import { isUnprocessed } from '../core/classify.ts';
import { MeshError } from '../core/errors.ts';
import { answer } from '../core/made-reply.ts';
import type { Layer, Service } from '../core/service.ts';
import { TIMEOUT_MS_DEFAULT } from '../model/config.ts';
import type { AnswerCache } from './cache.ts';
import { type CacheRequest, cacheRequest, isUnsafe, uriOf } from './cache-request.ts';
import { FALLBACK_HEADER } from './fallback-layer.ts';
import { adopt, ensureEnded, innerCall, isAbort, learn, sendLate } from './inner-call.ts';
import { CACHE_HEADER, CopiedReply, KeptAnswer, type SentAt } from './kept-answer.ts';
import { KeepingReply } from './keeping-reply.ts';

export interface CacheLayerDeps {
  readonly onAction: (action: 'cache.hit' | 'cache.miss' | 'cache.stale' | 'cache.revalidated') => void;
}

/** Calls that the cache has nothing to say to pass through: bodies, ranges, conditions of the caller's own, upgrades, `no-store`. */
export function cacheLayer(cache: AnswerCache, deps: CacheLayerDeps): Layer {
  return (next) => {
    const path = new CachePath(cache, deps, next);
    return (call) => {
      const request = cacheRequest(call);
      if (request !== null) return path.take(call, request);
      return isUnsafe(call) ? path.change(call) : next(call);
    };
  };
}

const NO_BYTES = new Uint8Array(0);
/** Whoever is short of room drops first what nobody waits for: index of `sheddable`. */
const CRITICALITY = 0;

/** What a call asked for, and since when. */
interface Asked extends SentAt {
  readonly request: CacheRequest;
  readonly epoch: number;
}

class CachePath {
  readonly #cache: AnswerCache;
  readonly #deps: CacheLayerDeps;
  readonly #next: Service;

  constructor(cache: AnswerCache, deps: CacheLayerDeps, next: Service) {
    this.#cache = cache;
    this.#deps = deps;
    this.#next = next;
  }

  take(call: Call, request: CacheRequest): Promise<Reply> {
    const cache = this.#cache;
    const kept = cache.find(request);
    const verdict = kept === null ? 'ask' : cache.judge(kept, request);
    if (kept !== null && verdict !== 'ask') {
      if (verdict === 'renew') this.#renew(call, request, kept);
      return this.#give(call, kept, verdict === 'fresh' ? 'hit' : 'stale');
    }
    if (request.directives.has('only-if-cached')) return this.#notCached(call);
    return kept === null ? this.#fetch(call, request) : this.#validate(call, request, kept);
  }

  /** An unsafe method: what it may have changed is forgotten before the caller can ask again. */
  async change(call: Call): Promise<Reply> {
    let reply: Reply;
    try {
      reply = await this.#next(call);
    } catch (error) {
      const isUnseen = error instanceof MeshError && (error.family === 'refused' || isUnprocessed(error));
      if (!isUnseen) this.#cache.invalidate(uriOf(call));
      throw error;
    }
    if (reply.status < 400 || reply.status >= 500) this.#cache.invalidate(uriOf(call));
    return reply;
  }

  #asked(request: CacheRequest): Asked {
    const { clock, epoch } = this.#cache;
    return { request, epoch, nowMs: clock.now(), wallMs: clock.wall() };
  }

  /** Ends the call: the answer is at hand. */
  #give(call: Call, kept: KeptAnswer, use: 'hit' | 'stale' | 'revalidated'): Promise<Reply> {
    const { clock } = this.#cache;
    const nowMs = clock.now();
    call.headAtMs = nowMs;
    call.end({ kind: 'success', status: kept.status, error: null, endedAtMs: nowMs });
    this.#deps.onAction(`cache.${use}`);
    return Promise.resolve(new CopiedReply(kept.init(use, call.method, clock)));
  }

  /** Source: RFC 9111 §5.2.1.7. */
  #notCached(call: Call): Promise<Reply> {
    this.#deps.onAction('cache.miss');
    return answer(call, this.#cache.clock.now(), { status: 504, headers: { [CACHE_HEADER]: 'miss' } });
  }

  /** Instead of a failure, with which the call has ended. */
  #standIn(call: Call, kept: KeptAnswer): Reply {
    const { clock } = this.#cache;
    const init = kept.init('stale', call.method, clock);
    call.headAtMs = clock.now();
    this.#deps.onAction('cache.stale');
    return new CopiedReply({ ...init, headers: { ...init.headers, [FALLBACK_HEADER]: 'stale' } });
  }

  /** Nothing is kept: the call goes down as it is. */
  #fetch(call: Call, request: CacheRequest): Promise<Reply> {
    this.#deps.onAction('cache.miss');
    const asked = this.#asked(request);
    return this.#next(call).then((reply) => this.#collect(asked, reply));
  }

  /** Asks whether what is kept still holds, or for a new answer. */
  async #validate(call: Call, request: CacheRequest, kept: KeptAnswer): Promise<Reply> {
    const cache = this.#cache;
    const asked = this.#asked(request);
    const { conditions } = kept.ruling;
    const inner = innerCall(call, asked.nowMs);
    if (conditions.length > 0) inner.headers = call.headers.concat(conditions);
    let reply: Reply;
    try {
      reply = await this.#next(inner);
    } catch (error) {
      ensureEnded(inner, error, cache.clock.now());
      adopt(call, inner);
      if (isAbort(call, error) || !cache.mayStandIn(kept, request)) throw error;
      return this.#standIn(call, kept);
    }
    if (reply.status === 304 && conditions.length > 0 && !call.canceled) return this.#confirm(call, inner, kept, asked, reply);
    if (reply.status < 500 || call.canceled || !cache.mayStandIn(kept, request)) {
      adopt(call, inner);
      this.#deps.onAction('cache.miss');
      return this.#collect(asked, reply);
    }
    learn(call, inner);
    reply.discard();
    call.end({ kind: 'failure', status: reply.status, error: null, endedAtMs: cache.clock.now() });
    return this.#standIn(call, kept);
  }

  #confirm(call: Call, inner: Call, kept: KeptAnswer, asked: Asked, reply: Reply): Promise<Reply> {
    const cache = this.#cache;
    const { request, epoch } = asked;
    const renewed = cache.confirm(request, kept, reply.headers, asked, epoch);
    reply.discard();
    if (renewed !== null) {
      learn(call, inner);
      return this.#give(call, renewed, 'revalidated');
    }
    // It confirmed another answer than the one we have.
    cache.drop(request);
    this.#deps.onAction('cache.miss');
    const again = this.#asked(request);
    return sendLate(call, this.#next, again.nowMs).then((whole) => this.#collect(again, whole));
  }

  /** The reply to pass on: one that keeps its body on the way, if it may be kept. */
  #collect(asked: Asked, reply: Reply): Reply {
    const cache = this.#cache;
    const { request, epoch } = asked;
    const { status, statusText, headers } = reply;
    const ruling = cache.rule(request, reply, asked);
    const isBodiless = request.method === 'HEAD' || status === 204;
    const isTooLong = !isBodiless && Number(headers['content-length'] ?? 0) > cache.bodyBytesMax;
    if (ruling === null || isTooLong) {
      if (status < 400 || status === 404 || status === 410) cache.drop(request);
      return reply;
    }
    const keep = (body: Uint8Array): void =>
      cache.keep(request, new KeptAnswer({ status, statusText, headers }, body, ruling, asked), epoch);
    if (!isBodiless) return new KeepingReply(reply, cache.bodyBytesMax, keep);
    keep(NO_BYTES);
    return reply;
  }

  /** Beside the caller, who has its answer already: a call of its own, with nobody to tell. Source: RFC 5861 §3. */
  #renew(call: Call, request: CacheRequest, kept: KeptAnswer): void {
    if (kept.isRenewing) return;
    kept.isRenewing = true;
    const asked = this.#asked(request);
    const { scheme, authority, method, path, route } = call;
    const { conditions } = kept.ruling;
    const own = new Call({ scheme, authority, method, path, headers: call.headers.concat(conditions), body: null }, asked.nowMs);
    own.route = route;
    own.criticality = CRITICALITY;
    own.deadlineMs = asked.nowMs + (route !== null && route.timeoutMs > 0 ? route.timeoutMs : TIMEOUT_MS_DEFAULT);
    // Within a promise, so that what a layer throws at once is not the caller's.
    new Promise<Reply>((resolve) => resolve(this.#next(own)))
      .then((reply) => this.#take(asked, kept, reply))
      .catch((error: unknown) => ensureEnded(own, error, this.#cache.clock.now()))
      .finally(() => {
        kept.isRenewing = false;
      });
  }

  #take(asked: Asked, kept: KeptAnswer, reply: Reply): void {
    if (reply.status === 304) {
      const renewed = this.#cache.confirm(asked.request, kept, reply.headers, asked, asked.epoch);
      if (renewed === null) this.#cache.drop(asked.request);
      reply.discard();
      return;
    }
    const collected = this.#collect(asked, reply);
    if (collected === reply) reply.discard();
    else collected.attach(NOBODY);
  }
}

const NOBODY: Sink = { onData: () => true, onEnd: () => {}, onError: () => {} };
