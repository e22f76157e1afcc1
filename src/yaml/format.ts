// Issues as text for people, and the frames that go with them.
import type { ConfigIssue } from '../model/issue.ts';
import type { SourceText } from './frame.ts';
import { frameAt, printable } from './frame.ts';

const ALLOWED_SHOWN_MAX = 20;
/** Of all files together; nobody reads more. */
const ISSUES_MAX = 100;

/**
 * One block for each issue:
 * `mesh.yaml:12:7 error  unknown key "timout" in services.reviews; did you mean "timeout"?` and the code frame.
 */
export function formatIssues(issues: readonly ConfigIssue[]): string {
  return issues.map(formatIssue).join('\n\n');
}

function formatIssue(issue: ConfigIssue): string {
  const { position, severity, frame } = issue;
  const place = position === undefined ? '' : `${printable(position.file)}:${position.line}:${position.column} `;
  const head = `${place}${severity}  ${describeIssue(issue)}`;
  return frame === undefined ? head : `${head}\n${frame.replace(/^/gm, '  ')}`;
}

/** The message with the nearest word, or with all that are valid. */
export function describeIssue({ message, suggestion, allowed }: ConfigIssue): string {
  const text = printable(message);
  if (suggestion !== undefined) return `${text}; did you mean "${suggestion}"?`;
  if (allowed === undefined || allowed.length === 0 || allowed.every((word) => message.includes(word))) return text;
  const more = allowed.length > ALLOWED_SHOWN_MAX ? ', …' : '';
  return `${text}; valid are ${allowed.slice(0, ALLOWED_SHOWN_MAX).join(', ')}${more}`;
}

/** In the order of files and lines, each with its frame. */
export function framed(issues: readonly ConfigIssue[], sources: readonly SourceText[]): ConfigIssue[] {
  const order = new Map(sources.map((source, index) => [source.file, index]));
  const rank = ({ position }: ConfigIssue): number => (position === undefined ? -1 : (order.get(position.file) ?? 0));
  const sorted = [...issues].sort(
    (a, b) =>
      rank(a) - rank(b) || (a.position?.line ?? 0) - (b.position?.line ?? 0) || (a.position?.column ?? 0) - (b.position?.column ?? 0),
  );
  return sorted.slice(0, ISSUES_MAX).map((issue) => {
    const source = sources[rank(issue)];
    return issue.position === undefined || source === undefined ? issue : { ...issue, frame: frameAt(source, issue.position) };
  });
}
