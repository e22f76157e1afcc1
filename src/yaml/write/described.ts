// A piece of a configuration in the words of the concise form, every default written out; beside it what these words
// cannot say. What diff compares, what import prunes and writes.
import { formatDuration } from '../../model/duration.ts';
import { defined, type Plain, type PlainMap } from './plain.ts';

export interface Described {
  readonly input: PlainMap;
  /** What a resource of another mesh said and the concise form has no word for, by dotted path. */
  readonly foreign: PlainMap;
}

export function described(
  input: Readonly<Record<string, Plain | undefined>>,
  foreign: Readonly<Record<string, Plain | undefined>> = {},
): Described {
  return { input: defined(input), foreign: defined(foreign) };
}

/** A time that is not limited: the concise form has no word for it, but a year will do. */
export const NEVER = 'none';

export function timeText(ms: number): string {
  return formatDuration(ms);
}

/** 503, or "500-599". */
export function statusText([from, to]: readonly [from: number, to: number]): Plain {
  return from === to ? from : `${from}-${to}`;
}
