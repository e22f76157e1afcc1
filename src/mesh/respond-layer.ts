// `failures: respond`: a refusal or failure of ours becomes the answer that a sidecar would send, for code that comes
// from a mesh and looks at status codes only. The caller's own abort still rejects.
import type { Call, Reply, ReplyHeaders, Sink } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { ERROR_CODES, MeshError } from '../core/errors.ts';
import type { Layer } from '../core/service.ts';

/** An answer that no endpoint gave. */
class SyntheticReply implements Reply {
  readonly status: number;
  readonly statusText: string = '';
  headers: ReplyHeaders;
  rawHeaders: Buffer[];
  readonly intact: boolean = true;
  readonly #body: Uint8Array;

  constructor(status: number, headers: Record<string, string>, body: string) {
    this.#body = Buffer.from(body);
    this.status = status;
    this.headers = { ...headers, 'content-length': String(this.#body.byteLength), 'content-type': 'text/plain' };
    this.rawHeaders = Object.entries(this.headers).flatMap(([name, value]) => [Buffer.from(name), Buffer.from(String(value))]);
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

function answerOf(error: MeshError): Reply {
  const { status, flag, body } = ERROR_CODES[error.code];
  const headers: Record<string, string> = { server: 'inmesh', 'x-inmesh-error': error.code, 'x-inmesh-flag': flag };
  if (error.code === 'overloaded' || error.code === 'circuit_open') headers['x-envoy-overloaded'] = 'true';
  if (error.retryAfterMs > 0) headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000)));
  return new SyntheticReply(status, headers, body);
}

export function respondLayer(clock: Clock): Layer {
  return (next) => async (call: Call) => {
    try {
      return await next(call);
    } catch (error) {
      if (!(error instanceof MeshError) || error.code === 'canceled') throw error;
      call.headAtMs = clock.now();
      return answerOf(error);
    }
  };
}
