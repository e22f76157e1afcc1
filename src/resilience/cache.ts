// The answers of one route that are kept in memory, by resource and by what makes its variants differ. Least recently used
// ones go first; bytes and entries never exceed the policy. Knows nothing of calls under way; survives reloads.
import type { LRUCache } from 'lru-cache';
import type { ReplyHeaders } from '../core/call.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { CachePolicy } from '../model/traffic.ts';
import type { CacheRequest } from './cache-request.ts';
import { loadRules, type Rules, type Ruling } from './cache-rules.ts';
import { type AnswerHead, KeptAnswer, type SentAt } from './kept-answer.ts';

export interface CacheDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/** What to do with a kept answer: give it as fresh, give it although stale, give it and ask meanwhile, or ask first. */
export type Verdict = 'fresh' | 'stale' | 'renew' | 'ask';

/**
 * Calls with different ones never share an answer, whatever Vary says: the rules are those of the cache of one user, and a
 * process has many. Others that tell users apart must be named by Vary.
 */
const CREDENTIALS: readonly string[] = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key'];

/** One URI. Its variants differ in what the newest Vary names. */
interface Resource {
  readonly uri: string;
  readonly vary: readonly string[];
  readonly keys: Set<string>;
}

interface Entry {
  readonly resource: Resource;
  readonly kept: KeptAnswer;
}

type Entries = LRUCache<string, Entry>;
type LruModule = typeof import('lru-cache');

/** What every cache is made of. */
export interface CacheEngine {
  readonly rules: Rules;
  readonly lru: LruModule;
}

/** For a configuration with a cache: nobody else pays for it. Rejects, with what to do, when a package is missing. */
export async function loadCacheEngine(): Promise<CacheEngine> {
  const [rules, lru] = await Promise.all([loadRules(), import('lru-cache')]);
  return { rules, lru };
}

export class AnswerCache {
  readonly clock: Clock;
  readonly #random: Random;
  readonly #rules: Rules;
  readonly #lru: LruModule;
  readonly #resources: Map<string, Resource> = new Map();
  #policy: CachePolicy;
  #entries: Entries;
  /** Counts invalidations; what was asked for before one must not be kept after it. */
  #epoch = 0;
  readonly #invalidatedAt: LRUCache<string, number>;
  /** The newest invalidation that is no longer remembered by its URI. */
  #forgottenEpoch = 0;

  constructor(policy: CachePolicy, { clock, random }: CacheDeps, { rules, lru }: CacheEngine) {
    this.clock = clock;
    this.#random = random;
    this.#rules = rules;
    this.#lru = lru;
    this.#policy = policy;
    this.#entries = this.#open(policy);
    this.#invalidatedAt = new lru.LRUCache({
      max: 1_000,
      dispose: (epoch, _uri, reason) => {
        if (reason === 'evict') this.#forgottenEpoch = Math.max(this.#forgottenEpoch, epoch);
      },
    });
  }

  get entries(): number {
    return this.#entries.size;
  }

  /** Bodies with their headers. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get bodyBytesMax(): number {
    return this.#policy.bodyBytesMax;
  }

  /** A new policy: what fits stays. */
  update(policy: CachePolicy): void {
    const before = this.#policy;
    this.#policy = policy;
    if (policy.entriesMax === before.entriesMax && policy.bytesMax === before.bytesMax) return;
    const old = [...this.#entries.entries()].reverse();
    this.#resources.clear();
    this.#entries = this.#open(policy);
    for (const [key, { resource, kept }] of old) this.#put(key, resource.uri, resource.vary, kept);
  }

  find(request: CacheRequest): KeptAnswer | null {
    const resource = this.#resources.get(request.uri);
    return resource === undefined ? null : (this.#entries.get(keyOf(request, resource.vary))?.kept ?? null);
  }

  judge(kept: KeptAnswer, request: CacheRequest): Verdict {
    if (!this.#policy.fresh) return 'ask';
    const staleSeconds = kept.staleSeconds(this.clock);
    const isFresh = staleSeconds < 0;
    const mayBeGiven = isFresh || !kept.forbidsStale;
    // Without a wish of the caller the rules would say the same, at three times the cost.
    const suffices = request.directives.size === 0 ? isFresh : kept.ruling.satisfies(request, kept.elapsedMs(this.clock));
    if (mayBeGiven && suffices) return isFresh ? 'fresh' : 'stale';
    if (!mayBeGiven || isFresh || request.isDemanding) return 'ask';
    return staleSeconds < kept.allowedSeconds('stale-while-revalidate') ? 'renew' : 'ask';
  }

  /** Whether the answer may be given instead of a failure. Source: RFC 5861 §4, RFC 9111 §4.2.4. */
  mayStandIn(kept: KeptAnswer, request: CacheRequest): boolean {
    if (kept.forbidsStale || request.isDemanding) return false;
    return kept.staleSeconds(this.clock) < this.#standInSeconds(kept.allowedSeconds('stale-if-error'));
  }

  /** The ruling on an answer that may be kept, once its body is whole; null for one that may not, or that would serve nobody. */
  rule(request: CacheRequest, { status, headers }: AnswerHead, sentAt: SentAt): Ruling | null {
    // Whoever gets a cookie of its own must not hand it on.
    if (headers['set-cookie'] !== undefined) return null;
    const ruling = this.#rules(request, { status, headers, sentAtWallMs: sentAt.wallMs, share: this.#share() });
    return ruling.isStorable && this.#isUseful(ruling) ? ruling : null;
  }

  /** The answer after a 304; null when that speaks of another one. It is kept, unless it now says otherwise. */
  confirm(request: CacheRequest, kept: KeptAnswer, headers: ReplyHeaders, sentAt: SentAt, epoch: number): KeptAnswer | null {
    const ruling = kept.ruling.confirmed(request, headers, sentAt.wallMs, this.#share());
    if (ruling === null) return null;
    const renewed = kept.confirmed(headers, ruling, sentAt);
    if (ruling.isStorable && headers['set-cookie'] === undefined) this.keep(request, renewed, epoch);
    else this.drop(request);
    return renewed;
  }

  /** To be asked before the service is: an answer is kept only if nothing has changed its resource since. */
  get epoch(): number {
    return this.#epoch;
  }

  keep(request: CacheRequest, kept: KeptAnswer, epoch: number): void {
    const { uri } = request;
    if (epoch < Math.max(this.#forgottenEpoch, this.#invalidatedAt.get(uri) ?? 0)) return;
    const { vary } = kept.ruling;
    const known = this.#resources.get(uri);
    if (known !== undefined && known.vary.join() !== vary.join()) this.#forget(known);
    this.#put(keyOf(request, vary), uri, vary, kept);
  }

  /** What is kept for this very call has been overtaken. */
  drop(request: CacheRequest): void {
    const resource = this.#resources.get(request.uri);
    if (resource !== undefined) this.#entries.delete(keyOf(request, resource.vary));
  }

  /** The resource has changed, or may have: all its variants go. Source: RFC 9111 §4.4. */
  invalidate(uri: string): void {
    this.#invalidatedAt.set(uri, ++this.#epoch);
    const resource = this.#resources.get(uri);
    if (resource !== undefined) this.#forget(resource);
  }

  #open({ entriesMax, bytesMax }: CachePolicy): Entries {
    return new this.#lru.LRUCache({
      max: entriesMax,
      maxSize: bytesMax,
      sizeCalculation: sizeOf,
      dispose: ({ resource }, key) => {
        resource.keys.delete(key);
        if (resource.keys.size === 0) this.#resources.delete(resource.uri);
      },
    });
  }

  #put(key: string, uri: string, vary: readonly string[], kept: KeptAnswer): void {
    this.#entries.delete(key);
    let resource = this.#resources.get(uri);
    if (resource === undefined) resource = { uri, vary, keys: new Set() };
    const entry = { resource, kept };
    if (sizeOf(entry, key) > this.#policy.bytesMax) return;
    this.#resources.set(uri, resource);
    resource.keys.add(key);
    this.#entries.set(key, entry);
  }

  #forget(resource: Resource): void {
    for (const key of resource.keys) this.#entries.delete(key);
  }

  /** Entries that came together must not expire together. */
  #share(): number {
    return 1 - this.#policy.jitter * this.#random();
  }

  #standInSeconds(allowedSeconds: number): number {
    return allowedSeconds >= 0 ? allowedSeconds : this.#policy.staleIfErrorMs / 1_000;
  }

  /** Kept for being fresh, for being asked about, or for standing in. */
  #isUseful(ruling: Ruling): boolean {
    return ruling.lifetimeSeconds() > 0 || ruling.conditions.length > 0 || this.#policy.staleIfErrorMs > 0;
  }
}

/** Header values cannot hold a line feed, so no two lists of values read the same. */
function keyOf({ method, uri, headers }: CacheRequest, vary: readonly string[]): string {
  let key = `${method} ${uri}`;
  for (const name of CREDENTIALS) if (headers[name] !== undefined) key += `\n${name}=${headers[name]}`;
  for (const name of vary) key += headers[name] === undefined ? `\n${name}` : `\n${name}=${headers[name]}`;
  return key;
}

/** lru-cache takes no size of 0. */
function sizeOf({ kept }: Entry, key: string): number {
  return kept.bytes + key.length + 1;
}
