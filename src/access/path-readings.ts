// All paths that an application may read out of one request target. Frameworks differ: one decodes, one resolves dots, one
// merges slashes. No single normal form is right for all of them, so a policy is asked about every reading.
// Must not know policies. Source of the steps: what Express, Fastify, Hono, Koa and `new URL` do.

export interface Reading {
  readonly text: string;
  /** Lower case. */
  readonly folded: string;
  /** Lower case, without a slash at its end: what routers that are not strict compare. */
  readonly lax: string;
  /** Which steps led to it, a bit for each. */
  readonly steps: number;
}

/** More of them are no path of anybody but an attack. */
export const READINGS_MAX = 15;

const DECODED = 4;
/** What makes a path have more than one reading. */
const SPECIAL = /[%\\;#?]|\/[/.]/;
/** Neither in a path nor behind a percent sign has NUL any business. */
const BROKEN = /[\0-\x20\x7f]|%00/;

/** In the order of their bits. Each gives the path as it is when it has nothing to do. */
const STEPS: readonly ((path: string) => string)[] = [
  (path) => path.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#\\]*/i, '') || '/',
  (path) => path.replace(/[?#].*/s, ''),
  decoded,
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.replace(/\/{2,}/g, '/'),
  dotsResolved,
  (path) => path.replace(/^[/\\]{2,}[^/\\]*/, '') || '/',
];

/** The query is cut off already. null: no path that could be meant. The first reading is the path itself. */
export function readingsOf(path: string): readonly Reading[] | null {
  if (BROKEN.test(path)) return null;
  const readings: Reading[] = [reading(path, 0)];
  if (path.startsWith('/') && !SPECIAL.test(path)) return readings;
  for (let i = 0; i < readings.length; i++) {
    const { text, steps } = readings[i] as Reading;
    for (let bit = 0; bit < STEPS.length; bit++) {
      const step = 1 << bit;
      // Once: who decodes twice has a hole of his own.
      if (step === DECODED && (steps & DECODED) !== 0) continue;
      const next = (STEPS[bit] as (text: string) => string)(text);
      if (readings.some((known) => known.text === next)) continue;
      if (readings.length === READINGS_MAX) return null;
      readings.push(reading(next, steps | step));
    }
  }
  return readings;
}

/** What a pattern becomes on the way of a reading, so that it still takes what it was written for. */
export function alike(pattern: string, steps: number): string {
  if (!SPECIAL.test(pattern)) return pattern;
  return STEPS.reduce((text, step, bit) => ((steps & (1 << bit)) === 0 || text === '' ? text : step(text)), pattern);
}

/** As routers that are not strict compare. */
export function laxOf(folded: string): string {
  return folded.length > 1 && folded.endsWith('/') ? folded.slice(0, -1) : folded;
}

function reading(text: string, steps: number): Reading {
  const folded = text.toLowerCase();
  return { text, folded, lax: laxOf(folded), steps };
}

/** What is no UTF-8 stays a replacement character, what is no escape stays as it is. */
function decoded(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => Buffer.from(escapes.replaceAll('%', ''), 'hex').toString());
}

const DOT = /^(?:\.|%2e)$/i;
const DOTS = /^(?:\.|%2e){2}$/i;

/** As the URL standard does. */
function dotsResolved(path: string): string {
  const segments = path.split('/');
  if (!segments.some((segment) => DOT.test(segment) || DOTS.test(segment))) return path;
  const kept: string[] = [];
  segments.forEach((segment, i) => {
    const isLast = i === segments.length - 1;
    if (DOTS.test(segment)) {
      if (kept.length > 1) kept.pop();
      if (isLast) kept.push('');
    } else if (!DOT.test(segment)) kept.push(segment);
    else if (isLast) kept.push('');
  });
  return kept.join('/');
}
