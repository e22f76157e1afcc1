// An answer that no endpoint gave: what a sidecar would say, a redirect, a fallback, something kept. Behaves like any
// other reply; ends the call, when it is given one, as the contract of Service demands.
import type { Call, Reply, ReplyHeaders, Sink } from './call.ts';
import { kindOfStatus } from './classify.ts';

export interface MadeReplyInit {
  readonly status: number;
  readonly statusText?: string;
  /** Lower-case names. `content-length` is set to fit the body unless the init has one (an answer to HEAD). */
  readonly headers: ReplyHeaders;
  readonly body?: Uint8Array | string | undefined;
}

const NO_BYTES = new Uint8Array(0);

export class MadeReply implements Reply {
  readonly status: number;
  readonly statusText: string;
  headers: ReplyHeaders;
  readonly intact: boolean = true;
  readonly #body: Uint8Array;
  #raw: unknown = null;

  constructor(init: MadeReplyInit) {
    const { status, statusText = '', headers, body = NO_BYTES } = init;
    this.#body = typeof body === 'string' ? Buffer.from(body) : body;
    this.status = status;
    this.statusText = statusText;
    this.headers = headers['content-length'] === undefined ? { ...headers, 'content-length': String(this.#body.byteLength) } : headers;
  }

  /** As the parser of undici gives it; made when asked for. */
  get rawHeaders(): unknown {
    this.#raw ??= this.#written();
    return this.#raw;
  }

  set rawHeaders(raw: unknown) {
    this.#raw = raw;
  }

  #written(): Buffer[] {
    const raw: Buffer[] = [];
    for (const [name, value] of Object.entries(this.headers)) {
      if (value === undefined) continue;
      for (const one of Array.isArray(value) ? value : [value]) raw.push(Buffer.from(name), Buffer.from(one));
    }
    return raw;
  }

  attach(sink: Sink): void {
    if (this.#body.byteLength > 0) sink.onData(this.#body);
    sink.onEnd({});
  }

  pause(): void {}
  resume(): void {}
  discard(): void {}
  hold(): void {}
}

/** Answers the call at once: nothing further in is asked. The body is at hand, so the call has ended. */
export function answer(call: Call, nowMs: number, init: MadeReplyInit): Promise<Reply> {
  call.headAtMs = nowMs;
  call.end({ kind: kindOfStatus(init.status), status: init.status, error: null, endedAtMs: nowMs });
  return Promise.resolve(new MadeReply(init));
}
