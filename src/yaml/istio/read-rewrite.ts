// What a rule makes of path and host, and where it sends its callers instead. A prefix is replaced where the match names one,
// so the answer depends on the match. Source: Istio, applyHTTPRouteDestination, ApplyRedirect; Envoy `prefix_rewrite`.
import { parseHostPort } from '../../model/address.ts';
import type { PathRewrite, RedirectPolicy } from '../../model/rewrite.ts';
import type { HttpMatchSpec, RedirectSpec, RewriteSpec } from './virtual-service-spec.ts';

/** The new path for calls of one match; undefined: it stays. */
export function pathRewrite({ uri = '', uriRegexRewrite }: RewriteSpec, match: HttpMatchSpec | undefined): PathRewrite | undefined {
  if (uriRegexRewrite !== undefined) {
    return { kind: 'regex', pattern: uriRegexRewrite.match as string, substitution: uriRegexRewrite.rewrite as string };
  }
  return uri === '' ? undefined : replacing(uri, match);
}

/** A prefix makes way for the value, and any other path as a whole. A rule without uri has the prefix "/". */
function replacing(value: string, { uri = {} }: HttpMatchSpec = {}): PathRewrite {
  if (uri.exact !== undefined || uri.regex !== undefined) return { kind: 'full', value };
  return { kind: 'prefix', prefix: uri.prefix ?? '/', value, by: 'text' };
}

export function redirectPath({ uri = '', prefixRewrite = '' }: RedirectSpec, match: HttpMatchSpec | undefined): PathRewrite | undefined {
  if (uri !== '') return { kind: 'full', value: uri };
  return prefixRewrite === '' ? undefined : replacing(prefixRewrite, match);
}

const STATUS_DEFAULT = 301;

export function readRedirect(spec: RedirectSpec, path: PathRewrite | undefined): RedirectPolicy {
  const { authority = '', scheme = '', redirectCode = 0 } = spec;
  const written = parseHostPort(authority);
  const host = written?.host ?? authority;
  return {
    ...(scheme === '' ? {} : { scheme }),
    ...(host === '' ? {} : { host }),
    port: redirectPort(spec, written?.port),
    ...(path === undefined ? {} : { path }),
    status: redirectCode === 0 ? STATUS_DEFAULT : redirectCode,
  };
}

/** Who names another host, and no port, leaves that of the call behind. */
function redirectPort({ port = 0, derivePort, authority = '' }: RedirectSpec, written: number | undefined): RedirectPolicy['port'] {
  if (port !== 0) return port;
  if (derivePort === 'FROM_REQUEST_PORT') return 'keep';
  if (derivePort === 'FROM_PROTOCOL_DEFAULT') return 'scheme';
  return written ?? (authority === '' ? 'keep' : 'scheme');
}
