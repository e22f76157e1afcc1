// Changes the path and the host that the endpoint sees. Above the split, so that every attempt and every copy has them;
// below the router and the header operations, which look at what the caller wrote. The name of TLS follows the host
// unless the service has a `serverName`.
import type { Layer } from '../core/service.ts';
import type { RewritePolicy } from '../model/traffic.ts';
import { compileRewrite } from './path-rewrite.ts';
import type { Replacer } from './regex.ts';
import { withoutHeaders } from './without-headers.ts';

/** What the caller asked for, query included. One that the caller sent himself is dropped. Source: Envoy. */
const ORIGINAL_PATH_HEADER = 'x-envoy-original-path';
const ORIGINAL_PATH: readonly string[] = [ORIGINAL_PATH_HEADER];

export interface RewriteDeps {
  readonly replacer: Replacer;
}

export function rewriteLayer(policy: RewritePolicy, deps: RewriteDeps): Layer {
  const change = policy.path === undefined ? null : compileRewrite(policy.path, deps.replacer);
  const { authority } = policy;
  return (next) => (call) => {
    if (change !== null) {
      const headers = withoutHeaders(call.headers, ORIGINAL_PATH);
      headers.push(ORIGINAL_PATH_HEADER, call.path);
      call.headers = headers;
      call.path = change(call.path);
    }
    if (authority !== undefined) call.authority = authority;
    return next(call);
  };
}
