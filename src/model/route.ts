// Which way a call goes: ordered rules, each a match, weighted targets, and what the route changes on the way.
// Pure data; matching itself is compiled in route/.

/** How one string is compared. `invert` turns the answer round (Istio `withoutHeaders`). Source: Istio StringMatch. */
export type StringMatch = (
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string }
  | { readonly kind: 'present' }
) & { readonly invert: boolean };

/** Path: `prefix` is a raw string prefix (Istio), `pathPrefix` goes by segments (Gateway API), `regex` must match the whole path. */
export type PathMatch = {
  readonly kind: 'exact' | 'prefix' | 'pathPrefix' | 'regex';
  readonly value: string;
  readonly invert: boolean;
};

/** All that is named must hold. */
export interface RouteMatch {
  readonly path?: PathMatch;
  readonly method?: StringMatch;
  /** Keys in lower case. */
  readonly headers: Readonly<Record<string, StringMatch>>;
  readonly queryParams: Readonly<Record<string, StringMatch>>;
}

/** A share of a route. `service` absent means the service that the route belongs to. */
export interface RouteTarget {
  readonly service: string;
  /** Absent means all endpoints of the service. */
  readonly subset?: string;
  /** Relative; a target of weight 0 is never drawn. */
  readonly weight: number;
}

/** Order: remove, set, add. Keys in lower case. Source: Istio Headers.HeaderOperations. */
export interface HeaderOperations {
  readonly set: Readonly<Record<string, string>>;
  readonly add: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/** The same key always draws the same target, while weights stand. Calls without the key are drawn at random. */
export type StickyPolicy = { readonly header: string } | { readonly cookie: string };

/** The mesh whose semantics a rule obeys. `inmesh` is our own, with the safer defaults. */
export type Dialect = 'inmesh';

/** Where a piece of config was written; shown by `explain` and in every error. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}
