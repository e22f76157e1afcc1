// Values that a document can hold, and what is done with them whatever they mean: compared, taken apart into leaves.

export type Plain = string | number | boolean | null | readonly Plain[] | PlainMap;

export interface PlainMap {
  readonly [key: string]: Plain;
}

export function isPlainMap(value: Plain | undefined): value is PlainMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same text for equal values, whatever the order of keys. */
export function plainKey(value: Plain): string {
  if (Array.isArray(value)) return `[${value.map(plainKey).join()}]`;
  if (!isPlainMap(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${plainKey(value[key] as Plain)}`).join()}}`;
}

/** Without the keys that have no value. */
export function defined(map: Readonly<Record<string, Plain | undefined>>): PlainMap {
  return Object.fromEntries(Object.entries(map).filter((pair): pair is [string, Plain] => pair[1] !== undefined));
}

/** As a step of a path. */
export function quotedName(name: string): string {
  return /^[\w./:[\]-]+$/.test(name) ? name : JSON.stringify(name);
}

const NEEDS_QUOTES = /[\s,:{}[\]"']/;

function wordOf(text: string): string {
  return text === '' || NEEDS_QUOTES.test(text) ? JSON.stringify(text) : text;
}

/** One line, for people: words without quotes where that is clear. */
export function plainText(value: Plain): string {
  if (value === null) return 'none';
  if (typeof value === 'string') return wordOf(value);
  if (Array.isArray(value))
    return value.length === 0 ? '[]' : value.length === 1 ? plainText(value[0] as Plain) : `[${value.map(plainText).join(', ')}]`;
  if (!isPlainMap(value)) return String(value);
  const entries = Object.entries(value).map(([key, one]) => `${wordOf(key)}: ${plainText(one)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}
