// `failures: respond`: a refusal or failure of ours becomes the answer that a sidecar would send, for code that comes
// from a mesh and looks at status codes only. The caller's own abort still rejects.
import type { Call, Reply } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { ERROR_CODES, MeshError } from '../core/errors.ts';
import { ERROR_HEADER } from '../core/headers.ts';
import { MadeReply } from '../core/made-reply.ts';
import type { Layer } from '../core/service.ts';

function answerOf(error: MeshError): Reply {
  const { status, flag, body } = ERROR_CODES[error.code];
  const headers: Record<string, string> = {
    'content-type': 'text/plain',
    server: 'inmesh',
    [ERROR_HEADER]: error.code,
    'x-inmesh-flag': flag,
  };
  if (error.code === 'overloaded' || error.code === 'circuit_open' || error.code === 'throttled') headers['x-envoy-overloaded'] = 'true';
  if (error.retryAfterMs > 0) headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000)));
  return new MadeReply({ status, headers, body });
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
