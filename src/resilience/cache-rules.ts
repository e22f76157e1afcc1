// What RFC 9111 says of one answer, for a private cache: may it be kept, is it fresh, does it do for this call. The judging
// is http-cache-semantics', loaded when a cache is first asked for; the times are ours. No heuristic freshness: what does not
// say how long it is fresh never is.
import type HttpCachePolicy from 'http-cache-semantics';
import type { ReplyHeaders } from '../core/call.ts';
import { type Directives, directivesOf, writeDirectives } from './cache-control.ts';
import type { CacheRequest } from './cache-request.ts';

/** What the rules know of an answer. `elapsedMs`: since the request for it was sent, so that the way back counts as age. */
export interface Ruling {
  readonly isStorable: boolean;
  readonly directives: Directives;
  /** Names in lower case; `*` for anything. */
  readonly vary: readonly string[];
  /** Headers that ask whether the answer still holds, flat pairs; empty when it has no validator. */
  readonly conditions: readonly string[];
  /** Seconds, the Age header included. Source: RFC 9111 §4.2.3, corrected age value. */
  ageSeconds(elapsedMs: number): number;
  /** Seconds; already shortened by jitter. */
  lifetimeSeconds(): number;
  /** Whether it may be given for this call without asking, `max-stale` included. */
  satisfies(request: CacheRequest, elapsedMs: number): boolean;
  /** The ruling after a 304 with these headers; null when that speaks of another answer. Source: RFC 9111 §4.3.4. */
  confirmed(request: CacheRequest, headers: ReplyHeaders, sentAtWallMs: number, share: number): Ruling | null;
}

/** What an answer must be judged by. `share`: of its freshness, 0 to 1. */
export interface JudgedAnswer {
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly sentAtWallMs: number;
  readonly share: number;
}

export type Rules = (request: CacheRequest, answer: JudgedAnswer) => Ruling;

type PlainHeaders = Readonly<Record<string, string>>;

/** The rest does not matter to the rules. */
const RELEVANT: readonly string[] = ['cache-control', 'pragma', 'expires', 'date', 'age', 'etag', 'last-modified', 'vary'];
/** Forbid what is stale, which we look after; http-cache-semantics takes them to forbid what is fresh, too. */
const REVALIDATION: readonly string[] = ['must-revalidate', 'proxy-revalidate'];

/** Rejects, with what to do, when the package is not installed. */
export async function loadRules(): Promise<Rules> {
  const Policy = await loadPolicy();
  let nowMs = 0;
  class Timed extends Policy {
    share = 1;

    now(): number {
      return nowMs;
    }

    override maxAge(): number {
      return super.maxAge() * this.share;
    }
  }
  const judge = (request: CacheRequest, status: number, plain: PlainHeaders, sentAtWallMs: number, share: number): Ruling => {
    const vary = namesOf(plain['vary']);
    const directives = directivesOf(plain['cache-control']);
    const judged = directives.size === 0 ? plain : { ...plain, 'cache-control': writeDirectives(directives, REVALIDATION) };
    nowMs = sentAtWallMs;
    const policy = new Timed(
      { method: request.method, headers: picked(request.headers, vary) },
      { status, headers: judged },
      { shared: false, cacheHeuristic: 0, immutableMinTimeToLive: 0 },
    );
    policy.share = share;
    return {
      isStorable: policy.storable() && !vary.includes('*'),
      directives,
      vary,
      conditions: conditionsOf(request.method, plain),
      ageSeconds(elapsedMs) {
        nowMs = sentAtWallMs + elapsedMs;
        return policy.age();
      },
      lifetimeSeconds: () => policy.maxAge(),
      satisfies(other, elapsedMs) {
        nowMs = sentAtWallMs + elapsedMs;
        return policy.satisfiesWithoutRevalidation(other);
      },
      confirmed(other, headers, wallMs, nextShare) {
        const news = plainOf(headers);
        if (!isSameAnswer(plain, news)) return null;
        const { age: _age, date: _date, ...lasting } = plain;
        return judge(other, status, { ...lasting, ...news }, wallMs, nextShare);
      },
    };
  };
  return (request, { status, headers, sentAtWallMs, share }) => judge(request, status, plainOf(headers), sentAtWallMs, share);
}

async function loadPolicy(): Promise<typeof HttpCachePolicy> {
  try {
    return (await import('http-cache-semantics')).default;
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new Error('cache needs the package http-cache-semantics; run: npm install http-cache-semantics', { cause });
  }
}

function plainOf(headers: ReplyHeaders): PlainHeaders {
  const plain: Record<string, string> = {};
  for (const name of RELEVANT) {
    const value = headers[name];
    if (value === undefined) continue;
    const text = Array.isArray(value) ? value.join(', ') : value;
    if (name === 'cache-control') plain[name] = writeDirectives(directivesOf(text), []);
    // An age that cannot be read is none; a negative one would make the answer younger.
    else if (name !== 'age') plain[name] = text;
    else if (/^\s*\d+/.test(text)) plain[name] = String(Number.parseInt(text, 10));
  }
  return plain;
}

function namesOf(vary: string | undefined): readonly string[] {
  if (vary === undefined) return [];
  const names = vary.toLowerCase().split(',');
  return [...new Set(names.map((name) => name.trim()))].filter((name) => name !== '').sort();
}

/** All that Vary names, and what the rules of keeping look at. */
function picked(headers: PlainHeaders, names: readonly string[]): Record<string, string> {
  const some: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) some[name] = value;
  }
  return some;
}

/** A weak validator serves a GET only. Source: RFC 9110 §13.1.2, §13.1.3. */
function conditionsOf(method: string, { etag, 'last-modified': lastModified }: PlainHeaders): readonly string[] {
  const conditions: string[] = [];
  if (etag !== undefined && (method === 'GET' || !etag.startsWith('W/'))) conditions.push('if-none-match', etag);
  if (lastModified !== undefined && method === 'GET') conditions.push('if-modified-since', lastModified);
  return conditions;
}

/** We asked for one answer, so a 304 without validators speaks of that one. */
function isSameAnswer(kept: PlainHeaders, news: PlainHeaders): boolean {
  const [mine, theirs] = [kept['etag'], news['etag']];
  if (mine !== undefined && theirs !== undefined) return opaque(mine) === opaque(theirs);
  const [before, now] = [kept['last-modified'], news['last-modified']];
  return theirs !== undefined || before === undefined || now === undefined || before === now;
}

function opaque(etag: string): string {
  return etag.trim().replace(/^W\//, '');
}
