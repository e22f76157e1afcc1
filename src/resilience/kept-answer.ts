// One answer in the cache: head, body, and what the rules say of it. Nothing in it changes; what is handed out is a copy.
import type { ReplyHeaders, Sink } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { LOAD_HEADER } from '../core/headers.ts';
import { MadeReply, type MadeReplyInit } from '../core/made-reply.ts';
import { secondsOf } from './cache-control.ts';
import type { Ruling } from './cache-rules.ts';

/** On an answer out of the cache: `hit`, `stale`, or `revalidated`. */
export const CACHE_HEADER = 'x-inmesh-cache';

export type CacheUse = 'hit' | 'stale' | 'revalidated';

/** When the request for an answer was sent. */
export interface SentAt {
  /** Monotonic, ms. */
  readonly nowMs: number;
  readonly wallMs: number;
}

export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: ReplyHeaders;
}

/** Of one connection, or of one giving: not part of what is kept. Source: RFC 9111 §3.1. */
const NOT_KEPT: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'age',
  LOAD_HEADER,
];

/** Belong to the body, which a 304 does not bring. Source: RFC 9111 §3.2. */
const OF_THE_BODY: readonly string[] = ['content-encoding', 'content-length', 'content-range', 'content-type'];

export class KeptAnswer implements AnswerHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: ReplyHeaders;
  readonly body: Uint8Array;
  readonly ruling: Ruling;
  /** What it takes: body, and about what its headers do. */
  readonly bytes: number;
  /** Somebody asks whether it still holds, while it is given meanwhile. */
  isRenewing = false;
  readonly #sentAt: SentAt;

  constructor(head: AnswerHead, body: Uint8Array, ruling: Ruling, sentAt: SentAt) {
    this.status = head.status;
    this.statusText = head.statusText;
    this.headers = lastingHeaders(head.headers);
    this.body = body;
    this.ruling = ruling;
    this.#sentAt = sentAt;
    this.bytes = body.byteLength + textLength(this.headers);
  }

  /** Since the request was sent. The clock that says more is believed: a wall clock can be set back, a monotonic one sleeps with its machine. */
  elapsedMs(clock: Clock): number {
    return Math.max(0, clock.now() - this.#sentAt.nowMs, clock.wall() - this.#sentAt.wallMs);
  }

  /** How long it has been stale, s; below 0 while it is fresh. */
  staleSeconds(clock: Clock): number {
    return this.ruling.ageSeconds(this.elapsedMs(clock)) - this.ruling.lifetimeSeconds();
  }

  /** Whether nothing but a successful validation may follow its freshness. Source: RFC 9111 §4.2.4. */
  get forbidsStale(): boolean {
    const { directives } = this.ruling;
    return directives.has('must-revalidate') || directives.has('no-cache');
  }

  /** What the answer itself says, s; -1 when it says nothing. Source: RFC 5861. */
  allowedSeconds(name: 'stale-if-error' | 'stale-while-revalidate'): number {
    return secondsOf(this.ruling.directives, name);
  }

  /** The answer to give now. */
  init(use: CacheUse, method: string, clock: Clock): MadeReplyInit & { readonly headers: ReplyHeaders } {
    const age = Math.max(0, Math.floor(this.ruling.ageSeconds(this.elapsedMs(clock))));
    const headers = { ...this.headers, age: String(age), [CACHE_HEADER]: use };
    return { status: this.status, statusText: this.statusText, headers, body: method === 'HEAD' ? undefined : this.body };
  }

  /** After a 304: the same body under the new headers. */
  confirmed(headers: ReplyHeaders, ruling: Ruling, sentAt: SentAt): KeptAnswer {
    const news = Object.entries(headers).filter(([name]) => !OF_THE_BODY.includes(name));
    const { status, statusText, body } = this;
    return new KeptAnswer({ status, statusText, headers: { ...this.headers, ...Object.fromEntries(news) } }, body, ruling, sentAt);
  }
}

/** A reply whose bytes others hold as well: each reader gets its own copy, and only when it reads. */
export class CopiedReply extends MadeReply {
  override attach(sink: Sink): void {
    super.attach({
      onData: (chunk) => sink.onData(Buffer.from(chunk)),
      onEnd: (trailers) => sink.onEnd(trailers),
      onError: (error) => sink.onError(error),
    });
  }
}

/** Without what belongs to the connection, and without what Connection names. */
export function lastingHeaders(headers: ReplyHeaders): ReplyHeaders {
  const { connection } = headers;
  const named =
    connection === undefined
      ? []
      : String(connection)
          .toLowerCase()
          .split(/\s*,\s*/);
  const lasting: [string, string | string[] | undefined][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (!NOT_KEPT.includes(name) && !named.includes(name)) lasting.push([name, value]);
  }
  return Object.fromEntries(lasting);
}

function textLength(headers: ReplyHeaders): number {
  let length = 0;
  for (const [name, value] of Object.entries(headers)) length += name.length + String(value).length;
  return length;
}
