// What becomes of path and host on the way: rewrites and redirects. Pure data.

/** Prefixes compare as text (Istio) or by segments (Gateway API); see mesh-semantics for the eleven rows. */
export type PathRewrite =
  | { readonly kind: 'full'; readonly value: string }
  | { readonly kind: 'prefix'; readonly prefix: string; readonly value: string; readonly by: 'text' | 'segment' }
  /** RE2; `\1` in the substitution is the first group. */
  | { readonly kind: 'regex'; readonly pattern: string; readonly substitution: string };

/** The query stays. Source: Istio HTTPRewrite, Gateway API URLRewrite. */
export interface RewritePolicy {
  readonly path?: PathRewrite;
  /** Host, with port if it has one, that the endpoint sees. */
  readonly authority?: string;
}

/** An answer with a Location. What is absent stays as it was asked for; default ports are left out. Source: Istio HTTPRedirect, Gateway API RequestRedirect. */
export interface RedirectPolicy {
  readonly scheme?: string;
  /** Host without port. */
  readonly host?: string;
  /** A number; `scheme`: the well-known one of the scheme; `keep`: that of the call. @default scheme when the scheme is given, else keep */
  readonly port: number | 'scheme' | 'keep';
  readonly path?: PathRewrite;
  /** 301, 302, 303, 307 or 308. @default 302; 301 for Istio's resources */
  readonly status: number;
}
