// Checks a value against the schema and reports every fault at its own place. Walks the schema itself, because a
// validator stops at the first unknown key and cannot say which branch of a union was meant. Single values are left to schema-node.ts.
import type { ConfigPath } from './issue.ts';
import { formatPath } from './issue.ts';
import { nearest } from './nearest.ts';
import type { IssueDetail, Report } from './report.ts';
import { type Action, faultOf, isMapping, type Schema as Node } from './schema-node.ts';

/** Never keys of ours; kept out so that no merge can reach a prototype. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export function checkSchema(schema: Node, value: unknown, path: ConfigPath, report: Report): void {
  check(schema, value, path, report);
}

function check(node: Node, value: unknown, path: ConfigPath, report: Report): void {
  switch (node.type) {
    case 'optional':
      if (value !== undefined) check(node.wrapped as Node, value, path, report);
      return;
    case 'union':
      checkUnion(node, value, path, report);
      return;
    case 'strict_object':
      if (isMapping(value)) checkObject(node, value, path, report);
      else mismatch(node, value, path, report);
      return;
    case 'record':
      if (isMapping(value)) {
        checkRecord(node, value, path, report);
        checkActions(node, value, path, report);
      } else mismatch(node, value, path, report);
      return;
    case 'array':
      if (!Array.isArray(value)) mismatch(node, value, path, report);
      else {
        for (let i = 0; i < value.length; i++) check(node.item as Node, value[i], [...path, i], report);
        checkActions(node, value, path, report);
      }
      return;
    default:
      checkLeaf(node, value, path, report);
  }
}

function checkObject(node: Node, value: Record<string, unknown>, path: ConfigPath, report: Report): void {
  const entries = node.entries as Readonly<Record<string, Node>>;
  const allowed = Object.keys(entries);
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(entries, key)) continue;
    const suggestion = nearest(key, allowed);
    report.unknownKey([...path, key], `unknown key ${report.show([], key)} in ${formatPath(path)}`, { part: 'key', suggestion, allowed });
  }
  for (const key of allowed) {
    const entry = entries[key] as Node;
    const present = Object.hasOwn(value, key) && value[key] !== undefined;
    if (present) check(entry, value[key], [...path, key], report);
    else if (entry.type !== 'optional') report.error([...path, key], `${formatPath([...path, key])} is missing`);
  }
}

function checkRecord(node: Node, value: Record<string, unknown>, path: ConfigPath, report: Report): void {
  for (const key of Object.keys(value)) {
    const at = [...path, key];
    const fault = FORBIDDEN_KEYS.has(key) ? 'another name' : faultOf(node.key as Node, key);
    if (fault !== null) report.error(at, `the key ${report.show([], key)} in ${formatPath(path)} must be ${fault}`, { part: 'key' });
    else check(node.value as Node, value[key], at, report);
  }
}

/** The branch is chosen by what kind of thing is there, so that the fault named is the one in the branch that was meant. */
function checkUnion(node: Node, value: unknown, path: ConfigPath, report: Report): void {
  const options = node.options as readonly Node[];
  const kind = kindOfValue(value);
  const candidates = options.filter((option) => kindOfNode(option) === kind);
  if (candidates.length === 0) mismatch(node, value, path, report);
  else if (candidates.length === 1 && candidates[0]?.type !== 'literal') check(candidates[0] as Node, value, path, report);
  else if (candidates.every((option) => faultOf(option, value) !== null)) mismatch(node, value, path, report);
}

type Kind = 'mapping' | 'list' | 'string' | 'number' | 'boolean' | 'other';

function kindOfValue(value: unknown): Kind {
  if (Array.isArray(value)) return 'list';
  if (isMapping(value)) return 'mapping';
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'other';
}

function kindOfNode(node: Node): Kind {
  switch (node.type) {
    case 'array':
      return 'list';
    case 'strict_object':
    case 'record':
      return 'mapping';
    case 'picklist':
      return 'string';
    case 'literal':
      return 'boolean';
    case 'union':
      return 'other';
    default:
      return node.type as Kind;
  }
}

function checkLeaf(node: Node, value: unknown, path: ConfigPath, report: Report): void {
  const fault = faultOf(node, value);
  if (fault === null) return;
  if (node.type === 'picklist') mismatch(node, value, path, report);
  else complain(fault, value, path, report);
}

/** A schema that was described again carries its checks one level down. */
function actionsOf(node: Node): Action[] {
  return (node.pipe ?? []).flatMap((step) => (step.kind === 'schema' ? actionsOf(step) : [step]));
}

function checkActions(node: Node, value: unknown, path: ConfigPath, report: Report): void {
  for (const action of actionsOf(node)) {
    if (!action.holds(value as never)) complain(action.message, value, path, report);
  }
}

function mismatch(node: Node, value: unknown, path: ConfigPath, report: Report): void {
  const words = wordsOf(node);
  // A suggestion would say something about a value that may be secret.
  const suggestion = typeof value === 'string' && !report.isSecret(path) ? nearest(value, words) : undefined;
  complain(expectation(node), value, path, report, { suggestion, ...(words.length === 0 ? {} : { allowed: words }) });
}

function complain(expected: string, value: unknown, path: ConfigPath, report: Report, detail: IssueDetail = {}): void {
  report.error(path, `${formatPath(path)} must be ${expected}, not ${report.show(path, value)}`, detail);
}

/** Words that may stand there, of all branches. */
function wordsOf(node: Node): string[] {
  if (node.type === 'optional') return wordsOf(node.wrapped as Node);
  if (node.type === 'union') return (node.options as readonly Node[]).flatMap(wordsOf);
  return node.type === 'picklist' ? [...(node.options as readonly string[])] : [];
}

function expectation(node: Node): string {
  switch (node.type) {
    case 'array':
      return 'a list';
    case 'strict_object':
    case 'record':
      return 'a mapping';
    case 'optional':
      return expectation(node.wrapped as Node);
    case 'union':
      return [...new Set((node.options as readonly Node[]).map(expectation))].join(', or ');
    default:
      return String(node.message);
  }
}
