// Which way a call goes: ordered rules, each a match, weighted targets, and what the route changes on the way.
// Pure data; matching itself is compiled in route/.

import type { RedirectPolicy, RewritePolicy } from './rewrite.ts';

/** How one string is compared. `invert` turns the answer round (Istio `withoutHeaders`). Source: Istio StringMatch. */
export type StringMatch = (
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string }
  | { readonly kind: 'present' }
) & {
  readonly invert: boolean;
  /** A missing value compares as an empty one. Source: Envoy's inverted header matchers, Istio `withoutHeaders`. @default false */
  readonly absentIsEmpty?: true;
};

/** Path: `prefix` is a raw string prefix (Istio), `pathPrefix` goes by segments (Gateway API), `regex` must match the whole path. */
export type PathMatch = {
  readonly kind: 'exact' | 'prefix' | 'pathPrefix' | 'regex';
  readonly value: string;
  readonly invert: boolean;
  /** exact and prefix only. Source: Istio `ignoreUriCase`. @default false */
  readonly ignoreCase?: true;
};

/** All that is named must hold. */
export interface RouteMatch {
  readonly path?: PathMatch;
  readonly method?: StringMatch;
  /** Keys in lower case. */
  readonly headers: Readonly<Record<string, StringMatch>>;
  /** Further conditions on headers, beside those above: one name may have both. Source: Istio `withoutHeaders`. */
  readonly withoutHeaders?: Readonly<Record<string, StringMatch>>;
  readonly queryParams: Readonly<Record<string, StringMatch>>;
  readonly scheme?: StringMatch;
  /** As the caller wrote it, port included. */
  readonly authority?: StringMatch;
  /** The port that the caller named, else that of the scheme. */
  readonly port?: number;
}

/** A share of a route. `service` absent means the service that the route belongs to. */
export interface RouteTarget {
  readonly service: string;
  /** Absent means all endpoints of the service. */
  readonly subset?: string;
  /** Relative; a target of weight 0 is never drawn, unless it is the only one. */
  readonly weight: number;
  /** Changes for this share alone, made after those of the route. */
  readonly requestHeaders?: HeaderOperations;
  readonly responseHeaders?: HeaderOperations;
  readonly rewrite?: RewritePolicy;
  readonly redirect?: RedirectPolicy;
  /** Nothing can be sent there: its share gets this answer. Source: Istio NC (503), Gateway API invalid backendRef (500). */
  readonly fails?: TargetFailure;
}

/** Why a target cannot be called, and what its share of the calls is answered. */
export interface TargetFailure {
  readonly status: number;
  /** Envoy's response flag, such as NC. */
  readonly flag: string;
  /** For people. */
  readonly reason: string;
}

/** Order: remove, set, add. Keys in lower case. Source: Istio Headers.HeaderOperations. */
export interface HeaderOperations {
  readonly set: Readonly<Record<string, string>>;
  readonly add: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
  /** Added after all that, one by one; a name may come more than once. For rules that were put together. Absent: none. */
  readonly append?: readonly (readonly [name: string, value: string])[];
  /** Values hold Envoy's command operators, such as `%REQ(x-id)%`, to be put in for each call; `%%` is a percent sign. Absent: values are literal. */
  readonly formatted?: true;
}

/** The same key always draws the same target, while weights stand. Calls without the key are drawn at random. */
export type StickyPolicy = { readonly header: string } | { readonly cookie: string };

/** The mesh whose semantics a rule obeys. `inmesh` is our own, with the safer defaults. */
export type Dialect = 'inmesh' | 'istio' | 'gateway-api' | 'smi' | 'linkerd' | 'grpc' | 'app-mesh';

/** Where a piece of config was written; shown by `explain` and in every error. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}
