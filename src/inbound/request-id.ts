// One name for a request on its whole way through the mesh, so that the logs of all processes can be put together. A trusted
// caller's is kept, anybody else's is replaced: it ends up in logs.
import type { IncomingMessage } from 'node:http';
import { callOf } from './inbound-call.ts';

/**
 * The `x-request-id` of the request that is being served; '' when it came past inmesh. It is sent with the answer: always to
 * callers without a certificate, to the others when it was asked for before the head of the answer went out.
 */
export function requestIdOf(request: IncomingMessage): string {
  return callOf(request)?.requestId ?? '';
}
