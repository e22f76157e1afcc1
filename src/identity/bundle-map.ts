// SPIFFE bundle maps: roots of several trust domains in one JSON file. An empty map is valid, and trusts nobody.
// Source: gRFC A87, SPIFFE Trust Domain and Bundle §4.
import { pemText } from './pem.ts';

interface Key {
  readonly use?: unknown;
  readonly x5c?: unknown;
}

/** Roots (PEM) by trust domain. Throws an Error with a plain sentence. */
export function parseBundleMap(text: string): Map<string, readonly string[]> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`the bundle map is no JSON: ${(error as Error).message}`, { cause: error });
  }
  const domains = fieldOf(parsed, 'trust_domains');
  if (!isRecord(domains)) throw new Error('the bundle map has no "trust_domains"');
  return new Map(Object.entries(domains).map(([domain, bundle]) => [domain, rootsOf(domain, bundle)]));
}

function rootsOf(domain: string, bundle: unknown): string[] {
  const keys = fieldOf(bundle, 'keys');
  if (!Array.isArray(keys)) throw new Error(`the bundle map has no "keys" for ${domain}`);
  return (keys as Key[])
    .filter((key) => fieldOf(key, 'use') === 'x509-svid')
    .map(({ x5c }) => {
      const first: unknown = Array.isArray(x5c) && x5c.length === 1 ? x5c[0] : undefined;
      if (typeof first !== 'string') throw new Error(`a key of ${domain} in the bundle map has not exactly one certificate ("x5c")`);
      return pemText('CERTIFICATE', Buffer.from(first, 'base64'));
    });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}
