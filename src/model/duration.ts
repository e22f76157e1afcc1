// Durations as people write them: Go's notation, as every mesh uses it ("500ms", "1m30s", "1.5s"). Inside, a duration is
// a number of milliseconds; this is the only place that knows the words.

/** One or more of number and unit, no sign. Also the pattern in the JSON Schema. */
export const DURATION_PATTERN: RegExp = /^(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|ms|s|m|h))+$/;

const PART = /([0-9.]+)(ns|us|µs|ms|s|m|h)/g;
const TEXT_LENGTH_MAX = 64;

/** Longest duration that is accepted: a year of 365 days, ms. */
export const DURATION_MS_MAX: number = 365 * 24 * 3_600_000;

/** Decimal shift first, multiplication second: 1.234s is exactly 1234 ms. */
const UNITS: Readonly<Record<string, readonly [exponent: number, factor: number]>> = {
  ns: [-6, 1],
  us: [-3, 1],
  µs: [-3, 1],
  ms: [0, 1],
  s: [3, 1],
  m: [0, 60_000],
  h: [0, 3_600_000],
};

/** Milliseconds, or null when the text is not a duration or longer than a year. Source: Go's time.ParseDuration, without signs. */
export function parseDuration(text: string): number | null {
  if (text.length > TEXT_LENGTH_MAX || !DURATION_PATTERN.test(text)) return null;
  let ms = 0;
  for (const [, digits, unit] of text.matchAll(PART)) {
    const [exponent, factor] = UNITS[unit as string] as readonly [number, number];
    ms += Number(`${digits}e${exponent}`) * factor;
  }
  return ms <= DURATION_MS_MAX ? ms : null;
}

/** The shortest usual form: 90000 is "1m30s", 1500 is "1.5s", 0.25 is "250us"; rounded to the nanosecond. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 0.001) return `${decimal(ms * 1e6, 0)}ns`;
  if (ms < 1) return `${decimal(ms * 1e3, 3)}us`;
  if (ms < 1_000) return `${decimal(ms, 6)}ms`;
  let hours = Math.floor(ms / 3_600_000);
  let minutes = Math.floor((ms - hours * 3_600_000) / 60_000);
  let rest = decimal((ms - hours * 3_600_000 - minutes * 60_000) / 1_000, 9);
  if (rest === '60') {
    rest = '0';
    minutes++;
  }
  if (minutes === 60) {
    minutes = 0;
    hours++;
  }
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${rest === '0' ? '' : `${rest}s`}`;
}

/** Without trailing zeros and without an exponent. */
function decimal(value: number, digitsMax: number): string {
  const text = value.toFixed(digitsMax);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
