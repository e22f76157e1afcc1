// Collects what analyzers find. A finding about a document knows the piece of it; one about the configuration as a whole
// knows the line, when there is one.
import type { ConfigPath, PathPart } from '../../model/issue.ts';
import type { SourcePosition } from '../../model/route.ts';
import { positionIn, type Resource } from '../resource.ts';
import type { CodeName, FindingSeverity } from './code.ts';
import { CODES } from './codes.ts';

export interface Finding {
  readonly code: CodeName;
  readonly severity: FindingSeverity;
  /** One sentence, without the place. */
  readonly message: string;
  /** One line. */
  readonly fix: string;
  /** Absent for a configuration given as an object. */
  readonly position?: SourcePosition;
  /** The document it is about, and the piece. */
  readonly resource?: Resource;
  readonly path?: ConfigPath;
  /** All documents that have a part in it, that one included. */
  readonly involved?: readonly Resource[];
}

export interface FindingDetail {
  /** @default value */
  readonly part?: PathPart;
  /** @default that of the code */
  readonly fix?: string;
  readonly involved?: readonly Resource[];
}

/** Nobody reads more, and a hostile folder must not make a million. */
const FINDINGS_MAX = 10_000;

export class Findings {
  readonly all: Finding[] = [];
  readonly #seen: Set<string> = new Set();

  in(code: CodeName, resource: Resource, path: ConfigPath, message: string, detail: FindingDetail = {}): void {
    const { part, fix = CODES[code].fix, involved } = detail;
    const more = { resource, path, ...(involved === undefined ? {} : { involved }) };
    this.#add({ code, severity: CODES[code].severity, message, fix, position: positionIn(resource, path, part), ...more });
  }

  /** About the configuration as it will be obeyed. */
  at(code: CodeName, position: SourcePosition | undefined, message: string, fix: string = CODES[code].fix): void {
    this.#add({ code, severity: CODES[code].severity, message, fix, ...(position === undefined ? {} : { position }) });
  }

  /** Parts that share a line may say the same. */
  #add(finding: Finding): void {
    if (this.all.length >= FINDINGS_MAX) return;
    const { code, message, position } = finding;
    const key = `${code} ${position?.file}:${position?.line}:${position?.column} ${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.all.push(finding);
  }
}

const NAMED_MAX = 5;

/** `a, b and c`, `a, b, c, d, e and 12 more`. */
export function enumerate(names: readonly string[]): string {
  const shown = names.length > NAMED_MAX + 1 ? [...names.slice(0, NAMED_MAX), `${names.length - NAMED_MAX} more`] : names;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
