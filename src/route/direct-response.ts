// The end of a route that answers by itself: no endpoint is asked. Source: Istio HTTPDirectResponse, Envoy
// `DirectResponseAction`, whose body is plain text unless the rule says otherwise.
import type { ReplyHeaders } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { answer } from '../core/made-reply.ts';
import type { Service } from '../core/service.ts';
import type { DirectResponsePolicy } from '../model/traffic.ts';

/** No content by definition. Source: RFC 9110 §15. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

export function directResponse(policy: DirectResponsePolicy, deps: { readonly clock: Clock }): Service {
  const { clock } = deps;
  const { status } = policy;
  const body = Buffer.from(BODILESS.has(status) ? '' : policy.body);
  const headers: ReplyHeaders = {
    ...(body.byteLength > 0 ? { 'content-type': 'text/plain' } : {}),
    ...policy.headers,
    'content-length': String(body.byteLength),
  };
  // Each answer has headers of its own: its consumer may change them.
  return (call) => answer(call, clock.now(), { status, headers: { ...headers }, body: call.method === 'HEAD' ? undefined : body });
}
