// HTTP statuses as people write them: 503, "503", or "500-599".

/** First and last, both included. */
export type StatusRange = readonly [from: number, to: number];

/** Also the pattern in the JSON Schema. */
export const STATUS_RANGE_PATTERN: RegExp = /^[1-5][0-9]{2}(?:-[1-5][0-9]{2})?$/;

/** null when the text is no status, or the range is upside down. */
export function parseStatusRange(text: string): StatusRange | null {
  if (!STATUS_RANGE_PATTERN.test(text)) return null;
  const from = Number(text.slice(0, 3));
  const to = text.length === 3 ? from : Number(text.slice(4));
  return from <= to ? [from, to] : null;
}
