// Points in time as people write them: RFC 3339, always with its offset. Inside, ms since 1970; the wall clock itself is
// read elsewhere. Done by hand, because `Date` takes many texts that only look like a time.

/** Also the pattern in the JSON Schema. */
export const INSTANT_PATTERN: RegExp =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$/;

const PARTS = /^(\d{4})-(\d{2})-(\d{2}).(\d{2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;
const DAY_MS = 86_400_000;

/** ms since 1970, or null when there is no such time. Source: RFC 3339; seconds may be left out, leap seconds are not known. */
export function parseInstant(text: string): number | null {
  const parts = INSTANT_PATTERN.test(text) ? PARTS.exec(text) : null;
  if (parts === null) return null;
  const at = (index: number): number => Number(parts[index] ?? 0);
  const [year, month, day] = [at(1), at(2), at(3)];
  const [hour, minute, second] = [at(4), at(5), at(6)];
  const [offsetHour, offsetMinute] = [at(8), at(9)];
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return null;
  if (hour > 23 || minute > 59 || second >= 60 || offsetHour > 23 || offsetMinute > 59) return null;
  // A decimal shift: 16.025 times 1000 is a little less than 16025.
  const ms = Math.floor(Number(`${parts[6] ?? 0}e3`));
  const offsetMs = (offsetHour * 60 + offsetMinute) * 60_000 * (parts[7] === '-' ? -1 : 1);
  return daysSince1970(year, month, day) * DAY_MS + hour * 3_600_000 + minute * 60_000 + ms - offsetMs;
}

function daysOf(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Of the Gregorian calendar; the year begins in March, so that the leap day is its last. */
function daysSince1970(year: number, month: number, day: number): number {
  const from = month <= 2 ? year - 1 : year;
  const era = Math.floor(from / 400);
  const yearOfEra = from - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}
