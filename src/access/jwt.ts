// Verifies the tokens of calls by the RequestAuthentications of this process. No token: the call goes on as nobody. Each token that
// stands where a rule looks must be good, else the call is answered 401. Loads jose when the first such policy turns up.
// Source: Istio RequestAuthentication; Envoy jwt_authn; RFC 8725.
import type { JWTPayload } from 'jose';
import type { Clock } from '../core/clock.ts';
import { type JwtRule, SPACE_DELIMITED_CLAIMS, type SecurityPolicy } from '../model/security.ts';
import type { TokenCheck, TokenResult } from './check.ts';
import type { AccessRequest, RequestIdentity } from './request.ts';
import { NO_EDITS } from './head-edit.ts';
import { type FetchJson, keyFetcher } from './jwt-fetch.ts';
import { type KeySource, keySource } from './jwt-keys.ts';
import { type FoundToken, TOKEN_LENGTH_MAX, TokenPlaces } from './jwt-places.ts';
import { policiesFor, type Workload } from './policy-scope.ts';
import { hashOf, VerifiedTokens } from './verified-tokens.ts';

type Jose = typeof import('jose');

/** Nothing that can be made with a key that everybody has. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
/** Source: Envoy, `clock_skew_seconds`. */
const TOLERANCE_S = 60;
const CLAIMS = ['exp', 'iss', 'sub'];

export interface JwtDeps {
  readonly clock: Clock;
  /** @default https, guarded */
  readonly fetchJson?: FetchJson;
  /** @default the package jose */
  readonly loadJose?: () => Promise<Jose>;
}

interface Rule extends KeySource {
  readonly rule: JwtRule;
  readonly verified: VerifiedTokens<Good>;
}

interface Good {
  readonly rule: JwtRule;
  readonly identity: RequestIdentity;
  readonly payload: string;
}

/** null: no policy asks for tokens. Rejects, with what to do, when the package is missing or a key set cannot be read. */
export async function loadTokenCheck(policies: readonly SecurityPolicy[], self: Workload, deps: JwtDeps): Promise<TokenCheck | null> {
  const rules = policiesFor(policies, self).flatMap((policy) => (policy.kind === 'request-authentication' ? policy.rules : []));
  if (rules.length === 0) return null;
  const { clock, fetchJson = keyFetcher({ clock }), loadJose = () => import('jose') } = deps;
  let jose: Jose;
  try {
    jose = await loadJose();
  } catch (cause) {
    throw new Error('RequestAuthentication needs the package jose. Install it: npm install jose', { cause });
  }
  return new Tokens(rules, jose, fetchJson, clock);
}

class Tokens implements TokenCheck {
  readonly #rules: readonly Rule[];
  readonly #places: TokenPlaces;
  readonly #jose: Jose;
  readonly #clock: Clock;

  constructor(rules: readonly JwtRule[], jose: Jose, fetchJson: FetchJson, clock: Clock) {
    this.#rules = rules.map((rule): Rule => {
      const source = keySource(rule, jose, fetchJson, clock);
      return { rule, verified: new VerifiedTokens(), keys: () => source.keys(), refresh: () => source.refresh() };
    });
    this.#places = new TokenPlaces(rules);
    this.#jose = jose;
    this.#clock = clock;
  }

  check(request: AccessRequest): TokenResult | null | Promise<TokenResult> {
    const found = isPreflight(request) ? [] : this.#places.find(request);
    if (found.length > 0) return this.#verified(found, request);
    if (!isPreflight(request) && this.#rules.some(({ rule }) => rule.required))
      return { fault: 'Jwt is missing', jwt: null, edits: NO_EDITS };
    const remove = this.#places.spoofed(request);
    return remove.length === 0 ? null : { fault: '', jwt: null, edits: { ...NO_EDITS, remove } };
  }

  async #verified(found: readonly FoundToken[], request: AccessRequest): Promise<TokenResult> {
    const good: Good[] = [];
    for (const token of found) {
      const one = await this.#verify(token);
      if (typeof one === 'string') return { fault: one, jwt: null, edits: NO_EDITS };
      good.push(one);
    }
    const left = this.#places.without(new Set(found.map(({ text }) => text)), request);
    const outputs = good.flatMap(outputsOf);
    return {
      fault: '',
      jwt: (good[0] as Good).identity,
      edits: {
        remove: [...this.#places.spoofed(request), ...left.remove],
        set: [...left.set, ...outputs],
        append: [],
        target: left.target,
      },
    };
  }

  /** What is wrong with the token, or what it says. */
  async #verify({ text, rules }: FoundToken): Promise<Good | string> {
    if (text.length > TOKEN_LENGTH_MAX) return 'Jwt is too long';
    let claims: JWTPayload;
    try {
      claims = this.#jose.decodeJwt(text);
    } catch {
      return 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections';
    }
    let fault = kindFault(claims);
    if (fault !== '') return fault;
    const own = this.#rules.filter(({ rule }) => rules.includes(rule) && (rule.issuer === '' || rule.issuer === claims.iss));
    fault = 'Jwt issuer is not configured';
    for (const one of own) {
      try {
        return await this.#verifyBy(one, text);
      } catch (error) {
        fault = faultOf(error);
      }
    }
    return fault;
  }

  async #verifyBy(one: Rule, text: string): Promise<Good> {
    const { rule, verified: known } = one;
    const { audiences } = rule;
    const nowMs = this.#clock.wall();
    const hash = hashOf(text);
    let keys = await one.keys();
    const before = known.get(hash, keys, nowMs);
    if (before !== undefined) return before;
    const options = {
      algorithms: ALGORITHMS,
      clockTolerance: TOLERANCE_S,
      requiredClaims: CLAIMS,
      currentDate: new Date(nowMs),
      ...(audiences.length === 0 ? {} : { audience: [...audiences] }),
    };
    let verified: { readonly payload: JWTPayload };
    try {
      verified = await this.#jose.jwtVerify(text, keys, options);
    } catch (error) {
      // The issuer may have changed its keys.
      if (codeOf(error) !== 'ERR_JWKS_NO_MATCHING_KEY' || !(await one.refresh())) throw error;
      keys = await one.keys();
      verified = await this.#jose.jwtVerify(text, keys, options);
    }
    const good = { rule, identity: frozen(identityOf(verified.payload, rule)), payload: text.split('.')[1] as string };
    known.add(hash, good, keys, nowMs, (verified.payload.exp as number) * 1_000);
    return good;
  }
}

/** Browsers ask for leave without a token. Source: Envoy jwt_authn, bypass_cors_preflight. */
function isPreflight({ method, headers }: AccessRequest): boolean {
  if (method !== 'OPTIONS') return false;
  const has = (name: string): boolean => headers.some((own, i) => i % 2 === 0 && own.toLowerCase() === name);
  return has('origin') && has('access-control-request-method');
}

/** Those who write rules take them for texts. As Envoy says it. */
function kindFault({ iss, sub, aud = [] }: JWTPayload): string {
  if (iss !== undefined && typeof iss !== 'string') return 'Jwt payload [iss] field is not a string';
  if (sub !== undefined && typeof sub !== 'string') return 'Jwt payload [sub] field is not a string';
  return [aud].flat().every((one) => typeof one === 'string') ? '' : 'Jwt payload [aud] field is not a string or string list';
}

function identityOf(payload: JWTPayload, { spaceDelimitedClaims }: JwtRule): RequestIdentity {
  // Both are required.
  const { iss, sub, aud = [], azp } = payload as JWTPayload & Required<Pick<JWTPayload, 'iss' | 'sub'>>;
  const claims: Record<string, unknown> = { ...payload };
  for (const name of [...SPACE_DELIMITED_CLAIMS, ...spaceDelimitedClaims]) {
    const value = claims[name];
    if (typeof value === 'string') claims[name] = value.split(' ').filter((word) => word !== '');
  }
  return { issuer: iss, subject: sub, audiences: [aud].flat(), presenter: typeof azp === 'string' ? azp : '', claims };
}

/** What is kept is seen by many calls: none may change it for the others. */
function frozen<T>(value: T): T {
  const left: unknown[] = [value];
  // No recursion: a token may be thousands of levels deep.
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (typeof one === 'object' && one !== null) left.push(...Object.values(Object.freeze(one)));
  }
  return value;
}

function outputsOf({ rule, identity, payload }: Good): [name: string, value: string][] {
  const { outputPayloadToHeader, outputClaimToHeaders } = rule;
  const set: [string, string][] = outputPayloadToHeader === undefined ? [] : [[outputPayloadToHeader.toLowerCase(), payload]];
  for (const { header, claim } of outputClaimToHeaders) {
    const value = textOf(claimAt(identity.claims, claim));
    if (value !== null) set.push([header.toLowerCase(), value]);
  }
  return set;
}

/** The whole name first: a claim may have dots in its own. */
function claimAt(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const step of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** Lists and mappings go nowhere, and nothing that could end a header. */
function textOf(value: unknown): string | null {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && !/[\0-\x1f\x7f]/.test(value) ? value : null;
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown } | null | undefined)?.code);
}

/** As Envoy says it. */
const FAULTS: Readonly<Record<string, string>> = Object.freeze({
  ERR_JWT_EXPIRED: 'Jwt is expired',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'Jwt verification fails',
  ERR_JWKS_NO_MATCHING_KEY: 'Jwt verification fails',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'Jwt verification fails',
  ERR_JOSE_ALG_NOT_ALLOWED: 'Jwt header [alg] is not supported',
  ERR_JOSE_NOT_SUPPORTED: 'Jwt verification fails',
  ERR_JWS_INVALID: 'Jwt verification fails',
  ERR_JWT_INVALID: 'Jwt verification fails',
});

function faultOf(error: unknown): string {
  const code = codeOf(error);
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') {
    const { claim } = error as Error & { readonly claim: string };
    if (claim === 'aud') return 'Audiences in Jwt are not allowed';
    return claim === 'nbf' ? 'Jwt not yet valid' : `Jwt claim ${claim} is missing or wrong`;
  }
  return FAULTS[code] ?? 'Jwks remote fetch is failed';
}
