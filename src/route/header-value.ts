// The value that a header match sees: all values of the name, joined with a comma, as Envoy does it before matching.

/** By lower-case name; undefined when the header is missing. */
export function headerValue(headers: readonly string[], name: string): string | undefined {
  const { length } = name;
  const first = name.charCodeAt(0);
  let value: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const key = headers[i] as string;
    // Setting bit 5 makes an ASCII letter lower-case; what it does to other characters, the comparison after it mends.
    if (key.length !== length || (key.charCodeAt(0) | 32) !== (first | 32)) continue;
    if (key !== name && key.toLowerCase() !== name) continue;
    const next = headers[i + 1] as string;
    value = value === undefined ? next : `${value},${next}`;
  }
  return value;
}
