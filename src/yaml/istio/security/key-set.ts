// A JSON Web Key Set in a document: whether it is one, and whether it gives away a secret. Source: RFC 7517, RFC 7518 §6.
type Key = Readonly<Record<string, unknown>>;

/** What is wrong with the text, or null. */
export function keySetFault(text: string): string | null {
  const keys = keysIn(text);
  if (typeof keys === 'string') return keys;
  const at = keys.findIndex(({ kty }) => typeof kty !== 'string' || kty === '');
  return at < 0 ? null : `key ${at} has no kty`;
}

/** Index of the first key with private parts, -1 when there is none. */
export function privateKeyAt(text: string): number {
  const keys = keysIn(text);
  return typeof keys === 'string' ? -1 : keys.findIndex((key) => key.kty === 'oct' || Object.hasOwn(key, 'd'));
}

function keysIn(text: string): readonly Key[] | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is no JSON';
  }
  if (!isObject(value)) return 'it is no object';
  const keys = Object.hasOwn(value, 'keys') ? value.keys : [value];
  if (!Array.isArray(keys)) return 'keys is no list';
  return keys.every(isObject) ? keys : 'a key is no object';
}

function isObject(value: unknown): value is Key {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
