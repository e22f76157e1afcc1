// A call as undici takes it, with the headers that only the last hop knows: host, remaining time, attempt number.
import type { Call } from '../core/call.ts';
import { ATTEMPT_HEADER, CRITICALITY_HEADER, DEADLINE_HEADER } from '../core/headers.ts';
import { CRITICALITIES } from '../model/traffic.ts';
import type { Dispatcher } from './undici.ts';

/** Options that undici reads and its types leave out. */
type DispatchOptions = Dispatcher.DispatchOptions & { servername?: string | undefined };

/** The caller's headers and those that only the last hop knows. Made at its final size: `push` would grow it twice. */
export function attemptHeaders(call: Call): string[] {
  const given = call.headers;
  const count = given.length;
  const dueMs = call.deadlineMs < call.attemptDeadlineMs ? call.deadlineMs : call.attemptDeadlineMs;
  const isBounded = dueMs !== Number.POSITIVE_INFINITY;
  // What the caller wrote himself stands.
  const isCritical = call.criticality >= 0 && call.header(CRITICALITY_HEADER) === undefined;
  const headers = new Array<string>(count + (isBounded ? 4 : 2) + (call.attempt > 1 ? 2 : 0) + (isCritical ? 2 : 0));
  for (let i = 0; i < count; i++) headers[i] = given[i] as string;
  let at = count;
  headers[at++] = 'host';
  headers[at++] = call.authority;
  if (isBounded) {
    headers[at++] = DEADLINE_HEADER;
    headers[at++] = String(Math.max(1, Math.round(dueMs - call.startedAtMs)));
  }
  if (call.attempt > 1) {
    headers[at++] = ATTEMPT_HEADER;
    headers[at++] = String(call.attempt);
  }
  if (isCritical) {
    headers[at++] = CRITICALITY_HEADER;
    headers[at] = CRITICALITIES[call.criticality] as string;
  }
  return headers;
}

/** The call as undici wants it. */
export function dispatchOptions(call: Call, servername: string | undefined): Dispatcher.DispatchOptions {
  const headers = attemptHeaders(call);
  const { upgrade, transportOptions } = call;
  const options: DispatchOptions = {
    path: call.path,
    method: call.method as Dispatcher.HttpMethod,
    headers,
    body: call.body === null ? null : (call.body.open() as NonNullable<Dispatcher.DispatchOptions['body']>),
    upgrade: upgrade === '' ? null : upgrade,
    // Without it undici takes the name from the host header, and reconnects whenever that changes.
    servername,
  };
  return transportOptions === null ? options : Object.assign(options, transportOptions);
}
