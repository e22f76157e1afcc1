// Collects issues while a configuration is read. Knows where things were written, and which values must not be shown
// because they came from the environment; every value in a message goes through `show`.
import type { ConfigIssue, ConfigPath, PathPart } from './issue.ts';
import { formatPath } from './issue.ts';
import type { SourcePosition } from './route.ts';

/** What the reader of the text knows about it; a configuration given as an object has none of it. */
export interface Origin {
  /** Where the path was written, or its nearest parent. */
  readonly at?: (path: ConfigPath, part: PathPart) => SourcePosition | undefined;
  /** The text before interpolation, for values that came from the environment. */
  readonly raw?: (path: ConfigPath) => string | undefined;
  /** Whether keys that nobody knows keep the document from being used. @default error */
  readonly unknownKeys?: 'error' | 'warning';
}

export interface IssueDetail {
  /** @default value */
  readonly part?: PathPart;
  readonly suggestion?: string | undefined;
  readonly allowed?: readonly string[];
  readonly code?: string;
}

const SHOWN_LENGTH_MAX = 60;
/** Nobody reads more, and a hostile file must not make a million. */
const ISSUES_MAX = 100;

export class Report {
  readonly issues: ConfigIssue[] = [];
  readonly #origin: Origin;
  readonly #seen: Set<string> = new Set();

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  error(path: ConfigPath, message: string, detail: IssueDetail = {}): void {
    this.#add('error', path, message, detail);
  }

  warn(path: ConfigPath, message: string, detail: IssueDetail = {}): void {
    this.#add('warning', path, message, detail);
  }

  /** A key that nobody knows. */
  unknownKey(path: ConfigPath, message: string, detail: IssueDetail): void {
    this.#add(this.#origin.unknownKeys ?? 'error', path, message, detail);
  }

  /** Whether further issues are dropped. */
  get isFull(): boolean {
    return this.issues.length >= ISSUES_MAX;
  }

  get hasErrors(): boolean {
    return this.issues.some((issue) => issue.severity === 'error');
  }

  /** The value as it may be printed: the text before interpolation if there was any, shortened. */
  show(path: ConfigPath, value: unknown): string {
    const raw = this.#origin.raw?.(path);
    if (raw !== undefined) return shorten(raw);
    if (typeof value === 'string') return shorten(JSON.stringify(value));
    if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
    if (value === null || value === undefined) return 'nothing';
    return typeof value === 'object' ? 'a mapping' : shorten(String(value));
  }

  /** Whether the value came from the environment. */
  isSecret(path: ConfigPath): boolean {
    return this.#origin.raw?.(path) !== undefined;
  }

  position(path: ConfigPath, part: PathPart = 'value'): SourcePosition | undefined {
    return this.#origin.at?.(path, part);
  }

  /** `mesh.yaml:3:5`, or the path of the object. */
  place(path: ConfigPath, part: PathPart = 'value'): string {
    const position = this.position(path, part);
    return position === undefined ? formatPath(path) : `${position.file}:${position.line}:${position.column}`;
  }

  /** The same issue may turn up once for each service that inherits a default. */
  #add(severity: ConfigIssue['severity'], path: ConfigPath, message: string, detail: IssueDetail): void {
    // An error is never dropped in favour of warnings alone.
    if (this.isFull && (severity === 'warning' || this.hasErrors)) return;
    const key = `${JSON.stringify(path)} ${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const position = this.position(path, detail.part);
    this.issues.push({
      severity,
      path,
      message,
      ...(position === undefined ? {} : { position }),
      ...(detail.code === undefined ? {} : { code: detail.code }),
      ...(detail.suggestion === undefined ? {} : { suggestion: detail.suggestion }),
      ...(detail.allowed === undefined ? {} : { allowed: detail.allowed }),
    });
  }
}

function shorten(text: string): string {
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}…`;
}
