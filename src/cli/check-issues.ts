// What the load and the analyzers have to say, as lines of `inmesh check`: under which heading, how bad, and what to do.
import type { ConfigIssue } from '../model/issue.ts';
import { type CodeName, type FindingSeverity } from '../yaml/analyze/code.ts';
import { CODES, isCodeName } from '../yaml/analyze/codes.ts';
import type { Finding } from '../yaml/analyze/findings.ts';
import { describeIssue } from '../yaml/format.ts';
import { frameAt } from '../yaml/frame.ts';
import { issuesOf } from '../yaml/kinds.ts';
import type { Resource } from '../yaml/resource.ts';
import type { CheckFinding, CheckGroup } from './check-finding.ts';
import { groupOf } from './check-groups.ts';

export interface IssueContext {
  /** What a mesh settles by itself does not make the check fail. */
  readonly lenient: boolean;
  /** Documents that the issues may be about. */
  readonly resources: readonly Resource[];
}

export function issueFindings(issues: readonly ConfigIssue[], { lenient, resources }: IssueContext): CheckFinding[] {
  const groups = new Map<string, CheckGroup>();
  for (const resource of resources) for (const issue of resource.report.issues) groups.set(keyOf(issue), groupOf(resource));
  return issues.map((issue) => {
    const code = codeOf(issue);
    const { position, frame } = issue;
    return {
      group: code !== undefined && !code.startsWith('INM00') ? CODES[code].group : (groups.get(keyOf(issue)) ?? 'configuration'),
      status: statusOf(issue, code, lenient),
      ...(code === undefined ? {} : { code }),
      ...textsOf(issue, code),
      ...(position === undefined ? {} : { position }),
      ...(frame === undefined ? {} : { frame }),
    };
  });
}

/** The load stops at a hundred; here all are wanted. */
export function allIssues(warnings: readonly ConfigIssue[], resources: readonly Resource[]): ConfigIssue[] {
  const known = new Set(warnings.map(keyOf));
  const more = resources.flatMap((resource) =>
    issuesOf(resource)
      .filter((issue) => !known.has(keyOf(issue)))
      .map((issue) => (issue.position === undefined ? issue : { ...issue, frame: frameAt(resource.document.source, issue.position) })),
  );
  return [...warnings, ...more];
}

export function analysisFindings(findings: readonly Finding[], lenient: boolean): CheckFinding[] {
  return findings.map(({ code, severity, message, fix, position, resource }) => ({
    group: CODES[code].group,
    status: lenient && severity === 'error' ? 'warning' : severity,
    code,
    message,
    fix,
    ...(position === undefined ? {} : { position }),
    ...(position === undefined || resource === undefined ? {} : { frame: frameAt(resource.document.source, position) }),
  }));
}

function keyOf({ position, message }: ConfigIssue): string {
  return `${position?.file}:${position?.line}:${position?.column} ${message}`;
}

/** What the concise form says when it is read, and the analyzers say of the resources of meshes. */
const SAME_MEANING: readonly (readonly [RegExp, CodeName])[] = [
  [/^perTryTimeout is longer than the timeout of the whole call/, 'INM0104'],
  [/so with mode: envoy none is ever ejected/, 'INM0105'],
  [/^this route is never reached/, 'INM0202'],
  [/; (its (calls|share) (is|are) answered \d+|it gets no copies)$/, 'INM0205'],
];

function codeOf({ code, message }: ConfigIssue): CodeName | undefined {
  if (code !== undefined) return isCodeName(code) ? code : undefined;
  return SAME_MEANING.find(([pattern]) => pattern.test(message))?.[1];
}

/** A load goes on where calls are bound to fail; a check does not call that fine. */
function statusOf({ severity }: ConfigIssue, code: CodeName | undefined, lenient: boolean): FindingSeverity {
  if (severity === 'error' || code === undefined) return severity;
  const own = CODES[code].severity;
  // What is refused by some codes is at times let pass on purpose.
  return own === 'error' && (lenient || code.startsWith('INM00')) ? 'warning' : own;
}

/** Codes that stand for many faults: the message itself says what to do. */
const GENERAL: ReadonlySet<CodeName> = new Set<CodeName>([
  'IST0106',
  'IST0133',
  'INM0010',
  'INM0011',
  'INM0012',
  'INM0014',
  'INM0104',
  'INM0105',
  'INM0202',
]);

/** Words that a sentence about what to do begins with. */
const ADVICE =
  /^(add|change|check|correct|did you mean|give|inside|keep|leave|let|lower|make|move|name|only|or|put|raise|remove|replace|say|see|set|split|take|use|valid are|write) /i;

/** Messages say what is wrong, then, after the last semicolon, mostly what to do. */
function textsOf(issue: ConfigIssue, code: CodeName | undefined): Pick<CheckFinding, 'message' | 'fix'> {
  const text = describeIssue(issue);
  if (code !== undefined && !GENERAL.has(code)) return { message: text, fix: CODES[code].fix };
  const split = text.lastIndexOf('; ');
  const tail = split < 0 ? '' : text.slice(split + 2);
  if (ADVICE.test(tail)) return { message: text.slice(0, split), fix: tail };
  return { message: text, ...(code === undefined ? {} : { fix: CODES[code].fix }) };
}
