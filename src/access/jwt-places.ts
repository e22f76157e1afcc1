// Where tokens stand in a request, and how they are taken out of it again. Tokens longer than anybody needs are not read.
// Source: Istio JWTRule; Envoy jwt_authn, extractor.
import type { JwtRule } from '../model/security.ts';
import type { AccessRequest } from './request.ts';
import type { HeadEdits } from './head-edit.ts';

/** UTF-16 units. */
export const TOKEN_LENGTH_MAX = 16_384;

export interface FoundToken {
  readonly text: string;
  /** Those that look where it was found. */
  readonly rules: JwtRule[];
}

export class TokenPlaces {
  readonly #rules: readonly JwtRule[];
  /** Headers that only a verified token may fill. */
  readonly #outputs: readonly string[];

  constructor(rules: readonly JwtRule[]) {
    this.#rules = rules;
    const outputs = rules.flatMap(({ outputPayloadToHeader, outputClaimToHeaders }) => [
      outputPayloadToHeader,
      ...outputClaimToHeaders.map(({ header }) => header),
    ]);
    this.#outputs = [...new Set(outputs.filter((name) => name !== undefined).map((name) => name.toLowerCase()))];
  }

  /** Each token once, in the order of the rules. */
  find({ headers, target }: AccessRequest): FoundToken[] {
    const found = new Map<string, FoundToken>();
    const add = (text: string, rule: JwtRule): void => {
      const known = found.get(text);
      if (known === undefined) found.set(text, { text, rules: [rule] });
      else if (!known.rules.includes(rule)) known.rules.push(rule);
    };
    const given = new URLSearchParams(queryOf(target));
    for (const rule of this.#rules) {
      for (const { name, prefix } of rule.fromHeaders) {
        for (const value of valuesOf(headers, name)) if (value.startsWith(prefix)) add(value.slice(prefix.length).trim(), rule);
      }
      for (const name of rule.fromParams) for (const value of given.getAll(name)) add(value, rule);
      for (const name of rule.fromCookies) for (const value of cookiesOf(headers, name)) add(value, rule);
    }
    return [...found.values()];
  }

  /** Headers that only a verified token may fill, and that the caller has sent. */
  spoofed({ headers }: AccessRequest): string[] {
    return this.#outputs.filter((name) => valuesOf(headers, name).length > 0);
  }

  /** The request without these tokens, wherever a rule looks that does not hand them on. */
  without(tokens: ReadonlySet<string>, { headers, target }: AccessRequest): Pick<HeadEdits, 'remove' | 'set' | 'target'> {
    const remove: string[] = [];
    const cookieNames = new Set<string>();
    let rest = target;
    for (const { forwardOriginalToken, fromHeaders, fromParams, fromCookies } of this.#rules) {
      if (forwardOriginalToken) continue;
      for (const { name, prefix } of fromHeaders) {
        if (valuesOf(headers, name).some((value) => value.startsWith(prefix) && tokens.has(value.slice(prefix.length).trim())))
          remove.push(name);
      }
      for (const name of fromParams) rest = withoutParam(rest, name, tokens);
      for (const name of fromCookies) cookieNames.add(name);
    }
    // All at once: there is one header of cookies, and it is written anew.
    const cookies = cookiePairs(headers);
    const kept = cookies.filter(({ name, value }) => !cookieNames.has(name) || !tokens.has(value));
    const set: [string, string][] = [];
    if (kept.length === 0 && cookies.length > 0) remove.push('cookie');
    else if (kept.length < cookies.length) set.push(['cookie', kept.map(({ text }) => text).join('; ')]);
    return { remove, set, target: rest === target ? null : rest };
  }
}

function valuesOf(headers: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const own = headers[i] as string;
    if (own.length === name.length && own.toLowerCase() === name) values.push(headers[i + 1] as string);
  }
  return values;
}

function queryOf(target: string): string {
  const start = target.indexOf('?');
  return start < 0 ? '' : (target.slice(start + 1).split('#')[0] as string);
}

function withoutParam(target: string, name: string, tokens: ReadonlySet<string>): string {
  const pairs = queryOf(target).split('&');
  // Decoded, as it was found.
  const kept = pairs.filter((pair) => !new URLSearchParams(pair).getAll(name).some((value) => tokens.has(value)));
  if (kept.length === pairs.length) return target;
  const path = target.slice(0, target.indexOf('?'));
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  /** As it came. */
  readonly text: string;
}

function cookiePairs(headers: readonly string[]): Cookie[] {
  const texts = valuesOf(headers, 'cookie').flatMap((line) => line.split(';').map((pair) => pair.trim()));
  return texts
    .filter((text) => text !== '')
    .map((text) => {
      const at = text.indexOf('=');
      return { name: text.slice(0, Math.max(0, at)).trim(), value: text.slice(at + 1).trim(), text };
    });
}

function cookiesOf(headers: readonly string[], name: string): string[] {
  return cookiePairs(headers).flatMap((cookie) => (cookie.name === name ? [cookie.value] : []));
}
