// A regular expression of a document. Source: istio/istio pkg/config/validation, validateStringRegexp.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import { checkPattern, type CheckRegex } from '../../model/resolve-match.ts';

const LENGTH_MAX = 1_024;

export interface RegexCheck {
  readonly report: Report;
  readonly checkRegex: CheckRegex | undefined;
}

export function checkRegexText(text: string, path: ConfigPath, { report, checkRegex }: RegexCheck): void {
  if (text === '') report.error(path, 'a regular expression cannot be empty');
  else if (text.length > LENGTH_MAX) report.error(path, `a regular expression has at most ${LENGTH_MAX} characters`);
  else checkPattern(text, path, { report, checkRegex });
}
