// What a soak says of itself: the bars it is held to, and two plots. Knows nothing of how it was run.
import type { SoakResult, SoakSample } from '../../test/interop/soak.ts';

export interface SoakBar {
  readonly what: string;
  readonly value: string;
  readonly most: string;
  readonly isKept: boolean;
}

const P99_FACTOR_MAX = 1.2;
/** Below this the p99 of a busy machine says nothing. */
const P99_FLOOR_MS = 20;
const RSS_MB_PER_HOUR_MAX = 1;
/** A slope over less says nothing of an hour. */
const RSS_MS_MIN = 300_000;
const TENTH = 0.1;

function p99Of(samples: readonly SoakSample[]): number {
  const sorted = samples.map(({ p99Ms }) => p99Ms).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

interface Slope {
  /** MB an hour. */
  readonly perHour: number;
  /** Two standard errors of it: what so short a time cannot tell apart. */
  readonly plusMinus: number;
}

/** Least squares over the second half: the first warms up. */
export function rssSlope(samples: readonly SoakSample[]): Slope {
  const half = samples.slice(Math.floor(samples.length / 2));
  const points = half.map(({ atMs, rssBytes }) => [atMs / 3_600_000, rssBytes / 1_048_576] as const);
  const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (points.length < 3 || spread === 0) return { perHour: 0, plusMinus: Number.POSITIVE_INFINITY };
  const perHour = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - perHour * (x - meanX)) ** 2, 0);
  return { perHour, plusMinus: 2 * Math.sqrt(rest / (points.length - 2) / spread) };
}

function leftovers({ resourcesBefore, resourcesAfter }: SoakResult): string {
  const more = Object.entries(resourcesAfter).filter(([name, count]) => count > (resourcesBefore[name] ?? 0));
  return more.map(([name, count]) => `${count - (resourcesBefore[name] ?? 0)} ${name}`).join(', ');
}

export function soakBars(result: SoakResult): SoakBar[] {
  const { samples, failures, underWay, warnings } = result;
  const tenth = Math.max(1, Math.floor(samples.length * TENTH));
  const [first, last] = [p99Of(samples.slice(1, 1 + tenth)), p99Of(samples.slice(-tenth))];
  const failed = Object.entries(failures).map(([what, count]) => `${count} ${what}`);
  const { perHour, plusMinus } = rssSlope(samples);
  const slope = `${perHour.toFixed(2)} ± ${plusMinus.toFixed(2)}`;
  const left = leftovers(result);
  const isLong = (samples.at(-1)?.atMs ?? 0) >= RSS_MS_MIN;
  return [
    { what: 'calls that failed', value: failed.join(', ') || '0', most: '0', isKept: failed.length === 0 },
    {
      what: 'p99 of the last tenth, ms',
      value: last.toFixed(1),
      most: `${P99_FACTOR_MAX} × ${first.toFixed(1)} (at least ${P99_FLOOR_MS})`,
      isKept: last <= Math.max(P99_FLOOR_MS, P99_FACTOR_MAX * first),
    },
    {
      what: 'RSS slope after warm-up, MB/h',
      value: isLong ? slope : `${slope} (too short to say)`,
      most: String(RSS_MB_PER_HOUR_MAX),
      isKept: !isLong || perHour - plusMinus < RSS_MB_PER_HOUR_MAX,
    },
    { what: 'calls still counted as under way', value: String(underWay), most: '0', isKept: underWay === 0 },
    { what: 'resources left after close', value: left === '' ? '0' : left, most: '0', isKept: left === '' },
    { what: 'warnings', value: warnings.length === 0 ? '0' : warnings.join('; '), most: '0', isKept: warnings.length === 0 },
  ];
}

/** One line over time, as SVG. */
export function plot(title: string, samples: readonly SoakSample[], value: (sample: SoakSample) => number): string {
  const [width, height, pad] = [640, 200, 30];
  const most = Math.max(1, ...samples.map(value));
  const end = Math.max(1, samples.at(-1)?.atMs ?? 1);
  const points = samples.map((one) => {
    const x = pad + (one.atMs / end) * (width - 2 * pad);
    const y = height - pad - (value(one) / most) * (height - 2 * pad);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<text x="${pad}" y="18">${title}: at most ${most.toFixed(1)}, over ${(end / 60_000).toFixed(1)} minutes</text>`,
    `<polyline fill="none" stroke="#2563eb" stroke-width="2" points="${points.join(' ')}"/>`,
    `<line x1="${pad}" y1="${height - pad}" x2="${width - pad}" y2="${height - pad}" stroke="#999"/>`,
    '</svg>\n',
  ].join('\n');
}
