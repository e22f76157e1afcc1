// Durations of the Gateway API: a narrower form than Go's. Source: GEP-2257.
import { formatDuration, parseDuration } from '../../model/duration.ts';

const PATTERN = /^(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}$/;

/** Milliseconds; null when the text is no such duration. Longer than a year counts as a year: nobody waits that long. */
export function parseGatewayDuration(text: string): number | null {
  if (!PATTERN.test(text)) return null;
  return parseDuration(text) ?? YEAR_MS;
}

const YEAR_MS = 365 * 24 * 3_600_000;

/** In descending units, none of them twice. Rounded to the millisecond. */
export function formatGatewayDuration(ms: number): string {
  const whole = Math.round(ms);
  const [seconds, rest] = [Math.floor(whole / 1_000), whole % 1_000];
  if (whole === 0) return '0s';
  return `${seconds === 0 ? '' : formatDuration(seconds * 1_000)}${rest === 0 ? '' : `${rest}ms`}`;
}
