// Sizes as people write them: "64KiB", "1MiB", or a number of bytes.

/** Also the pattern in the JSON Schema. */
export const BYTES_PATTERN: RegExp = /^[0-9]{1,15}(?:\.[0-9]{1,9})?(?:B|KB|KiB|MB|MiB)?$/;

const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1_000, KiB: 1_024, MB: 1_000_000, MiB: 1_048_576 };

/** Whole bytes, or null when the text is not a size. */
export function parseBytes(text: string): number | null {
  if (!BYTES_PATTERN.test(text)) return null;
  const digits = /^[0-9.]+/.exec(text)?.[0] ?? '';
  const unit = text.slice(digits.length);
  return Math.round(Number(digits) * (UNITS[unit === '' ? 'B' : unit] as number));
}
