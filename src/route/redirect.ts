// The end of a route that sends its callers elsewhere: no endpoint is asked. What the rule does not name stays as it was
// asked for; the well-known port of a scheme is never written. Source: Istio HTTPRedirect (Envoy `RedirectAction`),
// Gateway API RequestRedirect.
import type { Call } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { answer } from '../core/made-reply.ts';
import type { Service } from '../core/service.ts';
import type { RedirectPolicy } from '../model/traffic.ts';
import { compileRewrite, type PathChange } from './path-rewrite.ts';
import type { Replacer } from './regex.ts';

export interface RedirectDeps {
  readonly clock: Clock;
  readonly replacer: Replacer;
}

export function redirect(policy: RedirectPolicy, deps: RedirectDeps): Service {
  const { clock } = deps;
  const { status } = policy;
  const host = policy.host === undefined ? null : bracketed(policy.host);
  const change = policy.path === undefined ? null : compileRewrite(policy.path, deps.replacer);
  return (call) => answer(call, clock.now(), { status, headers: { location: locationOf(call, policy, host, change) } });
}

const WELL_KNOWN: Readonly<Record<string, string>> = { http: '80', https: '443' };

function locationOf(call: Call, policy: RedirectPolicy, host: string | null, change: PathChange | null): string {
  const { authority, path } = call;
  const scheme = policy.scheme ?? call.scheme;
  const colon = portColon(authority);
  const port = portOf(policy.port, scheme, call.scheme, authority.slice(colon + 1));
  const changed = change === null ? path : change(path);
  return `${scheme}://${host ?? authority.slice(0, colon)}${port}${changed.startsWith('/') ? '' : '/'}${changed}`;
}

/** Where the port begins, or the end of the authority. */
function portColon(authority: string): number {
  const colon = authority.lastIndexOf(':');
  return colon > authority.lastIndexOf(']') ? colon : authority.length;
}

/** `keep` keeps what the caller wrote, unless it only says what one of the two schemes says already. */
function portOf(wanted: RedirectPolicy['port'], scheme: string, ownScheme: string, own: string): string {
  if (wanted === 'scheme') return '';
  const port = wanted === 'keep' ? own : String(wanted);
  if (port === '' || port === WELL_KNOWN[scheme]) return '';
  return wanted === 'keep' && port === WELL_KNOWN[ownScheme] ? '' : `:${port}`;
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
