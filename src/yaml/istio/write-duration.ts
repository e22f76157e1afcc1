// Durations as Istio takes them: whole milliseconds, one at least.
import { formatDuration } from '../../model/duration.ts';

export function writeDuration(ms: number): string {
  return formatDuration(Math.max(1, Math.round(ms)));
}

/** Whether nothing is rounded. */
export function isWhole(ms: number): boolean {
  return ms >= 1 && Number.isInteger(ms);
}
