// Whole numbers of a range as a regular expression, for comparisons of headers that Envoy makes by number.
// Source: Envoy HeaderMatcher `range_match`: base 10, the end is not part of it.

/** Matches the numbers from `start` to below `end`, as a whole, with zeros before and a plus sign if they like. */
export function rangePattern(start: number, end: number): string | null {
  const last = end - 1;
  if (last < start) return null;
  const parts: string[] = [];
  if (start < 0) parts.push(`-0*(?:${digitPatterns(Math.max(1, -last), -start).join('|')})`);
  if (last >= 0) parts.push(`\\+?0*(?:${digitPatterns(Math.max(0, start), last).join('|')})`);
  if (start <= 0 && last >= 0) parts.push('-0+');
  return parts.join('|');
}

/** From `low` to `high`, both at least 0, both included: pieces that differ in their last digits only. */
function digitPatterns(low: number, high: number): string[] {
  const ends = new Set([high]);
  for (let size = 10; ; size *= 10) {
    const end = low - (low % size) + size - 1;
    if (end >= high) break;
    ends.add(end);
  }
  for (let size = 10; ; size *= 10) {
    const end = high + 1 - ((high + 1) % size) - 1;
    if (end < low) break;
    ends.add(end);
  }
  const patterns: string[] = [];
  let from = low;
  for (const end of [...ends].sort((a, b) => a - b)) {
    patterns.push(blockPattern(String(from), String(end)));
    from = end + 1;
  }
  return patterns;
}

function blockPattern(from: string, to: string): string {
  const digits = [...from].map((digit, i) => (digit === to[i] ? digit : `[${digit}-${to[i]}]`)).join('');
  // The limit of a pattern's length is not for digits.
  return digits.replace(/(?:\[0-9\]){2,}/g, (run) => `[0-9]{${run.length / '[0-9]'.length}}`);
}
