// What people write about which calls a rule is for.

/** How one string is compared: exactly one of the four, `not` turns the answer round. Source: Istio StringMatch. */
export interface StringMatchInput {
  readonly exact?: string;
  readonly prefix?: string;
  /** RE2 syntax, matches the whole string; at most 1024 characters. */
  readonly regex?: string;
  /** The header or parameter is there, whatever its value. */
  readonly present?: true;
  /** @default false */
  readonly not?: boolean;
}

/** Exactly one of the four. */
export interface PathMatchInput {
  readonly exact?: string;
  /** Raw string prefix: /a matches /ab. Source: Istio */
  readonly prefix?: string;
  /** Prefix by segments: /a matches /a/b, not /ab. Source: Gateway API PathPrefix */
  readonly pathPrefix?: string;
  /** RE2 syntax, matches the whole path without the query; at most 1024 characters. */
  readonly regex?: string;
  /** With `exact` and `prefix` only. Source: Istio `ignoreUriCase`. @default false */
  readonly ignoreCase?: boolean;
  /** @default false */
  readonly not?: boolean;
}

/** All that is named must hold. A plain string means exact. */
export interface MatchInput {
  readonly path?: string | PathMatchInput;
  readonly method?: string | StringMatchInput;
  /** By name; the case of names does not matter. */
  readonly headers?: Readonly<Record<string, string | StringMatchInput>>;
  readonly queryParams?: Readonly<Record<string, string | StringMatchInput>>;
  readonly scheme?: string | StringMatchInput;
  /** As the caller wrote it, port included. */
  readonly authority?: string | StringMatchInput;
  /** The port that the caller named, else that of the scheme. */
  readonly port?: number;
}
