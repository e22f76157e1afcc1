// Durations as Istio takes them: whole milliseconds, one at least. The form has been checked.
import { parseDuration } from '../../model/duration.ts';
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';

/** Source: istio/istio pkg/config/validation/agent, ValidateDuration. */
export function checkDuration(text: string | undefined, path: ConfigPath, report: Report): void {
  const ms = text === undefined ? 0 : msOf(text);
  if (ms === 0 || (ms >= 1 && Number.isInteger(ms))) return;
  report.error(path, `${report.show(path, text)} is no whole number of milliseconds, of which one is the least`);
}

/** 0 for what is absent. */
export function msOf(text: string | undefined): number {
  return text === undefined ? 0 : (parseDuration(text) ?? 0);
}
