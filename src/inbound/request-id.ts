// One name for a request on its whole way through the mesh, so that the logs of all processes can be put together. A trusted
// caller's is kept, anybody else's is replaced: it ends up in logs.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { headerOf } from '../core/call.ts';
import { REQUEST_ID_HEADER } from '../core/headers.ts';
import { callOf } from './inbound-call.ts';

export { REQUEST_ID_HEADER };

const WELL_FORMED = /^[\w.:/+=-]{1,128}$/;

/** `isTrusted`: the caller has an identity, or is a trusted proxy. */
export function requestIdFor(rawHeaders: readonly string[], isTrusted: boolean): string {
  const given = isTrusted ? headerOf(rawHeaders, REQUEST_ID_HEADER) : undefined;
  return given !== undefined && WELL_FORMED.test(given) ? given : randomUUID();
}

/** The `x-request-id` of the request that is being served; '' when it came past inmesh. It is sent with the answer. */
export function requestIdOf(request: IncomingMessage): string {
  return callOf(request)?.requestId ?? '';
}
