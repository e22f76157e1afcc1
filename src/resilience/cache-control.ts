// Cache-Control taken apart: names in lower case, the first of its name counts. Source: RFC 9111 §5.2.

export type Directives = ReadonlyMap<string, string>;

/** A directive without a value has ''. */
export function directivesOf(text: string | undefined): Directives {
  const directives = new Map<string, string>();
  if (text === undefined) return directives;
  for (const [, name = '', quoted, plain] of text.matchAll(/([^\s,;="]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g)) {
    const key = name.toLowerCase();
    if (!directives.has(key)) directives.set(key, quoted ?? plain ?? '');
  }
  return directives;
}

/** The seconds of a directive; -1 when it is absent, 0 when it cannot be read. */
export function secondsOf(directives: Directives, name: string): number {
  const text = directives.get(name);
  if (text === undefined) return -1;
  return /^\d+$/.test(text) ? Number(text) : 0;
}

/** As a header value, without the names given. */
export function writeDirectives(directives: Directives, without: readonly string[]): string {
  const parts: string[] = [];
  for (const [name, value] of directives) {
    if (without.includes(name)) continue;
    parts.push(value === '' ? name : /[\s,;="]/.test(value) ? `${name}="${value.replaceAll(/["\\]/g, '')}"` : `${name}=${value}`);
  }
  return parts.join(', ');
}
