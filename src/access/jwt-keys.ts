// The keys of one issuer: from the document, or fetched, kept, and fetched again when they are old or a token names a key that is
// not there. Fails closed: without keys no token is good. Keys that were fetched stay good for a while when the issuer is away.
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose';
import type { Clock } from '../core/clock.ts';
import type { JwtRule } from '../model/security.ts';
import type { FetchJson } from './jwt-fetch.ts';

type Jose = typeof import('jose');

/** After this they are fetched again. Source: Istio, pilot/pkg/model/jwks_resolver.go. */
const FRESH_MS = 300_000;
/** After this they are no longer believed, although nobody could be asked. */
const STALE_MS = 3_600_000;
/** Between two tries. */
const COOLDOWN_MS = 30_000;

export interface KeySource {
  /** Rejects when there are none. */
  keys(): Promise<JWTVerifyGetKey>;
  /** A token named a key that is not there. Whether there are other keys now. */
  refresh(): Promise<boolean>;
}

export function keySource(rule: JwtRule, jose: Jose, fetchJson: FetchJson, clock: Clock): KeySource {
  if (rule.jwks === undefined) return new FetchedKeys(rule, jose, fetchJson, clock);
  const keys = jose.createLocalJWKSet(publicKeys(JSON.parse(rule.jwks)));
  return { keys: () => Promise.resolve(keys), refresh: () => Promise.resolve(false) };
}

class FetchedKeys implements KeySource {
  readonly #rule: JwtRule;
  readonly #jose: Jose;
  readonly #fetchJson: FetchJson;
  readonly #clock: Clock;
  #keys: JWTVerifyGetKey | null = null;
  #fetchedAtMs = 0;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | null = null;
  #error: Error = new Error('no key set was fetched yet');

  constructor(rule: JwtRule, jose: Jose, fetchJson: FetchJson, clock: Clock) {
    this.#rule = rule;
    this.#jose = jose;
    this.#fetchJson = fetchJson;
    this.#clock = clock;
  }

  async keys(): Promise<JWTVerifyGetKey> {
    const nowMs = this.#clock.now();
    const ageMs = nowMs - this.#fetchedAtMs;
    if (this.#keys === null || ageMs >= STALE_MS) {
      this.#keys = null;
      await this.#fetch(nowMs);
    } else if (ageMs >= FRESH_MS) void this.#fetch(nowMs);
    if (this.#keys === null) throw this.#error;
    return this.#keys;
  }

  async refresh(): Promise<boolean> {
    const before = this.#keys;
    await this.#fetch(this.#clock.now());
    return this.#keys !== before;
  }

  /** Never rejects. Nothing is asked within the cooldown; all who come while one asks wait for its answer. */
  #fetch(nowMs: number): Promise<void> {
    if (this.#fetching !== null) return this.#fetching;
    if (nowMs - this.#triedAtMs < COOLDOWN_MS) return Promise.resolve();
    this.#triedAtMs = nowMs;
    this.#fetching = this.#ask()
      .then(
        (keys) => {
          this.#keys = keys;
          this.#fetchedAtMs = this.#clock.now();
        },
        (error: unknown) => {
          this.#error = error as Error;
        },
      )
      .finally(() => {
        this.#fetching = null;
      });
    return this.#fetching;
  }

  async #ask(): Promise<JWTVerifyGetKey> {
    const { jwksUri, fetchTimeoutMs } = this.#rule;
    const url = jwksUri ?? (await this.#discover());
    return this.#jose.createLocalJWKSet(publicKeys(await this.#fetchJson(url, fetchTimeoutMs)));
  }

  /** Source: OpenID Connect Discovery 1.0 §4. */
  async #discover(): Promise<string> {
    const { issuer, fetchTimeoutMs } = this.#rule;
    const found = await this.#fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, fetchTimeoutMs);
    const uri = isObject(found) ? found.jwks_uri : undefined;
    if (typeof uri !== 'string') throw new Error(`${issuer} does not say where its keys are`);
    return uri;
  }
}

/** Only keys that verify: secrets and private keys in a set are nobody's proof. */
function publicKeys(set: unknown): JSONWebKeySet {
  const keys: unknown = isObject(set) ? (set.keys ?? [set]) : null;
  if (!Array.isArray(keys)) throw new Error('the answer is no key set');
  const usable = keys.filter((key) => isObject(key) && typeof key.kty === 'string' && key.kty !== 'oct' && !Object.hasOwn(key, 'd'));
  if (usable.length === 0) throw new Error('the key set has no key to verify with');
  return { keys: usable as JSONWebKeySet['keys'] };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
