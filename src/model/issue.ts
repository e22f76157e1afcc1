// What is wrong with a configuration, and where: one shape from the parser to the person who reads it.
import type { SourcePosition } from './route.ts';

/** Keys and list indexes from the top of the configuration. */
export type ConfigPath = readonly (string | number)[];

/** Whether an issue is about the key or about what stands behind it. */
export type PathPart = 'key' | 'value';

export interface ConfigIssue {
  /** A warning does not keep the configuration from being used. */
  readonly severity: 'error' | 'warning';
  readonly path: ConfigPath;
  /** One sentence, without the place. Never holds a value that came from the environment. */
  readonly message: string;
  /** Absent for a configuration given as an object. */
  readonly position?: SourcePosition;
  /** The line before, the line, and a caret. */
  readonly frame?: string;
  /** `IST0101` where Istio's analyzer has the same finding, `INM0001` and so on for our own; docs/codes. */
  readonly code?: string;
  /** The nearest valid word. */
  readonly suggestion?: string;
  /** All words that are valid there. */
  readonly allowed?: readonly string[];
}

/** `services.reviews.routes[0].to`; the top is "the configuration". */
export function formatPath(path: ConfigPath): string {
  if (path.length === 0) return 'the configuration';
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
